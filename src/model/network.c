/* The workspace of training: allocated once, for the largest part that a shard may have, and
 * written by every step.
 *
 * Every activation is kept with its gradient, because the backward pass needs the inputs of each
 * layer: 2 (3 n_hidden n_block + 3 n_latent) numbers a cell, and a byte for each unit that
 * dropout may drop. The first layer's input stays sparse and has no gradient. Local.
 */
#include "src/model/network.h"

#include "src/base/simd.h"
#include "src/kernels/nonzeros.h"
#include "src/model/layer.h"
#include "src/model/layout.h"
#include "src/model/linear.h"
#include "src/model/output.h"

#include <stdlib.h>

/* @param size elements of the value and of the gradient */
static scs_status create_signal(int64_t size, scs_signal *signal)
{
    SCS_TRY(SCS_ALLOC(signal->value, size));
    SCS_TRY(SCS_ALLOC(signal->grad, size));
    return SCS_OK;
}

/* Also of a signal that was never made. */
static void destroy_signal(scs_signal *signal)
{
    free(signal->value);
    free(signal->grad);
}

/* Without batch norm `norm` is an alias of `linear`, so that what follows need not ask. */
static scs_status create_hidden(const scs_block *block, int32_t max_rows, scs_hidden *hidden)
{
    int64_t size = (int64_t)max_rows * block->linear.n_out;

    SCS_TRY(create_signal(size, &hidden->linear));
    SCS_TRY(create_signal(size, &hidden->out));
    SCS_TRY(SCS_ALLOC(hidden->keep, size));
    if (block->gamma < 0) {
        hidden->norm = hidden->linear;
        return SCS_OK;
    }
    hidden->moments.n_col = block->linear.n_out;
    SCS_TRY(create_signal(size, &hidden->norm));
    SCS_TRY(SCS_ALLOC(hidden->moments.mean, block->linear.n_out));
    SCS_TRY(SCS_ALLOC(hidden->moments.inv_std, block->linear.n_out));
    return SCS_OK;
}

/* The alias is not freed twice. */
static void destroy_hidden(scs_hidden *hidden)
{
    if (hidden->norm.value != hidden->linear.value)
        destroy_signal(&hidden->norm);
    destroy_signal(&hidden->linear);
    destroy_signal(&hidden->out);
    free(hidden->keep);
    free(hidden->moments.mean);
    free(hidden->moments.inv_std);
}

/* The cells themselves get room when a step knows how many entries they have. */
static scs_status create_lane(const scs_network *net, scs_lane *lane)
{
    int64_t latent = (int64_t)net->max_rows * net->arch.n_latent;

    for (int b = 0; b < net->layout.n_block; b++)
        SCS_TRY(create_hidden(&net->layout.block[b], net->max_rows, &lane->hidden[b]));
    SCS_TRY(create_signal(latent, &lane->mean));
    SCS_TRY(create_signal(latent, &lane->head));
    SCS_TRY(create_signal(latent, &lane->z));
    SCS_TRY(SCS_ALLOC(lane->variance, latent));
    SCS_TRY(SCS_ALLOC(lane->noise, latent));
    SCS_TRY(SCS_ALLOC(lane->kl, net->max_rows));
    return SCS_OK;
}

/* Also after create_lane has failed half-way: all was zeroed. */
static void destroy_lane(scs_lane *lane, int n_block)
{
    scs_nonzeros_clear(&lane->x);
    for (int b = 0; b < n_block; b++)
        destroy_hidden(&lane->hidden[b]);
    destroy_signal(&lane->mean);
    destroy_signal(&lane->head);
    destroy_signal(&lane->z);
    free(lane->variance);
    free(lane->noise);
    free(lane->kl);
}

/* The caller destroys the network after an error. */
static scs_status fill_network(scs_network *net)
{
    int64_t stats = net->layout.n_running + net->layout.n_block;
    int64_t sums = 2 * (int64_t)net->arch.n_hidden;

    SCS_TRY(SCS_ALLOC(net->lane, net->n_local));
    SCS_TRY(SCS_ALLOC(net->flow, net->n_local));
    SCS_TRY(SCS_ALLOC(net->part, net->n_local));
    SCS_TRY(SCS_ALLOC(net->cells, net->n_local));
    SCS_TRY(SCS_ALLOC(net->grad_linear, net->n_local));
    SCS_TRY(SCS_ALLOC(net->sums, net->n_local * sums));
    SCS_TRY(SCS_ALLOC(net->total, stats > sums ? stats : sums));
    SCS_TRY(SCS_ALLOC(net->shard_stats, net->n_local * stats));
    for (int32_t i = 0; i < net->n_local; i++)
        SCS_TRY(create_lane(net, &net->lane[i]));
    for (int32_t i = 0; i < net->n_local; i++) {
        net->cells[i] = &net->lane[i].x.by_cell;
        net->grad_linear[i] = net->lane[i].hidden[0].linear.grad;
    }
    SCS_TRY(scs_output_create(&net->arch, net->n_local, net->max_rows, &net->output));
    return SCS_OK;
}

/* All of it or nothing: a network that is made in part is destroyed. */
scs_status scs_network_create(const scs_arch *arch, int32_t n_local, int32_t max_rows,
                              scs_network **net)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*net, 1));
    (*net)->arch = *arch;
    (*net)->n_local = n_local;
    (*net)->max_rows = max_rows;
    scs_layout_build(arch, &(*net)->layout);
    SCS_GO(st, fill_network(*net));
    return SCS_OK;
done:
    scs_network_destroy(net);
    return st;
}

/* In whatever state. */
void scs_network_destroy(scs_network **net)
{
    if (!*net)
        return;
    for (int32_t i = 0; (*net)->lane && i < (*net)->n_local; i++)
        destroy_lane(&(*net)->lane[i], (*net)->layout.n_block);
    scs_output_destroy(&(*net)->output);
    free((*net)->lane);
    free((*net)->flow);
    free((*net)->part);
    scs_gene_split_clear(&(*net)->split);
    free((*net)->cells);
    free((*net)->grad_linear);
    free((*net)->sums);
    free((*net)->total);
    free((*net)->shard_stats);
    free(*net);
    *net = NULL;
}

/* By the largest batch, which is the size of all but the last steps. */
bool scs_network_worth_threads(const scs_network *net, int32_t n_unit, int cost)
{
    return SCS_WORTH_THREADS((double)net->n_local * net->max_rows * n_unit * cost);
}
