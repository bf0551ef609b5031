/** Ranked answers. */
#ifndef SCS_SCREEN_RANK_H
#define SCS_SCREEN_RANK_H

#include "mpi/session.h"

enum { SCS_RANK_PRINTED = 20 };

/** Numbers of all rows on rank 0. */
typedef struct scs_row_numbers {
    double *delta_norm; /**< [plan->n] on rank 0, else NULL */
    scs_trust *trust;   /**< likewise */
    scs_scores *score;  /**< likewise */
} scs_row_numbers;
/** @param first [n_rank + 1] split of the plan. Collective. */
SCS_MUST_USE scs_status scs_row_numbers_gather(scs_comm *comm, const int64_t *first,
                                               const scs_result_rows *rows, scs_row_numbers *all);
void scs_row_numbers_clear(scs_row_numbers *all);

/** With screen.rank_by: output.dir/ranking.tsv and its first SCS_RANK_PRINTED rows on stdout.
 * Rank 0 alone. Local. */
SCS_MUST_USE scs_status scs_screen_rank(const scs_session *session, const scs_plan *plan,
                                        const scs_row_numbers *all);

#endif
