/** A training run between two steps: what train.c keeps and what state.c saves.
 *
 *  The optimiser is sharded (ZeRO stage 1: Rajbhandari, Rasley, Ruwase, He, SC 2020). The flat
 *  buffer of parameters is cut into segments (src/model/layout.h) and each segment into V slices,
 *  one a shard. A rank sums the gradient of its slices, updates them, and keeps Adam's moments for
 *  them alone; then the new weights are gathered. Cutting by shards and never by ranks keeps the
 *  bits free of the number of ranks. Segments are separate so that the gradient of the output
 *  layer, which is ready first, travels under the rest of the backward pass.
 */
#ifndef SCS_TRAIN_INTERNAL_H
#define SCS_TRAIN_INTERNAL_H

#include "src/config/profile.h"
#include "src/model/layout.h"
#include "scscreen/train.h"

/** Doubles that are summed over shards in every step, in one message: the four members of
 *  scs_loss, the number of ranks that ask for a save and of those that ask to stop. */
enum { SCS_STEP_SUMS = 6 };

/** This rank's slices of one segment; they lie side by side, as its shards do. */
typedef struct scs_slices {
    int64_t *bound; /**< [n_shard + 1] where each shard's slice begins in the flat buffer; owned */
    int64_t lo, hi; /**< this rank's parameters [lo, hi) */
    int64_t at;     /**< where their moments begin in m and v */
} scs_slices;

/** One rank's part of the optimisation. What is not said to be borrowed is owned. */
typedef struct scs_trainer {
    scs_train_options options;
    scs_model *model;       /**< borrowed; its weights change in place */
    const scs_shard *shard; /**< [n_local] borrowed */
    const scs_feed *feed;   /**< where rows come from, borrowed; NULL: they are in the shards */
    const scs_deal *deal;   /**< borrowed, as team */
    const scs_team *team;
    int32_t n_local;         /**< shards of this rank: team->last - team->first */
    int32_t cells_per_shard; /**< that a full step takes: batch / V */
    int64_t steps;           /**< steps of an epoch: until the fullest shard is used up */
    int64_t cells;           /**< cells of an epoch, all ranks */
    double density; /**< non-zeros per cell and gene, of all shards' cells: alike on every rank */
    scs_slices own[SCS_SEGMENTS];
    int64_t step; /**< optimiser steps so far */
    scs_network *net;
    float *m, *v;    /**< Adam's moments of the own slices, which exist on this rank alone */
    float **grad;    /**< [n_local] each [n_param]; memory of the team (open_parts). Free between
                        steps: grad[0] is scratch of a whole vector then */
    bool reducing;   /**< the output layer's gradient is being summed (reduce_begin) */
    bool gathering;  /**< new weights are under way between the ranks (gather_begin) */
    bool shared;     /**< the model's parameters are the node's one copy (share_values) */
    int64_t **order; /**< [n_local] each [n_train]: this epoch's order of rows; of a feed: NULL */
    scs_feed_rows *rows; /**< [n_local] cells in hand: all of the shard's, or some of a feed's */
    scs_batch *batch;    /**< [n_local] each shard's cells of this step; borrow from order */
    scs_loss *loss;      /**< [n_local] each shard's own sums */
    double *partial;     /**< [n_local, SCS_STEP_SUMS] what is summed over shards next */
    int requests;        /**< SCS_REQUEST_ bits: this rank's before a step, all ranks' after it */
} scs_trainer;

/** A training run: the trainer, the best weights so far and how far it is. */
struct scs_training {
    scs_trainer *trainer;   /**< owned */
    const scs_watch *watch; /**< borrowed; may be NULL */
    scs_real *best; /**< [n_param + n_running] the best epoch's, owned; NULL: the last weights stay
                       (monitor: reference) */
    scs_position position;
    double clock;  /**< seconds: when the epoch, or this job's part of it, began */
    bool advanced; /**< this job made a step: else a finished run would be saved again */
};

#endif
