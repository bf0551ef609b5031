/** h5ad_matrix */
#ifndef SCS_H5AD_MATRIX_H
#define SCS_H5AD_MATRIX_H

#include "src/data/h5ad.h"

/** Rows [row0, row1) of the matrix with the file's own columns, sorted, explicit zeros dropped.
 *  Refuses (SCS_EDATA, naming file, cell row and gene) indices out of range, bad indptr, duplicates
 * within a row, NaN, Inf and negative values. CSC and dense are read in bounded blocks. */
SCS_MUST_USE scs_status scs_h5ad_matrix_read_rows(const scs_h5ad *meta, int64_t row0, int64_t row1,
                                                  scs_csr *x);

/** Rows to be read at once where memory for all of them is not wanted: some megabytes, in many
 * chunks, so that few are decoded twice. All rows of a matrix that is stored by columns, since each
 * call goes through all of it. */
int64_t scs_h5ad_matrix_block_rows(const scs_h5ad *meta);

#endif
