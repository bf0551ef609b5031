/** Products of float32 matrices by the 8-bit integer tiles that some processors have (AMX).
 *
 *  y = x W', x [n, n_in], W [n_out, n_in]. Each row of either factor becomes 24-bit integers on
 *  a scale of its own, in three digits of base 256:
 *
 *      x_ik = s_i (65536 d0 + 256 d1 + d2),  d in [-128, 127],  s_i = max |x_i| / 8355000
 *
 *  Products of digits are summed exactly, in 32-bit integers; of the nine products of digits the
 *  six whose places add up to 0, 1 or 2 are made, and those below the 16th bit of the
 *  largest are left out. The error is that of float32 sums (after Ootomo, Ozaki, Yokota, IJHPCA
 *  2024; measured: 1.4e-7 where BLAS has 0.6e-7 to 3e-7), and as integers are summed the order
 *  of nothing matters: the bits do not depend on threads, ranks or blocking.
 *
 *  Used where hidden layers are multiplied while cells are screened (screen.products: auto); 3.6
 *  times the speed of sgemm there. Training keeps to BLAS.
 *
 *  Sums of int32 overflow beyond SCS_GEMM_INT8_MOST columns: three products of at most 2^14
 *  each. Elsewhere (other processors, other compilers, SCS_DOUBLE) no product is ever made
 *  ready.
 *
 *  All functions are Local. One that is made ready is shared by threads; each has a scratch of
 *  its own.
 */
#ifndef SCS_GEMM_INT8_H
#define SCS_GEMM_INT8_H

#include "scscreen/status.h"

#include <stdbool.h>

/** Columns of the factors. With fewer a product is too small to pay for the digits; with more, sums
 * could overflow. */
enum { SCS_GEMM_INT8_LEAST = 64, SCS_GEMM_INT8_MOST = 32768 };

/** A right factor in digits. */
typedef struct scs_gemm_int8 scs_gemm_int8;

/** Whether this processor has the tiles and its system lends them (Linux, from 5.16 on, on
 * request). */
bool scs_gemm_int8_available(void);
/** Make a right factor ready: a copy, 3 bytes an element. SCS_ENOMEM.
 *  @param weight    [n_out, n_in]
 *  @param[out] gemm NULL where there are no tiles, or n_in is not in the range above: use BLAS */
SCS_MUST_USE scs_status scs_gemm_int8_create(const scs_real *weight, int32_t n_out, int32_t n_in,
                                             scs_gemm_int8 **gemm);
/** Free it; *gemm may be NULL. */
void scs_gemm_int8_destroy(scs_gemm_int8 **gemm);

/** Bytes that a left factor of n rows needs while it is multiplied, at any alignment. */
int64_t scs_gemm_int8_scratch(int32_t n_in, int32_t n);
/** Put row i of a left factor of n rows, in any order of rows.
 *  @param x           [n_in]; with an infinity or NaN in it all its products are NaN
 *  @param[in,out] scratch [scs_gemm_int8_scratch(n_in, n)] bytes; need not be set before */
void scs_gemm_int8_put_row(const scs_gemm_int8 *gemm, const scs_real *x, int32_t i, int32_t n,
                           void *scratch);
/** y = x W', once all n rows are in the scratch. @param[out] y [n, n_out] */
void scs_gemm_int8_multiply(const scs_gemm_int8 *gemm, int32_t n, void *scratch, scs_real *y);

#endif
