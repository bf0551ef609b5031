/** sim_counts */
#ifndef SCS_SIM_COUNTS_H
#define SCS_SIM_COUNTS_H

#include "src/simulate/sim_model.h"

/** DIR/SPECIES.h5ad: raw counts of every cell of a species, groups in order of type and condition;
 * rows go out in blocks.
 *  @param[out] n_value counts that are not 0 */
SCS_MUST_USE scs_status scs_sim_write_counts(const scs_sim *sim, int32_t species, const char *path,
                                             int64_t *n_value);

#endif
