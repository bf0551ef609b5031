/** Is there a response at all? */
#ifndef SCS_SCREEN_PERMUTE_H
#define SCS_SCREEN_PERMUTE_H

#include "mpi/job/session.h"
#include "mpi/screen/done_map.h"
#include "src/screen/shift.h"

/** One row's part under one condition (src/parts.h). */
typedef struct scs_judged {
    int32_t row;
    int32_t n_part; /**< of the row: its p is the smallest of its parts' times their number */
} scs_judged;

/** The labels control and perturbed are permuted within every cell type that shows both, each row's
 *  shift is estimated anew, and p is the share of shifts at least as long as the observed one.
 *
 *  Rows that ask for the same condition are judged together, `n_chunk` units for each, which
 *  share its permutations: a unit's are made on one rank, from the latent cells of that
 * perturbation and of the controls beside it. Units do not depend on the number of ranks. */
typedef struct scs_permutations {
    const scs_session *session;
    const scs_plan *plan;
    int64_t n;       /**< permutations */
    int64_t n_chunk; /**< parts that they are cut into */
    const scs_method *method;
    int32_t n_set;  /**< conditions with rows to judge */
    int64_t n_unit; /**< n_set * n_chunk */
    int64_t n_judged;
    scs_judged *judged;  /**< [n_judged] set by set */
    int32_t *condition;  /**< [n_set] */
    int64_t *set_first;  /**< [n_set + 1] into judged */
    int64_t *unit_first; /**< [n_unit + 1] counts before each unit */
    int64_t *rank_first; /**< [n_rank + 1] each rank's units: about the same work */
    scs_plan pair;       /**< perturbed groups with controls beside them, by condition */
    int64_t *pair_first; /**< [n_condition + 1] into pair */
    int64_t n_left;      /**< this rank's units that are not done, after scs_screen_permute_run */
    int32_t *count;      /**< [n_judged] permutations that reach the own length, seen here */
} scs_permutations;

/** Without screen.permutations, or a latent space, there are no units. Local, alike on all ranks;
 * clear it even after a failure. */
SCS_MUST_USE scs_status scs_screen_permute_create(const scs_session *session,
                                                  const scs_method *method, const scs_plan *plan,
                                                  scs_permutations *p);
void scs_screen_permute_clear(scs_permutations *p);
/** Mark the groups whose cells the ranks need for it. @param[in,out] needed [n_rank, n_group] */
void scs_screen_permute_need(const scs_permutations *p, uint8_t *needed);
/** Count this rank's units, or take them from the map where they are done, until `stop` says so.
 Stops where `wishes` or
 * another rank (through the queue, from which every number is then at least `end`) says so.
 *  @param group_z [n_group] cells of the groups that were marked. Local. */
SCS_MUST_USE scs_status scs_screen_permute_run(scs_permutations *p, scs_real *const *group_z,
                                               scs_done_map *map, bool (*stop)(void *ctx),
                                               void *ctx);
/** All ranks' counts become p-values, NaN where a row cannot be predicted, and q-values.
 *  @param[out] p_value, q_value [plan->n] on rank 0, NULL elsewhere. Collective. */
SCS_MUST_USE scs_status scs_screen_permute_finish(scs_permutations *p, double *p_value,
                                                  double *q_value);

#endif
