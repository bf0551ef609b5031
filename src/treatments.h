/** What a screen does to every cell type: perturbations, doses, pairs. All functions are Local. */
#ifndef SCS_TREATMENTS_H
#define SCS_TREATMENTS_H

#include "scscreen/screen.h"
#include "src/pairing.h"

typedef struct scs_treatments {
    const scs_atlas *atlas; /**< borrowed, as the rest of the first four */
    const scs_config *config;
    scs_names *pairs; /**< labels of pairs are added here */
    scs_pairing pairing;
    int64_t n;
    scs_combination *item; /**< [n] without species, type and groups */
} scs_treatments;

/** None yet. SCS_EARG: screen.doses without data.dose, or a dose that is none. */
SCS_MUST_USE scs_status scs_treatments_create(const scs_config *config, const scs_atlas *atlas,
                                              scs_names *pairs, scs_treatments *treatments);
void scs_treatments_clear(scs_treatments *treatments);
/** Add a perturbation by its label: at one dose, or (NaN) at those of screen.doses. A label that is
 * a pair becomes one where screen.order is 2. */
SCS_MUST_USE scs_status scs_treatments_add(scs_treatments *treatments, int32_t label, double dose);
/** Add a pair of single perturbations, as above. */
SCS_MUST_USE scs_status scs_treatments_add_pair(scs_treatments *treatments, int32_t a, int32_t b,
                                                double dose);
/** Those of the chosen labels and, where screen.order is 2, all pairs of chosen singles; each once,
 * ordered by perturbation, second, dose. @param chosen [perturbations] */
SCS_MUST_USE scs_status scs_treatments_choose(scs_treatments *treatments, const bool *chosen);

/** By perturbation, second (none before any), dose: for qsort over scs_combination. */
int scs_treatment_order(const void *a, const void *b);

#endif
