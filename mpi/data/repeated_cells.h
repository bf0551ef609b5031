/** Cells that stand more than once in the inputs (src/data/repeated.h), wherever their copies are.
 */
#ifndef SCS_REPEATED_CELLS_H
#define SCS_REPEATED_CELLS_H

#include "src/data/repeated.h"
#include "scscreen/comm.h"

/** 16 bytes a cell that is looked at, some ten thousand in all, go to rank 0.
 *  @param part [n_part] all cells of this rank, not yet normalised
 *  @param[out] found [dataset->n_input] the same on any number of ranks
 *  @return SCS_ENOMEM. Collective. */
SCS_MUST_USE scs_status scs_repeated_cells_find(scs_comm *comm, const scs_dataset *dataset,
                                                const scs_cell_part *part, int32_t n_part,
                                                scs_repeated *found);

#endif
