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
enum { CELL_BLOCK = 256, CELLS_KEPT = 4096 };

/* Batch norm by running statistics, and the layer's bias: y = scale x + offset. */
typedef struct affine {
    scs_real *scale, *offset; /* [n_hidden] */
} affine;

struct scs_decode_mean_hidden {
    const scs_model *model;
    const scs_real *z;
    int64_t n;
    scs_layout layout;
    affine norm[SCS_MAX_LAYERS];          /* of the decoder's blocks */
    scs_gemm_int8 *tiles[SCS_MAX_LAYERS]; /* their weights, or NULL: by BLAS; the first has none */
    scs_real *across; /* [n_latent, n_hidden] the first block's weights, scaled */
    scs_real *kept; /* [n, n_hidden] the first block before its activation, or NULL: too many cells
                     */
};

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

/* y = scale (x W') + offset, not yet activated. @param x [n, n_in]  @param[out] y [n, n_hidden] */
SCS_VECTOR static void scale_rows(const affine *norm, int64_t n, int32_t d, scs_real *y)
{
    for (int64_t i = 0; i < n; i++) {
        scs_real *row = y + i * d;

#pragma omp simd
        for (int32_t j = 0; j < d; j++)
            row[j] = row[j] * norm->scale[j] + norm->offset[j];
    }
}

static const scs_dense *weights_of(const scs_decode_mean_hidden *m, int layer)
{
    return &m->layout.block[m->model->arch.n_layer + layer].linear;
}

/* @param digits scratch of tiles, where the layer has them */
static void multiply(const scs_decode_mean_hidden *m, int layer, const scs_real *x, int32_t n,
                     void *digits, scs_real *y)
{
    const scs_dense *dense = weights_of(m, layer);

    if (!m->tiles[layer]) {
        GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, n, dense->n_out, dense->n_in, 1, x,
             dense->n_in, m->model->param + dense->weight, dense->n_in, 0, y, dense->n_out);
        return;
    }
    for (int32_t i = 0; i < n; i++)
        scs_gemm_int8_put_row(m->tiles[layer], x + (int64_t)i * dense->n_in, i, n, digits);
    scs_gemm_int8_multiply(m->tiles[layer], n, digits, y);
}

static int32_t block_size(const scs_decode_mean_hidden *m, int64_t first)
{
    return (int32_t)(m->n - first < CELL_BLOCK ? m->n - first : CELL_BLOCK);
}

static void first_block(const scs_decode_mean_hidden *m, int64_t first, scs_real *y)
{
    int32_t n = block_size(m, first);

    multiply(m, 0, m->z + first * m->model->arch.n_latent, n, NULL, y);
    scale_rows(&m->norm[0], n, m->model->arch.n_hidden, y);
}

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

/* Column after column, times the batch norm's scale. */
static scs_status turn_weights(scs_decode_mean_hidden *m)
{
    const scs_dense *dense = weights_of(m, 0);
    const scs_real *weight = m->model->param + dense->weight;

    SCS_TRY(SCS_ALLOC(m->across, (int64_t)dense->n_in * dense->n_out));
    for (int64_t j = 0; j < dense->n_out; j++)
        for (int64_t k = 0; k < dense->n_in; k++)
            m->across[k * dense->n_out + j] = weight[j * dense->n_in + k] * m->norm[0].scale[j];
    return SCS_OK;
}

static scs_status make_layer(scs_decode_mean_hidden *m, int layer, bool tiles)
{
    const scs_dense *dense = weights_of(m, layer);

    SCS_TRY(set_norm(m->model, &m->layout.block[m->model->arch.n_layer + layer], &m->norm[layer]));
    if (layer == 0 || !tiles)
        return SCS_OK;
    return scs_gemm_int8_create(m->model->param + dense->weight, dense->n_out, dense->n_in,
                                &m->tiles[layer]);
}

scs_status scs_decode_mean_hidden_create(const scs_model *model, const scs_real *z, int64_t n,
                                         bool tiles, scs_decode_mean_hidden **moving)
{
    scs_decode_mean_hidden *m;
    scs_status st;

    SCS_REQUIRE(n > 0, SCS_EARG, "no cells to move");
    SCS_TRY(SCS_ALLOC(*moving, 1));
    m = *moving;
    m->model = model;
    m->z = z;
    m->n = n;
    scs_layout_build(&model->arch, &m->layout);
    for (int32_t l = 0; l < model->arch.n_layer; l++)
        SCS_GO(st, make_layer(m, l, tiles));
    SCS_GO(st, turn_weights(m));
    SCS_GO(st, keep_blocks(m));
    return SCS_OK;
done:
    scs_decode_mean_hidden_destroy(moving);
    return st;
}

void scs_decode_mean_hidden_destroy(scs_decode_mean_hidden **moving)
{
    scs_decode_mean_hidden *m = *moving;

    for (int l = 0; m && l < SCS_MAX_LAYERS; l++) {
        free(m->norm[l].scale);
        free(m->norm[l].offset);
        scs_gemm_int8_destroy(&m->tiles[l]);
    }
    if (m) {
        free(m->across);
        free(m->kept);
    }
    free(m);
    *moving = NULL;
}

/* What delta adds to each unit of the first block. @param[out] sum, by [n_hidden] */
SCS_VECTOR static void move_units(const scs_decode_mean_hidden *m, const double *delta, double *sum,
                                  scs_real *by)
{
    int32_t d = m->model->arch.n_hidden, n_latent = delta ? m->model->arch.n_latent : 0;

    memset(sum, 0, (size_t)d * sizeof *sum);
    for (int32_t k = 0; k < n_latent; k++) {
        const scs_real *row = m->across + (int64_t)k * d;
        double by_so_much = delta[k];

#pragma omp simd
        for (int32_t j = 0; j < d; j++)
            sum[j] += by_so_much * row[j];
    }
    for (int32_t j = 0; j < d; j++)
        by[j] = (scs_real)sum[j];
}

/* y = leaky ReLU of x + by */
SCS_VECTOR static void move_rows(const scs_real *x, const scs_real *by, scs_real slope, int64_t n,
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

/* Scaled, and leaky ReLU, in place. */
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

SCS_VECTOR static void add_rows(const scs_real *x, int64_t n, int32_t d, double *sum)
{
    for (int64_t i = 0; i < n; i++) {
        const scs_real *row = x + i * d;

#pragma omp simd
        for (int32_t j = 0; j < d; j++)
            sum[j] += row[j];
    }
}

/* The same of activations that are yet to be scaled and to go through the leaky ReLU. */
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
    void *digits;    /* of tiles */
} workspace;

/* The second block of the layers before its activation, from the first's; row by row, so that the
 * activations stay near the core. @param from [n, n_hidden] may be the workspace's x */
static void multiply_moved(const scs_decode_mean_hidden *m, const scs_real *from, int32_t n,
                           workspace *at)
{
    int32_t d = m->model->arch.n_hidden;
    scs_real slope = (scs_real)m->model->arch.leaky_slope;

    if (!m->tiles[1]) {
        move_rows(from, at->by, slope, n, d, at->x);
        multiply(m, 1, at->x, n, NULL, at->y);
        return;
    }
    for (int32_t i = 0; i < n; i++) {
        move_rows(from + (int64_t)i * d, at->by, slope, 1, d, at->y);
        scs_gemm_int8_put_row(m->tiles[1], at->y, i, n, at->digits);
    }
    scs_gemm_int8_multiply(m->tiles[1], n, at->digits, at->y);
}

/* Adds the last hidden activations of n cells to the sum. */
static void add_block(const scs_decode_mean_hidden *m, const scs_real *from, int32_t n,
                      workspace *at, double *sum)
{
    int32_t d = m->model->arch.n_hidden, last = m->model->arch.n_layer - 1;
    scs_real slope = (scs_real)m->model->arch.leaky_slope, *swap;

    if (last == 0) {
        move_rows(from, at->by, slope, n, d, at->y);
        add_rows(at->y, n, d, sum);
        return;
    }
    multiply_moved(m, from, n, at);
    for (int32_t l = 1; l < last; l++) {
        activate_rows(&m->norm[l], slope, n, d, at->y);
        swap = at->x;
        at->x = at->y;
        at->y = swap;
        multiply(m, l + 1, at->x, n, at->digits, at->y);
    }
    add_activated(&m->norm[last], slope, at->y, n, d, sum);
}

void scs_decode_mean_hidden_run(const scs_decode_mean_hidden *m, const double *delta,
                                scs_real *scratch, double *mean)
{
    int64_t d = m->model->arch.n_hidden;
    workspace at = {scratch, scratch + CELL_BLOCK * d, scratch + 2 * CELL_BLOCK * d,
                    scratch + (2 * CELL_BLOCK + 1) * d};

    move_units(m, delta, mean, at.by);
    memset(mean, 0, (size_t)d * sizeof *mean);
    for (int64_t i = 0; i < m->n; i += CELL_BLOCK) {
        if (!m->kept)
            first_block(m, i, at.x);
        add_block(m, m->kept ? m->kept + i * d : at.x, block_size(m, i), &at, mean);
    }
    for (int32_t j = 0; j < d; j++)
        mean[j] /= (double)m->n;
}

enum {
    WIDTH = 16, /* genes of a panel */
    PANELS = 4, /* of a task */
    ROWS = 8    /* at most, whose sums, of a panel, stay in registers */
};

struct scs_decode_mean_genes {
    int32_t n_gene, n_hidden, n_panel;
    scs_real *panel;      /* [n_panel, n_hidden, WIDTH] weights, 0 past the last gene */
    const scs_real *bias; /* [n_gene] */
};

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

SCS_VECTOR static void widen(const scs_real *panel, int64_t n, double *out)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        out[i] = panel[i];
}

/* @param panel as doubles */
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

void scs_decode_mean_genes_run(const scs_decode_mean_genes *decoder, int task, const double *hidden,
                               int64_t n, double *work, double *mean)
{
    int64_t size = scs_decode_mean_genes_work(decoder);

    for (int32_t p = task * PANELS; p < decoder->n_panel && p < (task + 1) * PANELS; p++) {
        widen(decoder->panel + p * size, size, work);
        run_panel(decoder, p * WIDTH, work, hidden, n, mean);
    }
}
