/** What a screen does to every cell type: perturbations, doses and pairs. All functions are Local.
 *
 *  A treatment is a perturbation, or a pair of them, at one dose. screen.perturbations chooses the
 *  labels, screen.doses the doses, and screen.order: 2 adds every pair of what was chosen; a pair
 *  A+B is the same treatment whichever of the two is named first.
 */
#ifndef SCS_TREATMENTS_H
#define SCS_TREATMENTS_H

#include "src/data/pairing.h"
#include "scscreen/screen.h"

/** A growing list of treatments. */
typedef struct scs_treatments {
    const scs_atlas *atlas; /**< borrowed, as the rest of the first four */
    const scs_config *config;
    scs_names *pairs;    /**< labels of pairs are added here */
    scs_pairing pairing; /**< which labels are pairs; owned */
    int64_t n;
    scs_combination *item; /**< [n] without species, type and groups */
} scs_treatments;

/** None yet. SCS_EARG: screen.doses without data.dose, or a dose that is none. Clear it even
 *  after a failure. */
SCS_MUST_USE scs_status scs_treatments_create(const scs_config *config, const scs_atlas *atlas,
                                              scs_names *pairs, scs_treatments *treatments);
/** Free what it owns; atlas, config and pairs are the caller's. Zeroed is let through. */
void scs_treatments_clear(scs_treatments *treatments);
/** Add a perturbation by its label: at one dose, or (NaN) at those of screen.doses. A label that is
 * a pair becomes one where screen.order is 2. */
SCS_MUST_USE scs_status scs_treatments_add(scs_treatments *treatments, int32_t label, double dose);
/** Add the pair of two single perturbations, in either order, at one dose or (NaN) at those of
 * screen.doses. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_treatments_add_pair(scs_treatments *treatments, int32_t a, int32_t b,
                                                double dose);
/** Treatments of the chosen labels and, where screen.order is 2, all pairs of chosen singles; each
 * once, in the order of scs_treatments_order. SCS_ENOMEM. O(chosen^2 doses) with pairs.
 *  @param chosen [perturbations] */
SCS_MUST_USE scs_status scs_treatments_choose(scs_treatments *treatments, const bool *chosen);
/** By perturbation, second (none before any), dose: for qsort over scs_combination. */
int scs_treatments_order(const void *a, const void *b);

#endif
