/** Predicted cells as a step of a job: from an atlas to output.dir/cells.h5ad.
 *
 *      scs_cells_run_check   before the atlas is made: do the inputs hold counts?
 *      scs_cells_run         method, rows, counts, and combination after combination its cells
 *
 *  A combination's mean change is the screen's own (mpi/screen/row.h), so that `predict` and
 * `screen` agree; src/cells makes cells of it. All ranks make one combination's cells together, a
 * round of 4,096 after the other, and hold the counts of its control and source cells only. */
#ifndef SCS_CELLS_RUN_H
#define SCS_CELLS_RUN_H

#include "mpi/job/session.h"

/** SCS_EDATA: the inputs hold no counts; message says what to do. SCS_EARG: predict.layers. Local,
 * alike on all ranks. */
SCS_MUST_USE scs_status scs_cells_run_check(const scs_session *session);

/** Make the cells of predict.combination, or of the rows that the screen section selects, and write
 * output.dir/cells.h5ad. session->atlas and z are there.
 *  @return SCS_EARG: unknown names; SCS_EDATA: nothing can be predicted of a combination that was
 *    named, or the inputs hold no counts; SCS_ECREATE, SCS_EIO: the file. Collective. */
SCS_MUST_USE scs_status scs_cells_run(scs_session *session);

#endif
