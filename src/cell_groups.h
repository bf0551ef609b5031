/** The group that each cell of a dataset belongs to. Local. */
#ifndef SCS_CELL_GROUPS_H
#define SCS_CELL_GROUPS_H

#include "scscreen/latent.h"

/** @param[out] group [n_cell] group of the atlas, -1 for unused cells; malloc'ed, caller frees */
SCS_MUST_USE scs_status scs_cell_groups(const scs_atlas *atlas, const scs_dataset *dataset,
                                        int32_t **group);

#endif
