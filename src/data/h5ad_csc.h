/** A matrix that is stored by columns (CSC), gone through in the file's order.
 *
 *  Any row needs all of such a file. So each of its values is looked at once, by whoever has its
 *  column, and goes from there to the rows (transpose.h): O(nnz) a walk over all columns, memory
 *  for one block. All functions are Local.
 */
#ifndef SCS_H5AD_CSC_H
#define SCS_H5AD_CSC_H

#include "src/data/csr.h"
#include "src/data/h5ad.h"
#include "src/data/transpose.h"
#include "src/hdf5/h5read.h"

/** An open matrix. */
typedef struct scs_h5ad_csc scs_h5ad_csc;

/** @param h5, meta borrowed until it is closed  @param[out] csc NULL after an error
 *  @return SCS_EDATA, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_h5ad_csc_open(const scs_h5 *h5, const scs_h5ad *meta,
                                          scs_h5ad_csc **csc);
/** NULL is let through. */
void scs_h5ad_csc_close(scs_h5ad_csc **csc);
/** The first column of part r of n: runs of columns of about as many values. r = n: n_var. */
int32_t scs_h5ad_csc_first(const scs_h5ad_csc *csc, int32_t r, int32_t n);
/** The values of columns [first, last), all of which are checked, to those who take them.
 *  @return SCS_EDATA naming gene and cell row of the first value in the file that may not be */
SCS_MUST_USE scs_status scs_h5ad_csc_walk(scs_h5ad_csc *csc, int32_t first, int32_t last,
                                          scs_transpose *transpose);
/** Rows [row0, row1) by a walk over all columns, zeros dropped. Holds 2 to 7 bytes a value of them
 * beside what they take in x.
 *  @param[out] x caller clears, also after an error */
SCS_MUST_USE scs_status scs_h5ad_csc_rows(const scs_h5 *h5, const scs_h5ad *meta, int64_t row0,
                                          int64_t row1, scs_csr *x);

#endif
