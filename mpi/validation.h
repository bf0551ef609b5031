/** A validation in progress: groups of ranks, each with its own copy of the cells, train the models
 * of the grid one after the other. */
#ifndef SCS_MPI_VALIDATION_H
#define SCS_MPI_VALIDATION_H

#include "mpi/queue.h"
#include "mpi/session.h"
#include "src/checksum.h"
#include "src/grid.h"
#include "src/validation.h"

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

/** Split the ranks, load the cells in each group, make the grid. Collective over world; close it
 * even after a failure. */
SCS_MUST_USE scs_status scs_validation_open(scs_session *session, scs_validation *v);
void scs_validation_close(scs_validation *v);

/** Deal the group's cells by the roles they have now; what was dealt before is freed. Collective
 * over the group. */
SCS_MUST_USE scs_status scs_validation_deal(scs_validation *v);
/** Train and encode without the combinations that model `model` holds out.
 *  @param kind scs_model_kind. Collective over the group. */
SCS_MUST_USE scs_status scs_validation_train(scs_validation *v, int64_t model, int kind);
/** Predict and measure them, by the baselines and what the session's model, of this kind, makes:
 * their part of v->value and v->source. Collective over the group. */
SCS_MUST_USE scs_status scs_validation_measure(scs_validation *v, int64_t model, int kind);
/** Room for a model's values and sources. Local. */
SCS_MUST_USE scs_status scs_validation_reserve(scs_validation *v, int64_t model);

/** File of a model's rows, named by all that they depend on: config, inputs and what is held out.
 *  @param[out] path malloc'ed. Local; leaves config->hold_out as the model wants it. */
SCS_MUST_USE scs_status scs_validation_path(scs_validation *v, int64_t model, char **path);
/** Rows that a model's file has. */
int64_t scs_validation_rows(const scs_validation *v, int64_t model);
/** Write v->value to the model's file. Local, on the group's first rank. */
SCS_MUST_USE scs_status scs_validation_record(scs_validation *v, int64_t model, const char *path);
/** All models' rows into output.dir/validation.tsv, and the summary on stdout. Local, on rank 0. */
SCS_MUST_USE scs_status scs_validation_merge(scs_validation *v);

#endif
