/** Screening: which combinations, their shift, what it decodes to, how that scores. All functions
 * are Local. */
#ifndef SCSCREEN_SCREEN_H
#define SCSCREEN_SCREEN_H

#include "scscreen/latent.h"

/** The mixed model of an atlas' shifts (src/screen/mixed_atlas.h). */
typedef struct scs_mixed_atlas scs_mixed_atlas;
/** What the sources' change is wrong by (src/screen/correction.h). */
typedef struct scs_correction scs_correction;

enum { SCS_N_SHIFT = SCS_SHIFT_AUTO };

/** How a row is predicted: what the config says, with every `auto` resolved. */
typedef struct scs_method {
    int shift;                    /**< scs_shift_method; SCS_SHIFT_AUTO: several, as `share` says */
    double share[SCS_N_SHIFT];    /**< of each rule, where there are several: they sum to 1 */
    double error[SCS_N_SHIFT];    /**< of each rule, where they were tried: scs_shift_choice */
    double stacked;               /**< of their weighted mean; 0 or NaN where it was not tried */
    const scs_mixed_atlas *mixed; /**< borrowed; NULL: no rule needs it, or nothing was seen */
    const scs_correction *correction; /**< borrowed; NULL: changes are taken as the sources have
                                         them */
    bool exchangeable;  /**< rule paired with the weights of p-values, which have not seen which
                           cells are perturbed (src/screen/pooled_weights.h) */
    bool learnt_latent; /**< a network made latent space from the groups that `auto` leaves out */
    double power;       /**< of nearest: weights 1 / distance^power, never SCS_POWER_AUTO */
    double convergence; /**< of converging, 0 to 1 */
    int cross_species;  /**< scs_cross_species */
    double ridge;  /**< of regression, in mean squared distances of control means from their mean */
    int decode;    /**< scs_decode_method */
    double blend;  /**< share of the decoder's change where decode is blend */
    int magnitude; /**< of that change: scs_magnitude, never SCS_MAGNITUDE_AUTO */
    bool variance; /**< variances are predicted as well */
    int products;  /**< scs_products: what multiplies hidden layers where they are not */
} scs_method;

/** The config's method; shift AUTO, power SCS_POWER_AUTO and blend SCS_BLEND_AUTO are left for the
 * caller to resolve. */
scs_method scs_shift_method_from_config(const scs_config *config);

/** Where a shift comes from. */
typedef enum scs_source_kind {
    SCS_SOURCE_NONE,
    SCS_SOURCE_OWN,      /**< other cell types of the species */
    SCS_SOURCE_DONORS,   /**< other species */
    SCS_SOURCE_AVERAGE,  /**< another species, published half-and-half rule */
    SCS_SOURCE_SELF,     /**< only the target's own cells show the perturbation */
    SCS_SOURCE_MEASURED, /**< the target type's own cells under the parts that a pair or a dose is
                            put together from */
    SCS_SOURCE_LIKE,     /**< no group shows the perturbation: like ones do */
    SCS_N_SOURCE_KIND
} scs_source_kind;

/** Whether a row could be predicted. */
typedef enum scs_row_status {
    SCS_ROW_OK,
    SCS_ROW_NO_CONTROL, /**< no control cells to start from */
    SCS_ROW_NO_SOURCE,  /**< no group shows the perturbation */
    SCS_N_ROW_STATUS
} scs_row_status;
/** "ok", "no_control", "no_source". */
const char *scs_plan_row_status_name(int status);

/** One row of the result. */
typedef struct scs_combination {
    int32_t species, cell_type;
    int32_t condition; /**< the atlas' condition that is this row's, -1: cells never show it */
    int32_t perturbation, second; /**< of scs_atlas_perturbations; second only where pair > 0 */
    int32_t pair;                 /**< 1 + its label among the plan's pairs; 0: one perturbation */
    double dose;                  /**< of both perturbations of a pair; NaN without data.dose */
    bool part;                    /**< put together with others: its own cells may speak for it */
    int32_t control_group;        /**< -1 where status is SCS_ROW_NO_CONTROL */
    int32_t observed_group;       /**< or -1 */
    bool held_out;
    uint8_t status; /**< scs_row_status */
    uint8_t kind;   /**< scs_source_kind */
    int32_t source; /**< into the plan's sources */
    int32_t reason; /**< into the plan's reasons */
    double cost;    /**< estimated floating-point operations */
} scs_combination;

typedef struct scs_plan {
    int64_t n;
    scs_combination *item; /**< [n] ordered by species, cell type, perturbation, second, dose; each
                              once */
    scs_names pairs;       /**< labels of pairs, "A+B" */
    scs_names sources;     /**< each source once, in words; "" for rows without one */
    scs_names reasons;     /**< why rows have no prediction, each once; "" for those that have */
} scs_plan;

/** The rows that the config's screen section selects.
 *
 *  The lists take names and globs (fnmatch); every (species, cell type, perturbation) they select
 * that has control cells is a row. screen.combinations names rows one by one instead. Rows without
 * control cells are there only where they were asked for by name: in that file, or by a cell type
 * and, if there are several, a species named in full. SCS_EARG for a name that does not exist (the
 * message suggests the nearest), for a glob that selects nothing, and where nothing is left. */
SCS_MUST_USE scs_status scs_plan_create(const scs_config *config, const scs_atlas *atlas,
                                        const scs_arch *arch, scs_plan **plan);
/** Sets *plan to NULL; it may be NULL. */
void scs_plan_destroy(scs_plan **plan);
/** The row's perturbation in words: its label, "A+B" of a pair. @param pairs of the plan */
const char *scs_plan_perturbation_label(const scs_atlas *atlas, const scs_names *pairs,
                                        const scs_combination *item);
/** The same with "@DOSE" where the data have doses, cut to fit. @return out */
char *scs_plan_treatment_text(const scs_atlas *atlas, const scs_names *pairs,
                              const scs_combination *item, char *out, size_t size);
/** Fill every row's kind, source, status and reason. */
SCS_MUST_USE scs_status scs_plan_resolve(const scs_atlas *atlas, const scs_method *method,
                                         scs_plan *plan);
/** Contiguous ranges of about equal cost. @param[out] first [n_rank + 1] */
void scs_plan_split(const scs_plan *plan, int32_t n_rank, int64_t *first);

enum { SCS_SOURCE_MAX = 256 };

/** What of the mixed model's shift no gene has more of than noise (src/screen/limit.h). */
typedef struct scs_limits {
    const scs_mixed_atlas *mixed; /**< borrowed; NULL: nothing is limited */
    int32_t control_group;        /**< the target's */
    double share;                 /**< of the rule in the shift */
    double *shrunk, *denoised;    /**< [n] weights, beside those of the sources */
    double *whole;                /**< [n] of the rule's shift with `shrunk` added */
} scs_limits;

/** A shift as a weighted sum of groups' means: every estimator is one, so that the same weights
 * hold in latent space, in gene space and for means drawn anew. */
typedef struct scs_sources {
    scs_source_kind kind;
    int32_t n;
    int32_t *group; /**< [n] each group once */
    double *weight; /**< [n] */
    scs_limits limits;
    int32_t capacity;
    int32_t *at;   /**< [n_group] scratch: where a group is in the list, if it is there */
    int32_t *type; /**< [n_type] scratch, as share: shifts are estimated millions of times */
    double *share;
    double variance; /**< mean over genes of the squared error of the mixed model's part; NaN: it
                        has none */
    double modelled; /**< how large that part is, 0 to 1 */
    double *common;  /**< [n_common] what the weights of very many groups have in common
                        (src/screen/mixed_sums.h); NULL where no such model was asked */
    int32_t n_common;
    bool has_common;           /**< false: some of the weights do not follow from it */
    char text[SCS_SOURCE_MAX]; /**< "own", "donors: a+b", "average: a", "self", "like: a+b", "" */
} scs_sources;

/** Room for the sources of any combination of this atlas, to be filled again and again.
 *  @param[out] sources caller destroys; NULL after an error  @return SCS_ENOMEM */
SCS_MUST_USE scs_status scs_shift_sources_create(const scs_atlas *atlas, scs_sources **sources);
/** Sets *sources to NULL; it may be NULL. */
void scs_shift_sources_destroy(scs_sources **sources);
/** The same groups and weights, with no room for more. @param[out] to the caller destroys it */
SCS_MUST_USE scs_status scs_shift_sources_copy(const scs_sources *from, scs_sources **to);

/** The groups and weights of one combination's shift, from groups that are not held out and never
 * from the target itself.
 *
 *  nearest, paired, balanced, regression as doc/methods.md has them (nearest: 1 / distance^power of
 * control means; regression: ridge, delta on control means, after scVIDR); mixed: the best linear
 * predictor of the mixed model, from all groups of all species; limited: the same with its limits.
 * Several rules: the weighted mean of theirs.
 *
 * Within the target's own species where any other type saw the perturbation; else from other
 * species that saw it (there the same cell type counts too): the nearest by control means of the
 * same type, the mean of all, or the nearest by the half-and-half rule of the scGen paper (the
 * mixed model, where it is asked, alone says how much each species tells); else the target's own
 * cells; else, where the mixed model knows like perturbations, its prediction; else kind is
 * SCS_SOURCE_NONE and n is 0. */
SCS_MUST_USE scs_status scs_shift_sources_find(const scs_atlas *atlas, const scs_method *method,
                                               const scs_combination *target, scs_sources *sources);
/** Only their kind and text: no weights are found. */
SCS_MUST_USE scs_status scs_shift_sources_name(const scs_atlas *atlas, const scs_method *method,
                                               const scs_combination *target, scs_sources *sources);
/** The latent shift. @param[out] delta [n_latent] */
void scs_shift_sources_latent(const scs_atlas *atlas, const scs_sources *sources, double *delta);
/** The shift of each gene: the same sum of the groups' mean expression, and what their limits make
 * of it (src/screen/limit.h).
 *  @param[out] change [n_gene]  @return SCS_OK, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_shift_sources_change(const scs_atlas *atlas, const scs_sources *sources,
                                                 double *change);
/** The sum alone, over a matrix in gene space. @param values gene_mean or gene_variance
 *  @param[out] change [n_gene] */
void scs_shift_sources_genes(const scs_atlas *atlas, const scs_sources *sources,
                             const float *values, double *change);

/** SCS_SHIFT_FEW: so many groups, and more, tell which of two rules is better, and by what error.
 */
enum { SCS_SHIFT_TRIALS = 1024, SCS_SHIFT_LEAST_TRIALS = 3, SCS_SHIFT_FEW = 4 };

/** Errors are sums of squared errors / sums of squared shifts, over genes and groups; NaN where
 * nothing can be left out, and of rules that are not tried. */
typedef struct scs_shift_choice {
    int shift;                 /**< as in scs_method, with */
    double share[SCS_N_SHIFT]; /**< these */
    double error[SCS_N_SHIFT];
    double convergence; /**< that converging would have, or has */
    double stacked;     /**< of weighted means of the rules, the weights without the group itself */
} scs_shift_choice;

/** `shift: auto`: groups that may be used (at most SCS_SHIFT_TRIALS, evenly picked) are predicted
 * from the others by each rule, in gene space. The one with the smallest error is taken, or a
 * weighted mean of them (weights of 0 or more that sum to 1, by least squares; Breiman, Machine
 * Learning 1996) where that leaves out better: each group with weights that the others say. Where
 * that is not better than the mixed model, limited or not, or that not than converging, by a
 * standard error, these. Of fewer than SCS_SHIFT_FEW groups half of the mixed model (limited, of
 * two or three) and half of nearest (not with doses); where nothing can be left out and there is no
 * mixed model, nearest.
 *  @param method with its power, and the mixed model that is to be tried */
SCS_MUST_USE scs_status scs_choose_shift(const scs_atlas *atlas, const scs_method *method,
                                         scs_shift_choice *choice);

enum { SCS_N_POWER = 8, SCS_USUAL_POWER = 3 };
/** The powers that `nearest_power: auto` tries, ascending; number SCS_USUAL_POWER is the default.
 */
double scs_choose_shift_power_tried(int i);
/** `nearest_power: auto`: the same among the powers of nearest (the usual one where nothing can be
 * left out).  @param[out] chosen scs_choose_shift_power_tried of it  @param[out] error
 * [SCS_N_POWER] */
SCS_MUST_USE scs_status scs_choose_shift_power(const scs_atlas *atlas, const scs_method *method,
                                               int *chosen, double *error);

/** A rule that weighs source types alone: in the place of the mixed model and of `auto`, which
 * weigh other perturbations and controls as well, nearest stands with its usual power. */
scs_method scs_choose_shift_typewise(const scs_method *method, const scs_config *config);

/** `shift: converging`: its convergence, of least error where groups are predicted from the others;
 * 0 where nothing can be left out. @param[out] error with it; NaN: nothing was left out */
SCS_MUST_USE scs_status scs_choose_shift_convergence(const scs_atlas *atlas,
                                                     const scs_method *method, double *convergence,
                                                     double *error);

/** The method that p-values go by: its weights must not have seen which cells are perturbed, which
 * the mixed model and `auto` have; in their place stand those of pools (`exchangeable`), of all
 * other species alike where the row's own does not show the perturbation. */
scs_method scs_choose_shift_blind(const scs_method *method, const scs_config *config);

/** Mean and variance (ddof 0) over cells of dec(z + delta), without decoding cells where the output
 * is linear.
 *
 *  mean = W mean(h) + b; variance of gene g = w_g' Cov(h) w_g (or, for few cells, by decoding
 * blocks: the choice depends on n, n_gene, n_hidden only). With output_relu blocks of cells are
 * decoded.
 *  @param z [n, n_latent]; borrowed  @param delta [n_latent] or NULL
 *  @param[out] mean, variance [n_gene]; variance may be NULL */
SCS_MUST_USE scs_status scs_decode_model_moments(const scs_model *model, const scs_real *z,
                                                 int64_t n, const double *delta, double *mean,
                                                 double *variance);

/** A predicted row. Arrays [n_gene], owned by the caller. */
typedef struct scs_prediction {
    float *mean, *shift, *variance; /**< shift = mean - control mean; variance may be NULL */
} scs_prediction;

/** Means and variances of one row. Arrays [n_gene], borrowed; variances all come together or not at
 * all. */
typedef struct scs_moments {
    const double *mean, *variance;
} scs_moments;

/** What a prediction is made of. */
typedef struct scs_evidence {
    const float *control_mean, *control_variance; /**< [n_gene] observed control cells */
    scs_moments shifted, baseline; /**< decoded with and without delta; `baseline` unused by decode,
                              neither used where blend is 0 */
    scs_moments change; /**< of the sources in gene space, where scs_predict_needs_change */
    double scale;       /**< of the decoder's change of means: scs_predict_fit_change */
    double shared;      /**< how much of the sources' own change it has then */
} scs_evidence;

/** Whether rows are made with the sources' own change in gene space. */
bool scs_predict_needs_change(const scs_method *method);
/** Factor of the decoder's change: 1, or with SCS_MAGNITUDE_SOURCES the one that brings it nearest
 *  to the sources' own change (least squares, 0 where they point apart). A decoder's changes are
 *  too small, how much so depends on the cells that it starts from; the sources' size is measured.
 *  @param[in,out] from its scale and shared are set */
void scs_predict_fit_change(const scs_method *method, int32_t n_gene, scs_evidence *from);

/** decode: dec(z + delta); edit: max(0, control + s (dec(z + delta) - dec(z))), s: scale;
 * blend: max(0, control + a s (dec(z + delta) - dec(z)) + (1 - a r) change), r: 1, or with
 * SCS_MAGNITUDE_SOURCES shared, so that the prediction keeps the size of the sources' change.
 * Variances likewise, without s and r. */
void scs_predict(const scs_method *method, int32_t n_gene, const scs_evidence *from,
                 scs_prediction *out);

/** NaN where undefined (constant vectors, no observed cells). */
typedef struct scs_scores {
    double r2_all, r2_deg, r2_variance, delta_pearson, r2_all_control, r2_deg_control;
    double change_size; /**< length of the predicted change / that of the observed one */
} scs_scores;

/** All NaN. */
scs_scores scs_score_none(void);
/** Pearson correlation (not squared) in double; NaN when either side is constant. With genes !=
 * NULL only those (n of them). */
double scs_score_pearson(const float *a, const float *b, const int32_t *gene, int64_t n);
/** Scores of a prediction against the observed group (all NaN when observed_group is -1). */
scs_scores scs_score(const scs_atlas *atlas, const scs_combination *target,
                     const scs_prediction *predicted);

/** How far a predicted row can be relied on. NaN where undefined or not asked for. */
typedef struct scs_confidence {
    double agreement; /**< mean cosine of the source types' shifts, over all pairs of them */
    double
        support; /**< percentile, 0 to 100, of the target's control mean (scs_confidence_support) */
    double energy_distance;  /**< of predicted and control cells in latent space */
    double delta_se;         /**< standard error of delta: root of the summed squares over units */
    double p_value, q_value; /**< of "there is a response" (permutations; Benjamini-Hochberg) */
    int8_t support_flag;     /**< support is beyond the 99th percentile */
} scs_confidence;
/** All NaN, no flag. */
scs_confidence scs_confidence_none(void);

#endif
