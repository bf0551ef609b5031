/* The output layer tile by tile: predict 128 genes for all cells, compare, propagate back, go on.
 *
 * For a tile of genes with rows W_t [width, n_hidden] of the weight, and H [n_row, n_hidden]:
 *
 *   P = H W_t' + 1 b'     R = P - X      error += |R|^2      R *= scale (0 where a ReLU is off)
 *   dW_t = R' H           db = 1' R      dH += R W_t
 *
 * 3 n_row n_gene n_hidden multiply-adds, and [n_row, 128] numbers twice instead of [n_row,
 * n_gene]: a tile stays in the cache between its products. Exact for any output activation.
 *
 * dH is a sum over genes. Tiles are walked in strips, at least 8 of the whole gene axis whatever
 * the number of shards, each with a dH of its own; strips are added up in order afterwards.
 * Strips are what threads share: neither their number nor the shapes of BLAS calls depend on
 * ranks or threads. All functions are Local.
 */
#include "src/model/output_dense.h"

#include "src/base/simd.h"
#include "src/kernels/blas.h"
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
    scs_real *predicted;   /**< [n_slice, n_strip, max_rows, TILE] */
    scs_real *residual;    /**< the same: x_hat - x, then its gradient */
    scs_real *grad_hidden; /**< [n_slice, n_strip, max_rows, n_hidden] each strip's share */
    double *error;         /**< [n_slice, n_strip] squared error of the strip's genes */
};

/* A tile of genes of one strip. */
typedef struct tile {
    int32_t block;                  /**< of this rank's genes */
    int32_t gene, width;            /**< genes [gene, gene + width) of the model */
    scs_real *predicted, *residual; /**< [n_row, width] */
} tile;

/* What all tiles of a step read and write. Borrowed. */
typedef struct step {
    const scs_gene_split *split;
    const scs_real *param;
    scs_real scale;
    scs_real *grad;
} step;

/* Cells of all shards. */
static int32_t rows_of(const step *s)
{
    return (int32_t)s->split->first_row[s->split->n_shard];
}

/* Each strip has its own tile and its own dH, so that strips may run at once. */
static scs_status allocate(scs_output_dense *o)
{
    int64_t n_strip = (int64_t)o->n_slice * o->n_strip, rows = n_strip * o->max_rows;

    SCS_TRY(SCS_ALLOC(o->predicted, rows * TILE));
    SCS_TRY(SCS_ALLOC(o->residual, rows * TILE));
    SCS_TRY(SCS_ALLOC(o->grad_hidden, rows * o->arch.n_hidden));
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
                             .max_rows = max_rows};
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
    free((*o)->predicted);
    free((*o)->residual);
    free((*o)->grad_hidden);
    free((*o)->error);
    free(*o);
    *o = NULL;
}

/* A NaN stays one, so that training sees it. */
static void rectify(scs_real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = x[i] < 0 ? 0 : x[i];
}

/* predicted = residual = x_hat of the tile's genes, [n, width]. */
static void predict_tile(const scs_output_dense *o, const step *s, const tile *t)
{
    const scs_dense *dense = &o->dense;
    const scs_real *weight = s->param + dense->weight + (int64_t)t->gene * dense->n_in;
    int32_t n = rows_of(s);
    int64_t size = (int64_t)n * t->width;

    for (int64_t i = 0; i < n; i++)
        memcpy(t->predicted + i * t->width, s->param + dense->bias + t->gene,
               (size_t)t->width * sizeof *s->param);
    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, n, t->width, dense->n_in, 1, s->split->rows,
             dense->n_in, weight, dense->n_in, 1, t->predicted, t->width);
    if (o->arch.output_relu)
        rectify(t->predicted, size);
    memcpy(t->residual, t->predicted, (size_t)size * sizeof *t->residual);
}

/* R = P - X: only entries that are there are touched, O(nnz of the tile). */
static void subtract_cells(const step *s, const tile *t)
{
    scs_real *row = t->residual;

    for (int32_t v = 0; v < s->split->n_shard; v++) {
        const scs_entries *x = &s->split->part[v];
        const int64_t *first = x->first + (int64_t)t->block * x->n_out;

        for (int64_t i = 0; i < x->n_out; i++, row += t->width)
            for (int64_t k = first[i]; k < first[i + 1]; k++)
                row[x->column[k]] -= x->value[k];
    }
}

/* Sum of squares in double, column by column so that the order is fixed. */
SCS_VECTOR static double tile_error(const tile *t, int32_t n)
{
    double column[TILE] = {0}, sum = 0;

    for (int64_t i = 0; i < n; i++) {
        const scs_real *row = t->residual + i * t->width;

#pragma omp simd
        for (int32_t c = 0; c < t->width; c++)
            column[c] += (double)row[c] * (double)row[c];
    }
    for (int32_t c = 0; c < t->width; c++)
        sum += column[c];
    return sum;
}

/* The residual becomes the gradient of the layer's sums, in place.
 *  @param[out] bias [width] its column sums, the bias's gradient */
SCS_VECTOR static void residual_gradient(const tile *t, int32_t n, bool relu, scs_real scale,
                                         scs_real *bias)
{
    memset(bias, 0, (size_t)t->width * sizeof *bias);
    for (int64_t i = 0; i < n; i++) {
        scs_real *row = t->residual + i * t->width;
        const scs_real *predicted = t->predicted + i * t->width;

#pragma omp simd
        for (int32_t c = 0; c < t->width; c++) {
            row[c] = relu && !(predicted[c] > 0) ? 0 : row[c] * scale;
            bias[c] += row[c];
        }
    }
}

/* dH and dW of one tile.
 *  @param first of its strip: overwrites dH, later ones add */
static void propagate_tile(const scs_output_dense *o, const step *s, const tile *t,
                           scs_real *grad_hidden, bool first)
{
    const scs_dense *dense = &o->dense;
    int32_t n_hidden = dense->n_in, n = rows_of(s);
    int64_t weight = dense->weight + (int64_t)t->gene * n_hidden;

    residual_gradient(t, n, o->arch.output_relu, s->scale, s->grad + dense->bias + t->gene);
    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n_hidden, t->width, 1, t->residual,
             t->width, s->param + weight, n_hidden, first ? 0 : 1, grad_hidden, n_hidden);
    SCS_GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, t->width, n_hidden, n, 1, t->residual,
             t->width, s->split->rows, n_hidden, 0, s->grad + weight, n_hidden);
}

/* The first block of this rank's genes that belongs to a slice. */
static int slice_begin(const scs_gene_split *split, int32_t slice)
{
    return scs_entries_blocks(
        scs_layout_first_gene(split->n_all, split->n_shard, split->first + slice) - split->gene);
}

/* A strip without genes still has a dH, of zeros. */
static void run_strip(scs_output_dense *o, const step *s, int32_t slice, int strip)
{
    int64_t at = (int64_t)slice * o->n_strip + strip, rows = at * o->max_rows;
    scs_real *grad_hidden = o->grad_hidden + rows * o->arch.n_hidden;
    int begin = slice_begin(s->split, slice), n = slice_begin(s->split, slice + 1) - begin;
    int first = begin + n * strip / o->n_strip, last = begin + n * (strip + 1) / o->n_strip;
    double error = 0;

    /* Nothing is added to it, yet it is summed with the others. */
    if (first == last && s->grad)
        memset(grad_hidden, 0, (size_t)rows_of(s) * (size_t)o->arch.n_hidden * sizeof *grad_hidden);
    for (int block = first; block < last; block++) {
        /* The last block of the genes may be narrower. */
        int32_t left = s->split->n_gene - block * TILE;
        tile t = {.block = block,
                  .gene = s->split->gene + block * TILE,
                  .width = left < TILE ? left : TILE,
                  .predicted = o->predicted + rows * TILE,
                  .residual = o->residual + rows * TILE};

        predict_tile(o, s, &t);
        subtract_cells(s, &t);
        error += tile_error(&t, rows_of(s));
        if (s->grad)
            propagate_tile(o, s, &t, grad_hidden, block == first);
    }
    o->error[at] = error;
}

/* Row `row` of a slice's dH: the sum of its strips in their order, where the first one's is. */
SCS_VECTOR static void add_strips(const scs_output_dense *o, int32_t slice, int64_t row)
{
    int64_t n_hidden = o->arch.n_hidden, stride = o->max_rows * n_hidden;
    scs_real *sum = scs_output_dense_share(o, slice) + row * n_hidden;

    for (int strip = 1; strip < o->n_strip; strip++) {
        const scs_real *share = sum + strip * stride;

#pragma omp simd
        for (int64_t c = 0; c < n_hidden; c++)
            sum[c] += share[c];
    }
}

scs_real *scs_output_dense_share(const scs_output_dense *o, int32_t slice)
{
    return o->grad_hidden + (int64_t)slice * o->n_strip * o->max_rows * o->arch.n_hidden;
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
void scs_output_dense_step(scs_output_dense *o, const scs_real *param, double scale,
                           const scs_gene_split *split, scs_real *grad)
{
    step s = {split, param, (scs_real)scale, grad};
    int n_strip = o->n_strip;
    int32_t n_slice = o->n_slice, n = rows_of(&s);
    /* cppcheck-suppress unreadVariable ; the pragmas read it */
    double units = (double)n * o->arch.n_hidden;

#pragma omp parallel for collapse(2) schedule(dynamic) if (SCS_WORTH_THREADS(units * split->n_gene))
    for (int32_t slice = 0; slice < n_slice; slice++)
        for (int strip = 0; strip < n_strip; strip++)
            run_strip(o, &s, slice, strip);
    if (!grad)
        return;
#pragma omp parallel for collapse(2) if (SCS_WORTH_THREADS(units * n_slice * n_strip))
    for (int32_t slice = 0; slice < n_slice; slice++)
        for (int32_t row = 0; row < n; row++)
            add_strips(o, slice, row);
}
