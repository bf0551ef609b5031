/** A prediction's score: two files read by all ranks, panels scored, one scorecard each.
 *
 *  The cells of both files are read, each rank a part, and shared out by genes: a rank then has all
 *  cells with some of the genes, does the work that is done gene by gene (src/score/gene_stats.h),
 *  and hands over whole rows of numbers to whoever scores that perturbation. Everything that is
 *  summed is summed by one rank, in the order of the cells or of the genes: the scores have the
 *  same bits on any number of ranks.
 */
#ifndef SCS_SCORE_RUN_H
#define SCS_SCORE_RUN_H

#include "mpi/job/session.h"
#include "src/score/scorecard.h"

/** SCS_EDATA where the two files do not fit one another, or do not hold counts; SCS_EIO,
 * SCS_ENOMEM. Collective.
 *  @param session meta[0] the prediction, meta[1] the real cells
 *  @param[out] panels, card [n] of each panel, values on rank 0 only; caller clears with
 *              scs_score_run_clear, also after a failure */
SCS_MUST_USE scs_status scs_score_run(scs_session *session, scs_panel **panels,
                                      scs_scorecard **card, int32_t *n);
/** Free n panels and cards and both arrays; *panels and *card may be NULL. Local. */
void scs_score_run_clear(scs_panel **panels, scs_scorecard **card, int32_t n);

#endif
