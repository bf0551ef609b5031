/* One training step: forward and backward through all blocks, for all local shards in lockstep.
 *
 * Block b computes, for each shard's cells [n, n_in]:
 *
 *   linear = in W' + b          norm = gamma (linear - mean) / sqrt(var + eps) + beta
 *   out = dropout(leaky(norm))
 *
 * and the way back, with u = (linear - mean) inv_std and averages over the cells that share the
 * moments (the batch, or with batch_norm shard the part):
 *
 *   d norm = d leaky(norm) d out          d beta = sum d norm       d gamma = sum u d norm
 *   d linear = gamma inv_std (d norm - avg(d norm) - u avg(u d norm))
 *
 * Lockstep, because batch norm needs the sums over all shards before any shard can go on: two
 * small sums a block, each a tree sum in an order that ranks do not change. Everything else is
 * one shard's own. A loop's tasks are rows of cells or columns of units with fixed shapes, so
 * that threads do not change a bit either.
 *
 * What can fail on one rank alone (memory, sizes) happens in prepare_lanes and is agreed upon
 * before the first sum; from there on a step fails on all ranks or on none (scs_collective_ok
 * marks where). A NaN goes through to the loss, which training looks at.
 *
 * Functions that take a scs_pass: Collective where they return a status, else Local. Parameters
 * everywhere: b, the block; i, the local shard; row, the cell within its part.
 */
#include "src/base/collective.h"
#include "src/model/network.h"

#include <string.h>

/* ---- forward: batch norm over the batch or over the shard's part ---- */

/* net->sums [n_local, 2 n_hidden] = sums and sums of squares of each shard's own cells. */
static void moment_sums(const scs_pass *pass, int b)
{
    const scs_network *net = pass->net;
    int32_t n_col = net->arch.n_hidden;

#pragma omp parallel for collapse(2) if (scs_network_worth_threads(net, n_col, 4))
    for (int32_t i = 0; i < net->n_local; i++)
        for (int32_t first = 0; first < n_col; first += SCS_NORM_TILE)
            scs_layer_batch_norm_sums(net->lane[i].hidden[b].linear.value, net->lane[i].n, n_col,
                                      first, scs_norm_tile_end(first, n_col),
                                      net->sums + (int64_t)i * 2 * n_col);
}

/* running = (1 - momentum) running + momentum batch / divisor, as torch has it.
 *  @param offset into running
 *  @param batch [n] means and unbiased variances, or their sums over `divisor` shards / */
static void update_running(const scs_model *model, int64_t offset, int64_t n, const double *batch,
                           double divisor)
{
    double momentum = model->arch.bn_momentum;

    for (int64_t c = 0; c < n; c++) {
        scs_real *running = &model->running[offset + c];

        *running = (scs_real)((1.0 - momentum) * *running + momentum * batch[c] / divisor);
    }
}

/* Moments over the whole batch, the same on all shards. A block's running mean and variance lie
 * one after the other, as the sums do, so that one call updates both. */
static scs_status global_moments(const scs_pass *pass, int b)
{
    scs_network *net = pass->net;
    int32_t n_col = net->arch.n_hidden;
    scs_norm *first = &net->lane[0].hidden[b].moments;

    moment_sums(pass, b);
    SCS_TRY(pass->team->sum(pass->team->ctx, net->sums, 2 * n_col, net->total));
    scs_layer_batch_norm_from_sums(net->total, pass->step->n_global, net->arch.bn_epsilon, first);
    for (int32_t i = 1; i < net->n_local; i++) {
        scs_norm *moments = &net->lane[i].hidden[b].moments;

        /* Every lane has its own copy: what follows need not know which moments they are. */
        memcpy(moments->mean, first->mean, (size_t)n_col * sizeof *first->mean);
        memcpy(moments->inv_std, first->inv_std, (size_t)n_col * sizeof *first->inv_std);
    }
    update_running(pass->model, net->layout.block[b].running_mean, 2 * n_col, net->total, 1.0);
    return SCS_OK;
}

/* Moments of each part, no message. A part of one cell has no variance: the running statistics
 * normalise it, and it does not move them. What each shard has to say to the running statistics
 * is kept for the end of the forward pass. */
static void shard_moments(const scs_pass *pass, int b)
{
    scs_network *net = pass->net;
    const scs_block *block = &net->layout.block[b];
    int64_t n_stat = 2 * net->arch.n_hidden, width = net->layout.n_running + net->layout.n_block;

    moment_sums(pass, b);
    for (int32_t i = 0; i < net->n_local; i++) {
        scs_lane *lane = &net->lane[i];
        double *sums = net->sums + i * n_stat, *stats = net->shard_stats + i * width;
        bool own = lane->n > 1;

        if (own)
            scs_layer_batch_norm_from_sums(sums, lane->n, net->arch.bn_epsilon,
                                           &lane->hidden[b].moments);
        else
            scs_layer_batch_norm_from_running(block, pass->model->running, net->arch.bn_epsilon,
                                              &lane->hidden[b].moments);
        for (int64_t c = 0; c < n_stat; c++)
            stats[block->running_mean + c] = own ? sums[c] : 0;
        /* How many shards the sum will stand for. */
        stats[net->layout.n_running + b] = own;
    }
}

/* batch_norm shard: the running statistics follow the mean of the shards' own, the same on all
 * ranks. One sum for all blocks of a step. */
static scs_status update_running_by_shards(const scs_pass *pass)
{
    scs_network *net = pass->net;
    const scs_layout *layout = &net->layout;

    SCS_TRY(pass->team->sum(pass->team->ctx, net->shard_stats, layout->n_running + layout->n_block,
                            net->total));
    for (int b = 0; b < layout->n_block; b++) {
        double n_shard = net->total[layout->n_running + b];
        int64_t offset = layout->block[b].running_mean;

        if (offset >= 0 && n_shard > 0)
            update_running(pass->model, offset, 2 * net->arch.n_hidden, net->total + offset,
                           n_shard);
    }
    return SCS_OK;
}

/* A block's input and where its gradient goes: none for the first, z for the first of the
 * decoder. */
static scs_signal block_input(const scs_network *net, const scs_lane *lane, int b)
{
    if (b == 0)
        return (scs_signal){NULL, NULL};
    return b == net->arch.n_layer ? lane->z : lane->hidden[b - 1].out;
}

/* ---- forward: a block ---- */

/* The flows borrow the lanes' arrays until the next layer. */
static void linear_forward(const scs_pass *pass, int b)
{
    scs_network *net = pass->net;
    const scs_dense *dense = &net->layout.block[b].linear;

    for (int32_t i = 0; i < net->n_local; i++) {
        scs_lane *lane = &net->lane[i];

        net->flow[i] = (scs_flow){.n = lane->n,
                                  .in = block_input(net, lane, b).value,
                                  .out = lane->hidden[b].linear.value,
                                  .x = &lane->x};
    }
    if (b == 0)
        scs_linear_sparse_forward(dense, pass->model->param, net->flow, net->n_local);
    else
        scs_linear_forward(dense, pass->model->param, net->flow, net->n_local);
}

/* Random numbers of a cell in this step: f(seed, purpose, epoch, global id). Where the cell is,
 * and in which batch, does not count. */
static scs_stream cell_stream(const scs_pass *pass, int32_t lane, int64_t row, uint32_t purpose)
{
    const scs_batch *batch = &pass->batch[lane];

    return (scs_stream){(uint64_t)pass->step->seed, purpose, (uint32_t)pass->step->epoch,
                        (uint64_t)batch->cell[batch->rows[row]]};
}

/* Normalise, rectify and drop one cell's units. */
static void activate_row(const scs_pass *pass, int b, int32_t i, int64_t row, scs_dropout dropout)
{
    scs_network *net = pass->net;
    const scs_block *block = &net->layout.block[b];
    scs_hidden *hidden = &net->lane[i].hidden[b];
    int32_t n_col = net->arch.n_hidden;
    uint8_t *keep = dropout.threshold ? hidden->keep + row * n_col : NULL;

    if (keep) {
        scs_stream stream = cell_stream(pass, i, row, SCS_RANDOM_DROPOUT + (uint32_t)b);

        scs_layer_dropout_draw(dropout, &stream, n_col, keep);
    }
    if (block->gamma >= 0)
        scs_layer_batch_norm_forward(&hidden->moments, block, pass->model->param,
                                     hidden->linear.value + row * n_col,
                                     hidden->norm.value + row * n_col);
    scs_layer_activation_forward(net->arch.leaky_slope, dropout, keep, n_col,
                                 hidden->norm.value + row * n_col, hidden->out.value + row * n_col);
}

/* 20 multiply-adds a unit: dropout's random numbers are most of it. */
static scs_status block_forward(const scs_pass *pass, int b)
{
    scs_network *net = pass->net;
    scs_dropout dropout = scs_layer_dropout_of(pass->step->dropout ? net->arch.dropout : 0);

    linear_forward(pass, b);
    if (net->layout.block[b].gamma >= 0 && pass->step->batch_norm == SCS_BATCH_NORM_SHARD)
        shard_moments(pass, b);
    else if (net->layout.block[b].gamma >= 0)
        SCS_TRY(global_moments(pass, b));
#pragma omp parallel for collapse(2) if (scs_network_worth_threads(net, net->arch.n_hidden, 20))
    for (int32_t i = 0; i < net->n_local; i++)
        for (int32_t row = 0; row < net->max_rows; row++)
            if (row < net->lane[i].n)
                activate_row(pass, b, i, row, dropout);
    return scs_collective_ok();
}

/* ---- forward: the latent layer ---- */

/* mean or head [n, n_latent] of the encoder's last block. */
static void head_forward(const scs_pass *pass, const scs_dense *dense, bool variance)
{
    scs_network *net = pass->net;

    for (int32_t i = 0; i < net->n_local; i++) {
        scs_lane *lane = &net->lane[i];

        net->flow[i] = (scs_flow){.n = lane->n,
                                  .in = lane->hidden[net->arch.n_layer - 1].out.value,
                                  .out = variance ? lane->head.value : lane->mean.value};
    }
    scs_linear_forward(dense, pass->model->param, net->flow, net->n_local);
}

/* Standard normals of one cell, or those given from outside (parity with another implementation).
 */
static void draw_noise(const scs_pass *pass, int32_t i, int64_t row)
{
    int32_t n_latent = pass->net->arch.n_latent;
    const float *given = pass->batch[i].noise;
    double *noise = pass->net->lane[i].noise + row * n_latent;
    scs_stream stream = cell_stream(pass, i, row, SCS_RANDOM_NOISE);

    if (!given)
        scs_random_normal(&stream, n_latent, noise);
    for (int32_t j = 0; given && j < n_latent; j++)
        noise[j] = given[row * n_latent + j];
}

/* One cell's rows of the latent arrays. Borrowed. */
static scs_posterior lane_posterior(const scs_network *net, const scs_lane *lane, int64_t row)
{
    int64_t at = row * net->arch.n_latent;

    return (scs_posterior){.mean = lane->mean.value + at,
                           .head = lane->head.value + at,
                           .variance = lane->variance + at,
                           .z = lane->z.value + at,
                           .noise = lane->noise + at};
}

/* Heads, then z and KL of every cell. */
static void latent_forward(const scs_pass *pass)
{
    scs_network *net = pass->net;

    head_forward(pass, &net->layout.mean, false);
    head_forward(pass, &net->layout.variance, true);
#pragma omp parallel for collapse(2) if (scs_network_worth_threads(net, net->arch.n_latent, 100))
    for (int32_t i = 0; i < net->n_local; i++)
        for (int32_t row = 0; row < net->max_rows; row++) {
            scs_lane *lane = &net->lane[i];
            scs_posterior cell = lane_posterior(net, lane, row);

            if (row >= lane->n)
                continue;
            draw_noise(pass, i, row);
            lane->kl[row] = scs_layer_posterior_forward(&net->arch, &cell);
        }
}

/* Unpacks the batch, hands it out by genes where the step splits, then goes through all blocks.
 * No weight is read before the hook before_weights: the last step's new weights may still be on
 * their way until then. */
static scs_status forward(const scs_pass *pass)
{
    scs_network *net = pass->net;
    bool splits = scs_layout_step_splits(pass->step);

#pragma omp parallel for if (net->n_local > 1)
    for (int32_t i = 0; i < net->n_local; i++)
        if (net->lane[i].n)
            scs_nonzeros_fill(&net->lane[i].x, pass->batch[i].x, pass->batch[i].rows, 0, !splits);
    /* Entries by gene are needed on one side only: of the lanes without a split, of the split
     * with one. */
    if (splits)
        SCS_TRY(scs_gene_split_fill(&net->split, pass->team, net->cells));
    if (pass->step->hooks)
        SCS_TRY(pass->step->hooks->before_weights(pass->step->hooks->ctx));
    for (int b = 0; b < net->layout.n_block; b++) {
        if (b == net->arch.n_layer)
            latent_forward(pass);
        SCS_TRY(block_forward(pass, b));
    }
    if (pass->step->batch_norm == SCS_BATCH_NORM_SHARD)
        SCS_TRY(update_running_by_shards(pass));
    return SCS_OK;
}

/* ---- backward: batch norm ---- */

/* Columns [first, last) of one shard's sums, which are its share of the gradients of beta and
 * gamma. */
static void norm_sums_tile(const scs_pass *pass, int b, int32_t i, int32_t first, int32_t last)
{
    const scs_network *net = pass->net;
    const scs_block *block = &net->layout.block[b];
    const scs_hidden *hidden = &net->lane[i].hidden[b];
    int32_t n_col = net->arch.n_hidden;
    double *sums = net->sums + (int64_t)i * 2 * n_col;

    scs_layer_batch_norm_gradient_sums(&hidden->moments, hidden->linear.value, hidden->norm.grad,
                                       net->lane[i].n, first, last, sums);
    for (int32_t c = first; c < last; c++) {
        pass->grad[i][block->beta + c] = (scs_real)sums[c];
        pass->grad[i][block->gamma + c] = (scs_real)sums[n_col + c];
    }
}

/* Over each shard's own part, on all threads by columns. */
static void norm_sums(const scs_pass *pass, int b)
{
    const scs_network *net = pass->net;
    int32_t n_col = net->arch.n_hidden;

#pragma omp parallel for collapse(2) if (scs_network_worth_threads(net, n_col, 4))
    for (int32_t i = 0; i < net->n_local; i++)
        for (int32_t first = 0; first < n_col; first += SCS_NORM_TILE)
            norm_sums_tile(pass, b, i, first, scs_norm_tile_end(first, n_col));
}

/* Sums become means. */
static void divide(double *sums, int64_t n, double divisor)
{
    for (int64_t c = 0; c < n; c++)
        sums[c] /= divisor;
}

/* avg(d norm) and avg(u d norm), which the moments' own gradients bring in: of the whole batch,
 * or of each part. Zeros for a part of one cell, whose moments are constants. */
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

/* ---- backward: a block ---- */

/* d norm of one cell from d out. */
static void activation_backward_row(const scs_pass *pass, int b, int32_t i, int64_t row,
                                    scs_dropout dropout)
{
    const scs_network *net = pass->net;
    scs_hidden *hidden = &net->lane[i].hidden[b];
    int32_t n_col = net->arch.n_hidden;
    int64_t at = row * n_col;

    scs_layer_activation_backward(
        net->arch.leaky_slope, dropout, dropout.threshold ? hidden->keep + at : NULL, n_col,
        hidden->norm.value + at, hidden->out.grad + at, hidden->norm.grad + at);
}

/* d linear of one cell from d norm. */
static void norm_backward_row(const scs_pass *pass, int b, int32_t i, int64_t row)
{
    scs_network *net = pass->net;
    scs_hidden *hidden = &net->lane[i].hidden[b];
    int64_t n_col = net->arch.n_hidden;
    bool global = pass->step->batch_norm == SCS_BATCH_NORM_GLOBAL;

    scs_layer_batch_norm_backward(
        &hidden->moments, &net->layout.block[b], pass->model->param,
        global ? net->total : net->sums + i * 2 * n_col, hidden->linear.value + row * n_col,
        hidden->norm.grad + row * n_col, hidden->linear.grad + row * n_col);
}

/* W1 of this rank's genes, from `at` on, by its gradient. */
static void update_first_layer(const scs_pass *pass, int32_t n_out, int64_t at)
{
    const scs_gene_split *split = &pass->net->split;
    const scs_step_hooks *hooks = pass->step->hooks;
    scs_adam_state weight = {.param = pass->model->param + at};

    hooks->moments(hooks->ctx, at, &weight.m, &weight.v);
    scs_linear_sparse_gene_update(&split->by_gene, split->rows, n_out, hooks->adam, &weight);
}

/* dW1 [n_gene, n_hidden] = X' d linear: of the lanes' own cells and all genes; or, where the step
 * splits, of all cells and this rank's genes, for which the cells' d linear is gathered. */
static scs_status first_layer_backward(const scs_pass *pass, const scs_dense *dense)
{
    scs_network *net = pass->net;
    scs_gene_split *split = &net->split;
    int64_t at = dense->weight + (int64_t)split->gene * dense->n_out;

    if (!scs_layout_step_splits(pass->step)) {
        scs_linear_sparse_backward(dense, net->flow, net->n_local);
        return scs_collective_ok();
    }
    scs_linear_bias_backward(dense, net->flow, net->n_local);
    SCS_TRY(scs_gene_split_gather(split, pass->team, net->grad_linear));
    if (scs_layout_step_updates(pass->step, SCS_FIRST_WEIGHT))
        update_first_layer(pass, dense->n_out, at);
    else
        scs_linear_sparse_gene_gradient(&split->by_gene, split->rows, dense->n_out,
                                        pass->grad[0] + at);
    return scs_collective_ok();
}

/* dW, db and the gradient of the block's input. */
static scs_status linear_backward(const scs_pass *pass, int b)
{
    scs_network *net = pass->net;
    const scs_dense *dense = &net->layout.block[b].linear;

    for (int32_t i = 0; i < net->n_local; i++) {
        scs_lane *lane = &net->lane[i];
        scs_signal input = block_input(net, lane, b);

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

/* Without batch norm `norm` is `linear`: d norm is d linear already. */
static scs_status block_backward(const scs_pass *pass, int b)
{
    scs_network *net = pass->net;
    scs_dropout dropout = scs_layer_dropout_of(pass->step->dropout ? net->arch.dropout : 0);
    bool batch_norm = net->layout.block[b].gamma >= 0;

#pragma omp parallel for collapse(2) if (scs_network_worth_threads(net, net->arch.n_hidden, 4))
    for (int32_t i = 0; i < net->n_local; i++)
        for (int32_t row = 0; row < net->max_rows; row++)
            if (row < net->lane[i].n)
                activation_backward_row(pass, b, i, row, dropout);
    if (batch_norm)
        SCS_TRY(norm_means(pass, b));
#pragma omp parallel for collapse(2) if (scs_network_worth_threads(net, net->arch.n_hidden, 4))
    for (int32_t i = 0; i < net->n_local; i++)
        for (int32_t row = 0; row < net->max_rows; row++)
            if (batch_norm && row < net->lane[i].n)
                norm_backward_row(pass, b, i, row);
    return linear_backward(pass, b);
}

/* ---- backward: the latent layer ---- */

/* The variance head's input gradient is added to the mean head's: both have the same input. */
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

/* grad_mean and grad_head of every cell, then the heads. One unit of KL weighs kl_factor
 * kl_weight / n_global in the mean objective. */
static void latent_backward(const scs_pass *pass)
{
    scs_network *net = pass->net;
    double scale = net->arch.kl_factor * net->arch.kl_weight / (double)pass->step->n_global;

#pragma omp parallel for collapse(2) if (scs_network_worth_threads(net, net->arch.n_latent, 100))
    for (int32_t i = 0; i < net->n_local; i++)
        for (int32_t row = 0; row < net->max_rows; row++) {
            scs_lane *lane = &net->lane[i];
            scs_posterior cell = lane_posterior(net, lane, row);
            int64_t at = (int64_t)row * net->arch.n_latent;

            if (row < lane->n)
                scs_layer_posterior_backward(&net->arch, &cell, lane->z.grad + at, scale,
                                             lane->mean.grad + at, lane->head.grad + at);
        }
    head_backward(pass, &net->layout.mean, false);
    head_backward(pass, &net->layout.variance, true);
}

/* z's gradient is complete once the decoder's first block is done; the heads follow, then the
 * encoder. */
static scs_status backward(const scs_pass *pass)
{
    scs_network *net = pass->net;

    /* Decoder blocks, the latent layer, encoder blocks. */
    for (int b = net->layout.n_block - 1; b >= 0; b--) {
        SCS_TRY(block_backward(pass, b));
        if (b == net->arch.n_layer)
            latent_backward(pass);
    }
    return SCS_OK;
}

/* What can fail on one rank alone happens here, before the first sum over ranks. */
static scs_status prepare_lanes(const scs_pass *pass)
{
    scs_network *net = pass->net;
    bool splits = scs_layout_step_splits(pass->step);

    SCS_REQUIRE(pass->step->n_global >= 2, SCS_EINTERNAL,
                "batch norm needs at least 2 cells in a batch, not %lld",
                (long long)pass->step->n_global);
    for (int32_t i = 0; i < net->n_local; i++) {
        const scs_batch *batch = &pass->batch[i];

        SCS_REQUIRE(batch->n >= 0 && batch->n <= net->max_rows, SCS_EINTERNAL,
                    "a shard's part has %d cells; the network was made for %d", batch->n,
                    net->max_rows);
        SCS_TRY(scs_nonzeros_reserve(&net->lane[i].x, batch->x, batch->rows, 0, batch->n, !splits));
        net->lane[i].n = batch->n;
    }
    if (splits)
        SCS_TRY(scs_gene_split_prepare(&net->split, pass->team, net->arch.n_gene,
                                       net->arch.n_hidden, pass->step->n_global));
    return scs_output_prepare(net->output, pass->step->factored, pass->team, pass->step->n_global);
}

/* A part without cells has no gradient, and no layer writes one. */
static void clear_empty(const scs_pass *pass)
{
    for (int32_t i = 0; i < pass->net->n_local; i++)
        if (!pass->batch[i].n)
            memset(pass->grad[i], 0, (size_t)pass->net->layout.n_param * sizeof **pass->grad);
}

/* The decoder's last activations to loss, their gradient, and the gradient of the output layer. */
static scs_status run_output(const scs_pass *pass)
{
    scs_network *net = pass->net;

    for (int32_t i = 0; i < net->n_local; i++) {
        scs_lane *lane = &net->lane[i];
        scs_signal *last = &lane->hidden[net->layout.n_block - 1].out;

        net->part[i] = (scs_output_part){.n = lane->n,
                                         .hidden = last->value,
                                         .x = &lane->x,
                                         .grad_hidden = last->grad,
                                         .grad = pass->grad[i]};
    }
    return scs_output_step(
        net->output, pass->model->param, 1.0 / (double)pass->step->n_global, pass->team,
        scs_layout_step_splits(pass->step) ? &net->split : NULL,
        scs_layout_step_updates(pass->step, SCS_OUT_WEIGHT) ? pass->step->hooks : NULL, net->part);
}

/* Sums, not means; KL row by row in the part's order. */
static void report_loss(const scs_network *net, scs_loss *loss)
{
    for (int32_t i = 0; i < net->n_local; i++) {
        double kl = 0;

        for (int32_t row = 0; row < net->lane[i].n; row++)
            kl += net->lane[i].kl[row];
        loss[i] = scs_output_loss(&net->arch, net->part[i].squared_error, kl, net->lane[i].n);
    }
}

/* The order is what lets messages travel under arithmetic: the gradient of the output layer is
 * complete before the backward pass begins (after_output), and new weights may arrive while the
 * batch is gathered (before_weights). */
scs_status scs_network_step(scs_network *net, scs_model *model, const scs_batch *batch,
                            const scs_step *step, const scs_team *team, scs_real *const *grad,
                            scs_loss *loss)
{
    scs_pass pass = {net, model, batch, step, team, grad};

    SCS_TRY(team->agree(team->ctx, prepare_lanes(&pass)));
    clear_empty(&pass);
    SCS_TRY(forward(&pass));
    SCS_TRY(run_output(&pass));
    report_loss(net, loss);
    if (step->hooks)
        SCS_TRY(step->hooks->after_output(step->hooks->ctx));
    return backward(&pass);
}
