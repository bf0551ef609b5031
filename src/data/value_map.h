/** data.map: other names for the values of obs columns, so that files that write one thing in two
 *  ways can be read together. All functions are Local. */
#ifndef SCS_VALUE_MAP_H
#define SCS_VALUE_MAP_H

#include "src/data/h5ad.h"

#include <stddef.h>

/** Rename the values of all inputs' labels. A value that gets the name of another becomes one with
 *  it; values that the map does not name stay.
 *  @param metas [config->data.n_input]
 *  @return SCS_EARG: a column that is not read as labels, or a value that no cell of any input has,
 *          with the nearest; SCS_ENOMEM */
SCS_MUST_USE scs_status scs_value_map_apply(const scs_config *config, scs_h5ad *const *metas);

#endif
