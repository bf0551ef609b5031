/** The numeric rows of a result: written by all ranks at once, then compared by each. */
#ifndef SCS_RESULT_ROWS_H
#define SCS_RESULT_ROWS_H

#include "scscreen/comm.h"

/** Write this rank's rows of every field into the skeleton `temp` through MPI-IO, flush and close
 * it. Collective. */
SCS_MUST_USE scs_status scs_result_rows_write(scs_comm *comm, const char *temp,
                                              const scs_result_head *head,
                                              const scs_result_rows *rows);
/** Read this rank's rows back, without MPI-IO, and compare every byte. SCS_EIO when they differ.
 * Local. */
SCS_MUST_USE scs_status scs_result_rows_compare(const char *temp, const scs_result_head *head,
                                                const scs_result_rows *rows);

#endif
