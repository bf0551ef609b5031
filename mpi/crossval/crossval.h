/** A validation in progress: groups of ranks, each with its own copy of the cells, train the models
 * of the grid one after the other. */
#ifndef SCS_CROSSVAL_H
#define SCS_CROSSVAL_H

#include "mpi/comm/queue.h"
#include "mpi/job/session.h"
#include "src/base/checksum.h"
#include "src/crossval/grid.h"
#include "src/crossval/report.h"

typedef struct scs_validation {
    scs_session *session; /**< this group's: its comm is the group's, its config holds out what the
                             model in hand does */
    scs_comm *world, *group;
    int32_t n_group;
    scs_queue queue;
    int64_t first_cell;
    scs_packed x;    /**< this rank's contiguous part of the group's cells */
    scs_atlas *base; /**< groups and their gene-space statistics; nothing is held out in it */
    scs_grid *grid;
    char data[SCS_CHECKSUM_MAX]; /**< of the cells, labels and genes */
    double *value; /**< of the model in hand: [its combinations, predictors, SCS_N_MEASURE], on the
                      group's first rank */
    scs_names source; /**< [its combinations, predictors] where the shift comes from, in words */
} scs_validation;

/** `scscreen validate`. */
extern const scs_verb scs_crossval_verb;

#endif
