/** One rank's rows of the screen. */
#ifndef SCS_SCREEN_ROWS_H
#define SCS_SCREEN_ROWS_H

#include "mpi/session.h"

/** Predict and score rows [first, first + n) of the plan, one row a thread at a time; no sum
 * depends on which. Rows that cannot be predicted hold NaN.
 *  @param control_z [atlas->n_group] posterior means of the control cells (scs_route_controls)
 *  @param[out] rows  all arrays allocated here; scs_screen_rows_clear frees them. Local. */
SCS_MUST_USE scs_status scs_screen_rows(const scs_session *session, const scs_method *method,
                                        const scs_plan *plan, int64_t first, int64_t n,
                                        scs_real *const *control_z, scs_result_rows *rows);
void scs_screen_rows_clear(scs_result_rows *rows);

#endif
