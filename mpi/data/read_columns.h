/** Rows of a matrix that is stored by columns (CSC), read by all ranks together.
 *
 *  Each rank reads a run of columns, of about as many values, once, and keeps what it finds in 2 to
 *  7 bytes a value (src/data/transpose.h): no rank reads all of the file. Then all ranks send each
 *  other the values of their next rows, some millions a rank at a time, whose memory goes back.
 */
#ifndef SCS_READ_COLUMNS_H
#define SCS_READ_COLUMNS_H

#include "src/data/h5ad.h"
#include "scscreen/comm.h"

typedef struct scs_read_columns scs_read_columns;

/** @param meta  of layout SCS_LAYOUT_CSC; borrowed until it is closed
 *  @param split [n_rank + 1] ascending from 0 to meta->n_row, alike on all ranks: rank r wants rows
 *               split[r] to split[r + 1] - 1; borrowed likewise
 *  @param limit bytes that values may take on their way; more are read in several passes over the
 *               columns, each for a part of the rows; 0: all in one pass
 *  @param[out] columns NULL after an error  @return SCS_EDATA, SCS_ENOMEM. Collective. */
SCS_MUST_USE scs_status scs_read_columns_open(scs_comm *comm, const scs_h5ad *meta,
                                              const int64_t *split, int64_t limit,
                                              scs_read_columns **columns);
/** NULL is let through. Local. */
void scs_read_columns_close(scs_read_columns **columns);
/** Some rows of each rank come to it.
 *  @param[out] more false: there are none on any rank
 *  @return SCS_EDATA naming gene and cell row of the first value in the file that may not be; the
 * same on all ranks, whatever their number. Collective. */
SCS_MUST_USE scs_status scs_read_columns_next(scs_read_columns *columns, bool *more);
/** Some of those that have come, in the file's order, zeros dropped, columns ascending; also those
 * that are not taken (scs_csr_keep_rows).
 *  @param[out] row0 the file's row of the first
 *  @param[out] x the reader's, until the next call, and may be changed; NULL: there are no more
 *  @return SCS_ENOMEM. Local. */
SCS_MUST_USE scs_status scs_read_columns_rows(scs_read_columns *columns, int64_t *row0,
                                              scs_csr **x);

#endif
