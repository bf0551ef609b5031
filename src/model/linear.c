/* Linear layers: dense by panels or by BLAS, the first one sparse.
 *
 *   forward    Y [n, n_out] = X [n, n_in] W' + 1 b'
 *   backward   dX [n, n_in] = dY W,  dW [n_out, n_in] = dY' X,  db [n_out] = 1' dY
 *
 * A BLAS call may round otherwise with another shape or on another number of threads. So outputs
 * are cut into tasks whose shapes depend on the layer and on the shard's own number of cells
 * alone, BLAS runs on one thread inside a task, and OpenMP deals tasks out. Wide outputs are cut
 * into columns of TILE; those of many rows into rows of CUT_ROWS, because a call on columns would
 * pack all of the input again for each. dW is cut into rows.
 *
 * A part of few cells is multiplied by panels (src/kernels/gemm_panel.h), whose bits no shape
 * changes: BLAS would take longer to pack the factors than to multiply them. Its W' is laid out
 * once for all parts.
 *
 * The first layer's X is sparse and its W kept [n_in, n_out]: X W and X' dY are products of
 * src/kernels/sparse.h, O(nnz n_out). All functions are Local.
 */
#include "src/model/linear.h"

#include "src/base/simd.h"
#include "src/kernels/blas.h"
#include "src/kernels/gemm_panel.h"
#include "src/kernels/nonzeros.h"
#include "src/kernels/sparse.h"
#include "src/model/layout.h"

#include <string.h>

/* Columns of an output (or rows of a weight's gradient) of one task. */
enum { TILE = 128 };

/* ---- tiles ---- */

/* Of n columns. */
static int tiles(int32_t n)
{
    return (n + TILE - 1) / TILE;
}

/* Of n columns; the last tile may be narrower. */
static int32_t tile_size(int32_t n, int tile)
{
    return n - tile * TILE < TILE ? n - tile * TILE : TILE;
}

/* Multiply-adds of all flows, which decide whether threads are worth waking. */
static double dense_work(const scs_dense *dense, const scs_flow *flow, int n_flow)
{
    double n = 0;

    for (int i = 0; i < n_flow; i++)
        n += flow[i].n;
    return n * dense->n_in * dense->n_out;
}

/* Loops over (flow, task) need one bound for the tasks of all flows. */
static int32_t most_cells(const scs_flow *flow, int n_flow)
{
    int32_t most = 0;

    for (int i = 0; i < n_flow; i++)
        most = flow[i].n > most ? flow[i].n : most;
    return most;
}

/* ---- cutting [n, n_col] outputs ---- */

/* Many rows are cut into rows: a BLAS call on columns would copy all of the input for each. */
enum { CUT_ROWS = 512 };

int scs_linear_cut_tasks(int32_t n, int32_t n_col)
{
    return n > CUT_ROWS ? (n + CUT_ROWS - 1) / CUT_ROWS : tiles(n_col);
}

bool scs_linear_cut_at(int32_t n, int32_t n_col, int task, scs_cut *cut)
{
    if (task >= scs_linear_cut_tasks(n, n_col))
        return false;
    if (n > CUT_ROWS)
        *cut = (scs_cut){task * CUT_ROWS,
                         n - task * CUT_ROWS < CUT_ROWS ? n - task * CUT_ROWS : CUT_ROWS, 0, n_col};
    else
        *cut = (scs_cut){0, n, task * TILE, tile_size(n_col, task)};
    return true;
}

/* ---- dense layers ---- */

/* Every row of out becomes `row`, or zeros where it is NULL.
 *  @param stride of out
 *  @param row [width] */
static void fill_rows(scs_real *out, int32_t n, int32_t stride, const scs_real *row, int32_t width)
{
    for (int64_t i = 0; i < n; i++)
        if (row)
            memcpy(out + i * stride, row, (size_t)width * sizeof *out);
        else
            memset(out + i * stride, 0, (size_t)width * sizeof *out);
}

/* Cells of a part that is multiplied by panels; a layer's inputs may then be one block of them. */
enum { FEW_CELLS = 64 };

static bool is_few(const scs_flow *flow)
{
    return flow->n <= FEW_CELLS;
}

/* Columns of panel p of n. */
static int32_t panel_width(int32_t n, int32_t p)
{
    return n - p * SCS_PANEL < SCS_PANEL ? n - p * SCS_PANEL : SCS_PANEL;
}

/* out = a b of one panel of b's columns, or += where `add`; rows of b that are laid out by turns.
 *  @param product m, a, a_row and a_step; out, out_row at the panel's first column */
static void multiply_panel(const scs_gemm_panel *product, const scs_gemm_factor *b, int32_t panel,
                           bool add)
{
    scs_real copy[SCS_GEMM_DEPTH * SCS_PANEL];
    scs_gemm_panel p = *product;

    for (int32_t first = 0; first < b->n_k; first += SCS_GEMM_DEPTH) {
        p.n_k = b->n_k - first < SCS_GEMM_DEPTH ? b->n_k - first : SCS_GEMM_DEPTH;
        p.a = product->a + first * product->a_step;
        p.b = scs_gemm_panel_lay(b, panel, first, copy, &p.b_row);
        p.add = add || first > 0;
        scs_gemm_panel_run_narrow(&p, panel_width(b->n_col, panel));
    }
}

/* Panel p of the outputs of all parts of few cells: W' is laid out once for them. */
static void forward_panel(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                          int n_flow, int32_t panel)
{
    scs_gemm_factor weight = {dense->n_in, dense->n_out, param + dense->weight, 1, dense->n_in};
    int32_t width = panel_width(dense->n_out, panel), at = panel * SCS_PANEL;
    const scs_real *bias = dense->bias < 0 ? NULL : param + dense->bias + at;
    scs_real copy[SCS_GEMM_DEPTH * SCS_PANEL];

    for (int i = 0; i < n_flow; i++)
        if (is_few(&flow[i]))
            fill_rows(flow[i].out + at, flow[i].n, dense->n_out, bias, width);
    for (int32_t first = 0; first < dense->n_in; first += SCS_GEMM_DEPTH) {
        int32_t n_k = dense->n_in - first < SCS_GEMM_DEPTH ? dense->n_in - first : SCS_GEMM_DEPTH;
        int64_t stride;
        const scs_real *b = scs_gemm_panel_lay(&weight, panel, first, copy, &stride);

        for (int i = 0; i < n_flow; i++) {
            scs_gemm_panel p = {.m = flow[i].n,
                                .n_k = n_k,
                                .a = flow[i].in + first,
                                .a_row = dense->n_in,
                                .a_step = 1,
                                .b = b,
                                .b_row = stride,
                                .add = true,
                                .out = flow[i].out + at,
                                .out_row = dense->n_out};

            if (is_few(&flow[i]))
                scs_gemm_panel_run_narrow(&p, width);
        }
    }
}

/* Those of few cells by panels, on all threads by columns. */
static void forward_few(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                        int n_flow)
{
#pragma omp parallel for if (SCS_WORTH_THREADS(dense_work(dense, flow, n_flow)))
    for (int32_t panel = 0; panel < scs_gemm_panel_count(dense->n_out); panel++)
        forward_panel(dense, param, flow, n_flow, panel);
}

/* Bias first, then the product is added to it. */
static void forward_cut(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                        const scs_cut *cut)
{
    const scs_real *weight = param + dense->weight + (int64_t)cut->col * dense->n_in;
    scs_real *out = flow->out + (int64_t)cut->row * dense->n_out + cut->col;

    fill_rows(out, cut->n_row, dense->n_out,
              dense->bias < 0 ? NULL : param + dense->bias + cut->col, cut->n_col);
    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, cut->n_row, cut->n_col, dense->n_in, 1,
             flow->in + (int64_t)cut->row * dense->n_in, dense->n_in, weight, dense->n_in, 1, out,
             dense->n_out);
}

/* Shards have different numbers of cells, hence of cuts; the loop runs to the most that any can
 * have, and tasks that are not there do nothing. One shard cut by columns may have more tasks
 * than another cut by rows, hence the maximum of both. */
void scs_linear_forward(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                        int n_flow)
{
    int few = scs_linear_cut_tasks(1, dense->n_out);
    int most = most_cells(flow, n_flow), many = scs_linear_cut_tasks(most, dense->n_out);

    forward_few(dense, param, flow, n_flow);
    if (most <= FEW_CELLS)
        return;
#pragma omp parallel for collapse(2)                                                               \
    schedule(dynamic) if (SCS_WORTH_THREADS(dense_work(dense, flow, n_flow)))
    for (int i = 0; i < n_flow; i++)
        for (int task = 0; task < (few > many ? few : many); task++) {
            scs_cut cut;

            if (!is_few(&flow[i]) && scs_linear_cut_at(flow[i].n, dense->n_out, task, &cut))
                forward_cut(dense, param, &flow[i], &cut);
        }
}

/* dX = dY W of one cut, or += where `add`. */
static void input_gradient(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                           const scs_cut *cut, bool add)
{
    scs_gemm_factor weight = {dense->n_out, dense->n_in, param + dense->weight, dense->n_in, 1};
    scs_gemm_panel few = {.m = flow->n,
                          .a = flow->grad_out,
                          .a_row = dense->n_out,
                          .a_step = 1,
                          .out_row = dense->n_in};

    for (int32_t col = cut->col; is_few(flow) && col < cut->col + cut->n_col; col += SCS_PANEL) {
        few.out = flow->grad_in + col;
        multiply_panel(&few, &weight, col / SCS_PANEL, add);
    }
    if (is_few(flow))
        return;
    SCS_GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, cut->n_row, cut->n_col, dense->n_out, 1,
             flow->grad_out + (int64_t)cut->row * dense->n_out, dense->n_out,
             param + dense->weight + cut->col, dense->n_in, add ? 1 : 0,
             flow->grad_in + (int64_t)cut->row * dense->n_in + cut->col, dense->n_in);
}

/* db = 1' dY of columns [first, first + width), cells in order. */
static void bias_gradient(const scs_dense *dense, const scs_flow *flow, int32_t first,
                          int32_t width)
{
    scs_real *bias = flow->grad + dense->bias + first;
    const scs_real *grad_out = flow->grad_out + first;

    /* The first cell's row starts the sum; parts without cells do not come here. */
    memcpy(bias, grad_out, (size_t)width * sizeof *bias);
    for (int64_t i = 1; i < flow->n; i++)
        for (int32_t c = 0; c < width; c++)
            bias[c] += grad_out[i * dense->n_out + c];
}

/* A tile of the rows of dW, and its piece of db. */
static void weight_gradient_tile(const scs_dense *dense, const scs_flow *flow, int tile)
{
    int32_t first = tile * TILE, height = tile_size(dense->n_out, tile);
    scs_real *grad = flow->grad + dense->weight + (int64_t)first * dense->n_in;
    scs_gemm_factor in = {flow->n, dense->n_in, flow->in, dense->n_in, 1};
    scs_gemm_panel few = {.m = height,
                          .a = flow->grad_out + first,
                          .a_row = 1,
                          .a_step = dense->n_out,
                          .out_row = dense->n_in};

    if (dense->bias >= 0)
        bias_gradient(dense, flow, first, height);
    for (int32_t p = 0; is_few(flow) && p < scs_gemm_panel_count(dense->n_in); p++) {
        few.out = grad + (int64_t)p * SCS_PANEL;
        multiply_panel(&few, &in, p, false);
    }
    if (is_few(flow))
        return;
    SCS_GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, height, dense->n_in, flow->n, 1,
             flow->grad_out + first, dense->n_out, flow->in, dense->n_in, 0, grad, dense->n_in);
}

/* Tasks [0, n_tile) make dW and db by rows of W, those behind make dX by cuts: all of them
 * disjoint, so that one loop deals out both. */
void scs_linear_backward(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                         int n_flow, bool add)
{
    int n_tile = tiles(dense->n_out), few = scs_linear_cut_tasks(1, dense->n_in);
    int many = scs_linear_cut_tasks(most_cells(flow, n_flow), dense->n_in);

#pragma omp parallel for collapse(2)                                                               \
    schedule(dynamic) if (SCS_WORTH_THREADS(dense_work(dense, flow, n_flow)))
    for (int i = 0; i < n_flow; i++)
        for (int task = 0; task < n_tile + (few > many ? few : many); task++) {
            scs_cut cut;

            if (flow[i].n && task < n_tile)
                weight_gradient_tile(dense, &flow[i], task);
            else if (flow[i].n && flow[i].grad_in &&
                     scs_linear_cut_at(flow[i].n, dense->n_in, task - n_tile, &cut))
                input_gradient(dense, param, &flow[i], &cut, add);
        }
}

/* ---- the first layer ---- */

/* Rows of absent genes are cleared, which counts too. */
static double sparse_work(const scs_dense *dense, const scs_flow *flow, int n_flow)
{
    double nnz = 0;

    for (int i = 0; i < n_flow; i++)
        nnz += (double)scs_entries_count(&flow[i].x->by_cell);
    return (nnz + dense->n_in) * dense->n_out; /* rows of absent genes are cleared */
}

void scs_linear_sparse_forward(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                               int n_flow)
{
    int n_task = scs_sparse_product_tasks(most_cells(flow, n_flow), dense->n_out);

#pragma omp parallel for collapse(2)                                                               \
    schedule(dynamic) if (SCS_WORTH_THREADS(sparse_work(dense, flow, n_flow)))
    for (int i = 0; i < n_flow; i++)
        for (int task = 0; task < n_task; task++) {
            scs_product product = {.x = &flow[i].x->by_cell,
                                   .dense = param + dense->weight,
                                   .base = dense->bias < 0 ? NULL : param + dense->bias,
                                   .out = flow[i].out,
                                   .n_col = dense->n_out};

            if (flow[i].n)
                scs_sparse_product_run(&product, task);
        }
}

void scs_linear_bias_backward(const scs_dense *dense, const scs_flow *flow, int n_flow)
{
    for (int i = 0; dense->bias >= 0 && i < n_flow; i++)
        if (flow[i].n)
            bias_gradient(dense, &flow[i], 0, dense->n_out);
}

/* One part after the other: the product itself goes over threads. */
void scs_linear_sparse_backward(const scs_dense *dense, const scs_flow *flow, int n_flow)
{
    for (int i = 0; i < n_flow; i++)
        if (flow[i].n)
            scs_linear_sparse_gene_gradient(&flow[i].x->by_gene, flow[i].grad_out, dense->n_out,
                                            flow[i].grad + dense->weight);
    scs_linear_bias_backward(dense, flow, n_flow);
}

/* On all threads by genes. */
static void run_gene_product(const scs_product *product)
{
    const scs_entries *by_gene = product->x;
    int n_task = scs_sparse_product_tasks(by_gene->n_out, product->n_col);
    /* cppcheck-suppress unreadVariable ; the pragma reads it */
    double work = ((double)scs_entries_count(by_gene) + by_gene->n_out) * product->n_col;

#pragma omp parallel for schedule(dynamic) if (SCS_WORTH_THREADS(work))
    for (int task = 0; task < n_task; task++)
        scs_sparse_product_run(product, task);
}

/* Every row of the gradient is written, those of genes without entries with zeros: the optimiser
 * reads all of them. */
void scs_linear_sparse_gene_gradient(const scs_entries *by_gene, const scs_real *grad_out,
                                     int32_t n_out, scs_real *grad)
{
    scs_product product = {.x = by_gene, .dense = grad_out, .out = grad, .n_col = n_out};

    run_gene_product(&product);
}

void scs_linear_sparse_gene_update(const scs_entries *by_gene, const scs_real *grad_out,
                                   int32_t n_out, const scs_adam *adam,
                                   const scs_adam_state *weight)
{
    scs_product product = {
        .x = by_gene, .dense = grad_out, .adam = adam, .state = *weight, .n_col = n_out};

    run_gene_product(&product);
}
