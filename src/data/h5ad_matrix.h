/** Rows of an .h5ad file's matrix, on the ranks: numeric datasets only, each value checked.
 *
 *  Any rank may read any rows; what is refused does not depend on who reads it. All functions are
 *  Local.
 */
#ifndef SCS_H5AD_MATRIX_H
#define SCS_H5AD_MATRIX_H

#include "src/data/h5ad.h"

/** A matrix that is being read: the file stays open, and memory is used again from block to block.
 */
typedef struct scs_h5ad_reader scs_h5ad_reader;

/** @param meta borrowed until it is closed  @param[out] reader NULL after an error
 *  @return SCS_EDATA as scs_h5_open, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_h5ad_matrix_open(const scs_h5ad *meta, scs_h5ad_reader **reader);
/** Rows [row0, row1) of the matrix with the file's own columns, sorted, explicit zeros dropped.
 *  Ascending calls decode each of the file's chunks once.
 *
 *  CSC and dense matrices are read in bounded blocks; a call on CSC goes through the whole matrix.
 *  Rows of the file that are not taken (meta->keep) are left out, whatever values they hold.
 *  @param      reader 0 <= row0 <= row1 <= meta->n_row, else SCS_EINTERNAL
 *  @param[out] x    [row1 - row0 or fewer, n_var] the reader's until the next call, may be changed
 *  @return SCS_EDATA, naming file, cell row and gene: indices out of range, bad indptr, a gene
 *          twice in a row, NaN, Inf or a negative value, a file that changed; SCS_ENOMEM
 */
SCS_MUST_USE scs_status scs_h5ad_matrix_rows(scs_h5ad_reader *reader, int64_t row0, int64_t row1,
                                             scs_csr **x);
/** NULL is let through. */
void scs_h5ad_matrix_close(scs_h5ad_reader **reader);
/** The same in one call. @param[out] x caller clears; empty after an error */
SCS_MUST_USE scs_status scs_h5ad_matrix_read_rows(const scs_h5ad *meta, int64_t row0, int64_t row1,
                                                  scs_csr *x);

/** Rows to be read at once where memory for all of them is not wanted: of CSR as many as stay in
 * the second cache; of a dense matrix some megabytes in many chunks, so that few are inflated
 * twice. All rows of a matrix that is stored by columns, since each call goes through all of it. At
 * least 1. */
int64_t scs_h5ad_matrix_block_rows(const scs_h5ad *meta);

#endif
