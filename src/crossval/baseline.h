/** Shifts of baselines that are no rule of screen.shift: what is plain enough that a model which
 *  does not beat it has learnt nothing of its own. All functions are Local.
 *
 *  With y(c, p) the shift of a seen group of cell type c under perturbation p (its mean less that
 * of its controls), for a target (c, p) that is held out:
 *
 *      others     mean over p' of y(c, p'): what the type's other perturbations share. Where the
 *                 type shows none, the mean of all seen shifts of the species, else of all species.
 *                 The strongest plain baseline of Vinas Torne et al. (Systema, Nature Biotechnology
 *                 2025: "non-control mean") and of Ahlmann-Eltze et al. (Nature Methods 2025).
 *      additive   mean over c' of y(c', p) + mean over p' of (y(c, p') - mean over c' of
 *                 y(c', p')): an effect of the perturbation and one of the type. In a grid that
 *                 lacks this one combination it is the least-squares estimate of
 *                 y = m + a_c + b_p. Where no other type shows p, or the type no other
 *                 perturbation, that part is left out.
 *
 *  Both are weighted sums of group means, as the rules are (scs_sources). A pair, or a dose that
 * was not seen, is taken to pieces as a screen does (scs_shift_components). */
#ifndef SCS_BASELINE_H
#define SCS_BASELINE_H

#include "scscreen/screen.h"

typedef enum scs_baseline {
    SCS_BASELINE_NONE, /**< a rule of screen.shift */
    SCS_BASELINE_OTHERS,
    SCS_BASELINE_ADDITIVE,
    SCS_BASELINE_RIDGE /**< no weighted sum: src/crossval/ridge.h */
} scs_baseline;

/** Groups and weights of the target's shift, from groups that are not held out and never from the
 *  target itself. kind is SCS_SOURCE_NONE and n is 0 where nothing was seen.
 *  @param baseline SCS_BASELINE_OTHERS or SCS_BASELINE_ADDITIVE
 *  @param[in,out] sources of scs_shift_sources_create  @return SCS_OK, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_baseline_find(const scs_atlas *atlas, scs_baseline baseline,
                                          const scs_combination *target, scs_sources *sources);

#endif
