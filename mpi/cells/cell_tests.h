/** layers/log2fc, p_de and q_de of a screen: each row's predicted cells tested against the controls
 *  that they are made of.
 *
 *  The cells are those that `predict` writes with the same config, made a row after the other and
 *  dropped again; the test is that of `score` (src/score/rank_sum.h), over counts per million of
 * the run's genes. So the layers are what a user gets from cells.h5ad, exactly:
 *
 *      log2fc  log2((mean CPM + 1e-9) / (mean CPM of the controls + 1e-9))
 *      p_de    rank-sum test, ties and continuity corrected, two-sided
 *      q_de    p_de by Benjamini and Hochberg over all genes of the row
 *
 *  Memory: the controls and the predicted cells of one row, over all ranks. */
#ifndef SCS_CELL_TESTS_H
#define SCS_CELL_TESTS_H

#include "mpi/screen/screen_run.h"

/** Whether screen.de can be done: SCS_EDATA: the inputs hold no counts; SCS_EARG: there are no
 *  layers. Local, alike on all ranks. */
SCS_MUST_USE scs_status scs_cell_tests_check(const scs_session *session);
/** Test every row that has cells; the others are NaN. SCS_EIO, SCS_ENOMEM. Collective.
 *  @param late where rows go, on rank 0 */
SCS_MUST_USE scs_status scs_cell_tests_run(const scs_session *session, const scs_screen_late *late);

#endif
