/** Leaving out: groups that were seen are predicted from the others, each in its turn. All
 *  functions are Local.
 *
 *  What predicts best on what was seen decides screen.shift, nearest_power and blend where they
 *  are `auto`. All three ask the same question, of which this is the one loop.
 */
#ifndef SCS_LEAVE_OUT_H
#define SCS_LEAVE_OUT_H

#include "scscreen/screen.h"

/** Keep at most so many rows of a plan, evenly picked: the same ones every time. */
void scs_leave_out_thin(scs_plan *plan, int64_t most);

/** One group as if it had never been seen. Called by any thread, once for each row.
 *  @param row of the plan  @param sources of its shift, from the other groups
 *  @param work [n_work] scratch of the caller's choice */
typedef scs_status (*scs_left_out)(void *ctx, int64_t row, const scs_sources *sources,
                                   double *work);

/** Leave out rows [first, last) of a plan that scs_plan_seen made, in parallel. Rows that
 *  nothing but their own cells could predict are passed over: they would be no test.
 *  @param each called by any thread, in any order; it must write to places of its own row
 *  @return SCS_OK, or the failure of the lowest row that failed */
SCS_MUST_USE scs_status scs_leave_out(const scs_atlas *atlas, const scs_method *method,
                                      const scs_plan *plan, int64_t first, int64_t last,
                                      int64_t n_work, scs_left_out each, void *ctx);

#endif
