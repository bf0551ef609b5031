/** How wrong a predicted shift is expected to be, by the mixed model, whichever rules weighed it.
 * All functions are Local. */
#ifndef SCS_SHIFT_ERROR_H
#define SCS_SHIFT_ERROR_H

#include "scscreen/screen.h"

/** Mean over genes of the squared error of the shift, if the perturbed cells were many. The mixed
 * model's own variance where it alone was asked; of other rules what it expects of their weights,
 * up to SCS_MIXED_ATLAS_EXPECT groups; times what the correction has left of the error of seen
 * groups.
 *  @param method with a mixed model, by which `sources` were found for the target
 *  @param[out] variance NaN: unknown, as of cells that were measured and of sums of several pieces
 *  that the mixed model has no part in  @return SCS_ENOMEM, SCS_EINTERNAL */
SCS_MUST_USE scs_status scs_shift_error_variance(const scs_atlas *atlas, const scs_method *method,
                                                 const scs_combination *target,
                                                 const scs_sources *sources, double *variance);

#endif
