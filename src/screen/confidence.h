/** How far a predicted row can be relied on: agreement and support of its sources, false
 *  discoveries, and the replicates (src/screen/resample.c) that errors and p-values come from. All
 *  functions are Local. */
#ifndef SCS_CONFIDENCE_H
#define SCS_CONFIDENCE_H

#include "src/base/random.h"
#include "scscreen/screen.h"

/** What turns latent cells into expression (src/screen/decode.h). */
typedef struct scs_decoder scs_decoder;

/** Mean cosine over pairs of source types (of one species each) under one condition of perturbed
 * mean - control mean; NaN where there is no pair. */
SCS_MUST_USE scs_status scs_confidence_agreement(const scs_atlas *atlas,
                                                 const scs_combination *target,
                                                 const scs_sources *sources, double *agreement);
/** Where the target's control mean lies among the control cells of the source types: Mahalanobis
 * distance from their mean, types weighing alike, covariance within and between them shrunk towards
 * its mean variance by d / (d + cells); as a percentile of chi-square with d = n_latent degrees.
 * NaN without other types. */
SCS_MUST_USE scs_status scs_confidence_support(const scs_atlas *atlas,
                                               const scs_combination *target,
                                               const scs_sources *sources, double *percentile);
/** P(X <= x) for a chi-square variable. */
double scs_confidence_chi_square_below(double x, double degrees);

/** Writes the groups' means of one replicate over those of the atlas. @param mean [n_group,
 * n_latent] */
typedef void (*scs_draw)(const void *ctx, int64_t replicate, double *mean);

/** The shifts of some combinations, estimated anew from each replicate's means. Replicates are
 * spread over threads.
 *  @param draw NULL: the atlas' own means
 *  @param[out] delta [n_replicate, n_target, n_latent] */
SCS_MUST_USE scs_status scs_resample_replicate(const scs_atlas *atlas, const scs_method *method,
                                               const scs_combination *const *target,
                                               int64_t n_target, int64_t n_replicate, scs_draw draw,
                                               const void *ctx, double *delta);

/** Parametric bootstrap: the means of the groups under a row's conditions and of the controls are
 * drawn from the normal distribution that their cells' means have (covariance of the cells / their
 * number). */
typedef struct scs_bootstrap {
    const scs_atlas *atlas;
    int64_t seed;
    int32_t n;      /**< groups */
    int32_t *group; /**< [n] */
    double *factor; /**< [n, n_latent, n_latent] lower triangles, L L' = covariance of the mean */
} scs_bootstrap;

/** SCS_ENOMEM. O(groups x n_latent^3), once for a row.
 *  @param sources of the row: the groups under their conditions, and all controls, are drawn
 *  @param[out] bootstrap destroyed by the caller */
SCS_MUST_USE scs_status scs_resample_bootstrap_create(const scs_atlas *atlas,
                                                      const scs_sources *sources, int64_t seed,
                                                      scs_bootstrap **bootstrap);
/** Sets *bootstrap to NULL; it may be NULL. */
void scs_resample_bootstrap_destroy(scs_bootstrap **bootstrap);
/** scs_draw: random numbers are f(seed, replicate, group), whatever the order of draws. */
void scs_resample_bootstrap_draw(const void *bootstrap, int64_t replicate, double *mean);
/** Standard deviation over replicates. @param delta [n, n_latent]  @param[out] se [n_latent] */
void scs_resample_replicate_error(const double *delta, int64_t n, int32_t n_latent, double *se);

/** Labels permuted within types: one condition's perturbed means anew. */
typedef struct scs_permutation {
    const scs_atlas *atlas;
    int32_t n_pair;
    const int32_t *control, *perturbed; /**< [n_pair] groups; borrowed */
    int64_t n;                          /**< permutations */
    const double *mean;                 /**< [n_pair, n, n_latent] of the perturbed; borrowed */
} scs_permutation;

/** Means of as many cells as are perturbed, drawn without replacement from both groups' cells.
 *  @param stream seed, purpose and cell (the pair's own number); its epoch counts permutations
 *  @param first the first permutation's number
 *  @param[out] mean [n, n_latent] */
SCS_MUST_USE scs_status scs_resample_permute_pair(const scs_stream *stream, const scs_real *control,
                                                  int64_t n_control, const scs_real *perturbed,
                                                  int64_t n_perturbed, int32_t n_latent,
                                                  int64_t first, int64_t n, double *mean);
/** scs_draw: perturbed means as drawn; the controls' follow, as the sum over both groups stays. */
void scs_resample_permutation_draw(const void *permutation, int64_t replicate, double *mean);
/** Benjamini-Hochberg q-values over all p that are not NaN. @param[out] q [n] */
SCS_MUST_USE scs_status scs_confidence_false_discovery(const double *p, int64_t n, double *q);

/** Standard error of a predicted shift: spread over the replicates' shifts, decoded; where decode
 * is blend, with the sampling error of the sources' means in gene space.
 *  @param z [n, n_latent] control cells  @param delta [n_replicate, n_latent]
 *  @param from that of the row; its `shifted` is not looked at  @param[out] se [n_gene] */
SCS_MUST_USE scs_status scs_resample_shift_error(const scs_atlas *atlas, const scs_decoder *decoder,
                                                 const scs_method *method,
                                                 const scs_sources *sources, const scs_real *z,
                                                 int64_t n, const double *delta,
                                                 int64_t n_replicate, const scs_evidence *from,
                                                 float *se);

#endif
