/** What a combination's shift is put together from, and the rules that estimate one. All functions
 *  are Local.
 *
 *  A combination is taken to pieces first: components, each a condition that cells were seen in.
 *  Each is estimated in one species at a time (scs_estimate) by the rule of screen.shift
 *  (src/config/rule.h). The exported entry is scs_shift_sources_find in scscreen/screen.h.
 */
#ifndef SCS_SHIFT_H
#define SCS_SHIFT_H

#include "scscreen/screen.h"

enum { SCS_MAX_PARTS = 4 }; /* two perturbations, two doses each */

/** A measured condition in the target's place, and how much of its shift counts: 1, or with
 *  doses the way between two of them. */
typedef struct scs_shift_component {
    scs_combination target;
    double share;
} scs_shift_component;

/** Take a combination to pieces.
 *
 *  One component, itself, where its condition can be estimated. A dose about which nothing is
 *  known lies between the nearest lower and higher doses about which something is known (in the
 *  species; else across species), on the scale of scs_dose_way; without a lower one, between no
 *  shift at dose 0 and the higher one; above the largest, there are no components: shifts are
 *  not extrapolated. A pair is the sum of its two, each of them taken to pieces likewise.
 *  @param[out] part [SCS_MAX_PARTS]  @return how many; 0: no prediction */
int32_t scs_shift_components(const scs_atlas *atlas, const scs_method *method,
                             const scs_combination *target, scs_shift_component *part);

/** What one species is asked: the shift of a target under one condition. Borrowed. */
typedef struct scs_estimate {
    const scs_atlas *atlas;
    const scs_method *method;
    int32_t species;   /**< whose groups are used */
    int32_t leave_out; /**< cell type that must not show its perturbed cells: the target's, or -1 */
    int32_t condition;
    int32_t target_group; /**< the combination's control cells */
    const double *target; /**< [n_latent] their mean */
    bool weigh;           /**< weights are wanted */
} scs_estimate;

/** Whether weights are those of the atlas as it was measured, also where means are drawn anew: of
 * rules that learn them from the perturbed cells, and of several rules. */
bool scs_shift_rule_fixed(const scs_method *method);
/** Whether rows have errors without a bootstrap: there is a mixed model, which says what to expect
 * of any rule, and the decoder has at most half of the change. */
bool scs_shift_rule_knows_error(const scs_method *method);
/** How much of the method is this rule: 1 of the only one. @param shift of the rule */
double scs_shift_rule_share(const scs_method *method, int shift);
/** How much of it the mixed model has, limited or not. */
double scs_shift_rule_mixed_share(const scs_method *method);

#endif
