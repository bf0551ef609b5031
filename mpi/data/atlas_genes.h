/** The gene-space half of the atlas. */
#ifndef SCS_ATLAS_GENES_H
#define SCS_ATLAS_GENES_H

#include "scscreen/comm.h"

/** scs_atlas_genes with the genes in this many parts: the same bits for any number. Collective. */
SCS_MUST_USE scs_status scs_atlas_genes_in_parts(scs_comm *comm, scs_atlas *atlas,
                                                 const scs_dataset *dataset, const scs_shard *shard,
                                                 const scs_team *team, int32_t n_part);

#endif
