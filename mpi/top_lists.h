/** The genes that distinguish each group from its control, from all ranks' slices. */
#ifndef SCS_TOP_LISTS_H
#define SCS_TOP_LISTS_H

#include "scscreen/comm.h"

/** The best genes of one group, as scs_top_genes gives them. */
typedef struct scs_top_list {
    double score[SCS_N_DEG];
    int32_t gene[SCS_N_DEG];
} scs_top_list;

/** Each rank ranks its own genes, the best of all ranks' and of those before are kept (|z|
 * descending, then gene ascending: what one rank would find that has all genes).
 *  @param slice its genes lie behind those of the slices before, and ranks' ascend
 *  @param[in,out] best [atlas->n_group] genes -1 at first; alike on all ranks. Collective. */
SCS_MUST_USE scs_status scs_top_lists(scs_comm *comm, const scs_atlas *atlas,
                                      const scs_dataset *dataset, const scs_gene_slice *slice,
                                      scs_top_list *best);

#endif
