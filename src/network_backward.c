#include "src/collective.h"
#include "src/network.h"

#include <string.h>

/* ---- batch norm ---- */

/* Columns [first, last). */
static void norm_sums_of(const scs_pass *pass, int b, int32_t i, int32_t first, int32_t last)
{
    const scs_network *net = pass->net;
    const scs_block *block = &net->layout.block[b];
    const scs_hidden *hidden = &net->lane[i].hidden[b];
    int32_t n_col = net->arch.n_hidden;
    double *sums = net->sums + (int64_t)i * 2 * n_col;

    scs_norm_gradient_sums(&hidden->moments, hidden->linear.value, hidden->norm.grad,
                           net->lane[i].n, first, last, sums);
    for (int32_t c = first; c < last; c++) {
        pass->grad[i][block->beta + c] = (scs_real)sums[c];
        pass->grad[i][block->gamma + c] = (scs_real)sums[n_col + c];
    }
}

/* Sums over each shard's own part; they are its share of the gradients of beta and gamma. */
static void norm_sums(const scs_pass *pass, int b)
{
    const scs_network *net = pass->net;
    int32_t n_col = net->arch.n_hidden;

#pragma omp parallel for collapse(2) if (scs_worth_threads(net, n_col, 4))
    for (int32_t i = 0; i < net->n_local; i++)
        for (int32_t first = 0; first < n_col; first += SCS_NORM_TILE)
            norm_sums_of(pass, b, i, first, scs_norm_tile_end(first, n_col));
}

static void divide(double *sums, int64_t n, double divisor)
{
    for (int64_t c = 0; c < n; c++)
        sums[c] /= divisor;
}

/* The means that the moments' own gradients bring in: of the whole batch, or of each part. */
static scs_status norm_means(const scs_pass *pass, int b)
{
    scs_network *net = pass->net;
    int64_t n_sum = 2 * net->arch.n_hidden;

    norm_sums(pass, b);
    if (pass->step->batch_norm == SCS_BATCH_NORM_GLOBAL) {
        SCS_TRY(pass->team->sum(pass->team->ctx, net->sums, n_sum, net->total));
        divide(net->total, n_sum, (double)pass->step->n_global);
        return SCS_OK;
    }
    for (int32_t i = 0; i < net->n_local; i++)
        if (net->lane[i].n > 1)
            divide(net->sums + i * n_sum, n_sum, net->lane[i].n);
        else
            memset(net->sums + i * n_sum, 0, (size_t)n_sum * sizeof *net->sums);
    return scs_collective_ok();
}

/* ---- a block ---- */

static void deactivate_row(const scs_pass *pass, int b, int32_t i, int64_t row, scs_dropout dropout)
{
    const scs_network *net = pass->net;
    scs_hidden *hidden = &net->lane[i].hidden[b];
    int32_t n_col = net->arch.n_hidden;
    int64_t at = row * n_col;

    scs_activation_backward(net->arch.leaky_slope, dropout,
                            dropout.threshold ? hidden->keep + at : NULL, n_col,
                            hidden->norm.value + at, hidden->out.grad + at, hidden->norm.grad + at);
}

static void denormalise_row(const scs_pass *pass, int b, int32_t i, int64_t row)
{
    scs_network *net = pass->net;
    scs_hidden *hidden = &net->lane[i].hidden[b];
    int64_t n_col = net->arch.n_hidden;
    bool global = pass->step->batch_norm == SCS_BATCH_NORM_GLOBAL;

    scs_norm_backward(&hidden->moments, &net->layout.block[b], pass->model->param,
                      global ? net->total : net->sums + i * 2 * n_col,
                      hidden->linear.value + row * n_col, hidden->norm.grad + row * n_col,
                      hidden->linear.grad + row * n_col);
}

/* The first layer's gradient: of the lanes' cells, or of this rank's genes. */
static scs_status first_layer_backward(const scs_pass *pass, const scs_dense *dense)
{
    scs_network *net = pass->net;
    scs_gene_split *split = &net->split;

    if (!scs_step_splits(pass->step)) {
        scs_sparse_backward(dense, net->flow, net->n_local);
        return scs_collective_ok();
    }
    scs_bias_backward(dense, net->flow, net->n_local);
    SCS_TRY(scs_gene_split_gather(split, pass->team, net->grad_linear));
    scs_sparse_gene_gradient(&split->by_gene, split->rows, dense->n_out,
                             pass->grad[0] + dense->weight + (int64_t)split->gene * dense->n_out);
    return scs_collective_ok();
}

static scs_status linear_backward(const scs_pass *pass, int b)
{
    scs_network *net = pass->net;
    const scs_dense *dense = &net->layout.block[b].linear;

    for (int32_t i = 0; i < net->n_local; i++) {
        scs_lane *lane = &net->lane[i];
        scs_signal input = scs_block_input(net, lane, b);

        net->flow[i] = (scs_flow){.n = lane->n,
                                  .in = input.value,
                                  .grad_in = input.grad,
                                  .grad_out = lane->hidden[b].linear.grad,
                                  .grad = pass->grad[i],
                                  .x = &lane->x};
    }
    if (b == 0)
        return first_layer_backward(pass, dense);
    scs_linear_backward(dense, pass->model->param, net->flow, net->n_local, false);
    return scs_collective_ok();
}

static scs_status block_backward(const scs_pass *pass, int b)
{
    scs_network *net = pass->net;
    scs_dropout dropout = scs_dropout_of(pass->step->dropout ? net->arch.dropout : 0);
    bool batch_norm = net->layout.block[b].gamma >= 0;

#pragma omp parallel for collapse(2) if (scs_worth_threads(net, net->arch.n_hidden, 4))
    for (int32_t i = 0; i < net->n_local; i++)
        for (int32_t row = 0; row < net->max_rows; row++)
            if (row < net->lane[i].n)
                deactivate_row(pass, b, i, row, dropout);
    if (batch_norm)
        SCS_TRY(norm_means(pass, b));
#pragma omp parallel for collapse(2) if (scs_worth_threads(net, net->arch.n_hidden, 4))
    for (int32_t i = 0; i < net->n_local; i++)
        for (int32_t row = 0; row < net->max_rows; row++)
            if (batch_norm && row < net->lane[i].n)
                denormalise_row(pass, b, i, row);
    return linear_backward(pass, b);
}

/* ---- the latent layer ---- */

static void head_backward(const scs_pass *pass, const scs_dense *dense, bool variance)
{
    scs_network *net = pass->net;

    for (int32_t i = 0; i < net->n_local; i++) {
        scs_lane *lane = &net->lane[i];
        scs_signal *input = &lane->hidden[net->arch.n_layer - 1].out;

        net->flow[i] = (scs_flow){.n = lane->n,
                                  .in = input->value,
                                  .grad_in = input->grad,
                                  .grad_out = variance ? lane->head.grad : lane->mean.grad,
                                  .grad = pass->grad[i]};
    }
    scs_linear_backward(dense, pass->model->param, net->flow, net->n_local, variance);
}

static void latent_backward(const scs_pass *pass)
{
    scs_network *net = pass->net;
    double scale = net->arch.kl_factor * net->arch.kl_weight / (double)pass->step->n_global;

#pragma omp parallel for collapse(2) if (scs_worth_threads(net, net->arch.n_latent, 100))
    for (int32_t i = 0; i < net->n_local; i++)
        for (int32_t row = 0; row < net->max_rows; row++) {
            scs_lane *lane = &net->lane[i];
            scs_posterior cell = scs_lane_posterior(net, lane, row);
            int64_t at = (int64_t)row * net->arch.n_latent;

            if (row < lane->n)
                scs_posterior_backward(&net->arch, &cell, lane->z.grad + at, scale,
                                       lane->mean.grad + at, lane->head.grad + at);
        }
    head_backward(pass, &net->layout.mean, false);
    head_backward(pass, &net->layout.variance, true);
}

scs_status scs_backward(const scs_pass *pass)
{
    scs_network *net = pass->net;

    for (int b = net->layout.n_block - 1; b >= 0; b--) {
        SCS_TRY(block_backward(pass, b));
        if (b == net->arch.n_layer)
            latent_backward(pass);
    }
    return SCS_OK;
}
