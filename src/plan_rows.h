/** Rows as they are added to a plan. All functions are Local. */
#ifndef SCS_PLAN_ROWS_H
#define SCS_PLAN_ROWS_H

#include "scscreen/screen.h"

/** Append a row with its groups; the plan grows as needed.
 *  @param what its treatment: condition, perturbation, second, pair, dose */
SCS_MUST_USE scs_status scs_plan_add_treated(const scs_atlas *atlas, int32_t species,
                                             int32_t cell_type, const scs_combination *what,
                                             scs_plan *plan);
/** The same for a condition of the atlas, taken as one perturbation whatever its label. */
SCS_MUST_USE scs_status scs_plan_add(const scs_atlas *atlas, int32_t species, int32_t cell_type,
                                     int32_t condition, scs_plan *plan);
/** Append every perturbed group that may be used and has controls beside it. */
SCS_MUST_USE scs_status scs_plan_seen(const scs_atlas *atlas, scs_plan *plan);
/** Free all that a plan holds; it is empty then. */
void scs_plan_clear(scs_plan *plan);
/** Rows of screen.combinations, in the file's order; a row without species once for each, one
 * without dose once for each of screen.doses. */
SCS_MUST_USE scs_status scs_plan_read(const scs_config *config, const scs_atlas *atlas,
                                      scs_plan *plan);

#endif
