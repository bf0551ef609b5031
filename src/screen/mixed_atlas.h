/** The mixed model of an atlas' group shifts: its contexts are the control groups, its shifts the
 * perturbed groups beside them. Groups that are held out, and the latent means, have no part in it
 * (but for screen.distance: latent). All functions are Local. */
#ifndef SCS_MIXED_ATLAS_H
#define SCS_MIXED_ATLAS_H

#include "src/screen/mixed.h"
#include "scscreen/screen.h"

/** Its groups and what is known of them; the estimates are still to come.
 *  @param likeness [perturbations, perturbations] squared distances of features, the model's from
 * now on, also after a failure; or NULL
 *  @param atlas with mean expression and its variances; borrowed until the estimates are there
 *  @param[out] mixed NULL where no shift was seen  @return SCS_ENOMEM,
 *  SCS_EINTERNAL */
SCS_MUST_USE scs_status scs_mixed_atlas_create(const scs_atlas *atlas, double *likeness,
                                               scs_mixed_atlas **mixed);
/** Sets *mixed to NULL; it may be NULL. The atlas stays. */
void scs_mixed_atlas_destroy(scs_mixed_atlas **mixed);
/** Estimate. The same bits wherever BLAS has the same kernels, on one thread. */
SCS_MUST_USE scs_status scs_mixed_atlas_fit(scs_mixed_atlas *mixed, const scs_atlas *atlas);

/** How many numbers the estimates are. */
int64_t scs_mixed_atlas_size(const scs_mixed_atlas *mixed);
/** The estimates as they go to another rank. @param number [scs_mixed_atlas_size] */
void scs_mixed_atlas_get(const scs_mixed_atlas *mixed, double *number);
/** And back: after it the model predicts as the one that they were taken from, so that one rank
 *  estimates for all. @param number [scs_mixed_atlas_size]  @return as scs_mixed_set */
SCS_MUST_USE scs_status scs_mixed_atlas_set(scs_mixed_atlas *mixed, const double *number);
/** After fit or set. */
const scs_mixed_hyper *scs_mixed_atlas_hyper(const scs_mixed_atlas *mixed);

/** After fit or set: the perturbations, of those that groups show, of the smallest and the largest
 * convergence. @param[out] convergence [perturbations], owned by the model */
void scs_mixed_atlas_convergence(const scs_mixed_atlas *mixed, int32_t *least, int32_t *most,
                                 const double **convergence);

/** Whether it knows like perturbations, and predicts those that no group shows. */
bool scs_mixed_atlas_knows_like(const scs_mixed_atlas *mixed);
/** How much better perturbations are predicted from like ones than by the best multiple of the
 * others' mean: each shift from those of other perturbations (at most some hundred shifts, evenly
 * picked).
 *  @param[out] gain 1 - ratio of the two squared errors; NaN where no other perturbation was seen
 *  beside one */
SCS_MUST_USE scs_status scs_mixed_atlas_like_gain(const scs_mixed_atlas *mixed,
                                                  const scs_atlas *atlas, double *gain);
enum {
    SCS_MIXED_ATLAS_TABLES = 19,   /**< rank first among 20: 5 % by chance */
    SCS_MIXED_ATLAS_LEAST_LIKE = 4 /**< perturbations that a table says anything of */
};
/** Whether such a gain comes by chance: whether one of SCS_MIXED_ATLAS_TABLES tables whose rows are
 * exchanged at random among the perturbations that groups show has as large a gain, each by a model
 * that is estimated anew. Of fewer than SCS_MIXED_ATLAS_LEAST_LIKE it does. The first such table
 * ends it.
 *  @param gain of scs_mixed_atlas_like_gain  @param seed of the exchanges  @return SCS_ENOMEM,
 *  SCS_EINTERNAL */
SCS_MUST_USE scs_status scs_mixed_atlas_like_chance(const scs_mixed_atlas *mixed,
                                                    const scs_atlas *atlas, double gain,
                                                    int64_t seed, bool *chance);
/** Whether a target has a weight of every group, however many they are. */
bool scs_mixed_atlas_weighs_all(const scs_mixed_atlas *mixed);
/** How many control groups it knows. */
int32_t scs_mixed_atlas_contexts(const scs_mixed_atlas *mixed);
/** Whether it tells what it shrinks and what it takes for noise of controls. */
bool scs_mixed_atlas_tells_parts(const scs_mixed_atlas *mixed);
/** Sampling variance, gene by gene, of a weighted sum of groups' means, each group's variance drawn
 * towards that of all groups as where the noise is found.
 *  @param group, weight [n]  @param[out] noise [n_gene]  @return SCS_OK, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_mixed_atlas_noise(const scs_mixed_atlas *mixed, const scs_atlas *atlas,
                                              const int32_t *group, const double *weight, int32_t n,
                                              double *noise);
/** Whether it can start from this control group. */
bool scs_mixed_atlas_has(const scs_mixed_atlas *mixed, int32_t control_group);
/** What a shift is asked of: where it starts from, the perturbation and its dose, which need not be
 *  one that was seen. */
typedef struct scs_mixed_target {
    int32_t control_group, perturbation;
    double dose;      /**< not used without data.dose */
    int32_t left_out; /**< a group that must not be used, or -1 */
} scs_mixed_target;
/** A shift as a weighted sum of groups' means. Arrays of the caller. */
typedef struct scs_mixed_group_weights {
    double *weight;            /**< [n_group] */
    double *shrunk, *denoised; /**< [n_group] or NULL, both: of the parts that the model tells
                                  (src/screen/mixed.h); 0 where it tells none */
    double *common; /**< [scs_mixed_atlas_contexts] or NULL: if has_common, what the weights have in
                       common (src/screen/mixed_sums.h) */
    bool has_common; /**< only of a model that weighs all */
    double variance; /**< mean over genes of the squared error */
} scs_mixed_group_weights;
/** Fill in the arrays and the rest. */
SCS_MUST_USE scs_status scs_mixed_atlas_weigh(const scs_mixed_atlas *mixed,
                                              const scs_mixed_target *target,
                                              scs_mixed_group_weights *weights);

enum { SCS_MIXED_ATLAS_EXPECT = 512 }; /**< sources at most: a square of them is looked at */
/** What the model expects of any sources as a prediction of the target: mean over genes of the
 * squared error, as scs_mixed_group_weights' variance.
 *  @param[out] variance NaN: the model does not know all of them, or they are too many */
SCS_MUST_USE scs_status scs_mixed_atlas_expect(const scs_mixed_atlas *mixed,
                                               const scs_mixed_target *target,
                                               const scs_sources *sources, double *variance);

/** The sampling variance of a predicted perturbed mean, as weights of the groups' variances:
 * squared weights of their means, the control's own 1 added, / (cells - 1); 0 of one cell.
 *  @param[out] weight [n_group] */
void scs_mixed_atlas_sampling(const scs_atlas *atlas, int32_t control_group,
                              const scs_sources *sources, double *weight);
/** The same in floats. @param[out] weight [n_group] */
void scs_mixed_atlas_sampling_floats(const scs_atlas *atlas, int32_t control_group,
                                     const scs_sources *sources, float *weight);
/** Standard error of each gene's predicted perturbed mean, the control cells' noise included: what
 * the sampling of the sources' cells makes of it, and what the variance has beyond, spread over the
 * genes as the seen shifts are, the target's own left aside, and as the predicted one is.
 *  @param observed_group the target's own, or -1  @param sources of the shift
 *  @param variance of scs_shift_error_variance; NaN: so is the error
 *  @param shift [n_gene] as it is predicted
 *  @param sampled [n_gene] sums of variances by scs_mixed_atlas_sampling's weights; NULL: made here
 *  @param[out] se [n_gene] */
SCS_MUST_USE scs_status scs_mixed_atlas_error(const scs_mixed_atlas *mixed, const scs_atlas *atlas,
                                              int32_t control_group, int32_t observed_group,
                                              const scs_sources *sources, double variance,
                                              const float *shift, const double *sampled, float *se);

#endif
