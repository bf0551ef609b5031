/** Screening: which combinations, their shift, what it decodes to, how that scores. All functions
 * are Local. */
#ifndef SCSCREEN_SCREEN_H
#define SCSCREEN_SCREEN_H

#include "scscreen/latent.h"

/** One row of the result. */
typedef struct scs_combination {
    int32_t species, cell_type, condition;
    int32_t control_group;  /**< >= 0 */
    int32_t observed_group; /**< or -1 */
    bool held_out;
    double cost; /**< estimated floating-point operations */
} scs_combination;

typedef struct scs_plan {
    int64_t n;
    scs_combination *item; /**< [n] ordered by species, cell type, condition */
} scs_plan;

/** Every (species, cell type, perturbation) with control cells that the config's screen lists
 * select. SCS_EARG for a name that does not exist (the message suggests the nearest). */
SCS_MUST_USE scs_status scs_plan_create(const scs_config *config, const scs_atlas *atlas,
                                        const scs_arch *arch, scs_plan **plan);
/** The same from the config's validate lists. */
SCS_MUST_USE scs_status scs_plan_create_grid(const scs_config *config, const scs_atlas *atlas,
                                             const scs_arch *arch, scs_plan **plan);
void scs_plan_destroy(scs_plan **plan);
/** Contiguous ranges of about equal cost. @param[out] first [n_rank + 1] */
void scs_plan_split(const scs_plan *plan, int32_t n_rank, int64_t *first);

enum { SCS_SOURCE_MAX = 256 };

/** The latent shift of one combination, from groups that are not held out and never from the target
 * itself.
 *
 *  nearest, paired, balanced as DESIGN has them (weights of nearest: 1 / d^2 of squared distances
 * between control means). Within the target's own species where any other type saw the perturbation
 * ("own"); else the mean over the other species that saw it of each one's estimate ("donors: a+b";
 * there the same cell type counts too); else the target's own cells
 *  ("self"); else SCS_EDATA.
 *  @param[out] delta [n_latent]  @param[out] source [SCS_SOURCE_MAX] */
SCS_MUST_USE scs_status scs_shift(const scs_atlas *atlas, int method, const scs_combination *target,
                                  double *delta, char *source);

/** Mean and variance (ddof 0) over cells of dec(z + delta), without decoding cells where the output
 * is linear.
 *
 *  mean = W mean(h) + b; variance of gene g = w_g' Cov(h) w_g (or, for few cells, by decoding
 * blocks: the choice depends on n, n_gene, n_hidden only). With output_relu blocks of cells are
 * decoded.
 *  @param z [n, n_latent]; borrowed  @param delta [n_latent] or NULL
 *  @param[out] mean, variance [n_gene]; variance may be NULL */
SCS_MUST_USE scs_status scs_decoded_moments(const scs_model *model, const scs_real *z, int64_t n,
                                            const double *delta, double *mean, double *variance);

/** A predicted row. Arrays [n_gene], owned by the caller. */
typedef struct scs_prediction {
    float *mean, *shift, *variance; /**< shift = mean - control mean; variance may be NULL */
} scs_prediction;

/** edit: mean = max(0, control + dec(z + delta) - dec(z)), variance likewise from variances;
 * decode: dec(z + delta).
 *  @param control_mean, control_variance [n_gene] observed control cells
 *  @param moved, still   decoded moments with and without delta; `still` unused by decode */
void scs_predict(int decode, int32_t n_gene, const float *control_mean,
                 const float *control_variance, const double *moved_mean,
                 const double *moved_variance, const double *still_mean,
                 const double *still_variance, scs_prediction *out);

/** NaN where undefined (constant vectors, no observed cells). */
typedef struct scs_scores {
    double r2_all, r2_deg, r2_variance, delta_pearson, r2_all_control, r2_deg_control;
} scs_scores;

/** Pearson correlation (not squared) in double; NaN when either side is constant. With genes !=
 * NULL only those (n of them). */
double scs_pearson(const float *a, const float *b, const int32_t *gene, int64_t n);
/** Scores of a prediction against the observed group (all NaN when observed_group is -1). */
scs_scores scs_score(const scs_atlas *atlas, const scs_combination *target,
                     const scs_prediction *predicted);

#endif
