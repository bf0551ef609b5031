/** The workspace of a training step: every activation and its gradient for each local shard.
 *
 *  All local shards go through the network in lockstep, because batch norm needs the whole batch.
 *  The public functions are in scscreen/model.h; network.c makes the workspace, network_step.c
 *  uses it. Arrays are owned unless it says otherwise.
 */
#ifndef SCS_NETWORK_H
#define SCS_NETWORK_H

#include "src/kernels/nonzeros.h"
#include "src/model/layer.h"
#include "src/model/layout.h"
#include "src/model/linear.h"
#include "src/model/output.h"

/** An activation and its gradient, each [max_rows, n_col]; owned. */
typedef struct scs_signal {
    scs_real *value, *grad;
} scs_signal;

/** One block's activations for one shard, in the order in which they are made. */
typedef struct scs_hidden {
    scs_signal linear, norm, out; /**< [n, n_hidden]; norm is linear itself without batch norm */
    uint8_t *keep;                /**< [n, n_hidden] units that dropout kept */
    scs_norm moments;             /**< what normalised; unused without batch norm */
} scs_hidden;

/** One shard's cells in the network. */
typedef struct scs_lane {
    int32_t n;      /**< cells of the current step */
    scs_nonzeros x; /**< its cells */
    scs_hidden hidden[2 * SCS_MAX_LAYERS];
    scs_signal mean, head, z; /**< [n, n_latent]; head: before exp */
    scs_real *variance;       /**< [n, n_latent] */
    double *noise;            /**< [n, n_latent] */
    double *kl;               /**< [n] */
} scs_lane;

/** n_local shards; one layer at a time is in hand for all of them. */
struct scs_network {
    scs_arch arch;
    scs_layout layout;
    int32_t n_local, max_rows;
    scs_lane *lane; /**< [n_local] */
    scs_flow *flow; /**< [n_local] of the layer in hand */
    scs_output *output;
    scs_output_part *part;     /**< [n_local] */
    scs_gene_split split;      /**< the batch as this rank's genes see it, where steps split it */
    const scs_entries **cells; /**< [n_local] the lanes' entries by cell */
    const scs_real **grad_linear; /**< [n_local] the lanes' gradients of the first layer's sums */
    double *sums;                 /**< [n_local, 2 n_hidden] of the batch norm in hand */
    double *total;                /**< [max(2 n_hidden, n_running + n_block)] */
    double *shard_stats; /**< [n_local, n_running + n_block] shards' own moments as in running, then
                            how many shards they stand for; batch_norm shard only */
};

/** What one step is about: the arguments of scs_network_step. All borrowed. */
typedef struct scs_pass {
    scs_network *net;
    scs_model *model;
    const scs_batch *batch; /**< [n_local] */
    const scs_step *step;
    const scs_team *team;
    scs_real *const *grad; /**< [n_local] */
} scs_pass;

/** Is a loop over all cells' units, at `cost` multiply-adds each, worth several threads? */
bool scs_network_worth_threads(const scs_network *net, int32_t n_unit, int cost);

#endif
