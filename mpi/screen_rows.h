/** A block of rows of the screen. */
#ifndef SCS_SCREEN_ROWS_H
#define SCS_SCREEN_ROWS_H

#include "mpi/screen_row.h"

/** Arrays for rows->n rows of every field. Clear them even after a failure. Local. */
SCS_MUST_USE scs_status scs_screen_rows_alloc(const scs_row_job *job, scs_result_rows *rows);
void scs_screen_rows_clear(scs_result_rows *rows);
/** Room for blocks of at most so many rows, and for every thread. Clear it even after a failure.
 * Local. @param job borrowed */
SCS_MUST_USE scs_status scs_row_block_make(const scs_row_job *job, int64_t most,
                                           scs_row_block *block);
void scs_row_block_clear(scs_row_block *block);
/** Predict, score and judge rows [rows->first, + n) of the plan, one row a thread at a time; no
 * number depends on which, nor on what else is in the block. Local. */
SCS_MUST_USE scs_status scs_screen_rows(scs_row_block *block, scs_result_rows *rows);

#endif
