#include "src/linear.h"

#include "src/simd.h"

#include <cblas.h>
#include <string.h>

/* Columns (or rows of a weight) of one tile. */
enum { TILE = 128 };

static int tiles(int32_t n)
{
    return (n + TILE - 1) / TILE;
}

static int32_t tile_size(int32_t n, int tile)
{
    return n - tile * TILE < TILE ? n - tile * TILE : TILE;
}

static double dense_work(const scs_dense *dense, const scs_flow *flow, int n_flow)
{
    double n = 0;

    for (int i = 0; i < n_flow; i++)
        n += flow[i].n;
    return n * dense->n_in * dense->n_out;
}

static void fill_rows(scs_real *out, int32_t n, int32_t stride, const scs_real *row, int32_t width)
{
    for (int64_t i = 0; i < n; i++)
        if (row)
            memcpy(out + i * stride, row, (size_t)width * sizeof *out);
        else
            memset(out + i * stride, 0, (size_t)width * sizeof *out);
}

static void forward_tile(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                         int tile)
{
    int32_t first = tile * TILE, width = tile_size(dense->n_out, tile);
    const scs_real *weight = param + dense->weight + (int64_t)first * dense->n_in;
    scs_real *out = flow->out + first;

    fill_rows(out, flow->n, dense->n_out, dense->bias < 0 ? NULL : param + dense->bias + first,
              width);
    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, flow->n, width, dense->n_in, 1, flow->in,
             dense->n_in, weight, dense->n_in, 1, out, dense->n_out);
}

void scs_linear_forward(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                        int n_flow)
{
    int n_tile = tiles(dense->n_out);

#pragma omp parallel for collapse(2) if (SCS_WORTH_THREADS(dense_work(dense, flow, n_flow)))
    for (int i = 0; i < n_flow; i++)
        for (int tile = 0; tile < n_tile; tile++)
            if (flow[i].n)
                forward_tile(dense, param, &flow[i], tile);
}

/* A tile of the columns of grad_in. */
static void input_gradient_tile(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                                int tile, bool add)
{
    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, flow->n, tile_size(dense->n_in, tile),
             dense->n_out, 1, flow->grad_out, dense->n_out, param + dense->weight + tile * TILE,
             dense->n_in, add ? 1 : 0, flow->grad_in + tile * TILE, dense->n_in);
}

static void bias_gradient(const scs_dense *dense, const scs_flow *flow, int32_t first,
                          int32_t width)
{
    scs_real *bias = flow->grad + dense->bias + first;
    const scs_real *grad_out = flow->grad_out + first;

    memcpy(bias, grad_out, (size_t)width * sizeof *bias);
    for (int64_t i = 1; i < flow->n; i++)
        for (int32_t c = 0; c < width; c++)
            bias[c] += grad_out[i * dense->n_out + c];
}

/* A tile of the rows of dW, and its piece of db. */
static void weight_gradient_tile(const scs_dense *dense, const scs_flow *flow, int tile)
{
    int32_t first = tile * TILE, height = tile_size(dense->n_out, tile);

    SCS_GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, height, dense->n_in, flow->n, 1,
             flow->grad_out + first, dense->n_out, flow->in, dense->n_in, 0,
             flow->grad + dense->weight + (int64_t)first * dense->n_in, dense->n_in);
    if (dense->bias >= 0)
        bias_gradient(dense, flow, first, height);
}

void scs_linear_backward(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                         int n_flow, bool add)
{
    int n_out_tile = tiles(dense->n_out), n_in_tile = tiles(dense->n_in);

#pragma omp parallel for collapse(2) if (SCS_WORTH_THREADS(dense_work(dense, flow, n_flow)))
    for (int i = 0; i < n_flow; i++)
        for (int tile = 0; tile < n_out_tile + n_in_tile; tile++) {
            if (!flow[i].n)
                continue;
            if (tile < n_out_tile)
                weight_gradient_tile(dense, &flow[i], tile);
            else if (flow[i].grad_in)
                input_gradient_tile(dense, param, &flow[i], tile - n_out_tile, add);
        }
}

/* ---- the first layer ---- */

/* Columns of one tile of the sparse product: a tile of all cells stays in the first cache. */
enum { SPARSE_TILE = 64 };

static double sparse_work(const scs_dense *dense, const scs_flow *flow, int n_flow)
{
    double nnz = 0;

    for (int i = 0; i < n_flow; i++)
        nnz += (double)flow[i].genes->first[dense->n_in];
    return (nnz + dense->n_in) * dense->n_out; /* rows of absent genes are cleared */
}

static inline void add_scaled(scs_real *y, scs_real a, const scs_real *x, int32_t n)
{
#pragma omp simd
    for (int32_t c = 0; c < n; c++)
        y[c] += a * x[c];
}

static inline void set_scaled(scs_real *y, scs_real a, const scs_real *x, int32_t n)
{
#pragma omp simd
    for (int32_t c = 0; c < n; c++)
        y[c] = a * x[c];
}

SCS_VECTOR static void sparse_forward_tile(const scs_dense *dense, const scs_real *param,
                                           const scs_flow *flow, int32_t first, int32_t width)
{
    const scs_gene_index *genes = flow->genes;
    scs_real *out = flow->out + first;

    fill_rows(out, flow->n, dense->n_out, dense->bias < 0 ? NULL : param + dense->bias + first,
              width);
    for (int32_t g = 0; g < genes->n_gene; g++) {
        const scs_real *weight = param + dense->weight + (int64_t)g * dense->n_out + first;

        for (int64_t k = genes->first[g]; k < genes->first[g + 1]; k++)
            add_scaled(out + (int64_t)genes->row[k] * dense->n_out, genes->value[k], weight, width);
    }
}

void scs_sparse_forward(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                        int n_flow)
{
#pragma omp parallel for collapse(2) if (SCS_WORTH_THREADS(sparse_work(dense, flow, n_flow)))
    for (int i = 0; i < n_flow; i++)
        for (int32_t first = 0; first < dense->n_out; first += SPARSE_TILE)
            if (flow[i].n)
                sparse_forward_tile(dense, param, &flow[i], first,
                                    dense->n_out - first < SPARSE_TILE ? dense->n_out - first
                                                                       : SPARSE_TILE);
}

/* Rows of dW of a tile of genes, each written once. */
SCS_VECTOR static void sparse_gradient_tile(const scs_dense *dense, const scs_flow *flow, int tile)
{
    const scs_gene_index *genes = flow->genes;
    int32_t n_out = dense->n_out, end = tile * TILE + tile_size(dense->n_in, tile);

    for (int32_t g = tile * TILE; g < end; g++) {
        scs_real *weight = flow->grad + dense->weight + (int64_t)g * n_out;
        int64_t first = genes->first[g], last = genes->first[g + 1];

        if (first == last)
            memset(weight, 0, (size_t)n_out * sizeof *weight);
        for (int64_t k = first; k < last; k++) {
            const scs_real *grad_out = flow->grad_out + (int64_t)genes->row[k] * n_out;

            if (k == first)
                set_scaled(weight, genes->value[k], grad_out, n_out);
            else
                add_scaled(weight, genes->value[k], grad_out, n_out);
        }
    }
}

void scs_sparse_backward(const scs_dense *dense, const scs_flow *flow, int n_flow)
{
    int n_tile = tiles(dense->n_in);

#pragma omp parallel for collapse(2) if (SCS_WORTH_THREADS(sparse_work(dense, flow, n_flow)))
    for (int i = 0; i < n_flow; i++)
        for (int tile = 0; tile <= n_tile; tile++) {
            if (!flow[i].n)
                continue;
            if (tile < n_tile)
                sparse_gradient_tile(dense, &flow[i], tile);
            else if (dense->bias >= 0)
                bias_gradient(dense, &flow[i], 0, dense->n_out);
        }
}
