/** Rows of a matrix that is stored by columns (CSC), read by all ranks together.
 *
 *  Each rank reads a run of columns, of about as many values, once for its rows' numbers and once
 * with its values, and sends what it finds to the ranks that want the rows: no rank reads all of
 * the file.
 */
#ifndef SCS_READ_COLUMNS_H
#define SCS_READ_COLUMNS_H

#include "src/data/h5ad.h"
#include "scscreen/comm.h"

/** Rows [split[rank], split[rank + 1]) of the file, zeros dropped, columns ascending; also those
 * that are not taken (scs_csr_keep_rows). Each rank holds 8 bytes a value of its rows, 16 bytes
 * for each of its rows and each rank, and some megabytes on their way.
 *  @param meta  of layout SCS_LAYOUT_CSC
 *  @param split [n_rank + 1] ascending from 0 to meta->n_row, alike on all ranks
 *  @param[out] x caller clears; empty after an error
 *  @return SCS_EDATA naming gene and cell row of the first value in the file that may not be; the
 * same on all ranks, whatever their number. Collective. */
SCS_MUST_USE scs_status scs_read_columns(scs_comm *comm, const scs_h5ad *meta, const int64_t *split,
                                         scs_csr *x);

#endif
