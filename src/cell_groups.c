#include "src/cell_groups.h"

#include <stdlib.h>

scs_status scs_cell_groups(const scs_atlas *atlas, const scs_dataset *dataset, int32_t **group)
{
    int32_t *of;

    SCS_TRY(SCS_ALLOC(of, dataset->n_cell));
    for (int64_t i = 0; i < dataset->n_cell; i++)
        of[i] = dataset->role[i] == SCS_ROLE_UNUSED
                    ? -1
                    : scs_atlas_group(atlas, dataset->cell_species[i], dataset->cell_type[i],
                                      dataset->cell_condition[i]);
    *group = of;
    return SCS_OK;
}
