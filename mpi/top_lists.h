/** The genes that distinguish each group from its control, from all ranks' slices. */
#ifndef SCS_TOP_LISTS_H
#define SCS_TOP_LISTS_H

#include "scscreen/comm.h"

/** Fill atlas->deg: each rank ranks its own genes, the best of all ranks are kept (|z| descending,
 * then gene ascending: what one rank would find). Collective. */
SCS_MUST_USE scs_status scs_top_lists(scs_comm *comm, scs_atlas *atlas, const scs_dataset *dataset,
                                      const scs_gene_slice *slice);

#endif
