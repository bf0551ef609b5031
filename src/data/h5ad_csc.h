/** A matrix that is stored by columns (CSC), gone through in the file's order.
 *
 *  Any row needs all of such a file. So each of its values is looked at once, by whoever has its
 *  column, and goes from there to the rows. First the rows of all values, to count them, then rows
 *  and values: O(nnz) a walk over all columns, memory for one block. All functions are Local.
 */
#ifndef SCS_H5AD_CSC_H
#define SCS_H5AD_CSC_H

#include "src/data/csr.h"
#include "src/data/h5ad.h"
#include "src/hdf5/h5read.h"

#include <stdbool.h>

/** Some values of one column, rows checked to be in range and each once. Ascending columns from
 * call to call, so that each row's columns come ascending and need no sorting.
 *  @param row [n]  @param value [n], none negative, NaN or infinite; NULL while rows are counted
 *  @param ascending whether the rows ascend */
typedef scs_status (*scs_h5ad_csc_take)(void *ctx, int32_t column, const int32_t *row,
                                        const float *value, int64_t n, bool ascending);

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
/** Columns [first, last). @param values whether values are read and checked, too
 *  @return SCS_EDATA naming gene and cell row; what `take` returns */
SCS_MUST_USE scs_status scs_h5ad_csc_walk(scs_h5ad_csc *csc, int32_t first, int32_t last,
                                          bool values, scs_h5ad_csc_take take, void *ctx);
/** Rows [row0, row1) by two walks over all columns, zeros dropped.
 *  @param[out] x caller clears, also after an error */
SCS_MUST_USE scs_status scs_h5ad_csc_rows(const scs_h5 *h5, const scs_h5ad *meta, int64_t row0,
                                          int64_t row1, scs_csr *x);

#endif
