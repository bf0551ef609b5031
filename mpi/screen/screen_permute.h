/** p- and q-values: is there a response at all? The labels control and perturbed are permuted
 * within every cell type that shows both, each row's shift is estimated anew from the permuted
 * group means, and p is the share of shifts at least as long as the observed one, (count + 1) / (n
 * + 1).
 *
 *  Rows that ask for the same condition are judged together and share its permutations: a set. Each
 *  set's permutations are cut into n_chunk units; a unit is made on one rank, from the latent cells
 *  of that perturbation and of the controls beside it. Which units there are, and what random
 *  numbers they use, does not depend on the number of ranks.
 *
 *      scs_screen_permute_create    units, and which rank has which
 *      scs_screen_permute_need      whose latent cells have to travel
 *      scs_screen_permute_run       this rank's units, or as many as there is time for
 *      scs_screen_permute_share     how much of its work that was
 *      scs_screen_permute_finish    once no rank has units left
 *      scs_screen_permute_clear     always
 *
 *  Counts of finished units go into the done map, so a stopped job does not make them again.
 *  Functions are Local but for scs_screen_permute_finish.
 */
#ifndef SCS_SCREEN_PERMUTE_H
#define SCS_SCREEN_PERMUTE_H

#include "mpi/job/session.h"
#include "mpi/screen/done_map.h"
#include "src/screen/shift.h"

/** One row's component (scs_shift_components: one, or two for a pair) that is under a set's
 * condition. */
typedef struct scs_judged {
    int32_t row;
    int32_t
        n_part; /**< components of the row: its p is the smallest of theirs times their number */
} scs_judged;

/** All sets, units and counts. Alike on all ranks but for n_left and count. */
typedef struct scs_permutations {
    const scs_session *session; /**< borrowed, as plan and method */
    const scs_plan *plan;
    int64_t n;         /**< permutations */
    int64_t n_chunk;   /**< parts that they are cut into */
    scs_method method; /**< scs_choose_shift_blind */
    int32_t n_set;     /**< conditions with rows to judge */
    int64_t n_unit;    /**< n_set * n_chunk */
    int64_t n_judged;
    scs_judged *judged;  /**< [n_judged] set by set */
    int32_t *condition;  /**< [n_set] */
    int64_t *set_first;  /**< [n_set + 1] into judged */
    int64_t *unit_first; /**< [n_unit + 1] counts before each unit */
    int64_t *rank_first; /**< [n_rank + 1] each rank's units: about the same work, estimated */
    scs_plan pair;       /**< perturbed groups with controls beside them, by condition */
    int64_t *pair_first; /**< [n_condition + 1] into pair */
    int64_t n_left;      /**< this rank's units that are not done, after scs_screen_permute_run */
    int32_t *count;      /**< [n_judged] permutations that reach the own length, seen here */
} scs_permutations;

/** Cut the work into units. Without screen.permutations, or a latent space, there are none.
 * SCS_ENOMEM; clear it even then. Alike on all ranks. */
SCS_MUST_USE scs_status scs_screen_permute_create(const scs_session *session,
                                                  const scs_method *method, const scs_plan *plan,
                                                  scs_permutations *p);
/** Free all; zeroed afterwards. */
void scs_screen_permute_clear(scs_permutations *p);
/** Mark the groups whose cells each rank needs for its units. @param[in,out] needed [n_rank,
 * n_group] */
void scs_screen_permute_need(const scs_permutations *p, uint8_t *needed);
/** Count this rank's units, or take them from the map where they are done, until none is left or
 * `stop` says so; n_left tells. SCS_ENOMEM, SCS_EIO.
 *  @param group_z [n_group] cells of the groups that were marked
 *  @param map finished units are put there at once; NULL: they are not kept
 *  @param stop called between rounds of a unit a thread; true: end
 */
SCS_MUST_USE scs_status scs_screen_permute_run(scs_permutations *p, scs_real *const *group_z,
                                               scs_done_map *map, bool (*stop)(void *ctx),
                                               void *ctx);
/** Share of this rank's work that scs_screen_permute_run has done, by estimated cost; 1 where it
 * has none. */
double scs_screen_permute_share(const scs_permutations *p);
/** All ranks' counts become p-values, NaN where a row cannot be predicted, and q-values
 * (Benjamini-Hochberg). After all units are done. Collective; 4 bytes a judged component are
 * reduced to rank 0.
 *  @param[out] p_value, q_value [plan->n] on rank 0, NULL elsewhere
 */
SCS_MUST_USE scs_status scs_screen_permute_finish(scs_permutations *p, double *p_value,
                                                  double *q_value);

#endif
