/** Ranked answers. */
#ifndef SCS_SCREEN_RANK_H
#define SCS_SCREEN_RANK_H

#include "mpi/session.h"

enum { SCS_RANK_PRINTED = 20 };

/** With screen.rank_by: output.dir/ranking.tsv and its first SCS_RANK_PRINTED rows on stdout.
 * Rank 0 alone. Local. @param all delta_norm, score and trust of all rows */
SCS_MUST_USE scs_status scs_screen_rank(const scs_session *session, const scs_plan *plan,
                                        const scs_result_rows *all);

#endif
