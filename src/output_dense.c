#include "src/output_dense.h"

#include "src/simd.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

/* Genes of a tile, and the most strips that the tiles are dealt to. Neither depends on ranks or
 * threads. */
enum { TILE = SCS_BLOCK, MAX_STRIP = 8 };

struct scs_tiled {
    scs_arch arch;
    scs_dense dense;
    int32_t n_part, max_rows;
    int n_tile, n_strip;
    scs_real *predicted;   /**< [n_part, n_strip, max_rows, TILE] */
    scs_real *residual;    /**< the same: x_hat - x, then its gradient */
    scs_real *grad_hidden; /**< [n_part, n_strip, max_rows, n_hidden] each strip's share */
    double *error;         /**< [n_part, n_strip] squared error of the strip's genes */
};

/* A tile of one strip of one part. */
typedef struct tile {
    int32_t gene, width;            /**< genes [gene, gene + width) */
    scs_real *predicted, *residual; /**< [n, width] */
} tile;

static scs_status allocate(scs_tiled *tiled)
{
    int64_t rows = (int64_t)tiled->n_part * tiled->n_strip * tiled->max_rows;

    SCS_TRY(SCS_ALLOC(tiled->predicted, rows * TILE));
    SCS_TRY(SCS_ALLOC(tiled->residual, rows * TILE));
    SCS_TRY(SCS_ALLOC(tiled->grad_hidden, rows * tiled->arch.n_hidden));
    SCS_TRY(SCS_ALLOC(tiled->error, (int64_t)tiled->n_part * tiled->n_strip));
    return SCS_OK;
}

scs_status scs_tiled_create(const scs_arch *arch, int32_t n_part, int32_t max_rows,
                            scs_tiled **tiled)
{
    scs_layout layout;
    scs_status st;

    scs_layout_build(arch, &layout);
    SCS_TRY(SCS_ALLOC(*tiled, 1));
    (*tiled)->arch = *arch;
    (*tiled)->dense = layout.out;
    (*tiled)->n_part = n_part;
    (*tiled)->max_rows = max_rows;
    (*tiled)->n_tile = (arch->n_gene + TILE - 1) / TILE;
    (*tiled)->n_strip = (*tiled)->n_tile < MAX_STRIP ? (*tiled)->n_tile : MAX_STRIP;
    SCS_GO(st, allocate(*tiled));
    return SCS_OK;
done:
    scs_tiled_destroy(tiled);
    return st;
}

void scs_tiled_destroy(scs_tiled **tiled)
{
    if (!*tiled)
        return;
    free((*tiled)->predicted);
    free((*tiled)->residual);
    free((*tiled)->grad_hidden);
    free((*tiled)->error);
    free(*tiled);
    *tiled = NULL;
}

/* A NaN stays one, so that training sees it. */
static void rectify(scs_real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = x[i] < 0 ? 0 : x[i];
}

/* predicted = residual = x_hat of the tile's genes. */
static void predict_tile(const scs_tiled *tiled, const scs_real *param, const scs_output_part *part,
                         const tile *t)
{
    const scs_dense *dense = &tiled->dense;
    const scs_real *weight = param + dense->weight + (int64_t)t->gene * dense->n_in;
    int64_t size = (int64_t)part->n * t->width;

    for (int64_t i = 0; i < part->n; i++)
        memcpy(t->predicted + i * t->width, param + dense->bias + t->gene,
               (size_t)t->width * sizeof *param);
    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, part->n, t->width, dense->n_in, 1,
             part->hidden, dense->n_in, weight, dense->n_in, 1, t->predicted, t->width);
    if (tiled->arch.output_relu)
        rectify(t->predicted, size);
    memcpy(t->residual, t->predicted, (size_t)size * sizeof *t->residual);
    for (int64_t i = 0; part->px && i < part->n; i++)
        memcpy(part->px + i * dense->n_out + t->gene, t->predicted + i * t->width,
               (size_t)t->width * sizeof *part->px);
}

static void subtract_cells(const scs_entries *x, const tile *t)
{
    const int64_t *first = x->first + (int64_t)(t->gene / SCS_BLOCK) * x->n_out;

    for (int64_t i = 0; i < x->n_out; i++)
        for (int64_t k = first[i]; k < first[i + 1]; k++)
            t->residual[i * t->width + x->column[k]] -= x->value[k];
}

/* Sum of squares, column by column so that the order is fixed. */
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

/* The residual becomes the gradient of the tiled layer's sums; its column sums are the bias's
 * gradient. */
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

static void propagate_tile(const scs_tiled *tiled, const scs_real *param,
                           const scs_output_part *part, const tile *t, double scale,
                           scs_real *grad_hidden, bool first)
{
    const scs_dense *dense = &tiled->dense;
    int32_t n_hidden = dense->n_in;
    int64_t weight = dense->weight + (int64_t)t->gene * n_hidden;

    residual_gradient(t, part->n, tiled->arch.output_relu, (scs_real)scale,
                      part->grad + dense->bias + t->gene);
    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, part->n, n_hidden, t->width, 1, t->residual,
             t->width, param + weight, n_hidden, first ? 0 : 1, grad_hidden, n_hidden);
    SCS_GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, t->width, n_hidden, part->n, 1, t->residual,
             t->width, part->hidden, n_hidden, 0, part->grad + weight, n_hidden);
}

static void run_strip(scs_tiled *tiled, const scs_real *param, double scale,
                      const scs_output_part *part, int64_t strip_of_part, int strip)
{
    int64_t rows = strip_of_part * tiled->max_rows;
    int first = strip * tiled->n_tile / tiled->n_strip;
    int last = (strip + 1) * tiled->n_tile / tiled->n_strip;
    int32_t n_gene = tiled->arch.n_gene;
    double error = 0;

    for (int i = first; i < last; i++) {
        tile t = {.gene = i * TILE,
                  .width = n_gene - i * TILE < TILE ? n_gene - i * TILE : TILE,
                  .predicted = tiled->predicted + rows * TILE,
                  .residual = tiled->residual + rows * TILE};

        predict_tile(tiled, param, part, &t);
        subtract_cells(&part->x->by_cell, &t);
        error += tile_error(&t, part->n);
        if (part->grad)
            propagate_tile(tiled, param, part, &t, scale,
                           tiled->grad_hidden + rows * tiled->arch.n_hidden, i == first);
    }
    tiled->error[strip_of_part] = error;
}

/* grad_hidden of row i: the strips' shares in their order. */
SCS_VECTOR static void add_strips(const scs_tiled *tiled, int p, const scs_output_part *part,
                                  int64_t row)
{
    int64_t n_hidden = tiled->arch.n_hidden, stride = tiled->max_rows * n_hidden;
    const scs_real *share = tiled->grad_hidden + p * tiled->n_strip * stride + row * n_hidden;
    scs_real *sum = part->grad_hidden + row * n_hidden;

    memcpy(sum, share, (size_t)n_hidden * sizeof *sum);
    for (int s = 1; s < tiled->n_strip; s++) {
        share += stride;
#pragma omp simd
        for (int64_t c = 0; c < n_hidden; c++)
            sum[c] += share[c];
    }
}

void scs_tiled_step(scs_tiled *tiled, const scs_real *param, double scale, scs_output_part *part)
{
    int n_part = tiled->n_part, n_strip = tiled->n_strip;
    /* cppcheck-suppress unreadVariable ; the pragmas read it */
    double rows = (double)n_part * tiled->max_rows * tiled->arch.n_hidden;

#pragma omp parallel for collapse(2)                                                               \
    schedule(dynamic) if (SCS_WORTH_THREADS(rows * tiled->arch.n_gene))
    for (int p = 0; p < n_part; p++)
        for (int s = 0; s < n_strip; s++)
            if (part[p].n)
                run_strip(tiled, param, scale, &part[p], (int64_t)p * n_strip + s, s);
#pragma omp parallel for collapse(2) if (SCS_WORTH_THREADS(rows * n_strip))
    for (int p = 0; p < n_part; p++)
        for (int32_t row = 0; row < tiled->max_rows; row++)
            if (row < part[p].n && part[p].grad)
                add_strips(tiled, p, &part[p], row);
    for (int p = 0; p < n_part; p++) {
        part[p].squared_error = 0;
        for (int s = 0; s < n_strip && part[p].n; s++)
            part[p].squared_error += tiled->error[p * n_strip + s];
    }
}
