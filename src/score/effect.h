/** Changes of mean expression, and how near the predicted ones are to the real ones.
 *
 *  A group's mean expression is log1p(50,000 P_g / T), P_g the sum of a gene's counts and T that of
 *  all genes; its effect is the difference from the controls' (cell-eval2 0.20.0's bulk_lognorm).
 *
 *      pds       1 - r / (n - 1): real perturbations whose effect is nearer to the predicted effect
 *                than that of the same name, by cosine distance, equally near ones counting half;
 *                the genes that are targets of any perturbation of the panel are left out
 *      mse       squared distance from prediction to real group, less sampling noise
 *      distance  squared distance from real group to real controls, less sampling noise
 *
 *  both over genes, the perturbation's own left out, divided by their number;
 *  expr_mse_unbiased_capped_norm is sum mse / sum distance. The noise is C of src/score/jackknife.h
 *  of each of the two groups. Of a prediction it is at most that of the real group, and scaled down
 *  where all perturbations' together exceed what the predicted groups differ among themselves.
 *
 *  All functions are Local.
 */
#ifndef SCS_EFFECT_H
#define SCS_EFFECT_H

#include "scscreen/status.h"

#include <stdbool.h>

/** A panel's mean expression. Owned. */
typedef struct scs_effects {
    int32_t n, n_gene;
    const int32_t *target; /**< [n] gene or -1; borrowed */
    double *predicted;     /**< [n + 1, n_gene]; the last is what predicted effects start from */
    double *real;          /**< [n + 1, n_gene]; the last is the controls' */
    bool *present;         /**< [n] has cells on both sides */
    double *noise_predicted, *noise_real; /**< [n], [n + 1] C */
} scs_effects;

/** @param n_gene of all genes  @param target borrowed for as long as the effects are
 *  @param[out] effects zeroed rows; caller clears, also after a failure  @return SCS_OK, SCS_ENOMEM
 */
SCS_MUST_USE scs_status scs_effect_create(int32_t n, int32_t n_gene, const int32_t *target,
                                          scs_effects *effects);
/** Free what it owns; zeroed is let through. */
void scs_effect_clear(scs_effects *effects);
/** Mean expression from sums of counts. @param[in,out] row [n_gene] */
void scs_effect_mean(double *row, int32_t n_gene);
/** C from its parts, which a gene each has. @param noise [n_gene] */
double scs_effect_noise(const double *noise, int32_t n_gene);

/** Scale down noise_predicted where there is more than the predictions can have; once, when all is
 *  filled in. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_effect_cap_noise(scs_effects *effects);
/** As above, of perturbation p, after scs_effect_cap_noise; below 0 where the noise is larger than
 *  the distance. O(n_gene). */
double scs_effect_mse(const scs_effects *effects, int32_t p);
/** As above, of perturbation p: what `mse` is held against. O(n_gene). */
double scs_effect_distance(const scs_effects *effects, int32_t p);
/** The pds of perturbation p. @param skip [n_gene] not 0 for the target of any perturbation */
double scs_effect_pds(const scs_effects *effects, const uint8_t *skip, int32_t p);

/** Of the two effects of a perturbation: Pearson's correlation; mean absolute and mean squared
 * difference; |predicted| / |real|. NaN where it is not defined. */
typedef struct scs_delta {
    double pearson, mae, mse, size;
} scs_delta;
/** Of perturbation p, all genes. O(n_gene). */
scs_delta scs_effect_delta(const scs_effects *effects, int32_t p);

/** The 2025 challenge's discrimination score: 1 - r / n, by the sum of absolute differences of
 *  effects, the perturbation's own gene left out; ties by position.
 *  @param predicted [n_gene] effect  @param real [n, n_gene] effects */
double scs_effect_pds_l1(const double *predicted, const double *real, int32_t n, int32_t n_gene,
                         int32_t p, int32_t target);
/** Pearson's correlation of x and y, NaN where one is constant. @param x, y [n] */
double scs_effect_pearson(const double *x, const double *y, int32_t n);

#endif
