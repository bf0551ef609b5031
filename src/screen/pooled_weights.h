/** Weights for p-values: what a row's shift is put together from, without having seen which cells
 *  are perturbed. All functions are Local.
 *
 *  A p-value compares a shift with those of permuted labels. It is right whatever the weights are,
 *  as long as they come out the same for every permutation: the statistic is then one function of
 *  labels and cells, and all labels are as likely where the perturbation does nothing. So each
 *  source type is looked at as its control and its perturbed cells in one: their number, mean and
 *  variance are those of every permutation.
 *
 *      w(i) ~ k(d2(i, target) / mean d2) / (v(i) (1 / n_control + 1 / n_perturbed))
 *
 *  d2 is between the pools' latent means, v the variance within pool i summed over units, k what
 * the mixed model's priors say of like types (scs_mixed_prior_likeness). These are the weights that
 *  the mixed model has for a perturbation of which it expects next to nothing: where noise is most
 *  of a shift it does not pay to trust the nearest type alone.
 */
#ifndef SCS_POOLED_WEIGHTS_H
#define SCS_POOLED_WEIGHTS_H

#include "scscreen/latent.h"

/** A type's cells, whatever they are called. */
typedef struct scs_pool {
    int32_t control, perturbed; /**< groups; perturbed -1: only control cells */
} scs_pool;

/** Weights of at least one type; they are above 0 and sum to 1. SCS_ENOMEM.
 *  @param target where the row starts from  @param source [n] with both groups
 *  @param[out] weight [n] */
SCS_MUST_USE scs_status scs_pooled_weights(const scs_atlas *atlas, const scs_pool *target,
                                           const scs_pool *source, int32_t n, double *weight);

#endif
