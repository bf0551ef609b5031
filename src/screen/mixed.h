/** A linear mixed model of group shifts: which groups tell how much about one that was not seen.
 *
 *  A context is a group of control cells (species, cell type); a shift is mean(perturbed cells) -
 *  mean(control cells) of one context under one perturbation. Over genes, which count as repeats of
 *  one draw, the true control means m and the shifts y that are observed are
 *
 *      m(c)    = mu + u(c) + e(c)                      cov u = B, var e(c) = control noise
 *      y(c, p) = a(c, p) - beta u(c) - e(c) + f(c, p)            var f(c, p) = noise
 *
 *  - cov a is a sum of terms: what all shifts share, what those of like contexts, of one
 *    perturbation, of one perturbation in like contexts share; exp(-d2 / (length median d2)) of the
 *    distances between contexts. With several species: what a species' and a type's share. What is
 *    of a perturbation goes with its strength, about 1: some do much, many nothing. A dose is a
 *    point x on log(1 + dose), its factor a share of x y (a line from 0) and min(x, y) (a Brownian
 *    path: straight between neighbours) for the rest. With distances between perturbations, also
 * what like perturbations share: it predicts those that nobody saw.
 *  - B is the covariance of the control means that were measured, less their noise.
 *  - beta, convergence (0 to 1): a response that brings cell types together takes a share of what
 *    sets a type apart; of doses, in proportion to the largest. Up to SCS_MIXED_EXACT rows each
 *    perturbation has its own, drawn to the common one.
 *  - e(c), the noise of the control cells, is in every shift of its context with the same sign and
 *    in the control mean with the other: other perturbations of the context and the control means
 *    of like contexts tell it.
 *
 *  mu is unknown (generalised least squares). Everything else, but for the noise, which is known
 *  from the cells' variance, is estimated by restricted likelihood with weak priors (Patterson and
 *  Thompson, Biometrika 1971; the predictor: Henderson, Biometrics 1975; universal kriging). The
 *  best linear predictor of a shift is a weighted sum of the shifts and control means, with the
 *  same weights for every gene and for every latent unit.
 *
 *  Cost, with N = contexts + shifts: the likelihood N^3 some hundred times, of at most some
 *  hundreds of rows (chosen: scs_mixed_sample); then N^3 once and N^2 a target up to
 *  SCS_MIXED_EXACT rows. Above, without doses and distances of perturbations, and up to 1,024
 *  contexts, one factorisation of blocks of a perturbation each serves all targets, from all shifts
 *  (mixed_blocks.c): n^3 for the contexts and for each perturbation's shifts once, n^2 a target.
 *  Else each target is predicted from the SCS_MIXED_NEAR shifts that have the highest correlation
 *  with it: cost and memory do not grow further, but for the contexts' matrices [n_context,
 *  n_context], whose eigenvalues are taken once. In the place of these a design may have
 *  coordinates of its contexts (low rank): then memory grows as contexts x coordinates, a target
 *  costs one look at every context and shift, and B has the contexts' mean noise taken off.
 *
 *  Everything is Local and takes one thread; the same input gives the same bits, in whatever order
 *  the shifts come.
 */
#ifndef SCS_MIXED_H
#define SCS_MIXED_H

#include "scscreen/status.h"

#include <stdbool.h>

enum {
    SCS_MIXED_EXACT = 2048,   /**< rows of which the whole inverse is kept */
    SCS_MIXED_NEAR = 512,     /**< shifts, and at most as many contexts, that one target needs */
    SCS_MIXED_CONTEXTS = 4096 /**< of an atlas, above which it has coordinates */
};

/** One shift, seen or asked for. */
typedef struct scs_mixed_shift {
    int32_t context, perturbation;
    double dose; /**< on a scale where effects begin at 0 (log(1 + dose)); without doses unused */
} scs_mixed_shift;

/** What is known. All arrays are borrowed and must outlive the model. */
typedef struct scs_mixed_design {
    int32_t n_context, n_perturbation, n_shift;
    const int32_t *species, *type; /**< [n_context] labels */
    const double *distance;        /**< [n_context, n_context] squared, between control means */
    const double *control_gram;    /**< [n_context, n_context] products of control means / genes */
    const double *control_noise;   /**< [n_context] mean over genes of a control mean's variance */
    const scs_mixed_shift *shift;  /**< [n_shift]; replicates may repeat one */
    const double *noise;           /**< [n_shift] the same of the perturbed cells' mean */
    const double *perturbation_distance; /**< [n_perturbation, n_perturbation] squared, or NULL */
    bool has_dose;
    const double *place;   /**< [n_context, n_place] whose squared distances stand for `distance`,
                              which is NULL then, as control_gram; or NULL */
    const double *product; /**< [n_context, n_product] whose products stand for control_gram */
    int32_t n_place, n_product;
} scs_mixed_design;

enum { SCS_MIXED_TERMS = 10, SCS_MIXED_LENGTHS = 4 };

/** What was estimated; variances in the unit of the grams, 0 where a term has no place. */
typedef struct scs_mixed_hyper {
    double variance[SCS_MIXED_TERMS]; /**< scs_mixed_term_name */
    double length[SCS_MIXED_LENGTHS]; /**< of contexts, of contexts under one perturbation, of
                                         doses (the odds of the line), of perturbations; in their
                                         median, -, median */
    double beta;                      /**< convergence that perturbations have in common */
    double ridge;                     /**< on the diagonal, for the factorisation's sake */
    double objective;                 /**< - 2 log restricted likelihood per gene, and the priors */
} scs_mixed_hyper;
/** "all", "context" and so on. */
const char *scs_mixed_term_name(int term);
/** Covariance of two contexts' shifts under one perturbation before anything is estimated, by the
 * centres of the priors; 1 of one context.
 *  @param distance squared, in the unit of distances */
double scs_mixed_prior_likeness(double distance);

typedef struct scs_mixed scs_mixed;

/** @return SCS_OK; SCS_ENOMEM; SCS_EINTERNAL for a design
 * that makes no sense (nothing to learn from, negative or no numbers). */
SCS_MUST_USE scs_status scs_mixed_create(const scs_mixed_design *design, scs_mixed **model);
/** Sets *model to NULL; it may be NULL. The design stays. */
void scs_mixed_destroy(scs_mixed **model);

/** The rows that the likelihood looks at. @param[out] n_context, n_shift how many
 *  @param[out] context, shift their numbers in the design; owned by the model */
void scs_mixed_sample(const scs_mixed *model, int32_t *n_context, const int32_t **context,
                      int32_t *n_shift, const int32_t **shift);
/** Estimate all that is unknown, and get ready to predict.
 *  @param gram [n, n], n = both numbers of scs_mixed_sample together: products of its control
 *  means, then its shifts, with each other / genes */
SCS_MUST_USE scs_status scs_mixed_fit(scs_mixed *model, const double *gram);
/** Get ready to predict with what was estimated before. @param strength [n_perturbation]
 * @param convergence [n_perturbation], or NULL: beta, as it has to be where the model has more rows
 * than SCS_MIXED_EXACT */
SCS_MUST_USE scs_status scs_mixed_set(scs_mixed *model, const scs_mixed_hyper *hyper,
                                      const double *strength, const double *convergence);
/** After fit or set. @param[out] strength, convergence [n_perturbation] (1 and beta where the
 * sample has none), owned by the model; or NULL */
const scs_mixed_hyper *scs_mixed_hyper_of(const scs_mixed *model, const double **strength,
                                          const double **convergence);

/** A shift as a weighted sum. */
typedef struct scs_mixed_weights {
    double *shift;                         /**< [n_shift] */
    double *control;                       /**< [n_context] of control means; they sum to 0 */
    double *shrunk_shift, *shrunk_control; /**< [n_shift], [n_context] or NULL, all three: what the
                                              weights are short of the perturbation's mean effect */
    double *denoised; /**< [n_context] of `control`, what is not convergence: what the model takes
                         for noise of the target's control mean */
    double variance;  /**< mean over genes of the squared error, if the perturbed cells were many */
    double *common;   /**< [n_context] or NULL: if has_common, what the weights of all shifts follow
                         from but those of the target's perturbation (t of mixed_blocks.c) */
    bool has_common;  /**< out; false where this target was not predicted so */
} scs_mixed_weights;

/** Whether `shrunk` and `denoised` are told: with the whole inverse, without doses. */
bool scs_mixed_tells_parts(const scs_mixed *model);
/** The best linear predictor of a shift: of mean(perturbed cells), if they were many, less the
 * control mean as it was observed.
 *  @param left_out [n_left_out] shifts that must not be used, each once; NULL: none. With a shift's
 *  own number there (its context's numbers) this is leave-one-out (leave-a-context-out) from the
 *  one inverse: nothing is factorised anew up to SCS_MIXED_EXACT rows.
 *  @param[out] weights arrays of the caller */
SCS_MUST_USE scs_status scs_mixed_predict(const scs_mixed *model, const scs_mixed_shift *target,
                                          const int32_t *left_out, int32_t n_left_out,
                                          scs_mixed_weights *weights);

/** Any weighted sum of shifts and control means. Arrays of the caller. */
typedef struct scs_mixed_sum {
    int32_t n_shift, n_control;
    const int32_t *shift, *control; /**< [n_shift], [n_control] numbers in the design */
    const double *shift_weight, *control_weight;
} scs_mixed_sum;
/** What the model expects of one as a prediction, as scs_mixed_weights' variance is of its own:
 * mean over genes of the squared error, var(target) - 2 w'k + w'K w. O(n^2) of the sum.
 *  @param[out] variance NaN: the weights of control means do not sum to 0, and nothing is known of
 *  their level */
SCS_MUST_USE scs_status scs_mixed_expect(const scs_mixed *model, const scs_mixed_shift *target,
                                         const scs_mixed_sum *sum, double *variance);

#endif
