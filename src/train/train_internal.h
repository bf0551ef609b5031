/** What training keeps between steps on this rank: the workspace, the gradients and its slice of
 *  Adam's moments. */
#ifndef SCS_TRAIN_INTERNAL_H
#define SCS_TRAIN_INTERNAL_H

#include "src/config/profile.h"
#include "src/model/layout.h"
#include "scscreen/train.h"

/** What is summed over shards in every step: the four members of scs_loss, and how many ranks wish
 * to save and to stop. */
enum { SCS_STEP_SUMS = 6 };

/** This rank's slice of a segment of the parameters (src/layout.h). */
typedef struct scs_own {
    int64_t *bound; /**< [n_shard + 1] all slices */
    int64_t lo, hi; /**< parameters [lo, hi) */
    int64_t at;     /**< where their moments begin */
} scs_own;

typedef struct scs_trainer {
    scs_train_options options;
    scs_model *model;
    const scs_shard *shard; /**< [n_local] borrowed */
    const scs_deal *deal;
    const scs_team *team;
    int32_t n_local;
    int32_t part;   /**< cells that a full step takes of each shard */
    int64_t steps;  /**< steps of an epoch */
    int64_t cells;  /**< cells of an epoch, all ranks */
    double density; /**< non-zeros per cell and gene, of all cells */
    scs_own own[SCS_SEGMENTS];
    int64_t step; /**< optimiser steps so far */
    scs_network *net;
    float *m, *v;     /**< Adam's moments of own, which exist on this rank alone */
    float **grad;     /**< [n_local] each [n_param]; the team's */
    bool reduces;     /**< the output layer's gradient is being summed */
    bool travels;     /**< new weights are under way between the ranks */
    bool shares;      /**< the model's parameters are the node's copy */
    int64_t **order;  /**< [n_local] each [n_train]: this epoch's order of rows */
    scs_batch *batch; /**< [n_local] */
    scs_loss *loss;   /**< [n_local] */
    double *parts;    /**< [n_local, SCS_STEP_SUMS] */
    int wishes;       /**< scs_wish bits: this rank's before a step, all ranks' after it */
} scs_trainer;

/** Checks the batch against the shards and allocates. Collective. */
SCS_MUST_USE scs_status scs_trainer_create(const scs_config *config, scs_model *model,
                                           const scs_shard *shard, const scs_deal *deal,
                                           const scs_team *team, scs_trainer **trainer);
void scs_trainer_destroy(scs_trainer **trainer);
/** Set the output layer's biases to the genes' means over the training cells. Collective. */
SCS_MUST_USE scs_status scs_trainer_center(scs_trainer *trainer);
/** The order of the cells in an epoch (from 1). Collective. */
SCS_MUST_USE scs_status scs_trainer_shuffle(scs_trainer *trainer, int64_t epoch);
/** One optimiser step. Afterwards the new weights are on their way. @param at 0 <= at < steps
 *  @param[out] loss sums over all shards. Collective. */
SCS_MUST_USE scs_status scs_trainer_step(scs_trainer *trainer, int64_t epoch, int64_t at,
                                         scs_loss *loss);
/** All weights are there: to be called before others than the next step read them. Collective. */
SCS_MUST_USE scs_status scs_trainer_settle(scs_trainer *trainer);
/** What a step that failed has left under way is waited for. Collective. */
void scs_trainer_abandon(scs_trainer *trainer);
/** Cells of a step, all shards. Local. */
int64_t scs_trainer_cells(const scs_trainer *trainer, int64_t at);
/** Sums over all shards of trainer->loss, the same bits on every rank; the ranks' wishes travel
 * with them. Collective. */
SCS_MUST_USE scs_status scs_trainer_sum_losses(scs_trainer *trainer, scs_loss *loss);
void scs_loss_add(const scs_loss *loss, scs_loss *sum);
/** Sums over all validation cells. Collective. */
SCS_MUST_USE scs_status scs_trainer_validate(scs_trainer *trainer, scs_loss *loss);

/* A training run: the trainer, the best weights so far and how far it is. */

struct scs_training {
    scs_trainer *trainer;
    const scs_watch *watch;
    scs_real *best; /**< [n_param + n_running] the best epoch's; NULL: the last weights stay */
    scs_position position;
    double clock;  /**< when the epoch, or this job's part of it, began */
    bool advanced; /**< this job made a step */
};

#endif
