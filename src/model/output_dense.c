/* The output layer tile by tile: predict 128 genes for all cells, compare, propagate back, go on.
 *
 * For a tile of genes with rows W_t [width, n_hidden] of the weight, and H [n_row, n_hidden]:
 *
 *   P = H W_t' + 1 b'      R = P - X      error += |R|^2      R = 0 where a ReLU is off
 *   dW_t = R' (scale H)    db = scale 1' R      dH += R W_t, in the end times scale
 *
 * 3 n_row n_gene n_hidden multiply-adds, and [128, n_row] numbers instead of [n_row, n_gene]: a
 * tile stays in the cache between its products. Exact for any output activation.
 *
 * P and R are kept by gene, [width, n_row], so that a gene's weights are read as they lie: all
 * three products take W_t, R and the activations where they are (src/kernels/gemm_panel.h). The
 * activations are laid out twice in each step, by cell and by unit, in panels of 32 columns.
 *
 * dH is a sum over genes. Tiles are walked in strips, at least 8 of the whole gene axis whatever
 * the number of shards, each with a dH of its own; strips are added up in order afterwards.
 * Strips are what threads share: their number does not depend on ranks or threads, and neither
 * does the order in which anything is added up. All functions are Local.
 */
#include "src/model/output_dense.h"

#include "src/base/simd.h"
#include "src/kernels/gemm_panel.h"
#include "src/model/gene_split.h"
#include "src/model/layout.h"

#include <stdlib.h>
#include <string.h>

/* Genes of a tile, and the strips of all slices that there are at least. Neither depends on ranks
 * or threads. */
enum { TILE = SCS_BLOCK, MIN_STRIP = 8 };

/* A slice is the genes of one local shard. */
struct scs_output_dense {
    scs_arch arch;
    scs_dense dense;
    int32_t n_slice; /**< of the genes, one a local shard */
    int n_strip;     /**< of a slice */
    int64_t max_rows;
    int32_t n_panel;       /**< of hidden units */
    int64_t stride;        /**< cells of a gene's row of R: max_rows, to whole panels */
    scs_real *by_cell;     /**< [n_panel, max_rows, SCS_PANEL] activations times the scale, zeros
                              behind the last */
    scs_real *by_unit;     /**< [panels of cells, n_hidden, SCS_PANEL] likewise */
    scs_real *predicted;   /**< [n_slice, n_strip, TILE, stride] with an output ReLU, else NULL */
    scs_real *residual;    /**< [n_slice, n_strip, TILE, stride] x_hat - x, then its gradient */
    scs_real *edge;        /**< [n_slice, n_strip, TILE, SCS_PANEL] a panel that is not whole */
    scs_real *strip_grad;  /**< [n_slice, n_strip, n_panel, max_rows, SCS_PANEL] strips' dH */
    scs_real *grad_hidden; /**< [n_slice, max_rows, n_hidden] the slices' */
    double *error;         /**< [n_slice, n_strip] squared error of the strip's genes */
};

/* A tile of genes of one strip. */
typedef struct tile {
    int32_t block;                  /**< of this rank's genes */
    int32_t gene, width;            /**< genes [gene, gene + width) of the model */
    scs_real *predicted, *residual; /**< [width, stride] */
    scs_real *edge;                 /**< [TILE, SCS_PANEL] */
    scs_real *grad_hidden;          /**< [n_panel, max_rows, SCS_PANEL] the strip's */
    const scs_real *next;           /**< the next tile's weights, or NULL */
    scs_adam_state weight;          /**< [width, n_hidden] what is updated, NULL without hooks */
    bool first;                     /**< of its strip: overwrites dH, later ones add */
} tile;

/* What all tiles of a step read and write. Borrowed. */
typedef struct step {
    const scs_gene_split *split;
    scs_real *param;
    scs_real scale;
    const scs_step_hooks *hooks;
    scs_real *grad;
} step;

/* Cells of all shards. */
static int32_t rows_of(const step *s)
{
    return (int32_t)s->split->first_row[s->split->n_shard];
}

/* Hidden units of panel p. */
static int32_t panel_width(const scs_output_dense *o, int32_t p)
{
    int32_t left = o->arch.n_hidden - p * SCS_PANEL;

    return left < SCS_PANEL ? left : SCS_PANEL;
}

/* Each strip has its own tile and its own dH, so that strips may run at once. */
static scs_status allocate(scs_output_dense *o)
{
    int64_t n_strip = (int64_t)o->n_slice * o->n_strip, rows = o->max_rows;
    int64_t panel_rows = o->n_panel * rows * SCS_PANEL;

    SCS_TRY(SCS_ALLOC(o->by_cell, panel_rows));
    SCS_TRY(SCS_ALLOC(o->by_unit, o->stride * o->arch.n_hidden));
    if (o->arch.output_relu)
        SCS_TRY(SCS_ALLOC(o->predicted, n_strip * TILE * o->stride));
    SCS_TRY(SCS_ALLOC(o->residual, n_strip * TILE * o->stride));
    SCS_TRY(SCS_ALLOC(o->edge, n_strip * TILE * SCS_PANEL));
    SCS_TRY(SCS_ALLOC(o->strip_grad, n_strip * panel_rows));
    SCS_TRY(SCS_ALLOC(o->grad_hidden, o->n_slice * rows * o->arch.n_hidden));
    return SCS_ALLOC(o->error, n_strip);
}

scs_status scs_output_dense_create(const scs_arch *arch, int32_t n_shard, int32_t n_slice,
                                   int64_t max_rows, scs_output_dense **o)
{
    scs_layout layout;
    scs_status st;

    scs_layout_build(arch, &layout);
    SCS_TRY(SCS_ALLOC(*o, 1));
    **o = (scs_output_dense){.arch = *arch,
                             .dense = layout.out,
                             .n_slice = n_slice,
                             .n_strip = n_shard < MIN_STRIP ? MIN_STRIP / n_shard : 1,
                             .max_rows = max_rows,
                             .n_panel = scs_gemm_panel_count(arch->n_hidden),
                             .stride = (int64_t)scs_gemm_panel_count(max_rows) * SCS_PANEL};
    SCS_GO(st, allocate(*o));
    return SCS_OK;
done:
    scs_output_dense_destroy(o);
    return st;
}

void scs_output_dense_destroy(scs_output_dense **o)
{
    if (!*o)
        return;
    free((*o)->by_cell);
    free((*o)->by_unit);
    free((*o)->predicted);
    free((*o)->residual);
    free((*o)->edge);
    free((*o)->strip_grad);
    free((*o)->grad_hidden);
    free((*o)->error);
    free(*o);
    *o = NULL;
}

/* ---- activations in panels ---- */

/* Panel p of the activations by cell, scaled, with zeros in columns that are not there. */
static void lay_by_cell(const scs_output_dense *o, const step *s, int32_t p)
{
    int32_t width = panel_width(o, p), n = rows_of(s);
    scs_real *to = o->by_cell + p * o->max_rows * SCS_PANEL;
    const scs_real *from = s->split->rows + (int64_t)p * SCS_PANEL;

    for (int64_t i = 0; i < n; i++, to += SCS_PANEL, from += o->arch.n_hidden) {
        for (int32_t c = 0; c < width; c++)
            to[c] = s->scale * from[c];
        memset(to + width, 0, (size_t)(SCS_PANEL - width) * sizeof *to);
    }
}

/* Panel p of the activations by unit: those of 32 cells, zeros for cells that are not there. */
static void lay_by_unit(const scs_output_dense *o, const step *s, int32_t p)
{
    int64_t n_hidden = o->arch.n_hidden, left = rows_of(s) - (int64_t)p * SCS_PANEL;
    int64_t n = left < SCS_PANEL ? left : SCS_PANEL;
    scs_real *to = o->by_unit + p * n_hidden * SCS_PANEL;
    const scs_real *from = s->split->rows + p * SCS_PANEL * n_hidden;

    for (int64_t c = 0; c < n_hidden; c++, to += SCS_PANEL) {
        for (int64_t i = 0; i < n; i++)
            to[i] = from[i * n_hidden + c];
        memset(to + n, 0, (size_t)(SCS_PANEL - n) * sizeof *to);
    }
}

/* Both ways; the one by cell is for gradients alone. */
static void lay_out(const scs_output_dense *o, const step *s)
{
    int32_t by_cell = s->grad ? o->n_panel : 0, n = by_cell + scs_gemm_panel_count(rows_of(s));

#pragma omp parallel for if (SCS_WORTH_THREADS((double)rows_of(s) * o->arch.n_hidden))
    for (int32_t p = 0; p < n; p++)
        if (p < by_cell)
            lay_by_cell(o, s, p);
        else
            lay_by_unit(o, s, p - by_cell);
}

/* ---- a tile ---- */

/* A NaN stays one, so that training sees it. */
static void rectify(scs_real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = x[i] < 0 ? 0 : x[i];
}

/* What is asked for while a product is made: part `at` of n of an array of the weight's shape. */
static void ask_for(const scs_output_dense *o, const tile *t, const scs_real *array, int32_t at,
                    int32_t n, scs_gemm_panel *product)
{
    int64_t size = (int64_t)t->width * o->dense.n_in / n;

    product->soon = array ? array + size * at : NULL;
    product->n_soon = size * (int64_t)sizeof *array;
}

/* residual = x_hat of the tile's genes; with a ReLU predicted as well. */
static void predict_tile(const scs_output_dense *o, const step *s, const tile *t)
{
    const scs_dense *dense = &o->dense;
    int32_t n_in = dense->n_in;
    size_t size = (size_t)t->width * (size_t)o->stride * sizeof *t->residual;
    scs_gemm_panel product = {.m = t->width,
                              .n_k = n_in,
                              .a = s->param + dense->weight + (int64_t)t->gene * n_in,
                              .a_row = n_in,
                              .a_step = 1,
                              .b_row = SCS_PANEL,
                              .base = s->param + dense->bias + t->gene,
                              .out_row = o->stride};

    for (int32_t p = 0; p < scs_gemm_panel_count(rows_of(s)); p++) {
        product.b = o->by_unit + (int64_t)p * n_in * SCS_PANEL;
        product.out = t->residual + (int64_t)p * SCS_PANEL;
        ask_for(o, t, p ? NULL : t->weight.m, 0, 1, &product);
        scs_gemm_panel_run(&product);
    }
    if (!o->arch.output_relu)
        return;
    rectify(t->residual, t->width * o->stride);
    memcpy(t->predicted, t->residual, size);
}

/* R = P - X: only entries that are there are touched, O(nnz of the tile). */
static void subtract_cells(const scs_output_dense *o, const step *s, const tile *t)
{
    scs_real *cell = t->residual;

    for (int32_t v = 0; v < s->split->n_shard; v++) {
        const scs_entries *x = &s->split->part[v];
        const int64_t *first = x->first + (int64_t)t->block * x->n_out;

        for (int64_t i = 0; i < x->n_out; i++, cell++)
            for (int64_t k = first[i]; k < first[i + 1]; k++)
                cell[x->column[k] * o->stride] -= x->value[k];
    }
}

/* Sums over cells, eight at a time: written out as vectors, since compilers add up the lanes of a
 * loop one after the other. */
enum { LANES = 8, PARTS = SCS_PANEL / LANES };
typedef scs_real lanes
    __attribute__((vector_size(LANES * sizeof(scs_real)), aligned(sizeof(scs_real)), may_alias));
typedef double wide_lanes __attribute__((vector_size(LANES * sizeof(double))));

static inline __attribute__((always_inline)) scs_real add_lanes(lanes x)
{
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

/* The residuals of 32 cells of a gene, and zeros for cells that are not there: a copy then. */
static inline __attribute__((always_inline)) const scs_real *
whole_panel(const scs_real *row, int32_t width, scs_real *copy)
{
    if (width >= SCS_PANEL)
        return row;
    memset(copy, 0, SCS_PANEL * sizeof *copy);
    memcpy(copy, row, (size_t)width * sizeof *copy);
    return copy;
}

/* The residual becomes the gradient of the layer's sums, but for the factor `scale`: in place,
 * which changes something under a ReLU alone.
 *  @param[out] bias [width] the bias's gradient, or NULL
 *  @return the sum of squares, in 32 sums by cell so that the order is fixed */
SCS_VECTOR static double take_residuals(const scs_output_dense *o, const tile *t, int32_t n,
                                        scs_real scale, scs_real *bias)
{
    wide_lanes square[PARTS] = {{0}};
    double error = 0;

    for (int32_t g = 0; g < t->width; g++) {
        lanes sum = {0};

        for (int32_t first = 0; first < n; first += SCS_PANEL) {
            int64_t at = g * o->stride + first;
            scs_real *row = t->residual + at, copy[SCS_PANEL];
            const scs_real *from = whole_panel(row, n - first, copy);

            for (int q = 0; q < PARTS; q++) {
                wide_lanes x =
                    __builtin_convertvector(*(const lanes *)(from + q * LANES), wide_lanes);

                square[q] += x * x;
            }
            if (t->predicted) {
                for (int32_t c = 0; c < SCS_PANEL; c++)
                    row[c] = t->predicted[at + c] > 0 ? row[c] : 0;
                from = whole_panel(row, n - first, copy);
            }
            for (int q = 0; q < PARTS; q++)
                sum += *(const lanes *)(from + q * LANES);
        }
        if (bias)
            bias[g] = scale * add_lanes(sum);
    }
    for (int q = 0; q < PARTS; q++)
        for (int c = 0; c < LANES; c++)
            error += square[q][c];
    return error;
}

/* dH += R W_t, panel by panel of W_t; the last one is copied where it is not whole. */
static void hidden_gradient(const scs_output_dense *o, const step *s, const tile *t)
{
    int64_t n_in = o->dense.n_in;
    const scs_real *weight = s->param + o->dense.weight + t->gene * n_in;
    scs_gemm_panel product = {.m = rows_of(s),
                              .n_k = t->width,
                              .a = t->residual,
                              .a_row = 1,
                              .a_step = o->stride,
                              .add = !t->first,
                              .out_row = SCS_PANEL};

    for (int32_t p = 0; p < o->n_panel; p++) {
        int32_t width = panel_width(o, p);

        product.b = weight + (int64_t)p * SCS_PANEL;
        product.b_row = n_in;
        product.out = t->grad_hidden + p * o->max_rows * SCS_PANEL;
        for (int64_t g = 0; width < SCS_PANEL && g < t->width; g++) {
            scs_real *row = t->edge + g * SCS_PANEL;

            memcpy(row, product.b + g * n_in, (size_t)width * sizeof *row);
            memset(row + width, 0, (size_t)(SCS_PANEL - width) * sizeof *row);
        }
        if (width < SCS_PANEL) {
            product.b = t->edge;
            product.b_row = SCS_PANEL;
        }
        ask_for(o, t, t->weight.v, p, o->n_panel, &product);
        scs_gemm_panel_run(&product);
    }
}

/* Columns of a panel that is not whole, from t->edge into the gradient or the weights. */
static void take_edge(const scs_output_dense *o, const step *s, const tile *t, int32_t p,
                      scs_real *grad)
{
    int32_t width = panel_width(o, p);

    for (int64_t g = 0; g < t->width; g++) {
        int64_t at = g * o->dense.n_in + (int64_t)p * SCS_PANEL;
        const scs_real *row = t->edge + g * SCS_PANEL;

        if (s->hooks) {
            scs_adam_state state = scs_adam_state_at(&t->weight, at);

            scs_adam_update(s->hooks->adam, width, &state, row);
        } else
            memcpy(grad + at, row, (size_t)width * sizeof *grad);
    }
}

/* dW_t = R' H, likewise, or W_t by it: gradient by gradient, while the next ones are multiplied.
 *  @param[out] grad [width, n_hidden] without hooks */
static void weight_gradient(const scs_output_dense *o, const step *s, const tile *t, scs_real *grad)
{
    scs_gemm_panel product = {.m = t->width,
                              .n_k = rows_of(s),
                              .a = t->residual,
                              .a_row = o->stride,
                              .a_step = 1,
                              .b_row = SCS_PANEL};

    for (int32_t p = 0; p < o->n_panel; p++) {
        int64_t at = (int64_t)p * SCS_PANEL;
        bool whole = panel_width(o, p) == SCS_PANEL;

        product.b = o->by_cell + p * o->max_rows * SCS_PANEL;
        product.out = whole ? grad + at : t->edge;
        product.out_row = whole ? o->dense.n_in : SCS_PANEL;
        product.adam = whole && s->hooks ? s->hooks->adam : NULL;
        if (product.adam)
            product.state = scs_adam_state_at(&t->weight, at);
        ask_for(o, t, t->next, p, o->n_panel, &product);
        scs_gemm_panel_run(&product);
        if (!whole)
            take_edge(o, s, t, p, grad);
    }
}

/* dH and dW of one tile. Its weights may change once dH is made. */
static void propagate_tile(const scs_output_dense *o, const step *s, const tile *t)
{
    const scs_dense *dense = &o->dense;
    int64_t at = dense->weight + (int64_t)t->gene * dense->n_in;

    hidden_gradient(o, s, t);
    weight_gradient(o, s, t, s->grad + at);
}

/* ---- strips ---- */

/* The first block of this rank's genes that belongs to a slice. */
static int slice_begin(const scs_gene_split *split, int32_t slice)
{
    return scs_entries_blocks(
        scs_layout_first_gene(split->n_all, split->n_shard, split->first + slice) - split->gene);
}

/* A strip without genes still has a dH, of zeros. */
static void run_strip(scs_output_dense *o, const step *s, int32_t slice, int strip)
{
    int64_t at = (int64_t)slice * o->n_strip + strip;
    int64_t tile_size = TILE * o->stride, grad_size = o->n_panel * o->max_rows * SCS_PANEL;
    scs_real *grad_hidden = o->strip_grad + at * grad_size;
    int begin = slice_begin(s->split, slice), n = slice_begin(s->split, slice + 1) - begin;
    int first = begin + n * strip / o->n_strip, last = begin + n * (strip + 1) / o->n_strip;
    double error = 0;

    /* Nothing is added to it, yet it is summed with the others. */
    if (first == last && s->grad)
        memset(grad_hidden, 0, (size_t)grad_size * sizeof *grad_hidden);
    for (int block = first; block < last; block++) {
        /* The last block of the genes may be narrower. */
        int32_t left = s->split->n_gene - block * TILE;
        tile t = {.block = block,
                  .gene = s->split->gene + block * TILE,
                  .width = left < TILE ? left : TILE,
                  .predicted = o->predicted ? o->predicted + at * tile_size : NULL,
                  .residual = o->residual + at * tile_size,
                  .edge = o->edge + at * TILE * SCS_PANEL,
                  .grad_hidden = grad_hidden,
                  .first = block == first};

        if (s->hooks) {
            int64_t lo = o->dense.weight + (int64_t)t.gene * o->dense.n_in;

            t.weight.param = s->param + lo;
            s->hooks->moments(s->hooks->ctx, lo, &t.weight.m, &t.weight.v);
            t.next = left > TILE ? s->param + lo + (int64_t)TILE * o->dense.n_in : NULL;
        }
        predict_tile(o, s, &t);
        subtract_cells(o, s, &t);
        error += take_residuals(o, &t, rows_of(s), s->scale,
                                s->grad ? s->grad + o->dense.bias + t.gene : NULL);
        if (s->grad)
            propagate_tile(o, s, &t);
    }
    o->error[at] = error;
}

/* Row `row` of a slice's dH: the sum of its strips in their order, scaled. */
SCS_VECTOR static void add_strips(const scs_output_dense *o, int32_t slice, int64_t row,
                                  scs_real scale)
{
    int64_t panel = o->max_rows * SCS_PANEL, strip_size = o->n_panel * panel;
    const scs_real *first = o->strip_grad + slice * o->n_strip * strip_size + row * SCS_PANEL;
    scs_real *sum = scs_output_dense_share(o, slice) + row * o->arch.n_hidden;

    for (int32_t p = 0; p < o->n_panel; p++, sum += SCS_PANEL, first += panel) {
        int32_t width = panel_width(o, p);

        memcpy(sum, first, (size_t)width * sizeof *sum);
        for (int strip = 1; strip < o->n_strip; strip++) {
            const scs_real *share = first + strip * strip_size;

#pragma omp simd
            for (int32_t c = 0; c < width; c++)
                sum[c] += share[c];
        }
#pragma omp simd
        for (int32_t c = 0; c < width; c++)
            sum[c] *= scale;
    }
}

scs_real *scs_output_dense_share(const scs_output_dense *o, int32_t slice)
{
    return o->grad_hidden + slice * o->max_rows * o->arch.n_hidden;
}

/* Over strips in their order, whichever thread has made them. */
double scs_output_dense_error(const scs_output_dense *o, int32_t slice)
{
    double sum = 0;

    for (int strip = 0; strip < o->n_strip; strip++)
        sum += o->error[(int64_t)slice * o->n_strip + strip];
    return sum;
}

/* Strips are cut by shards and slices, not by threads, and each writes into its own room; what they
 * have in common is added afterwards, in the order of strips: the bits do not depend on threads. */
void scs_output_dense_step(scs_output_dense *o, scs_real *param, double scale,
                           const scs_gene_split *split, const scs_step_hooks *hooks, scs_real *grad)
{
    step s = {split, param, (scs_real)scale, hooks, grad};
    int n_strip = o->n_strip;
    int32_t n_slice = o->n_slice, n = rows_of(&s);
    /* cppcheck-suppress unreadVariable ; the pragmas read it */
    double units = (double)n * o->arch.n_hidden;

    lay_out(o, &s);
#pragma omp parallel for collapse(2) schedule(dynamic) if (SCS_WORTH_THREADS(units * split->n_gene))
    for (int32_t slice = 0; slice < n_slice; slice++)
        for (int strip = 0; strip < n_strip; strip++)
            run_strip(o, &s, slice, strip);
    if (!grad)
        return;
#pragma omp parallel for collapse(2) if (SCS_WORTH_THREADS(units * n_slice * n_strip))
    for (int32_t slice = 0; slice < n_slice; slice++)
        for (int32_t row = 0; row < n; row++)
            add_strips(o, slice, row, s.scale);
}
