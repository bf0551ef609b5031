/** The latent layer of one cell: variance, reparameterisation and KL, forward and backward. All
 *  functions are Local. */
#ifndef SCS_LATENT_HEAD_H
#define SCS_LATENT_HEAD_H

#include "scscreen/model.h"

/** One cell's posterior. All [n_latent], borrowed. */
typedef struct scs_posterior {
    const scs_real *mean, *head; /**< the two heads; variance = exp(head) + floor */
    scs_real *variance, *z;
    double *noise; /**< standard normals: z = mean + sqrt(variance) noise */
} scs_posterior;

/** Variance and z from heads and noise.
 *  @return KL(N(mean, variance) || N(0, 1)) = 0.5 sum(variance + mean^2 - 1 - log variance) */
double scs_posterior_forward(const scs_arch *arch, const scs_posterior *cell);
/** Gradients of the heads.
 *  @param grad_z   [n_latent] of the reconstruction
 *  @param scale    what one unit of KL weighs in the objective
 *  @param[out] grad_mean, grad_head [n_latent] */
void scs_posterior_backward(const scs_arch *arch, const scs_posterior *cell, const scs_real *grad_z,
                            double scale, scs_real *grad_mean, scs_real *grad_head);

#endif
