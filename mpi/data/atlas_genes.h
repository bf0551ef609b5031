/** The gene-space half of the atlas: mean, variance and DEG of every group, made from cells that
 * are divided over the ranks and complete on every rank afterwards (scs_atlas_genes in
 * scscreen/comm.h).
 *
 *  A group's DEG are its 100 genes with the largest absolute Wilcoxon z against its controls; mean
 *  and variance are those of its cells' expression as it was read and normalised.
 */
#ifndef SCS_ATLAS_GENES_H
#define SCS_ATLAS_GENES_H

#include "mpi/data/cell_stream.h"
#include "scscreen/comm.h"

/** scs_atlas_genes with the genes in this many parts: more parts take less memory and one pass
 * through the cells each, and the bits are the same for any number.
 *  @param[in,out] atlas gene_mean, gene_variance and deg are filled; groups as scs_atlas_create
 *    made them
 *  @param deal by which the cells were redistributed; borrowed
 *  @param shard [team->last - team->first] this rank's; borrowed
 *  @return SCS_OK, SCS_ENOMEM or SCS_EIO, on all ranks alike. Collective.
 */
SCS_MUST_USE scs_status scs_atlas_genes_in_parts(scs_comm *comm, scs_atlas *atlas,
                                                 const scs_dataset *dataset, const scs_deal *deal,
                                                 const scs_shard *shard, const scs_team *team,
                                                 int32_t n_part);

/** The same of cells that are on disk: a pass through all of them for each part, in which the
 * part's values are kept, 4 bytes each and 8 a gene, group and window, divided over the ranks. The
 * same bits as scs_atlas_genes.
 *  @return those, or what the stream refuses. Collective. */
SCS_MUST_USE scs_status scs_atlas_genes_streamed(scs_cell_stream *stream, scs_atlas *atlas,
                                                 int32_t n_part);

#endif
