/** Products of float32 matrices by the 8-bit integer tiles that some processors have (AMX). Local.
 *
 *  Each row of either factor becomes 24-bit integers on a scale of its own, in three digits of base
 *  256. Products of digits are summed exactly, as integers; those below the 16th bit of the largest
 *  are left out. The error is that of float32 sums (after Ootomo, Ozaki, Yokota, IJHPCA 2024), and
 *  the order of nothing matters. */
#ifndef SCS_GEMM_INT8_H
#define SCS_GEMM_INT8_H

#include "scscreen/model.h"

typedef struct scs_tiles scs_tiles;

/** Whether this processor and its system have them. */
bool scs_tiles_are_there(void);
/** Weights made ready: a copy. @param weight [n_out, n_in]; n_in at most SCS_TILES_MOST
 *  @param[out] tiles NULL where there are none, or they would not pay */
SCS_MUST_USE scs_status scs_tiles_create(const scs_real *weight, int32_t n_out, int32_t n_in,
                                         scs_tiles **tiles);
void scs_tiles_destroy(scs_tiles **tiles);
/** Row i of a left factor. @param x [n_in]; where it holds no finite number only, its products are
 * NaN  @param scratch [scs_tiles_scratch(n_in, n)] bytes of a factor of n rows */
void scs_tiles_put_row(const scs_tiles *tiles, const scs_real *x, int32_t i, int32_t n,
                       void *scratch);
/** y = x W', once all rows are in the scratch. @param[out] y [n, n_out] */
void scs_tiles_multiply(const scs_tiles *tiles, int32_t n, void *scratch, scs_real *y);
int64_t scs_tiles_scratch(int32_t n_in, int32_t n);

enum { SCS_TILES_LEAST = 64, SCS_TILES_MOST = 32768 };

#endif
