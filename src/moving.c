#include "src/moving.h"

#include "src/layout.h"
#include "src/simd.h"
#include "src/tiles.h"

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

struct scs_moving {
    const scs_model *model;
    const scs_real *z;
    int64_t n;
    scs_layout layout;
    affine norm[SCS_MAX_LAYERS];      /* of the decoder's blocks */
    scs_tiles *tiles[SCS_MAX_LAYERS]; /* their weights, or NULL: by BLAS; the first has none */
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

static const scs_dense *weights_of(const scs_moving *m, int layer)
{
    return &m->layout.block[m->model->arch.n_layer + layer].linear;
}

/* @param scratch for tiles, where the layer has them */
static void multiply(const scs_moving *m, int layer, const scs_real *x, int32_t n,
                     scs_real *scratch, scs_real *y)
{
    const scs_dense *dense = weights_of(m, layer);

    if (m->tiles[layer])
        scs_tiles_multiply(m->tiles[layer], x, n, scratch, y);
    else
        GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, n, dense->n_out, dense->n_in, 1, x,
             dense->n_in, m->model->param + dense->weight, dense->n_in, 0, y, dense->n_out);
}

static int32_t block_size(const scs_moving *m, int64_t first)
{
    return (int32_t)(m->n - first < CELL_BLOCK ? m->n - first : CELL_BLOCK);
}

static void first_block(const scs_moving *m, int64_t first, scs_real *y)
{
    int32_t n = block_size(m, first);

    multiply(m, 0, m->z + first * m->model->arch.n_latent, n, NULL, y);
    scale_rows(&m->norm[0], n, m->model->arch.n_hidden, y);
}

static scs_status keep_blocks(scs_moving *m)
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

static scs_status make_layer(scs_moving *m, int layer, bool tiles)
{
    const scs_dense *dense = weights_of(m, layer);

    SCS_TRY(set_norm(m->model, &m->layout.block[m->model->arch.n_layer + layer], &m->norm[layer]));
    if (layer == 0 || !tiles)
        return SCS_OK;
    return scs_tiles_create(m->model->param + dense->weight, dense->n_out, dense->n_in,
                            &m->tiles[layer]);
}

scs_status scs_moving_create(const scs_model *model, const scs_real *z, int64_t n, bool tiles,
                             scs_moving **moving)
{
    scs_moving *m;
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
    SCS_GO(st, keep_blocks(m));
    return SCS_OK;
done:
    scs_moving_destroy(moving);
    return st;
}

void scs_moving_destroy(scs_moving **moving)
{
    scs_moving *m = *moving;

    for (int l = 0; m && l < SCS_MAX_LAYERS; l++) {
        free(m->norm[l].scale);
        free(m->norm[l].offset);
        scs_tiles_destroy(&m->tiles[l]);
    }
    if (m)
        free(m->kept);
    free(m);
    *moving = NULL;
}

/* What delta adds to each unit of the first block. @param[out] by [n_hidden] */
SCS_VECTOR static void move_units(const scs_moving *m, const double *delta, scs_real *by)
{
    const scs_dense *dense = &m->layout.block[m->model->arch.n_layer].linear;
    const scs_real *weight = m->model->param + dense->weight;
    int32_t n_in = delta ? dense->n_in : 0;

    for (int32_t j = 0; j < dense->n_out; j++) {
        double sum = 0;

#pragma omp simd reduction(+ : sum)
        for (int32_t k = 0; k < n_in; k++)
            sum += weight[(int64_t)j * dense->n_in + k] * delta[k];
        by[j] = (scs_real)(sum * m->norm[0].scale[j]);
    }
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

int64_t scs_moving_scratch(const scs_model *model)
{
    int32_t d = model->arch.n_hidden;

    return (2 * CELL_BLOCK + 1) * (int64_t)d +
           scs_tiles_scratch(d, CELL_BLOCK) / (int64_t)sizeof(scs_real) + 1;
}

void scs_moving_mean(const scs_moving *m, const double *delta, scs_real *scratch, double *mean)
{
    const scs_arch *arch = &m->model->arch;
    int32_t d = arch->n_hidden;
    scs_real slope = (scs_real)arch->leaky_slope, *by = scratch + (int64_t)2 * CELL_BLOCK * d;

    move_units(m, delta, by);
    memset(mean, 0, (size_t)d * sizeof *mean);
    for (int64_t i = 0; i < m->n; i += CELL_BLOCK) {
        int32_t n = block_size(m, i);
        scs_real *x = scratch, *y = scratch + (int64_t)CELL_BLOCK * d, *swap;

        if (!m->kept)
            first_block(m, i, x);
        move_rows(m->kept ? m->kept + i * d : x, by, slope, n, d, x);
        for (int32_t l = 1; l < arch->n_layer; l++) {
            multiply(m, l, x, n, by + d, y);
            activate_rows(&m->norm[l], slope, n, d, y);
            swap = x;
            x = y;
            y = swap;
        }
        add_rows(x, n, d, mean);
    }
    for (int32_t j = 0; j < d; j++)
        mean[j] /= (double)m->n;
}
