/** The largest eigenvalues of a symmetric matrix that is only known by what it does to vectors.
 *
 *  Block Lanczos with thick restarts (Wu and Simon, SIAM J. Matrix Anal. Appl. 2000): vectors that
 *  the matrix has been applied to, eight at a time, are kept orthonormal; of the matrix within
 *  their span all eigenvectors are made; where there is no more room the best of these are kept and
 *  the search goes on from them. An eigenvector counts as found when |A v - value v| is at most
 *  SCS_LANCZOS_TOLERANCE of its value (or rounding, 1e-13 of the largest), so that v is right to
 *  that divided by the distance to the next value, as a share of its own.
 *
 *  Of an eigenvalue that stands more often than eight times the search would see eight: so once all
 *  are found it begins anew with random vectors outside them, and ends when these bring no other.
 *
 *  Deterministic: random numbers are counter-based with a fixed seed. The bits are BLAS' and
 *  LAPACK's, on one thread (scs_threads_set). Local.
 */
#ifndef SCS_LANCZOS_H
#define SCS_LANCZOS_H

#include "scscreen/status.h"

#include <stdbool.h>

/** Vectors that the matrix is applied to at once: a register of doubles. */
enum { SCS_LANCZOS_BLOCK = 8 };
#define SCS_LANCZOS_TOLERANCE 1e-10

/** product = A block, A symmetric.
 *  @param block [n, SCS_LANCZOS_BLOCK] columns of unit length  @param[out] product likewise */
typedef scs_status (*scs_lanczos_apply)(void *ctx, const double *block, double *product);

/** Rows and columns from which on the search for n_top has room in a matrix. */
int64_t scs_lanczos_least(int32_t n_top);
/** The n_top largest eigenvalues, falling, and their eigenvectors. Beside what apply takes, time
 *  grows with n n_top for each product, memory is 8 n (2 n_top + 80) bytes.
 *  @param n           at least scs_lanczos_least(n_top)
 *  @param most        products after which it gives up
 *  @param[out] value  [n_top]
 *  @param[out] vector [n, n_top], orthonormal columns
 *  @param[out] found  false: it gave up, and value and vector say nothing
 *  @return SCS_ENOMEM, SCS_ENUMERIC, or what apply returns */
SCS_MUST_USE scs_status scs_lanczos(scs_lanczos_apply apply, void *ctx, int32_t n, int32_t n_top,
                                    int most, double *value, double *vector, bool *found);

#endif
