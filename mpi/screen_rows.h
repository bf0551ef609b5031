/** One rank's rows of the screen. */
#ifndef SCS_SCREEN_ROWS_H
#define SCS_SCREEN_ROWS_H

#include "mpi/screen_row.h"

/** Predict, score and judge rows [first, first + n) of the plan, one row a thread at a time; no sum
 * depends on which.
 *  @param job what the rows are made from; its `rows` and `still` are set here
 *  @param[out] rows  all arrays allocated here; scs_screen_rows_clear frees them. Local. */
SCS_MUST_USE scs_status scs_screen_rows(const scs_row_job *job, int64_t first, int64_t n,
                                        scs_result_rows *rows);
void scs_screen_rows_clear(scs_result_rows *rows);

#endif
