/* What stands between the linear layers, row by row: dropout, leaky ReLU, batch norm, and the
 * latent layer.
 *
 * Float activations, double sums and constants: sums over a batch are added up over shards
 * afterwards (src/data/team.h), so that rounding must not depend on how many cells a shard has.
 * exp, log and sqrt of the latent layer are taken in double. Loops are over units, in vector
 * lanes; an element's arithmetic does not depend on its lane. All functions are Local.
 */
#include "src/model/layer.h"

#include "src/base/random.h"
#include "src/base/simd.h"
#include "src/model/layout.h"
#include "scscreen/model.h"
#include "scscreen/status.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* ---- dropout ---- */

scs_dropout scs_layer_dropout_of(double probability)
{
    /* Rounded to 1 / 65,536; one unit in 65,536 is kept at least, so that scale is finite. */
    uint32_t threshold = (uint32_t)(probability * 65536.0 + 0.5);

    if (threshold > 65535)
        threshold = 65535;
    return (scs_dropout){threshold, (scs_real)(65536.0 / (65536.0 - threshold))};
}

/* Units that one call of the generator decides upon: eight a block. */
enum { UNITS = 8 * SCS_RANDOM_BLOCKS };

/* Block by block, the halves of its words, low ones first: unit j of a cell always gets the same
 * 16 bits, however many are drawn at once. */
SCS_VECTOR static void compare_words(uint32_t word[4][SCS_RANDOM_BLOCKS], uint32_t threshold,
                                     uint8_t *keep)
{
    for (int i = 0; i < SCS_RANDOM_BLOCKS; i++)
        for (int k = 0; k < 4; k++) {
            keep[8 * i + 2 * k] = (word[k][i] & 0xffff) >= threshold;
            keep[8 * i + 2 * k + 1] = (word[k][i] >> 16) >= threshold;
        }
}

void scs_layer_dropout_draw(scs_dropout dropout, const scs_stream *stream, int32_t n, uint8_t *keep)
{
    uint32_t word[4][SCS_RANDOM_BLOCKS];
    uint8_t some[UNITS] = {0};

    for (int32_t j = 0; j < n; j += UNITS) {
        bool whole = n - j >= UNITS;

        /* The last call draws bits for units that are not there. */
        scs_random_blocks(stream, (uint32_t)(j / 8), word);
        compare_words(word, dropout.threshold, whole ? keep + j : some);
        if (!whole)
            memcpy(keep + j, some, (size_t)(n - j));
    }
}

/* ---- leaky ReLU ---- */

/* Two loops: the compiler makes vectors of each, and of their union it does not. */
SCS_VECTOR void scs_layer_activation_forward(double slope, scs_dropout dropout, const uint8_t *keep,
                                             int32_t n, const scs_real *in, scs_real *out)
{
    scs_real low = (scs_real)slope;

#pragma omp simd
    for (int32_t j = 0; j < n; j++)
        out[j] = in[j] > 0 ? in[j] : low * in[j];
    if (!keep)
        return;
#pragma omp simd
    for (int32_t j = 0; j < n; j++)
        out[j] = keep[j] ? out[j] * dropout.scale : 0;
}

SCS_VECTOR void scs_layer_activation_backward(double slope, scs_dropout dropout,
                                              const uint8_t *keep, int32_t n, const scs_real *in,
                                              const scs_real *grad_out, scs_real *grad_in)
{
    scs_real low = (scs_real)slope;

#pragma omp simd
    for (int32_t j = 0; j < n; j++)
        grad_in[j] = in[j] > 0 ? grad_out[j] : low * grad_out[j];
    if (!keep)
        return;
#pragma omp simd
    for (int32_t j = 0; j < n; j++)
        grad_in[j] = keep[j] ? grad_in[j] * dropout.scale : 0;
}

/* ---- batch norm ---- */

/* Squares of floats are exact in double: one pass loses nothing that float activations have. */
SCS_VECTOR void scs_layer_batch_norm_sums(const scs_real *x, int32_t n, int32_t n_col,
                                          int32_t first, int32_t last, double *sums)
{
    memset(sums + first, 0, (size_t)(last - first) * sizeof *sums);
    memset(sums + n_col + first, 0, (size_t)(last - first) * sizeof *sums);
    for (int64_t i = 0; i < n; i++) {
        const scs_real *row = x + i * n_col;

#pragma omp simd
        for (int32_t c = first; c < last; c++) {
            double value = row[c];

            sums[c] += value;
            sums[n_col + c] += value * value;
        }
    }
}

/* Variance as mean of squares minus square of mean, in double, where squares of floats are exact.
 * Rounding below 0 is cut off. */
void scs_layer_batch_norm_from_sums(double *sums, int64_t n, double epsilon, scs_norm *norm)
{
    double *mean = sums, *square = sums + norm->n_col;

    for (int32_t c = 0; c < norm->n_col; c++) {
        double variance;

        mean[c] /= (double)n;
        variance = square[c] / (double)n - mean[c] * mean[c];
        if (variance < 0)
            variance = 0;
        norm->mean[c] = mean[c];
        norm->inv_std[c] = 1.0 / sqrt(variance + epsilon);
        /* For the running variance, which torch keeps unbiased; what normalises is biased. */
        square[c] = n > 1 ? variance * (double)n / (double)(n - 1) : variance;
    }
}

/* In evaluation, and for a shard's part of one cell. */
void scs_layer_batch_norm_from_running(const scs_block *block, const scs_real *running,
                                       double epsilon, scs_norm *norm)
{
    for (int32_t c = 0; c < norm->n_col; c++) {
        norm->mean[c] = running[block->running_mean + c];
        norm->inv_std[c] = 1.0 / sqrt((double)running[block->running_var + c] + epsilon);
    }
}

SCS_VECTOR void scs_layer_batch_norm_forward(const scs_norm *norm, const scs_block *block,
                                             const scs_real *param, const scs_real *x, scs_real *y)
{
    const scs_real *gamma = param + block->gamma, *beta = param + block->beta;

#pragma omp simd
    for (int32_t c = 0; c < norm->n_col; c++)
        y[c] = (scs_real)((x[c] - norm->mean[c]) * norm->inv_std[c] * gamma[c] + beta[c]);
}

/* grad_beta and grad_gamma are these sums as well. */
SCS_VECTOR void scs_layer_batch_norm_gradient_sums(const scs_norm *norm, const scs_real *x,
                                                   const scs_real *grad_y, int32_t n, int32_t first,
                                                   int32_t last, double *sums)
{
    int32_t n_col = norm->n_col;

    memset(sums + first, 0, (size_t)(last - first) * sizeof *sums);
    memset(sums + n_col + first, 0, (size_t)(last - first) * sizeof *sums);
    for (int64_t i = 0; i < n; i++) {
        const scs_real *x_row = x + i * n_col, *grad_row = grad_y + i * n_col;

#pragma omp simd
        for (int32_t c = first; c < last; c++) {
            sums[c] += grad_row[c];
            sums[n_col + c] += grad_row[c] * ((x_row[c] - norm->mean[c]) * norm->inv_std[c]);
        }
    }
}

/* grad_x = gamma inv_std (grad_y - mean(grad_y) - xhat mean(grad_y xhat)): the moments depend on
 * the cells, hence the two means; where they do not, `means` is zeros. */
SCS_VECTOR void scs_layer_batch_norm_backward(const scs_norm *norm, const scs_block *block,
                                              const scs_real *param, const double *means,
                                              const scs_real *x, const scs_real *grad_y,
                                              scs_real *grad_x)
{
    const scs_real *gamma = param + block->gamma;
    int32_t n_col = norm->n_col;

#pragma omp simd
    for (int32_t c = 0; c < n_col; c++) {
        double xhat = (x[c] - norm->mean[c]) * norm->inv_std[c];

        grad_x[c] = (scs_real)(gamma[c] * norm->inv_std[c] *
                               (grad_y[c] - means[c] - xhat * means[n_col + c]));
    }
}

/* ---- the latent layer ---- */

/* With u = exp(head), variance = u + floor (scGen: 1e-4); the floor keeps log and sqrt away from
 * 0. */
double scs_layer_posterior_forward(const scs_arch *arch, const scs_posterior *cell)
{
    double kl = 0;

    for (int32_t j = 0; j < arch->n_latent; j++) {
        double mean = cell->mean[j], variance = exp((double)cell->head[j]) + arch->variance_floor;

        cell->variance[j] = (scs_real)variance;
        cell->z[j] = (scs_real)(mean + sqrt(variance) * cell->noise[j]);
        kl += 0.5 * (variance + mean * mean - 1.0 - log(variance));
    }
    return kl;
}

/* d z / d variance = noise / (2 sqrt(variance)); d KL / d variance = 0.5 (1 - 1 / variance), d KL
 * / d mean = mean; d variance / d head = exp(head). */
void scs_layer_posterior_backward(const scs_arch *arch, const scs_posterior *cell,
                                  const scs_real *grad_z, double scale, scs_real *grad_mean,
                                  scs_real *grad_head)
{
    for (int32_t j = 0; j < arch->n_latent; j++) {
        double grown = exp((double)cell->head[j]), variance = grown + arch->variance_floor;
        double of_variance = grad_z[j] * cell->noise[j] / (2.0 * sqrt(variance)) +
                             scale * 0.5 * (1.0 - 1.0 / variance);

        grad_mean[j] = (scs_real)(grad_z[j] + scale * cell->mean[j]);
        grad_head[j] = (scs_real)(of_variance * grown);
    }
}
