/** What stands between the linear layers: dropout, leaky ReLU, batch norm and the latent layer.
 *
 *  Row by row, or by columns of one shard's rows; adding up over shards is the caller's. Nothing
 *  here allocates or fails, and rows that go in and come out may be the same memory unless it says
 *  otherwise. All functions are Local.
 */
#ifndef SCS_LAYER_H
#define SCS_LAYER_H

#include "src/base/random.h"
#include "src/model/layout.h"
#include "scscreen/model.h"
#include "scscreen/status.h"

/* ---- leaky ReLU and dropout ---- */

/** A unit is dropped when its 16-bit random word is below the threshold; kept units are scaled by
 *  the inverse of the probability that this really gives. */
typedef struct scs_dropout {
    uint32_t threshold; /**< 0: no dropout */
    scs_real scale;
} scs_dropout;

/** @param probability in [0, 1) */
scs_dropout scs_layer_dropout_of(double probability);
/** Which of a cell's n units stay: unit j from 16 bits of block j / 8 of the cell's stream.
 *  @param[out] keep [n] 0 or 1 */
void scs_layer_dropout_draw(scs_dropout dropout, const scs_stream *stream, int32_t n,
                            uint8_t *keep);
/** out = dropout(leaky(in)), with leaky(x) = x above 0, slope x below.
 *  @param keep [n], or NULL: no dropout  @param in, out [n] */
void scs_layer_activation_forward(double slope, scs_dropout dropout, const uint8_t *keep, int32_t n,
                                  const scs_real *in, scs_real *out);
/** grad_in = scale keep leaky'(in) grad_out; in and keep as in the forward pass. All [n]. */
void scs_layer_activation_backward(double slope, scs_dropout dropout, const uint8_t *keep,
                                   int32_t n, const scs_real *in, const scs_real *grad_out,
                                   scs_real *grad_in);

/* ---- batch norm of one layer ---- */

/** What normalises the columns: y = gamma (x - mean) inv_std + beta. */
typedef struct scs_norm {
    int32_t n_col;
    double *mean, *inv_std; /**< [n_col] owned by the workspace */
} scs_norm;

/** Columns that one thread adds up at a time: fixed, so that sums have one order. */
enum { SCS_NORM_TILE = 128 };

/** One behind the last column of the tile that begins at `first`. */
static inline int32_t scs_norm_tile_end(int32_t first, int32_t n_col)
{
    return n_col - first < SCS_NORM_TILE ? n_col : first + SCS_NORM_TILE;
}

/** Sums and sums of squares of columns [first, last). @param x [n, n_col]
 *  @param[out] sums [2 n_col], of which those of other columns are not touched */
void scs_layer_batch_norm_sums(const scs_real *x, int32_t n, int32_t n_col, int32_t first,
                               int32_t last, double *sums);
/** Sums over n > 0 cells become mean and unbiased variance (the biased one for n = 1) in place;
 *  `norm` gets the mean and the biased variance, as torch normalises. @param[in,out] sums [2 n_col]
 */
void scs_layer_batch_norm_from_sums(double *sums, int64_t n, double epsilon, scs_norm *norm);
/** The running statistics normalise. @param running the model's  @param[out] norm n_col is set */
void scs_layer_batch_norm_from_running(const scs_block *block, const scs_real *running,
                                       double epsilon, scs_norm *norm);
/** One row: y [n_col] from x [n_col]. @param param the model's, for gamma and beta */
void scs_layer_batch_norm_forward(const scs_norm *norm, const scs_block *block,
                                  const scs_real *param, const scs_real *x, scs_real *y);
/** Sums of grad_y (first n_col) and of grad_y xhat over the rows, with xhat = (x - mean) inv_std,
 * of columns [first, last). @param[out] sums [2 n_col], of which those of other columns are not
 * touched
 */
void scs_layer_batch_norm_gradient_sums(const scs_norm *norm, const scs_real *x,
                                        const scs_real *grad_y, int32_t n, int32_t first,
                                        int32_t last, double *sums);
/** One row of grad_x. @param means [2 n_col] the sums over the cells that share the moments,
 *  divided by their number; zeros where the moments do not depend on the cells */
void scs_layer_batch_norm_backward(const scs_norm *norm, const scs_block *block,
                                   const scs_real *param, const double *means, const scs_real *x,
                                   const scs_real *grad_y, scs_real *grad_x);

/* ---- the latent layer of one cell ---- */

/** One cell's posterior. All [n_latent], borrowed. */
typedef struct scs_posterior {
    const scs_real *mean, *head; /**< the two heads; variance = exp(head) + floor */
    scs_real *variance, *z;
    double *noise; /**< standard normals: z = mean + sqrt(variance) noise */
} scs_posterior;

/** Variance and z from heads and noise.
 *  @return KL(N(mean, variance) || N(0, 1)) = 0.5 sum(variance + mean^2 - 1 - log variance) */
double scs_layer_posterior_forward(const scs_arch *arch, const scs_posterior *cell);
/** Gradients of the heads.
 *  @param grad_z   [n_latent] of the reconstruction
 *  @param scale    what one unit of KL weighs in the objective
 *  @param[out] grad_mean, grad_head [n_latent] */
void scs_layer_posterior_backward(const scs_arch *arch, const scs_posterior *cell,
                                  const scs_real *grad_z, double scale, scs_real *grad_mean,
                                  scs_real *grad_head);

#endif
