/** Weighted sums of the rows of a matrix, for many sets of weights at once. Local. */
#ifndef SCS_ROW_SUMS_H
#define SCS_ROW_SUMS_H

#include "scscreen/status.h"

/** sum[i] = sum over r of weight[i][r] value[r]. O(n rows columns), by BLAS in floats: to a few
 * 1e-7 of the sum of absolute terms, for sums that need no more. The same bits on any number of
 * threads; a row's sums may depend in their last bits on n, as BLAS' kernels do. SCS_ENOMEM.
 *  @param weight [n, n_row]  @param value [n_row, n_column]  @param[out] sum [n, n_column] */
SCS_MUST_USE scs_status scs_row_sums(const float *weight, int64_t n, const float *value,
                                     int64_t n_row, int64_t n_column, double *sum);

#endif
