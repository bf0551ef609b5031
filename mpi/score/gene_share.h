/** From rows to genes: every rank had some cells with all genes, and gets all cells with some.
 *
 *  Genes are cut where the ranks' shares have about equally many values, and travel packed.
 */
#ifndef SCS_GENE_SHARE_H
#define SCS_GENE_SHARE_H

#include "src/data/packed.h"
#include "scscreen/comm.h"

/** SCS_ENOMEM, SCS_EIO. Collective.
 *  @param[in,out] x this rank's cells, which are those behind the lower ranks'; given up
 *  @param n_cell of all ranks
 *  @param[out] share [n_cell, genes of this rank]; caller clears
 *  @param[out] gene0 [n_rank + 1] first gene of each rank; malloc'ed, alike on all ranks */
SCS_MUST_USE scs_status scs_gene_share_make(scs_comm *comm, scs_packed *x, int64_t n_cell,
                                            scs_packed *share, int64_t **gene0);

#endif
