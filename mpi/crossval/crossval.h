/** The verb `validate`: every observed combination is held out in turn, and each predictor is
 * scored on it.
 *
 *  Ranks are split into groups of validate.group_size, each with its own copy of the cells; a group
 *  trains one model of the grid after the other and takes the next from one queue, so models of
 *  different cost do not leave ranks idle; for the last models groups join. A model's rows depend
 * on the number of shards, which is settled for all groups alike, not on the group or its size.
 *
 *  A model of the grid is a set of combinations that are held out together (validate.folds). For
 *  each of them every predictor of src/crossval/report.c makes a row: no change, arithmetic in gene
 *  space, and the model in each decode mode.
 *
 *  What communicates: within a group as in any other job (session->comm is the group's); between
 *  groups only the queue, the agreement at the end of each phase, and files.
 */
#ifndef SCS_CROSSVAL_H
#define SCS_CROSSVAL_H

#include "mpi/cells/counts.h"
#include "mpi/comm/queue.h"
#include "mpi/job/session.h"
#include "src/base/checksum.h"
#include "src/crossval/grid.h"
#include "src/crossval/report.h"

/** A validation in progress. Owned by the verb; rank-local unless it says otherwise. */
typedef struct scs_validation {
    scs_session *session; /**< this group's: its comm is the group's, its config holds out what the
                             model in hand does */
    scs_comm *world, *group; /**< all ranks (borrowed); this group's (owned) */
    int32_t n_group, index;  /**< how many groups there are at first; this rank's */
    int32_t share, n_share; /**< of x this rank deals out share `share` of n_share: as many ranks of
                               the group hold the same cells */
    uint8_t *recorded;      /**< [grid->n_model] whether its whole file was there at the start */
    int64_t *order; /**< [grid->n_model] in which models are made; the last n_last after all others,
                       by groups of n_joined ranks */
    int64_t n_last;
    int32_t n_joined;
    scs_queue queue;    /**< over world: numbers of models */
    int64_t first_cell; /**< of x, in the data set */
    scs_packed x;       /**< this rank's contiguous part of the group's cells */
    scs_atlas *base;    /**< groups and their gene-space statistics; nothing is held out in it */
    scs_grid *grid;
    char data[SCS_CHECKSUM_MAX]; /**< of the cells, labels and genes */
    scs_report_origin origin;    /**< of the model in hand, alike in the group */
    double *replicate; /**< [grid->plan->n, SCS_N_MEASURE] what a repeat would score; NULL: nobody
                          has asked yet */
    double *value; /**< of the model in hand: [its combinations, predictors, SCS_N_MEASURE], on the
                      group's first rank */
    scs_counts *counts; /**< of all cells, once validate.cells has asked; NULL before */
    scs_names source;   /**< [its combinations, predictors] where the shift comes from, in words */
} scs_validation;

/** `scscreen validate`: writes output.dir/validation.tsv, validation.txt and a file for each model
 * in output.dir/validation. Collective over all ranks. */
extern const scs_verb scs_crossval_verb;

#endif
