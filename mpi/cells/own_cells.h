/** The user's own control cells (predict.from), which predicted cells start from in place of the
 *  inputs': their counts, and which genes of the run they have.
 *
 *  Genes are found by name, in any order: by the run's names, or by those of an input whose genes a
 *  table translates, whichever finds more. Genes that the run does not have are passed over; those
 *  that the file does not have are left out of what is predicted, and reported.
 *
 *  Cells are chosen by labels where the file has the inputs' columns (data.cell_type,
 *  data.condition): control cells, and those of the combination's type. A file without such a
 *  column has cells that are all controls, or all of whichever type is asked for. */
#ifndef SCS_OWN_CELLS_H
#define SCS_OWN_CELLS_H

#include "mpi/cells/counts.h"

typedef struct scs_own_cells {
    scs_counts counts; /**< of this rank's cells; groups are cell types of the atlas, or 0 */
    double *total;     /**< [n_cell] over all genes of the file, of all ranks' cells */
    uint8_t *absent;   /**< [n_gene] 1: not in the file */
    int32_t *column;   /**< [n_gene] number among the genes that are there; -1: absent */
    scs_names genes;   /**< those that are there, in the run's order */
    bool typed;        /**< cells have types */
} scs_own_cells;

/** Read session->from. SCS_EDATA: no gene of the run, a gene twice, no counts, no control cells;
 *  SCS_EIO, SCS_ENOMEM. Collective.
 *  @param[out] own caller clears, also after a failure */
SCS_MUST_USE scs_status scs_own_cells_read(const scs_session *session, scs_own_cells *own);
/** Free all; zeroed is let through. */
void scs_own_cells_clear(scs_own_cells *own);
/** The group of a cell type's cells. SCS_EDATA: the file has none of that type; message lists its
 *  types. Local, alike on all ranks. */
SCS_MUST_USE scs_status scs_own_cells_group(const scs_own_cells *own, int32_t cell_type,
                                            int32_t *group);
/** Mean log expression of a group's cells, scaled to as many counts as the run's cells are. Local.
 *  @param group its counts (scs_counts_gather)  @param cell [group->x.n_row] numbers of its cells
 *  @param[out] mean [n_gene] */
SCS_MUST_USE scs_status scs_own_cells_mean(const scs_own_cells *own, const scs_count_group *group,
                                           const int64_t *cell, float *mean);

#endif
