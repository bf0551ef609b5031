#include "src/batchnorm.h"

#include "src/simd.h"

#include <math.h>
#include <string.h>

/* Squares of floats are exact in double: one pass loses nothing that float activations have. */
SCS_VECTOR void scs_norm_sums(const scs_real *x, int32_t n, int32_t n_col, int32_t first,
                              int32_t last, double *sums)
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

void scs_norm_from_sums(double *sums, int64_t n, double epsilon, scs_norm *norm)
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
        square[c] = n > 1 ? variance * (double)n / (double)(n - 1) : variance;
    }
}

void scs_norm_from_running(const scs_block *block, const scs_real *running, double epsilon,
                           scs_norm *norm)
{
    for (int32_t c = 0; c < norm->n_col; c++) {
        norm->mean[c] = running[block->running_mean + c];
        norm->inv_std[c] = 1.0 / sqrt((double)running[block->running_var + c] + epsilon);
    }
}

SCS_VECTOR void scs_norm_forward(const scs_norm *norm, const scs_block *block,
                                 const scs_real *param, const scs_real *x, scs_real *y)
{
    const scs_real *gamma = param + block->gamma, *beta = param + block->beta;

#pragma omp simd
    for (int32_t c = 0; c < norm->n_col; c++)
        y[c] = (scs_real)((x[c] - norm->mean[c]) * norm->inv_std[c] * gamma[c] + beta[c]);
}

SCS_VECTOR void scs_norm_gradient_sums(const scs_norm *norm, const scs_real *x,
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

SCS_VECTOR void scs_norm_backward(const scs_norm *norm, const scs_block *block,
                                  const scs_real *param, const double *means, const scs_real *x,
                                  const scs_real *grad_y, scs_real *grad_x)
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
