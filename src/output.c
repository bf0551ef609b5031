#include "src/output.h"

#include "src/linear.h"
#include "src/simd.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

/* Genes of a tile, and the most strips that the tiles are dealt to. Neither depends on ranks or
 * threads. */
enum { TILE = 128, MAX_STRIP = 8 };

struct scs_output {
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

static scs_status allocate(scs_output *output)
{
    int64_t rows = (int64_t)output->n_part * output->n_strip * output->max_rows;

    SCS_TRY(SCS_ALLOC(output->predicted, rows * TILE));
    SCS_TRY(SCS_ALLOC(output->residual, rows * TILE));
    SCS_TRY(SCS_ALLOC(output->grad_hidden, rows * output->arch.n_hidden));
    SCS_TRY(SCS_ALLOC(output->error, (int64_t)output->n_part * output->n_strip));
    return SCS_OK;
}

scs_status scs_output_create(const scs_arch *arch, int32_t n_part, int32_t max_rows,
                             scs_output **output)
{
    scs_layout layout;
    scs_status st;

    scs_layout_build(arch, &layout);
    SCS_TRY(SCS_ALLOC(*output, 1));
    (*output)->arch = *arch;
    (*output)->dense = layout.out;
    (*output)->n_part = n_part;
    (*output)->max_rows = max_rows;
    (*output)->n_tile = (arch->n_gene + TILE - 1) / TILE;
    (*output)->n_strip = (*output)->n_tile < MAX_STRIP ? (*output)->n_tile : MAX_STRIP;
    SCS_GO(st, allocate(*output));
    return SCS_OK;
done:
    scs_output_destroy(output);
    return st;
}

void scs_output_destroy(scs_output **output)
{
    if (!*output)
        return;
    free((*output)->predicted);
    free((*output)->residual);
    free((*output)->grad_hidden);
    free((*output)->error);
    free(*output);
    *output = NULL;
}

/* A NaN stays one, so that training sees it. */
static void rectify(scs_real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = x[i] < 0 ? 0 : x[i];
}

/* predicted = residual = x_hat of the tile's genes. */
static void predict_tile(const scs_output *output, const scs_real *param,
                         const scs_output_part *part, const tile *t)
{
    const scs_dense *dense = &output->dense;
    const scs_real *weight = param + dense->weight + (int64_t)t->gene * dense->n_in;
    int64_t size = (int64_t)part->n * t->width;

    for (int64_t i = 0; i < part->n; i++)
        memcpy(t->predicted + i * t->width, param + dense->bias + t->gene,
               (size_t)t->width * sizeof *param);
    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, part->n, t->width, dense->n_in, 1,
             part->hidden, dense->n_in, weight, dense->n_in, 1, t->predicted, t->width);
    if (output->arch.output_relu)
        rectify(t->predicted, size);
    memcpy(t->residual, t->predicted, (size_t)size * sizeof *t->residual);
    for (int64_t i = 0; part->px && i < part->n; i++)
        memcpy(part->px + i * dense->n_out + t->gene, t->predicted + i * t->width,
               (size_t)t->width * sizeof *part->px);
}

static void subtract_cells(const scs_gene_index *genes, const tile *t)
{
    for (int32_t g = t->gene; g < t->gene + t->width; g++)
        for (int64_t k = genes->first[g]; k < genes->first[g + 1]; k++)
            t->residual[(int64_t)genes->row[k] * t->width + g - t->gene] -= genes->value[k];
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

/* The residual becomes the gradient of the output layer's sums; its column sums are the bias's
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

static void propagate_tile(const scs_output *output, const scs_real *param,
                           const scs_output_part *part, const tile *t, double scale,
                           scs_real *grad_hidden, bool first)
{
    const scs_dense *dense = &output->dense;
    int32_t n_hidden = dense->n_in;
    int64_t weight = dense->weight + (int64_t)t->gene * n_hidden;

    residual_gradient(t, part->n, output->arch.output_relu, (scs_real)scale,
                      part->grad + dense->bias + t->gene);
    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, part->n, n_hidden, t->width, 1, t->residual,
             t->width, param + weight, n_hidden, first ? 0 : 1, grad_hidden, n_hidden);
    SCS_GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, t->width, n_hidden, part->n, 1, t->residual,
             t->width, part->hidden, n_hidden, 0, part->grad + weight, n_hidden);
}

static void run_strip(scs_output *output, const scs_real *param, double scale,
                      const scs_output_part *part, int64_t strip_of_part, int strip)
{
    int64_t rows = strip_of_part * output->max_rows;
    int first = strip * output->n_tile / output->n_strip;
    int last = (strip + 1) * output->n_tile / output->n_strip;
    int32_t n_gene = output->arch.n_gene;
    double error = 0;

    for (int i = first; i < last; i++) {
        tile t = {.gene = i * TILE,
                  .width = n_gene - i * TILE < TILE ? n_gene - i * TILE : TILE,
                  .predicted = output->predicted + rows * TILE,
                  .residual = output->residual + rows * TILE};

        predict_tile(output, param, part, &t);
        subtract_cells(part->genes, &t);
        error += tile_error(&t, part->n);
        if (part->grad)
            propagate_tile(output, param, part, &t, scale,
                           output->grad_hidden + rows * output->arch.n_hidden, i == first);
    }
    output->error[strip_of_part] = error;
}

/* grad_hidden of row i: the strips' shares in their order. */
SCS_VECTOR static void add_strips(const scs_output *output, int p, const scs_output_part *part,
                                  int64_t row)
{
    int64_t n_hidden = output->arch.n_hidden, stride = output->max_rows * n_hidden;
    const scs_real *share = output->grad_hidden + p * output->n_strip * stride + row * n_hidden;
    scs_real *sum = part->grad_hidden + row * n_hidden;

    memcpy(sum, share, (size_t)n_hidden * sizeof *sum);
    for (int s = 1; s < output->n_strip; s++) {
        share += stride;
#pragma omp simd
        for (int64_t c = 0; c < n_hidden; c++)
            sum[c] += share[c];
    }
}

void scs_output_step(scs_output *output, const scs_real *param, double scale, scs_output_part *part)
{
    int n_part = output->n_part, n_strip = output->n_strip;
    double rows = (double)n_part * output->max_rows * output->arch.n_hidden;

#pragma omp parallel for collapse(2)                                                               \
    schedule(dynamic) if (SCS_WORTH_THREADS(rows * output->arch.n_gene))
    for (int p = 0; p < n_part; p++)
        for (int s = 0; s < n_strip; s++)
            if (part[p].n)
                run_strip(output, param, scale, &part[p], (int64_t)p * n_strip + s, s);
#pragma omp parallel for collapse(2) if (SCS_WORTH_THREADS(rows * n_strip))
    for (int p = 0; p < n_part; p++)
        for (int32_t row = 0; row < output->max_rows; row++)
            if (row < part[p].n && part[p].grad)
                add_strips(output, p, &part[p], row);
    for (int p = 0; p < n_part; p++) {
        part[p].squared_error = 0;
        for (int s = 0; s < n_strip && part[p].n; s++)
            part[p].squared_error += output->error[p * n_strip + s];
    }
}

scs_loss scs_loss_of(const scs_arch *arch, double squared_error, double kl, int32_t n)
{
    return (scs_loss){.objective = 0.5 * squared_error + arch->kl_factor * arch->kl_weight * kl,
                      .reconstruction = squared_error,
                      .kl = kl,
                      .n = n};
}

void scs_output_decode(const scs_arch *arch, const scs_real *param, const scs_real *hidden,
                       int32_t n, scs_real *x)
{
    scs_layout layout;
    scs_flow flow = {.n = n, .in = hidden, .out = x};

    scs_layout_build(arch, &layout);
    scs_linear_forward(&layout.out, param, &flow, 1);
    if (arch->output_relu)
        rectify(x, (int64_t)n * arch->n_gene);
}
