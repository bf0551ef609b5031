#include "src/collective.h"
#include "src/network.h"

#include <string.h>

/* ---- batch norm over the batch or over the shard's part ---- */

static void shard_sums(const scs_pass *pass, int b)
{
    const scs_network *net = pass->net;
    int32_t n_col = net->arch.n_hidden;

#pragma omp parallel for collapse(2) if (scs_worth_threads(net, n_col, 4))
    for (int32_t i = 0; i < net->n_local; i++)
        for (int32_t first = 0; first < n_col; first += SCS_NORM_TILE)
            scs_norm_sums(net->lane[i].hidden[b].linear.value, net->lane[i].n, n_col, first,
                          scs_norm_tile_end(first, n_col), net->sums + (int64_t)i * 2 * n_col);
}

/* running = (1 - momentum) running + momentum batch, as torch has it. */
static void move_running(const scs_model *model, int64_t offset, int64_t n, const double *batch,
                         double divisor)
{
    double momentum = model->arch.bn_momentum;

    for (int64_t c = 0; c < n; c++) {
        scs_real *running = &model->running[offset + c];

        *running = (scs_real)((1.0 - momentum) * *running + momentum * batch[c] / divisor);
    }
}

/* A block's running mean and variance lie one after the other, as the sums do. */
static scs_status global_moments(const scs_pass *pass, int b)
{
    scs_network *net = pass->net;
    int32_t n_col = net->arch.n_hidden;
    scs_norm *first = &net->lane[0].hidden[b].moments;

    shard_sums(pass, b);
    SCS_TRY(pass->team->sum(pass->team->ctx, net->sums, 2 * n_col, net->total));
    scs_norm_from_sums(net->total, pass->step->n_global, net->arch.bn_epsilon, first);
    for (int32_t i = 1; i < net->n_local; i++) {
        scs_norm *moments = &net->lane[i].hidden[b].moments;

        memcpy(moments->mean, first->mean, (size_t)n_col * sizeof *first->mean);
        memcpy(moments->inv_std, first->inv_std, (size_t)n_col * sizeof *first->inv_std);
    }
    move_running(pass->model, net->layout.block[b].running_mean, 2 * n_col, net->total, 1.0);
    return SCS_OK;
}

/* A part of one cell has no variance: the running statistics normalise it, and it does not move
 * them. */
static void shard_moments(const scs_pass *pass, int b)
{
    scs_network *net = pass->net;
    const scs_block *block = &net->layout.block[b];
    int64_t n_stat = 2 * net->arch.n_hidden, width = net->layout.n_running + net->layout.n_block;

    shard_sums(pass, b);
    for (int32_t i = 0; i < net->n_local; i++) {
        scs_lane *lane = &net->lane[i];
        double *sums = net->sums + i * n_stat, *stats = net->shard_stats + i * width;
        bool own = lane->n > 1;

        if (own)
            scs_norm_from_sums(sums, lane->n, net->arch.bn_epsilon, &lane->hidden[b].moments);
        else
            scs_norm_from_running(block, pass->model->running, net->arch.bn_epsilon,
                                  &lane->hidden[b].moments);
        for (int64_t c = 0; c < n_stat; c++)
            stats[block->running_mean + c] = own ? sums[c] : 0;
        stats[net->layout.n_running + b] = own;
    }
}

/* batch_norm shard: the running statistics follow the mean of the shards' own, the same on all
 * ranks. */
static scs_status move_running_by_shards(const scs_pass *pass)
{
    scs_network *net = pass->net;
    const scs_layout *layout = &net->layout;

    SCS_TRY(pass->team->sum(pass->team->ctx, net->shard_stats, layout->n_running + layout->n_block,
                            net->total));
    for (int b = 0; b < layout->n_block; b++) {
        double n_shard = net->total[layout->n_running + b];
        int64_t offset = layout->block[b].running_mean;

        if (offset >= 0 && n_shard > 0)
            move_running(pass->model, offset, 2 * net->arch.n_hidden, net->total + offset, n_shard);
    }
    return SCS_OK;
}

/* ---- a block ---- */

static void linear_forward(const scs_pass *pass, int b)
{
    scs_network *net = pass->net;
    const scs_dense *dense = &net->layout.block[b].linear;

    for (int32_t i = 0; i < net->n_local; i++) {
        scs_lane *lane = &net->lane[i];

        net->flow[i] = (scs_flow){.n = lane->n,
                                  .in = scs_block_input(net, lane, b).value,
                                  .out = lane->hidden[b].linear.value,
                                  .x = &lane->x};
    }
    if (b == 0)
        scs_sparse_forward(dense, pass->model->param, net->flow, net->n_local);
    else
        scs_linear_forward(dense, pass->model->param, net->flow, net->n_local);
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
        scs_stream stream = scs_cell_stream(pass, i, row, SCS_RANDOM_DROPOUT + (uint32_t)b);

        scs_dropout_draw(dropout, &stream, n_col, keep);
    }
    if (block->gamma >= 0)
        scs_norm_forward(&hidden->moments, block, pass->model->param,
                         hidden->linear.value + row * n_col, hidden->norm.value + row * n_col);
    scs_activation_forward(net->arch.leaky_slope, dropout, keep, n_col,
                           hidden->norm.value + row * n_col, hidden->out.value + row * n_col);
}

static scs_status block_forward(const scs_pass *pass, int b)
{
    scs_network *net = pass->net;
    scs_dropout dropout = scs_dropout_of(pass->step->dropout ? net->arch.dropout : 0);

    linear_forward(pass, b);
    if (net->layout.block[b].gamma >= 0 && pass->step->batch_norm == SCS_BATCH_NORM_SHARD)
        shard_moments(pass, b);
    else if (net->layout.block[b].gamma >= 0)
        SCS_TRY(global_moments(pass, b));
#pragma omp parallel for collapse(2) if (scs_worth_threads(net, net->arch.n_hidden, 20))
    for (int32_t i = 0; i < net->n_local; i++)
        for (int32_t row = 0; row < net->max_rows; row++)
            if (row < net->lane[i].n)
                activate_row(pass, b, i, row, dropout);
    return scs_collective_ok();
}

/* ---- the latent layer ---- */

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

static void draw_noise(const scs_pass *pass, int32_t i, int64_t row)
{
    int32_t n_latent = pass->net->arch.n_latent;
    const float *given = pass->batch[i].noise;
    double *noise = pass->net->lane[i].noise + row * n_latent;
    scs_stream stream = scs_cell_stream(pass, i, row, SCS_RANDOM_NOISE);

    if (!given)
        scs_random_normal(&stream, n_latent, noise);
    for (int32_t j = 0; given && j < n_latent; j++)
        noise[j] = given[row * n_latent + j];
}

static void latent_forward(const scs_pass *pass)
{
    scs_network *net = pass->net;

    head_forward(pass, &net->layout.mean, false);
    head_forward(pass, &net->layout.variance, true);
#pragma omp parallel for collapse(2) if (scs_worth_threads(net, net->arch.n_latent, 100))
    for (int32_t i = 0; i < net->n_local; i++)
        for (int32_t row = 0; row < net->max_rows; row++) {
            scs_lane *lane = &net->lane[i];
            scs_posterior cell = scs_lane_posterior(net, lane, row);

            if (row >= lane->n)
                continue;
            draw_noise(pass, i, row);
            lane->kl[row] = scs_posterior_forward(&net->arch, &cell);
        }
}

scs_status scs_forward(const scs_pass *pass)
{
    scs_network *net = pass->net;
    bool splits = scs_step_splits(pass->step);

#pragma omp parallel for if (net->n_local > 1)
    for (int32_t i = 0; i < net->n_local; i++)
        if (net->lane[i].n)
            scs_nonzeros_fill(&net->lane[i].x, pass->batch[i].x, pass->batch[i].rows, 0, !splits);
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
        SCS_TRY(move_running_by_shards(pass));
    return SCS_OK;
}
