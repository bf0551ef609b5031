/* Means of decoded cells under many shifts of the same cells. All functions are Local.
 *
 * The decoder's first layer is linear before its activation, and batch norm in evaluation is y =
 * scale x + offset, so that with A = scale W and the same cells z
 *
 *     scale W (z + delta) + offset = [A z + offset] + A delta
 *
 * The bracket is computed once for all shifts and kept (up to CELLS_KEPT cells; above, it would
 * take more memory than it saves time); a shift adds one vector to every row. Of the layers
 * behind it only the mean over cells is wanted at the end, and the output layer is linear:
 * mean(dec) = W_out mean(h) + b. Per shift: n d^2 for each further hidden layer, and G d for the
 * genes, of many shifts at once. No cell is ever decoded.
 *
 * Hidden layers are multiplied by BLAS, or by 8-bit integer tiles where the processor has them
 * (gemm_int8.h), row by row, so that activations stay near the core. The output layer sums in
 * double, each row by itself: its bits do not depend on which rows come together, so that blocks
 * of any size give the same result.
 */
#include "src/screen/decode_mean.h"

#include "src/base/simd.h"
#include "src/kernels/gemm_int8.h"
#include "src/model/layout.h"
#include "scscreen/model.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef SCS_DOUBLE
#define GEMM cblas_dgemm
#else
#define GEMM cblas_sgemm
#endif

/* Blocks are fixed, so that the shapes of BLAS calls depend on the number of cells only. */
enum {
    CELL_BLOCK = 256, /* cells that are multiplied at once */
    CELLS_KEPT = 4096 /* at most, whose first layer is kept */
};

/* ---- hidden activations ---- */

/* Batch norm by running statistics, and the layer's bias: y = scale x + offset. */
typedef struct affine {
    scs_real *scale, *offset; /* [n_hidden] */
} affine;

/* Cells made ready; model and z are borrowed. */
struct scs_decode_mean_hidden {
    const scs_model *model;
    const scs_real *z;
    int64_t n;
    scs_layout layout;
    affine norm[SCS_MAX_LAYERS];         /* of the decoder's blocks */
    scs_gemm_int8 *int8[SCS_MAX_LAYERS]; /* their weights, or NULL: by BLAS; the first has none */
    scs_real *across; /* [n_latent, n_hidden] the first block's weights, scaled */
    scs_real *kept; /* [n, n_hidden] the first block before its activation, or NULL: too many cells
                     */
};

/* Batch norm by running statistics and the layer's bias in one: scale = gamma / sqrt(var +
 * eps), offset = (bias - mean) scale + beta; without batch norm 1 and the bias. SCS_ENOMEM. */
static scs_status set_norm(const scs_model *m, const scs_block *b, affine *norm)
{
    int32_t d = m->arch.n_hidden;
    const scs_real *param = m->param;

    SCS_TRY(SCS_ALLOC(norm->scale, d));
    SCS_TRY(SCS_ALLOC(norm->offset, d));
    for (int32_t j = 0; j < d; j++) {
        double scale = 1, offset = b->linear.bias >= 0 ? param[b->linear.bias + j] : 0;

        if (b->gamma >= 0) {
            scale = param[b->gamma + j] /
                    sqrt((double)m->running[b->running_var + j] + m->arch.bn_epsilon);
            offset = (offset - m->running[b->running_mean + j]) * scale + param[b->beta + j];
        }
        norm->scale[j] = (scs_real)scale;
        norm->offset[j] = (scs_real)offset;
    }
    return SCS_OK;
}

/* y = scale y + offset, not yet activated. @param y [n, d] x W' */
SCS_VECTOR static void scale_rows(const affine *norm, int64_t n, int32_t d, scs_real *y)
{
    for (int64_t i = 0; i < n; i++) {
        scs_real *row = y + i * d;

#pragma omp simd
        for (int32_t j = 0; j < d; j++)
            row[j] = row[j] * norm->scale[j] + norm->offset[j];
    }
}

/* The decoder's layer; the encoder's blocks come first. */
static const scs_dense *weights_of(const scs_decode_mean_hidden *m, int layer)
{
    return &m->layout.block[m->model->arch.n_layer + layer].linear;
}

/* y = x W' of one layer.
 * @param x [n, n_in]  @param digits scratch of int8, where the layer has it  @param[out] y [n,
 * n_out] */
static void multiply_layer(const scs_decode_mean_hidden *m, int layer, const scs_real *x, int32_t n,
                           void *digits, scs_real *y)
{
    const scs_dense *dense = weights_of(m, layer);

    if (!m->int8[layer]) {
        GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, n, dense->n_out, dense->n_in, 1, x,
             dense->n_in, m->model->param + dense->weight, dense->n_in, 0, y, dense->n_out);
        return;
    }
    for (int32_t i = 0; i < n; i++)
        scs_gemm_int8_put_row(m->int8[layer], x + (int64_t)i * dense->n_in, i, n, digits);
    scs_gemm_int8_multiply(m->int8[layer], n, digits, y);
}

/* Cells of the block from `first`. */
static int32_t block_size(const scs_decode_mean_hidden *m, int64_t first)
{
    return (int32_t)(m->n - first < CELL_BLOCK ? m->n - first : CELL_BLOCK);
}

/* The bracket for the block of cells from `first`. @param[out] y [cells of the block, n_hidden] */
static void first_block(const scs_decode_mean_hidden *m, int64_t first, scs_real *y)
{
    int32_t n = block_size(m, first);

    multiply_layer(m, 0, m->z + first * m->model->arch.n_latent, n, NULL, y);
    scale_rows(&m->norm[0], n, m->model->arch.n_hidden, y);
}

/* The bracket for all cells, if they are not too many. SCS_ENOMEM. */
static scs_status keep_blocks(scs_decode_mean_hidden *m)
{
    int64_t d = m->model->arch.n_hidden;

    if (m->n > CELLS_KEPT)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(m->kept, m->n * d));
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < m->n; i += CELL_BLOCK)
        first_block(m, i, m->kept + i * d);
    return SCS_OK;
}

/* A, column after column, so that a shift adds rows that lie close together. SCS_ENOMEM. */
static scs_status transpose_first(scs_decode_mean_hidden *m)
{
    const scs_dense *dense = weights_of(m, 0);
    const scs_real *weight = m->model->param + dense->weight;

    SCS_TRY(SCS_ALLOC(m->across, (int64_t)dense->n_in * dense->n_out));
    for (int64_t j = 0; j < dense->n_out; j++)
        for (int64_t k = 0; k < dense->n_in; k++)
            m->across[k * dense->n_out + j] = weight[j * dense->n_in + k] * m->norm[0].scale[j];
    return SCS_OK;
}

/* The first layer has no int8 weights: it is multiplied once, not for every shift. SCS_ENOMEM. */
static scs_status make_layer(scs_decode_mean_hidden *m, int layer, bool int8)
{
    const scs_dense *dense = weights_of(m, layer);

    SCS_TRY(set_norm(m->model, &m->layout.block[m->model->arch.n_layer + layer], &m->norm[layer]));
    if (layer == 0 || !int8)
        return SCS_OK;
    return scs_gemm_int8_create(m->model->param + dense->weight, dense->n_out, dense->n_in,
                                &m->int8[layer]);
}

scs_status scs_decode_mean_hidden_create(const scs_model *model, const scs_real *z, int64_t n,
                                         bool int8, scs_decode_mean_hidden **cells)
{
    scs_decode_mean_hidden *m;
    scs_status st;

    SCS_REQUIRE(n > 0, SCS_EARG, "no cells to move");
    SCS_TRY(SCS_ALLOC(*cells, 1));
    m = *cells;
    m->model = model;
    m->z = z;
    m->n = n;
    scs_layout_build(&model->arch, &m->layout);
    for (int32_t l = 0; l < model->arch.n_layer; l++)
        SCS_GO(st, make_layer(m, l, int8));
    SCS_GO(st, transpose_first(m));
    SCS_GO(st, keep_blocks(m));
    return SCS_OK;
done:
    scs_decode_mean_hidden_destroy(cells);
    return st;
}

void scs_decode_mean_hidden_destroy(scs_decode_mean_hidden **cells)
{
    scs_decode_mean_hidden *m = *cells;

    for (int l = 0; m && l < SCS_MAX_LAYERS; l++) {
        free(m->norm[l].scale);
        free(m->norm[l].offset);
        scs_gemm_int8_destroy(&m->int8[l]);
    }
    if (m) {
        free(m->across);
        free(m->kept);
    }
    free(m);
    *cells = NULL;
}

/* A delta: what the shift adds to each unit of the first layer.
 * @param delta [n_latent] or NULL  @param[out] sum [n_hidden] scratch, by [n_hidden] */
SCS_VECTOR static void shift_units(const scs_decode_mean_hidden *m, const double *delta,
                                   double *sum, scs_real *by)
{
    int32_t d = m->model->arch.n_hidden, n_latent = delta ? m->model->arch.n_latent : 0;

    memset(sum, 0, (size_t)d * sizeof *sum);
    for (int32_t k = 0; k < n_latent; k++) {
        const scs_real *row = m->across + (int64_t)k * d;
        double step = delta[k];

#pragma omp simd
        for (int32_t j = 0; j < d; j++)
            sum[j] += step * row[j];
    }
    for (int32_t j = 0; j < d; j++)
        by[j] = (scs_real)sum[j];
}

/* y = leaky ReLU of x + by: all that a shift changes of the first layer. @param x, y [n, d] */
SCS_VECTOR static void shift_rows(const scs_real *x, const scs_real *by, scs_real slope, int64_t n,
                                  int32_t d, scs_real *y)
{
    for (int64_t i = 0; i < n; i++) {
        const scs_real *from = x + i * d;
        scs_real *to = y + i * d;

#pragma omp simd
        for (int32_t j = 0; j < d; j++) {
            scs_real u = from[j] + by[j];

            to[j] = u > 0 ? u : slope * u;
        }
    }
}

/* Batch norm and leaky ReLU of a layer between, in place. @param y [n, d] */
SCS_VECTOR static void activate_rows(const affine *norm, scs_real slope, int64_t n, int32_t d,
                                     scs_real *y)
{
    for (int64_t i = 0; i < n; i++) {
        scs_real *row = y + i * d;

#pragma omp simd
        for (int32_t j = 0; j < d; j++) {
            scs_real u = row[j] * norm->scale[j] + norm->offset[j];

            row[j] = u > 0 ? u : slope * u;
        }
    }
}

/* sum += each row. @param sum [d] */
SCS_VECTOR static void add_rows(const scs_real *x, int64_t n, int32_t d, double *sum)
{
    for (int64_t i = 0; i < n; i++) {
        const scs_real *row = x + i * d;

#pragma omp simd
        for (int32_t j = 0; j < d; j++)
            sum[j] += row[j];
    }
}

/* The last layer's batch norm and leaky ReLU, added to the sum without being stored. @param sum
 * [d] */
SCS_VECTOR static void add_activated(const affine *norm, scs_real slope, const scs_real *x,
                                     int64_t n, int32_t d, double *sum)
{
    for (int64_t i = 0; i < n; i++) {
        const scs_real *row = x + i * d;

#pragma omp simd
        for (int32_t j = 0; j < d; j++) {
            scs_real u = row[j] * norm->scale[j] + norm->offset[j];

            sum[j] += u > 0 ? u : slope * u;
        }
    }
}

/* Two blocks of activations, the shift of the first layer, and the digits of int8. */
int64_t scs_decode_mean_hidden_scratch(const scs_model *model)
{
    int32_t d = model->arch.n_hidden;

    return (2 * CELL_BLOCK + 1) * (int64_t)d +
           scs_gemm_int8_scratch(d, CELL_BLOCK) / (int64_t)sizeof(scs_real) + 1;
}

/* Of one thread, from its scratch. */
typedef struct workspace {
    scs_real *x, *y; /* [CELL_BLOCK, n_hidden] */
    scs_real *by;    /* [n_hidden] */
    void *digits;    /* of int8 */
} workspace;

/* The second layer before its activation, from the first's; with int8 row by row, so that the
 * activations stay near the core. @param from [n, n_hidden] may be the workspace's x */
static void multiply_shifted(const scs_decode_mean_hidden *m, const scs_real *from, int32_t n,
                             workspace *at)
{
    int32_t d = m->model->arch.n_hidden;
    scs_real slope = (scs_real)m->model->arch.leaky_slope;

    if (!m->int8[1]) {
        shift_rows(from, at->by, slope, n, d, at->x);
        multiply_layer(m, 1, at->x, n, NULL, at->y);
        return;
    }
    for (int32_t i = 0; i < n; i++) {
        shift_rows(from + (int64_t)i * d, at->by, slope, 1, d, at->y);
        scs_gemm_int8_put_row(m->int8[1], at->y, i, n, at->digits);
    }
    scs_gemm_int8_multiply(m->int8[1], n, at->digits, at->y);
}

/* Adds the last hidden activations of n cells to the sum. A single hidden layer ends with the
 * shifted first one; with more, x and y change places from layer to layer.
 * @param from [n, n_hidden] the bracket of these cells */
static void add_block(const scs_decode_mean_hidden *m, const scs_real *from, int32_t n,
                      workspace *at, double *sum)
{
    int32_t d = m->model->arch.n_hidden, last = m->model->arch.n_layer - 1;
    scs_real slope = (scs_real)m->model->arch.leaky_slope, *swap;

    if (last == 0) {
        shift_rows(from, at->by, slope, n, d, at->y);
        add_rows(at->y, n, d, sum);
        return;
    }
    multiply_shifted(m, from, n, at);
    for (int32_t l = 1; l < last; l++) {
        activate_rows(&m->norm[l], slope, n, d, at->y);
        swap = at->x;
        at->x = at->y;
        at->y = swap;
        multiply_layer(m, l + 1, at->x, n, at->digits, at->y);
    }
    add_activated(&m->norm[last], slope, at->y, n, d, sum);
}

/* Blocks of cells in turn, each added to the sum before the next: the memory does not grow with
 * the cells, and the order of the sum is that of the cells. */
void scs_decode_mean_hidden_run(const scs_decode_mean_hidden *m, const double *delta,
                                scs_real *scratch, double *mean)
{
    int64_t d = m->model->arch.n_hidden;
    workspace at = {scratch, scratch + CELL_BLOCK * d, scratch + 2 * CELL_BLOCK * d,
                    scratch + (2 * CELL_BLOCK + 1) * d};

    shift_units(m, delta, mean, at.by);
    memset(mean, 0, (size_t)d * sizeof *mean);
    for (int64_t i = 0; i < m->n; i += CELL_BLOCK) {
        if (!m->kept)
            first_block(m, i, at.x);
        add_block(m, m->kept ? m->kept + i * d : at.x, block_size(m, i), &at, mean);
    }
    for (int32_t j = 0; j < d; j++)
        mean[j] /= (double)m->n;
}

/* ---- the output layer ---- */

enum {
    WIDTH = 16, /* genes of a panel */
    PANELS = 4, /* of a task */
    ROWS = 8    /* at most, whose sums, of a panel, stay in registers */
};

/* Weights in panels of WIDTH genes, so that a panel's sums fit the registers. */
struct scs_decode_mean_genes {
    int32_t n_gene, n_hidden, n_panel;
    scs_real *panel;      /* [n_panel, n_hidden, WIDTH] weights, 0 past the last gene */
    const scs_real *bias; /* [n_gene] */
};

/* Genes past the last have weights of 0: every panel is full. */
scs_status scs_decode_mean_genes_create(const scs_model *model, scs_decode_mean_genes **decoder)
{
    const scs_real *weight =
        scs_model_data(model, scs_model_find(model, "decoder.linear_out.weight"));
    int32_t d = model->arch.n_hidden;
    scs_decode_mean_genes *m;
    scs_status st;

    SCS_TRY(SCS_ALLOC(*decoder, 1));
    m = *decoder;
    m->n_gene = model->arch.n_gene;
    m->n_hidden = d;
    m->n_panel = (m->n_gene + WIDTH - 1) / WIDTH;
    m->bias = scs_model_data(model, scs_model_find(model, "decoder.linear_out.bias"));
    SCS_GO(st, SCS_ALLOC(m->panel, (int64_t)m->n_panel * d * WIDTH));
    for (int64_t g = 0; g < m->n_gene; g++)
        for (int32_t j = 0; j < d; j++)
            m->panel[(g / WIDTH * d + j) * WIDTH + g % WIDTH] = weight[g * d + j];
    return SCS_OK;
done:
    scs_decode_mean_genes_destroy(decoder);
    return st;
}

void scs_decode_mean_genes_destroy(scs_decode_mean_genes **decoder)
{
    if (*decoder)
        free((*decoder)->panel);
    free(*decoder);
    *decoder = NULL;
}

/* Tasks of some panels each: work for threads that is worth handing out. */
int scs_decode_mean_genes_tasks(const scs_decode_mean_genes *decoder)
{
    return (decoder->n_panel + PANELS - 1) / PANELS;
}

int64_t scs_decode_mean_genes_work(const scs_decode_mean_genes *decoder)
{
    return (int64_t)decoder->n_hidden * WIDTH;
}

/* ---- kinds of processors ---- */

#define SCS_KERNEL(name) name##_plain
#define SCS_VECTOR_BYTES 16
#define SCS_ROWS 1

#include "src/screen/mean_kernel.h"

#if SCS_HAS_CLONES
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
#define SCS_KERNEL(name) name##_v3
#define SCS_VECTOR_BYTES 32
#define SCS_ROWS 2
#include "src/screen/mean_kernel.h"
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4")
#define SCS_KERNEL(name) name##_v4
#define SCS_VECTOR_BYTES 64
#define SCS_ROWS 8 /* ROWS */
#include "src/screen/mean_kernel.h"
#pragma GCC pop_options
#endif

/* ---- panels ---- */

/* A panel's weights as doubles, once for all rows. */
SCS_VECTOR static void widen(const scs_real *panel, int64_t n, double *out)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        out[i] = panel[i];
}

/* A panel's genes of all rows: as many rows at once as the registers hold sums of.
 * @param g0 its first gene  @param panel [n_hidden, WIDTH] as doubles */
static void run_panel(const scs_decode_mean_genes *m, int32_t g0, const double *panel,
                      const double *hidden, int64_t n, double *mean)
{
    int32_t d = m->n_hidden, width = m->n_gene - g0 < WIDTH ? m->n_gene - g0 : WIDTH;
    double out[ROWS * WIDTH] = {0};

    for (int64_t first = 0, taken; first < n; first += taken) {
        taken = SCS_OF_PROCESSOR(multiply)(panel, hidden + first * d, d, n - first, out);
        for (int64_t i = 0; i < taken; i++)
            for (int32_t g = 0; g < width; g++)
                mean[(first + i) * m->n_gene + g0 + g] = out[i * WIDTH + g] + m->bias[g0 + g];
    }
}

/* A panel is widened once and used for all rows while it is in the cache. */
void scs_decode_mean_genes_run(const scs_decode_mean_genes *decoder, int task, const double *hidden,
                               int64_t n, double *work, double *mean)
{
    int64_t size = scs_decode_mean_genes_work(decoder);

    for (int32_t p = task * PANELS; p < decoder->n_panel && p < (task + 1) * PANELS; p++) {
        widen(decoder->panel + p * size, size, work);
        run_panel(decoder, p * WIDTH, work, hidden, n, mean);
    }
}
