/** Batch norm of one layer for one shard's rows; adding up over shards is the caller's. All
 *  functions are Local. */
#ifndef SCS_BATCHNORM_H
#define SCS_BATCHNORM_H

#include "src/layout.h"

/** What normalises the columns: y = gamma (x - mean) inv_std + beta. */
typedef struct scs_norm {
    int32_t n_col;
    double *mean, *inv_std; /**< [n_col] owned by the workspace */
} scs_norm;

/** Columns that one thread adds up at a time. */
enum { SCS_NORM_TILE = 128 };
static inline int32_t scs_norm_tile_end(int32_t first, int32_t n_col)
{
    return n_col - first < SCS_NORM_TILE ? n_col : first + SCS_NORM_TILE;
}

/** Sums and sums of squares of columns [first, last). @param x [n, n_col]
 *  @param[out] sums [2 n_col], of which those of other columns are not touched */
void scs_norm_sums(const scs_real *x, int32_t n, int32_t n_col, int32_t first, int32_t last,
                   double *sums);
/** Sums over n > 0 cells become mean and unbiased variance (the biased one for n = 1) in place;
 *  `norm` gets the mean and the biased variance, as torch normalises. @param[in,out] sums [2 n_col]
 */
void scs_norm_from_sums(double *sums, int64_t n, double epsilon, scs_norm *norm);
/** The running statistics normalise. */
void scs_norm_from_running(const scs_block *block, const scs_real *running, double epsilon,
                           scs_norm *norm);
/** One row. */
void scs_norm_forward(const scs_norm *norm, const scs_block *block, const scs_real *param,
                      const scs_real *x, scs_real *y);
/** Sums of grad_y (first n_col) and of grad_y xhat over the rows, with xhat = (x - mean) inv_std,
 * of columns [first, last). @param[out] sums [2 n_col], of which those of other columns are not
 * touched
 */
void scs_norm_gradient_sums(const scs_norm *norm, const scs_real *x, const scs_real *grad_y,
                            int32_t n, int32_t first, int32_t last, double *sums);
/** One row of grad_x. @param means [2 n_col] the sums over the cells that share the moments,
 *  divided by their number; zeros where the moments do not depend on the cells */
void scs_norm_backward(const scs_norm *norm, const scs_block *block, const scs_real *param,
                       const double *means, const scs_real *x, const scs_real *grad_y,
                       scs_real *grad_x);

#endif
