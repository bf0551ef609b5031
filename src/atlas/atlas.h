/** The latent atlas (scscreen/latent.h holds the struct): labels, groups and how to find them. A
 *  group is the cells of one species, cell type and condition. All functions are Local.
 *
 *  It also makes an atlas in which gene space takes the place of latent space: means of expression
 *  stand where latent means stood. Every shift is a weighted sum of group means, so the same code
 *  then does vector arithmetic without any network (model.kind: mean, and the baselines of
 *  validate).
 */
#ifndef SCS_ATLAS_H
#define SCS_ATLAS_H

#include "scscreen/latent.h"

/** The group that each cell of a dataset belongs to.
 *  @param[out] group [n_cell] number in atlas->group, -1 for unused cells; malloc'ed, the caller
 *  frees it
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_atlas_cell_groups(const scs_atlas *atlas, const scs_dataset *dataset,
                                              int32_t **group);

/** The control group that a perturbed group's shift starts from: of its species and cell type. -1
 * where either of the two must not be looked at, or the group is a control itself. */
int32_t scs_atlas_usable_control(const scs_atlas *atlas, int32_t group);

/** More conditions, of which there are no groups; for atlases without doses. Indices stay.
 * SCS_EDATA: too many; SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_atlas_add_conditions(scs_atlas *atlas, const scs_names *names);

/** An atlas whose latent means are the groups' mean expression, held-out groups included, and
 *  which has no second moments.
 *  @param atlas borrowed: all but `mean` is shared with it, so it must outlive the view
 *  @param[out] view cleared by scs_atlas_gene_space_clear, never by scs_atlas_destroy
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_atlas_gene_space_view(const scs_atlas *atlas, scs_atlas *view);
/** Frees what is the view's own; the atlas stays. */
void scs_atlas_gene_space_clear(scs_atlas *view);
/** The atlas itself becomes such a one, for good. SCS_ENOMEM leaves it as it was. */
SCS_MUST_USE scs_status scs_atlas_gene_space_enter(scs_atlas *atlas);

#endif
