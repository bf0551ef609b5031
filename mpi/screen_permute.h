/** Is there a response at all? */
#ifndef SCS_SCREEN_PERMUTE_H
#define SCS_SCREEN_PERMUTE_H

#include "mpi/session.h"

/** p-values of all rows of the plan, NaN where a row cannot be predicted, and their q-values.
 *
 *  For one perturbation after the other, the labels control and perturbed are permuted within every
 * cell type that shows both (screen.permutations times), each row's shift is estimated anew, and p
 * is the share of shifts at least as long as the observed one. A row of several parts (a pair, a
 * dose between others) has the smallest p of its parts times their number. Permutations of a type
 * are made on one rank and reach all.
 *  @param first [n_rank + 1] split of the plan  @param[out] p, q [plan->n] on every rank.
 * Collective. */
SCS_MUST_USE scs_status scs_screen_permute(const scs_session *session, const scs_method *method,
                                           const scs_plan *plan, const int64_t *first, double *p,
                                           double *q);

#endif
