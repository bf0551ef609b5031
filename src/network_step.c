#include "src/network.h"

#include <string.h>

scs_signal scs_block_input(const scs_network *net, const scs_lane *lane, int b)
{
    if (b == 0)
        return (scs_signal){NULL, NULL};
    return b == net->arch.n_layer ? lane->z : lane->hidden[b - 1].out;
}

scs_posterior scs_lane_posterior(const scs_network *net, const scs_lane *lane, int64_t row)
{
    int64_t at = row * net->arch.n_latent;

    return (scs_posterior){.mean = lane->mean.value + at,
                           .head = lane->head.value + at,
                           .variance = lane->variance + at,
                           .z = lane->z.value + at,
                           .noise = lane->noise + at};
}

scs_stream scs_cell_stream(const scs_pass *pass, int32_t lane, int64_t row, uint32_t purpose)
{
    const scs_batch *batch = &pass->batch[lane];

    return (scs_stream){(uint64_t)pass->step->seed, purpose, (uint32_t)pass->step->epoch,
                        (uint64_t)batch->cell[batch->rows[row]]};
}

/* What can fail on one rank alone happens here, before the first sum over ranks. */
static scs_status prepare_lanes(const scs_pass *pass)
{
    scs_network *net = pass->net;
    bool splits = scs_step_splits(pass->step);

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

/* An empty part has no gradient. */
static void clear_empty(const scs_pass *pass)
{
    for (int32_t i = 0; i < pass->net->n_local; i++)
        if (!pass->batch[i].n)
            memset(pass->grad[i], 0, (size_t)pass->net->layout.n_param * sizeof **pass->grad);
}

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
    return scs_output_step(net->output, pass->model->param, 1.0 / (double)pass->step->n_global,
                           pass->team, scs_step_splits(pass->step) ? &net->split : NULL, net->part);
}

static void report_loss(const scs_network *net, scs_loss *loss)
{
    for (int32_t i = 0; i < net->n_local; i++) {
        double kl = 0;

        for (int32_t row = 0; row < net->lane[i].n; row++)
            kl += net->lane[i].kl[row];
        loss[i] = scs_loss_of(&net->arch, net->part[i].squared_error, kl, net->lane[i].n);
    }
}

scs_status scs_network_step(scs_network *net, scs_model *model, const scs_batch *batch,
                            const scs_step *step, const scs_team *team, scs_real *const *grad,
                            scs_loss *loss)
{
    scs_pass pass = {net, model, batch, step, team, grad};

    SCS_TRY(team->agree(team->ctx, prepare_lanes(&pass)));
    clear_empty(&pass);
    SCS_TRY(scs_forward(&pass));
    SCS_TRY(run_output(&pass));
    report_loss(net, loss);
    if (step->hooks)
        SCS_TRY(step->hooks->after_output(step->hooks->ctx));
    return scs_backward(&pass);
}
