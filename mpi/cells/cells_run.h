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

#include "mpi/cells/counts.h"
#include "mpi/job/session.h"
#include "src/cells/recipe.h"

/** SCS_EDATA: the inputs hold no counts; message says what to do. SCS_EARG: predict.layers. Local,
 * alike on all ranks. */
SCS_MUST_USE scs_status scs_cells_run_check(const scs_session *session);

/** Make the cells of predict.combination, or of the rows that the screen section selects, and write
 * output.dir/cells.h5ad. session->atlas and z are there.
 *  @return SCS_EARG: unknown names; SCS_EDATA: nothing can be predicted of a combination that was
 *    named, or the inputs hold no counts; SCS_ECREATE, SCS_EIO: the file. Collective. */
SCS_MUST_USE scs_status scs_cells_run(scs_session *session);

/** Whoever takes predicted cells where no file is written. */
typedef struct scs_cells_taker {
    void *ctx;
    int64_t most; /**< cells of a combination, at most SCS_CELL_MAKER_MOST; fewer where there are
                       fewer controls, or predict.cells is smaller */
    /** All of a combination's cells. Collective.
     *  @param cells this rank's part; the ranks' follow one another
     *  @param counts by groups of the atlas, of all cells */
    scs_status (*take)(void *ctx, const scs_combination *item, const scs_cell_block *cells,
                       const scs_counts *counts);
} scs_cells_taker;

/** Make cells of combinations of session->atlas, as scs_cells_run does; those that cannot be
 *  predicted, or whose perturbation no cell shows, are passed over. session->atlas and z are there.
 *  SCS_EDATA, SCS_ENOMEM, SCS_EIO, and what take returns. Collective.
 *  @param plan   whose combinations; borrowed, stays as it is
 *  @param counts read already; borrowed */
SCS_MUST_USE scs_status scs_cells_run_make(scs_session *session, const scs_plan *plan,
                                           const scs_counts *counts, const scs_cells_taker *taker);

#endif
