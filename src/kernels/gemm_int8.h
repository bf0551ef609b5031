/** Products of float32 matrices by the 8-bit integer tiles that some processors have (AMX). Local.
 *
 *  Each row of either factor becomes 24-bit integers on a scale of its own, in three digits of base
 *  256. Products of digits are summed exactly, as integers; those below the 16th bit of the largest
 *  are left out. The error is that of float32 sums (after Ootomo, Ozaki, Yokota, IJHPCA 2024), and
 *  the order of nothing matters. */
#ifndef SCS_GEMM_INT8_H
#define SCS_GEMM_INT8_H

#include "scscreen/status.h"

#include <stdbool.h>

typedef struct scs_gemm_int8 scs_gemm_int8;

/** Whether this processor and its system have them. */
bool scs_gemm_int8_available(void);
/** Weights made ready: a copy. @param weight [n_out, n_in]; n_in at most SCS_TILES_MOST
 *  @param[out] tiles NULL where there are none, or they would not pay */
SCS_MUST_USE scs_status scs_gemm_int8_create(const scs_real *weight, int32_t n_out, int32_t n_in,
                                             scs_gemm_int8 **tiles);
void scs_gemm_int8_destroy(scs_gemm_int8 **tiles);
/** Row i of a left factor. @param x [n_in]; where it holds no finite number only, its products are
 * NaN  @param scratch [scs_gemm_int8_scratch(n_in, n)] bytes of a factor of n rows */
void scs_gemm_int8_put_row(const scs_gemm_int8 *tiles, const scs_real *x, int32_t i, int32_t n,
                           void *scratch);
/** y = x W', once all rows are in the scratch. @param[out] y [n, n_out] */
void scs_gemm_int8_multiply(const scs_gemm_int8 *tiles, int32_t n, void *scratch, scs_real *y);
int64_t scs_gemm_int8_scratch(int32_t n_in, int32_t n);

enum { SCS_TILES_LEAST = 64, SCS_TILES_MOST = 32768 };

#endif
