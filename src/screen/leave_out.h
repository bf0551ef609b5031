/** Leaving out: groups that were seen are predicted from the others, each in its turn. Local. */
#ifndef SCS_LEAVE_OUT_H
#define SCS_LEAVE_OUT_H

#include "scscreen/screen.h"

/** Keep at most so many rows of a plan, evenly picked. */
void scs_leave_out_thin(scs_plan *plan, int64_t most);

/** One group as if it had never been seen. Called by any thread, once for each row.
 *  @param row of the plan  @param sources of its shift, from the other groups
 *  @param work [n_work] scratch of the caller's choice */
typedef scs_status (*scs_left_out)(void *ctx, int64_t row, const scs_sources *sources,
                                   double *work);

/** Leave out rows [first, last) of a plan that scs_plan_seen made, in parallel. Rows that only
 * their own cells speak for are passed over: they would be no test. */
SCS_MUST_USE scs_status scs_leave_out(const scs_atlas *atlas, const scs_method *method,
                                      const scs_plan *plan, int64_t first, int64_t last,
                                      int64_t n_work, scs_left_out each, void *ctx);

#endif
