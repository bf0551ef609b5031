/** One species' say about a perturbation: weights of its groups. All functions are Local. */
#ifndef SCS_ESTIMATE_H
#define SCS_ESTIMATE_H

#include "src/parts.h"

typedef struct scs_estimate {
    const scs_atlas *atlas;
    const scs_method *method;
    int32_t species;   /**< whose groups are used */
    int32_t leave_out; /**< cell type that must not show its perturbed cells: the target's, or -1 */
    int32_t condition;
    int32_t target_group; /**< the combination's control cells */
    const double *target; /**< [n_latent] their mean */
} scs_estimate;

/** A rule of screen.shift: how one species' groups are weighed. A new one is a value of
 * scs_shift_method before SCS_SHIFT_AUTO, its word in the key table and its row in src/estimate.c.
 */
typedef struct scs_shift_rule {
    const char *name;
    bool needs_pairs; /**< learns from types with control and perturbed cells; else from any
                         perturbed and any control cells of the species */
    bool uses_power;  /**< scs_method.power is its own */
    bool tried_by_auto;
    /** Add scale x the rule's weights to the sources; asked only where scs_can_estimate. */
    scs_status (*add)(const scs_estimate *e, double scale, scs_sources *sources);
} scs_shift_rule;

/** NULL for SCS_SHIFT_AUTO and past the end. @param shift scs_shift_method */
const scs_shift_rule *scs_shift_rule_at(int shift);

/** Squared distance of a control group from the target's: by mean expression where the atlas has
 * measured it, else in latent space. */
double scs_control_distance(const scs_estimate *e, int32_t group);

/** Groups of one type, -1 where they may not be used. */
int32_t scs_control_of(const scs_estimate *e, int32_t type);
int32_t scs_perturbed_of(const scs_estimate *e, int32_t type);
/** Whether the type was seen in both conditions. */
bool scs_is_paired(const scs_estimate *e, int32_t type);
/** Squared distance of the paired type nearest to the target. */
double scs_nearest_distance(const scs_estimate *e);

/** Whether the species can say anything about this condition. */
bool scs_can_estimate(const scs_estimate *e);
/** Add scale x the estimate's weights to the sources. */
SCS_MUST_USE scs_status scs_estimate_add(const scs_estimate *e, double scale, scs_sources *sources);
/** Ask the species that saw the part's condition, as method->cross_species says, and say which in
 * the sources' text. The kind stays NONE where there is none. */
SCS_MUST_USE scs_status scs_ask_donors(const scs_estimate *own, const scs_part *part,
                                       scs_sources *sources);
/** The shift is learnt from this: into the sources' kind and text, "own", "donors: a", then "+b".
 * @param species whose groups they are; NULL: the target's own */
void scs_sources_tell(scs_sources *sources, scs_source_kind kind, const char *species);
/** Add to a group's weight. */
void scs_sources_add(scs_sources *sources, int32_t group, double weight);

/** Weights of paired types by ridge regression of their shifts on their control means, evaluated at
 * the target: they sum to 1. @param type [n] paired types  @param[out] weight [n] */
SCS_MUST_USE scs_status scs_regression_weights(const scs_estimate *e, const int32_t *type,
                                               int32_t n, double *weight);

#endif
