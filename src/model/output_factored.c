/* The factored output layer, in the order of a step; output_factored.h has the formulae and why.
 *
 *   1. W'W, W'b   of each part's slice of the genes in pieces of rows, summed over all parts
 *   2. dH         S = X W - 1 (W'b)' by the sparse kernel, then scale (H (W'W) - S) by BLAS;
 *                 their products with h give what a cell adds to the squared error
 *   3. Hc'Hc      of each part's cells, centred by columns, summed over all parts
 *   4. dW, db     q c' - X'Hc by the sparse kernel, then W (Hc'Hc) in pieces of rows
 *
 * 1 and 3 are the only sums over ranks, of d (d + 1) / 2 (and d) doubles; triangles are packed,
 * since both products are symmetric. Everything else is tasks of fixed shape over disjoint
 * outputs. Sums that cancel (errors, W'b, q) are made in double. Functions that return a status
 * are Collective once a step has begun, all others Local.
 */
#include "src/model/output_factored.h"

#include "src/base/simd.h"
#include "src/kernels/blas.h"
#include "src/kernels/sparse.h"
#include "src/model/linear.h"
#include "src/model/output.h"
#include "scscreen/status.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Genes, or columns of an array [.., d], of a task; rows of W of a task that adds W (Hc'Hc).
 * Neither depends on ranks or threads. */
enum { TILE = 128, SPREAD_ROWS = 256 };

/* Cells whose gradient of W and b is made in one go: a part's, for all genes, or all parts', for
 * this rank's genes. Borrowed. */
typedef struct factor_cells {
    int32_t n;
    const scs_real *hidden;     /* [n, d] */
    scs_real *offset;           /* [n, d] scale (c - H); may be where hidden is */
    const scs_entries *by_gene; /* [n_gene, n] */
    int32_t gene, n_gene;       /* genes [gene, gene + n_gene) */
    scs_real *mean;             /* [d] c */
    scs_real *residual;         /* [n_gene] scale q */
    double *gene_error;         /* [tiles of genes] sum of (b - x)^2 over the cells */
    scs_real *grad;             /* flat */
} factor_cells;

/* One part's own numbers. */
typedef struct factor_lane {
    scs_real *offset;   /* [max_rows, d] */
    scs_real *mean;     /* [d] */
    scs_real *residual; /* [n_gene] */
    double *gene_error; /* [tiles of genes] */
    double *cell_error; /* [max_rows] what h adds to the squared error */
    scs_real *square;   /* [pieces of genes or cells, d, d] upper triangles of a product in hand */
} factor_lane;

struct scs_output_factored {
    scs_dense dense;
    int32_t n_part, max_rows, d;
    int64_t size;        /* of a packed triangle and a row of d */
    factor_lane *lane;   /* [n_part] */
    factor_cells *cells; /* [n_cells <= n_part] */
    int32_t n_cells;
    int32_t *first_gene;   /* [n_part + 1] of the parts' slices (layout.h) */
    double *parts, *total; /* [n_part, size], [size] */
    scs_real *weight_gram; /* [d, d] W'W */
    scs_real *cell_gram;   /* [d, d] scale Hc'Hc of the whole batch */
    scs_real *minus_wb;    /* [d] -W'b */
};

/* ---- triangles of A'A ---- */

/* Rows of a piece of A'A, up to so many pieces: syrk on all rows would use one thread, and more
 * pieces cost [d, d] of memory each. */
enum { PIECE = 256, MAX_PIECES = 8 };

/* Into how many pieces the rows are cut, a task each; more rows make no fewer. */
static int gram_tasks(int32_t n)
{
    return n > PIECE * (MAX_PIECES - 1) ? MAX_PIECES : (n + PIECE - 1) / PIECE;
}

/* A piece's share of scale A'A, from the diagonal on; what lies below is not touched.
 *  @param a [n, d]
 *  @param[out] square [d, d] */
static void gram_run(const scs_real *a, int32_t n, int32_t d, double scale, int task,
                     scs_real *square)
{
    int64_t n_task = gram_tasks(n), first = n * task / n_task, last = n * (task + 1) / n_task;

    SCS_SYRK(CblasRowMajor, CblasUpper, CblasTrans, d, (int32_t)(last - first), (scs_real)scale,
             a + first * d, d, 0, square, d);
}

/* Numbers of an upper triangle. */
static int64_t gram_size(int32_t d)
{
    return (int64_t)d * (d + 1) / 2;
}

/* Where row i of the packed triangle would have its column 0: rows are [d, d - 1, ..., 1] long. */
static int64_t row_of(int64_t i, int64_t d)
{
    return i * d - i * (i + 1) / 2;
}

/* The upper triangle, row after row: the sum of all pieces' shares, in double, pieces in order.
 *  @param square [gram_tasks(n), d, d]
 *  @param[out] packed [gram_size(d)] */
static void gram_pack(const scs_real *square, int32_t n, int32_t d, double *packed)
{
    int n_task = gram_tasks(n);

#pragma omp parallel for if (SCS_WORTH_THREADS((int64_t)d * d))
    for (int64_t i = 0; i < d; i++) {
        double *row = packed + row_of(i, d);

        for (int64_t j = i; j < d; j++)
            row[j] = n_task > 0 ? square[i * d + j] : 0;
        for (int64_t task = 1; task < n_task; task++)
            for (int64_t j = i; j < d; j++)
                row[j] += square[(task * d + i) * d + j];
    }
}

/* Both triangles from the upper one.
 *  @param[out] square [d, d] */
static void gram_unpack(const double *packed, int32_t d, scs_real *square)
{
#pragma omp parallel for if (SCS_WORTH_THREADS((int64_t)d * d))
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j < i; j++)
            square[i * d + j] = (scs_real)packed[row_of(j, d) + i];
        for (int64_t j = i; j < d; j++)
            square[i * d + j] = (scs_real)packed[row_of(i, d) + j];
    }
}

/* ---- create and destroy ---- */

/* Tiles of so many genes. */
static int32_t gene_tiles(int32_t n_gene)
{
    return (n_gene + TILE - 1) / TILE;
}

/* `square` serves the pieces of genes first, those of cells later. */
static scs_status create_lane(const scs_output_factored *f, factor_lane *l)
{
    int64_t genes = gram_tasks(f->dense.n_out), cells = gram_tasks(f->max_rows);
    int64_t n_piece = genes > cells ? genes : cells;

    SCS_TRY(SCS_ALLOC(l->offset, (int64_t)f->max_rows * f->d));
    SCS_TRY(SCS_ALLOC(l->mean, f->d));
    SCS_TRY(SCS_ALLOC(l->residual, f->dense.n_out));
    SCS_TRY(SCS_ALLOC(l->gene_error, gene_tiles(f->dense.n_out)));
    SCS_TRY(SCS_ALLOC(l->cell_error, f->max_rows));
    return SCS_ALLOC(l->square, n_piece * f->d * f->d);
}

/* The caller destroys the layer after an error. */
static scs_status allocate(scs_output_factored *f)
{
    SCS_TRY(SCS_ALLOC(f->lane, f->n_part));
    for (int32_t p = 0; p < f->n_part; p++)
        SCS_TRY(create_lane(f, &f->lane[p]));
    SCS_TRY(SCS_ALLOC(f->cells, f->n_part));
    SCS_TRY(SCS_ALLOC(f->first_gene, f->n_part + 1));
    SCS_TRY(SCS_ALLOC(f->parts, f->n_part * f->size));
    SCS_TRY(SCS_ALLOC(f->total, f->size));
    SCS_TRY(SCS_ALLOC(f->weight_gram, (int64_t)f->d * f->d));
    SCS_TRY(SCS_ALLOC(f->cell_gram, (int64_t)f->d * f->d));
    return SCS_ALLOC(f->minus_wb, f->d);
}

scs_status scs_output_factored_create(const scs_arch *arch, int32_t n_part, int32_t max_rows,
                                      scs_output_factored **output)
{
    scs_layout layout;
    scs_status st;

    SCS_REQUIRE(!arch->output_relu, SCS_EARG,
                "train.output_layer: factored needs a linear output; that of profile paper is not");
    scs_layout_build(arch, &layout);
    SCS_TRY(SCS_ALLOC(*output, 1));
    **output = (scs_output_factored){.dense = layout.out,
                                     .n_part = n_part,
                                     .max_rows = max_rows,
                                     .d = arch->n_hidden,
                                     .size = gram_size(arch->n_hidden) + arch->n_hidden};
    SCS_GO(st, allocate(*output));
    return SCS_OK;
done:
    scs_output_factored_destroy(output);
    return st;
}

void scs_output_factored_destroy(scs_output_factored **output)
{
    scs_output_factored *f = *output;

    if (!f)
        return;
    for (int32_t p = 0; f->lane && p < f->n_part; p++) {
        free(f->lane[p].offset);
        free(f->lane[p].mean);
        free(f->lane[p].residual);
        free(f->lane[p].gene_error);
        free(f->lane[p].cell_error);
        free(f->lane[p].square);
    }
    free(f->lane);
    free(f->cells);
    free(f->first_gene);
    free(f->parts);
    free(f->total);
    free(f->weight_gram);
    free(f->cell_gram);
    free(f->minus_wb);
    free(f);
    *output = NULL;
}

/* ---- W'W and W'b ---- */

/* Columns [first, first + width) of a slice's share of W'b, in double.
 *  @param weight [n, d]
 *  @param bias [n]
 *  @param[out] sum [width] */
SCS_VECTOR static void weigh_rows(const scs_real *weight, const scs_real *bias, int32_t n,
                                  int32_t d, int32_t first, int32_t width, double *sum)
{
    memset(sum, 0, (size_t)width * sizeof *sum);
    for (int64_t g = 0; g < n; g++) {
        const scs_real *row = weight + g * d + first;

#pragma omp simd
        for (int32_t c = 0; c < width; c++)
            sum[c] += (double)bias[g] * row[c];
    }
}

/* Tasks below n_gram are pieces of W'W, the others tiles of W'b. */
static void weights_of_piece(scs_output_factored *f, const scs_real *param, int32_t p, int task)
{
    int32_t first = f->first_gene[p], n = f->first_gene[p + 1] - first;
    const scs_real *weight = param + f->dense.weight + (int64_t)first * f->d;
    int n_gram = gram_tasks(n);
    int32_t column = (task - n_gram) * TILE, left = f->d - column;
    double *sum = f->parts + p * f->size + gram_size(f->d);

    if (task < n_gram)
        gram_run(weight, n, f->d, 1, task, f->lane[p].square + (int64_t)task * f->d * f->d);
    else if (left > 0)
        weigh_rows(weight, param + f->dense.bias + first, n, f->d, column,
                   left < TILE ? left : TILE, sum + column);
}

/* weight_gram and minus_wb, the same on all ranks. Collective. */
static scs_status gram_of_weights(scs_output_factored *f, const scs_real *param,
                                  const scs_team *team)
{
    int n_task = gram_tasks(f->dense.n_out) + (f->d + TILE - 1) / TILE;
    int64_t packed = gram_size(f->d);

#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int task = 0; task < n_task; task++)
            weights_of_piece(f, param, p, task);
    for (int32_t p = 0; p < f->n_part; p++)
        gram_pack(f->lane[p].square, f->first_gene[p + 1] - f->first_gene[p], f->d,
                  f->parts + p * f->size);
    SCS_TRY(team->sum(team->ctx, f->parts, f->size, f->total));
    gram_unpack(f->total, f->d, f->weight_gram);
    for (int32_t c = 0; c < f->d; c++)
        /* Negated, because it is the base that the product X W is added to. */
        f->minus_wb[c] = (scs_real)-f->total[packed + c];
    return SCS_OK;
}

/* In vector lanes, whose sums have another order than scs_vector_dot's. */
SCS_VECTOR static double dot(const scs_real *a, const scs_real *b, int32_t n)
{
    double sum = 0;

#pragma omp simd reduction(+ : sum)
    for (int32_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* ---- the gradient of H, and the squared error ---- */

/* grad_hidden = X W - 1 (W'b)', whose products with h the squared error needs. */
static void multiply_cells(scs_output_factored *f, const scs_real *param,
                           const scs_output_part *part)
{
    int n_task = scs_sparse_product_tasks(f->max_rows, f->d);

#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int task = 0; task < n_task; task++) {
            scs_product product = {.x = &part[p].x->by_cell,
                                   .dense = param + f->dense.weight,
                                   .base = f->minus_wb,
                                   .out = part[p].grad_hidden,
                                   .n_col = f->d};

            if (part[p].n)
                scs_sparse_product_run(&product, task);
        }
}

/* error = factor h . grad_hidden of each cell, added to what is there where `add`. */
static void add_cell_errors(scs_output_factored *f, double factor, bool add,
                            const scs_output_part *part)
{
#pragma omp parallel for collapse(2)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int64_t i = 0; i < f->max_rows; i++)
            if (i < part[p].n)
                f->lane[p].cell_error[i] =
                    factor * dot(part[p].hidden + i * f->d, part[p].grad_hidden + i * f->d, f->d) +
                    (add ? f->lane[p].cell_error[i] : 0);
}

/* grad_hidden = scale (H (W'W) - grad_hidden) */
static void hidden_gradient_cut(const scs_output_factored *f, double scale,
                                const scs_output_part *part, const scs_cut *cut)
{
    int64_t row = (int64_t)cut->row * f->d;

    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, cut->n_row, cut->n_col, f->d,
             (scs_real)scale, part->hidden + row, f->d, f->weight_gram + cut->col, f->d,
             (scs_real)-scale, part->grad_hidden + row + cut->col, f->d);
}

/* All parts' cells, in cuts of fixed shape (linear.h). */
static void multiply_hidden(scs_output_factored *f, double scale, const scs_output_part *part)
{
    int few = scs_linear_cut_tasks(1, f->d), many = scs_linear_cut_tasks(f->max_rows, f->d);

#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int task = 0; task < (few > many ? few : many); task++) {
            scs_cut cut;

            if (part[p].n && scs_linear_cut_at(part[p].n, f->d, task, &cut))
                hidden_gradient_cut(f, scale, &part[p], &cut);
        }
}

/* dH, from weight_gram and minus_wb. With S = X W - (W'b)', cell_error = -h S + h (H (W'W) - S)
 * is h (W'W) h + 2 h (W'b) - 2 x W h: all of the squared error but what genes have without h
 * (residual_tile). The second product is taken of scale times it, hence 1 / scale. */
static void hidden_gradient(scs_output_factored *f, const scs_real *param, double scale,
                            const scs_output_part *part)
{
    multiply_cells(f, param, part);
    add_cell_errors(f, -1, false, part);
    multiply_hidden(f, scale, part);
    add_cell_errors(f, 1 / scale, true, part);
}

/* ---- H, centred, and Hc'Hc ---- */

/* The mean of columns [first, first + width), and the offsets from it. */
SCS_VECTOR static void centre(const factor_cells *c, int32_t d, int32_t first, int32_t width,
                              double scale)
{
    double mean[TILE] = {0};

    for (int64_t i = 0; i < c->n; i++) {
        const scs_real *row = c->hidden + i * d + first;

#pragma omp simd
        for (int32_t k = 0; k < width; k++)
            mean[k] += row[k];
    }
    for (int32_t k = 0; k < width; k++)
        c->mean[first + k] = (scs_real)(mean[k] / c->n);
    for (int64_t i = 0; i < c->n; i++) {
        const scs_real *row = c->hidden + i * d + first;
        scs_real *offset = c->offset + i * d + first;

#pragma omp simd
        for (int32_t k = 0; k < width; k++)
            offset[k] = (scs_real)scale * (c->mean[first + k] - row[k]);
    }
}

/* offset = scale (c - H), with the sign and the scale that dW needs. */
static void centre_cells(const scs_output_factored *f, double scale)
{
#pragma omp parallel for collapse(2)
    for (int32_t i = 0; i < f->n_cells; i++)
        for (int32_t first = 0; first < f->d; first += TILE)
            if (f->cells[i].n)
                centre(&f->cells[i], f->d, first, f->d - first < TILE ? f->d - first : TILE, scale);
}

/* A part's own rows of the offsets [n, d]. */
static const scs_real *part_offset(const scs_output_factored *f, const scs_gene_split *split,
                                   int32_t p)
{
    return split ? split->rows + split->bound[split->first + p] : f->lane[p].offset;
}

/* cell_gram = scale Hc'Hc of the whole batch, the same on all ranks: offsets are scaled already,
 * so that their product is divided by scale once. Where each part is centred by its own mean,
 * Hc'Hc is the sum over parts. Collective. */
static scs_status gram_of_cells(scs_output_factored *f, double scale, const scs_team *team,
                                const scs_gene_split *split, const scs_output_part *part)
{
    int n_task = gram_tasks(f->max_rows);
    int64_t size = gram_size(f->d), square = (int64_t)f->d * f->d;

#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int task = 0; task < n_task; task++)
            if (task < gram_tasks(part[p].n))
                gram_run(part_offset(f, split, p), part[p].n, f->d, 1 / scale, task,
                         f->lane[p].square + task * square);
    for (int32_t p = 0; p < f->n_part; p++)
        gram_pack(f->lane[p].square, part[p].n, f->d, f->parts + p * size);
    SCS_TRY(team->sum(team->ctx, f->parts, size, f->total));
    gram_unpack(f->total, f->d, f->cell_gram);
    return SCS_OK;
}

/* ---- the gradient of W and b ---- */

/* A gene's sum of x, and of (b - x)^2 over the cells, added to *error; absent entries count as 0.
 */
static double gene_sums(const scs_entries *x, int32_t gene, double bias, double *error)
{
    double sum = 0, square = 0;

    for (int64_t b = 0; b < scs_entries_blocks(x->n_in); b++) {
        const int64_t *first = x->first + b * x->n_out + gene;

        for (int64_t k = first[0]; k < first[1]; k++) {
            sum += x->value[k];
            square += (double)x->value[k] * x->value[k];
        }
    }
    *error += x->n_in * bias * bias - 2 * bias * sum + square;
    return sum;
}

/* q of a tile of genes, which is the gradient of b; and their part of the squared error. */
static void residual_tile(const scs_output_factored *f, const scs_real *param, double scale,
                          const factor_cells *c, int tile)
{
    int32_t last = (tile + 1) * TILE < c->n_gene ? (tile + 1) * TILE : c->n_gene;
    const scs_real *weight = param + f->dense.weight + (int64_t)c->gene * f->d;
    const scs_real *bias = param + f->dense.bias + c->gene;

    c->gene_error[tile] = 0;
    for (int32_t g = tile * TILE; g < last; g++) {
        double sum = gene_sums(c->by_gene, g, bias[g], &c->gene_error[tile]);
        double predicted = c->n * (dot(weight + (int64_t)g * f->d, c->mean, f->d) + bias[g]);

        c->residual[g] = (scs_real)(scale * (predicted - sum));
        c->grad[f->dense.bias + c->gene + g] = c->residual[g];
    }
}

/* The cells' rows of dW but for W (Hc'Hc), and db; from the centred H. Also gene_error. */
static void weight_gradient(const scs_output_factored *f, const scs_real *param, double scale)
{
    int n_tile = gene_tiles(f->dense.n_out);
    int n_task = scs_sparse_product_tasks(f->dense.n_out, f->d);

#pragma omp parallel for collapse(2)
    for (int32_t i = 0; i < f->n_cells; i++)
        for (int tile = 0; tile < n_tile; tile++)
            if (f->cells[i].n && tile < gene_tiles(f->cells[i].n_gene))
                residual_tile(f, param, scale, &f->cells[i], tile);
#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t i = 0; i < f->n_cells; i++)
        for (int task = 0; task < n_task; task++) {
            /* Row g of dW = q_g c' + sum over its entries x of x (scale (c - h)): base and
             * entries of one product. */
            const factor_cells *c = &f->cells[i];
            scs_product product = {.x = c->by_gene,
                                   .dense = c->offset,
                                   .base = c->mean,
                                   .base_scale = c->residual,
                                   .out = c->grad + f->dense.weight + (int64_t)c->gene * f->d,
                                   .n_col = f->d};

            if (c->n)
                scs_sparse_product_run(&product, task);
        }
}

/* Rows [first, first + n) of dW += W (Hc'Hc). The product is scaled already. */
static void add_spread_rows(const scs_output_factored *f, const scs_real *param, scs_real *grad,
                            int32_t first, int32_t n)
{
    int64_t at = f->dense.weight + (int64_t)first * f->d;

    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, f->d, f->d, 1, param + at, f->d,
             f->cell_gram, f->d, 1, grad + at, f->d);
}

/* W (Hc'Hc) to dW, which only the whole batch gives: each part gets the rows of its slice of the
 * genes, or the first one those of all slices that are here. */
static void add_spread(const scs_output_factored *f, const scs_real *param,
                       const scs_output_part *part)
{
    int32_t most = 0; /* genes of a slice */

    for (int32_t p = 0; p < f->n_part; p++)
        if (f->first_gene[p + 1] - f->first_gene[p] > most)
            most = f->first_gene[p + 1] - f->first_gene[p];
#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int32_t p = 0; p < f->n_part; p++)
        for (int32_t row = 0; row < most; row += SPREAD_ROWS) {
            int32_t first = f->first_gene[p] + row, left = f->first_gene[p + 1] - first;

            if (left > 0)
                add_spread_rows(f, param, part[f->n_cells > 1 ? p : 0].grad, first,
                                left < SPREAD_ROWS ? left : SPREAD_ROWS);
        }
}

/* ---- a step ---- */

/* Without a split: each part's cells, all genes. */
static void take_parts(scs_output_factored *f, const scs_output_part *part)
{
    f->n_cells = f->n_part;
    for (int32_t p = 0; p < f->n_part; p++) {
        const factor_lane *l = &f->lane[p];

        f->cells[p] = (factor_cells){.n = part[p].n,
                                     .hidden = part[p].hidden,
                                     .offset = l->offset,
                                     .by_gene = &part[p].x->by_gene,
                                     .n_gene = f->dense.n_out,
                                     .mean = l->mean,
                                     .residual = l->residual,
                                     .gene_error = l->gene_error,
                                     .grad = part[p].grad};
    }
}

/* With a split: all cells, this rank's genes. The rows that were gathered become the offsets,
 * where they are. */
static void take_split(scs_output_factored *f, const scs_gene_split *split,
                       const scs_output_part *part)
{
    const factor_lane *l = &f->lane[0];

    f->n_cells = 1;
    f->cells[0] = (factor_cells){.n = (int32_t)split->first_row[split->n_shard],
                                 .hidden = split->rows,
                                 .offset = split->rows,
                                 .by_gene = &split->by_gene,
                                 .gene = split->gene,
                                 .n_gene = split->n_gene,
                                 .mean = l->mean,
                                 .residual = l->residual,
                                 .gene_error = l->gene_error,
                                 .grad = part[0].grad};
}

/* What a part's cells have, and what its genes have: all genes for its cells, or its slice of the
 * genes for all cells. */
static void sum_errors(const scs_output_factored *f, const scs_gene_split *split,
                       scs_output_part *part)
{
    for (int32_t p = 0; p < f->n_part; p++) {
        const factor_cells *c = &f->cells[split ? 0 : p];
        int first = split ? gene_tiles(f->first_gene[p] - split->gene) : 0;
        int last = gene_tiles(split ? f->first_gene[p + 1] - split->gene : c->n_gene);
        double sum = 0;

        for (int32_t i = 0; i < part[p].n; i++)
            sum += f->lane[p].cell_error[i];
        for (int tile = first; tile < last && c->n; tile++)
            sum += c->gene_error[tile];
        part[p].squared_error = sum;
    }
}

/* dH before dW: in a split step the centred rows overwrite the gathered H in place, and the
 * parts' own H is what dH and the cells' errors need. */
scs_status scs_output_factored_step(scs_output_factored *f, const scs_real *param, double scale,
                                    const scs_team *team, scs_gene_split *split,
                                    scs_output_part *part)
{
    for (int32_t p = 0; p <= f->n_part; p++)
        f->first_gene[p] = scs_layout_first_gene(f->dense.n_out, team->n_shard, team->first + p);
    if (split)
        take_split(f, split, part);
    else
        take_parts(f, part);
    SCS_TRY(gram_of_weights(f, param, team));
    hidden_gradient(f, param, scale, part);
    centre_cells(f, scale);
    SCS_TRY(gram_of_cells(f, scale, team, split, part));
    weight_gradient(f, param, scale);
    add_spread(f, param, part);
    sum_errors(f, split, part);
    return SCS_OK;
}
