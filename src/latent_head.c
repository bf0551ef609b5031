#include "src/latent_head.h"

#include <math.h>

double scs_posterior_forward(const scs_arch *arch, const scs_posterior *cell)
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

void scs_posterior_backward(const scs_arch *arch, const scs_posterior *cell, const scs_real *grad_z,
                            double scale, scs_real *grad_mean, scs_real *grad_head)
{
    for (int32_t j = 0; j < arch->n_latent; j++) {
        double grown = exp((double)cell->head[j]), variance = grown + arch->variance_floor;
        double of_variance = grad_z[j] * cell->noise[j] / (2.0 * sqrt(variance)) +
                             scale * 0.5 * (1.0 - 1.0 / variance);

        grad_mean[j] = (scs_real)(grad_z[j] + scale * cell->mean[j]);
        grad_head[j] = (scs_real)(of_variance * grown);
    }
}
