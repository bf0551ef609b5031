/** The count file of one simulated species, DIR/SPECIES.h5ad: an AnnData file as a user would
 *  bring it.
 *
 *      X     CSR of raw counts as float32, [cells, n_own]
 *      obs   cell_type, condition, species (categorical) and, where there are doses, dose;
 *            the index is species_a_cell_1 and so on
 *      var   the species' own gene names
 *
 *  Groups follow each other in order of type and condition, and their cells by number. Rows are
 *  drawn in parallel, a block at a time, and appended: memory is that of one block (2^21 counts,
 *  or one row), whatever the number of cells. Each cell has a stream of its own, so the bytes of
 *  the file do not depend on threads or blocks.
 */
#ifndef SCS_SIM_COUNTS_H
#define SCS_SIM_COUNTS_H

#include "src/simulate/sim_model.h"

/** Draw every cell of a species and write them. The file appears at `path` when it is complete.
 * SCS_ECREATE, SCS_EIO, SCS_ENOMEM. Local; uses all threads.
 *  @param[out] n_value counts that are not 0 */
SCS_MUST_USE scs_status scs_sim_write_counts(const scs_sim *sim, int32_t species, const char *path,
                                             int64_t *n_value);

#endif
