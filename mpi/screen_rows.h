/** A block of rows of the screen. */
#ifndef SCS_SCREEN_ROWS_H
#define SCS_SCREEN_ROWS_H

#include "mpi/screen_row.h"

/** Arrays for job->rows->n rows of every field, and for every thread. Clear them even after a
 * failure. Local. */
SCS_MUST_USE scs_status scs_screen_rows_alloc(scs_row_job *job);
void scs_screen_rows_clear(scs_row_job *job);
/** Predict, score and judge rows [job->rows->first, + n) of the plan, one row a thread at a time;
 * no number depends on which. The output layer takes them all at once. Local. */
SCS_MUST_USE scs_status scs_screen_rows(const scs_row_job *job);

#endif
