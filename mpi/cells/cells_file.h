/** cells.h5ad: predicted cells as an AnnData, written by all ranks together, a round of cells after
 *  the other.
 *
 *      /X                      csr_matrix: int32 counts, or float32 log1p
 *      /obs                    an integer index as text; species, cell type, perturbation and dose
 *                              under the inputs' own column names; template, donor_type,
 *                              donor_species (where there are several), library_size
 *      /layers                 the other of counts and log1p, where it is asked for; its indices
 *                              and indptr are X's own
 *      /obsm/latent            posterior means, where the model has them
 *      /var                    genes; with predict.from those that its cells have
 *      /uns/scscreen           provenance
 *
 *  Rank 0 writes the skeleton with all texts serially; then all ranks open it through MPI-IO. How
 *  many counts there are is known only when cells are made, so the matrix grows before each round,
 *  by all ranks together, and rank 0 reserves the room on the disk first: a full disk under MPI-IO
 *  hangs or loses data. A round has a fixed number of cells, so the file has the same bytes on any
 *  number of ranks. It has its name only when it is whole and closed. */
#ifndef SCS_CELLS_FILE_H
#define SCS_CELLS_FILE_H

#include "mpi/cells/cell_maker.h"

#include <hdf5.h>

/** Borrowed while the file is open. */
typedef struct scs_cells_head {
    const scs_session *session;
    const scs_plan *plan;
    const scs_method *method;
    const scs_cell_row *row;   /**< [plan->n]; control is there on rank 0 alone */
    int64_t *first;            /**< [plan->n + 1] first cell of each combination */
    const scs_own_cells *own;  /**< the controls, or NULL: the inputs' */
    const char *from_checksum; /**< of the file that they are from */
    bool latent;               /**< write obsm/latent */
} scs_cells_head;

typedef struct scs_cells_file {
    const scs_cells_head *head;
    char path[4096], part[4200];
    hid_t file, transfer;
    hid_t data, indices, indptr, layer, latent, donor_type, donor_species, library; /**< sets */
    bool together;    /**< opened by all ranks, not yet closed; alike on ranks */
    int fd;           /**< of rank 0; -1 elsewhere */
    int64_t skeleton; /**< bytes of it, on rank 0 */
    int64_t nnz;      /**< counts so far; alike on all ranks */
} scs_cells_file;

/** Write the skeleton and open it. SCS_ECREATE: no room; SCS_EIO. Close it even after a failure.
 * Collective. */
SCS_MUST_USE scs_status scs_cells_file_open(const scs_cells_head *head, scs_cells_file *file);
/** Append a round: each rank its block, in the order of ranks. SCS_ECREATE, SCS_EIO. Collective.
 *  @param cell   number in the file of this rank's first cell; ranks' cells follow each other
 *  @param donors of the combination */
SCS_MUST_USE scs_status scs_cells_file_append(scs_cells_file *file, int64_t cell,
                                              const scs_cell_block *block,
                                              const scs_donors *donors);
/** Close and give the file its name. SCS_EIO. Collective. */
SCS_MUST_USE scs_status scs_cells_file_commit(scs_cells_file *file);
/** Close what is open, and remove what has no name yet. @return `status`, or how closing went.
 * Collective. */
SCS_MUST_USE scs_status scs_cells_file_close(scs_cells_file *file, scs_status status);

#endif
