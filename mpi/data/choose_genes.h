/** data.n_top_genes: highly variable genes, from cells that are divided over the ranks.
 *
 *  Scores and choice are src/atlas/variable_genes.h's; they are made on rank 0, and all ranks keep
 *  the genes that it names, whatever their processors' libraries make of a logarithm. What is added
 *  up over ranks are whole numbers: the genes are the same on any number of them.
 */
#ifndef SCS_CHOOSE_GENES_H
#define SCS_CHOOSE_GENES_H

#include "scscreen/comm.h"

/** Keep data.n_top_genes genes in the dataset and in all parts, and say so in dataset->variable.
 *
 *  Two passes over this rank's values (three for seurat_v3), 16 bytes a gene and batch.
 *  @param part [n_part] all cells of this rank: normalised, or counts for seurat_v3
 *  @param controls_only genes are chosen from control cells, which no fold of a validation holds
 *         out; else from all cells that are not held out
 *  @return SCS_EARG: more genes than there are; SCS_EDATA: a batch of fewer than two cells;
 *          SCS_ENOMEM, SCS_EIO. Collective. */
SCS_MUST_USE scs_status scs_choose_genes(scs_comm *comm, const scs_config *config,
                                         const scs_h5ad *const *metas, bool controls_only,
                                         scs_dataset *dataset, const scs_cell_part *part,
                                         int32_t n_part);

#endif
