/** Whose perturbed cells give a predicted cell what its template lacks: the source groups that
 *  show the combination's perturbation, or else like ones, by their weight in its shift. All
 *  functions are Local. */
#ifndef SCS_DONORS_H
#define SCS_DONORS_H

#include "scscreen/screen.h"

typedef struct scs_donors {
    int32_t n;
    int32_t *group;   /**< [n] perturbed groups; not held out, each with cells */
    int32_t *control; /**< [n] control cells of their type and species, or -1 */
    double *weight;   /**< [n] above 0, sum to 1 */
} scs_donors;

/** From the shift's sources: those groups that show the combination's perturbation (of a pair
 *  either one, of a dose that was not measured its neighbours) and count for more than 0. Where a
 *  rule weighs none of them so, all of them alike. A perturbation that no source shows
 *  (screen.perturbation_features) has the eight perturbed groups of largest weight. n = 0: none has
 *  a weight above 0.
 *  @param sources of the combination (scs_shift_sources_find)
 *  @param[out] donors caller clears, also after SCS_ENOMEM */
SCS_MUST_USE scs_status scs_donors_find(const scs_atlas *atlas, const scs_method *method,
                                        const scs_combination *target, const scs_sources *sources,
                                        scs_donors *donors);
/** Free the arrays; there are no donors then. */
void scs_donors_clear(scs_donors *donors);

/** How much larger libraries of perturbed cells are than those of controls: the weighted geometric
 *  mean over donors that have controls; 1 where none has.
 *  @param library [n_group] mean library of each group's cells */
double scs_donors_library_factor(const scs_donors *donors, const double *library);

#endif
