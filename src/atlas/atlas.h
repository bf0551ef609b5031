/** The group that each cell of a dataset belongs to. Local. */
#ifndef SCS_ATLAS_H
#define SCS_ATLAS_H

#include "scscreen/latent.h"

/** @param[out] group [n_cell] group of the atlas, -1 for unused cells; malloc'ed, caller frees */
SCS_MUST_USE scs_status scs_atlas_cell_groups(const scs_atlas *atlas, const scs_dataset *dataset,
                                              int32_t **group);

/* Gene space as a latent space: vector arithmetic on mean expression, without any network. Local.
 */

/** An atlas whose latent means are the groups' mean expression, so that scs_shift_sources_find
 * measures closeness in gene space. All else is borrowed from `atlas`, which must outlive it;
 * scs_atlas_gene_space_clear frees what is its own. */
SCS_MUST_USE scs_status scs_atlas_gene_space_view(const scs_atlas *atlas, scs_atlas *view);
void scs_atlas_gene_space_clear(scs_atlas *view);
/** The atlas itself becomes one; it keeps no second moments. */
SCS_MUST_USE scs_status scs_atlas_gene_space_enter(scs_atlas *atlas);

#endif
