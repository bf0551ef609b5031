/** What a screen does to every cell type (perturbations, doses, pairs), and the rows that follow.
 *  All functions are Local.
 *
 *  A treatment is a perturbation, or a pair of them, at one dose; a row is a treatment of one cell
 *  type of one species. Treatments are chosen first, for all types alike, then crossed with
 *  species and types, or read one by one from screen.combinations.
 */
#ifndef SCS_PLAN_H
#define SCS_PLAN_H

#include "src/data/pairing.h"
#include "scscreen/screen.h"

/** A growing list of treatments. */
typedef struct scs_plan_treatments {
    const scs_atlas *atlas; /**< borrowed, as the rest of the first four */
    const scs_config *config;
    scs_names *pairs;    /**< labels of pairs are added here */
    scs_pairing pairing; /**< which labels are pairs; owned */
    int64_t n;
    scs_combination *item; /**< [n] without species, type and groups */
} scs_plan_treatments;

/** None yet. SCS_EARG: screen.doses without data.dose, or a dose that is none. Clear it even
 *  after a failure. */
SCS_MUST_USE scs_status scs_plan_treatments_create(const scs_config *config, const scs_atlas *atlas,
                                                   scs_names *pairs,
                                                   scs_plan_treatments *treatments);
/** Free what it owns; atlas, config and pairs are the caller's. Zeroed is let through. */
void scs_plan_treatments_clear(scs_plan_treatments *treatments);
/** Add a perturbation by its label: at one dose, or (NaN) at those of screen.doses. A label that is
 * a pair becomes one where screen.order is 2. */
SCS_MUST_USE scs_status scs_plan_treatments_add(scs_plan_treatments *treatments, int32_t label,
                                                double dose);

/** What screen.restrict and screen.min_cells keep from speaking, as atlas->silent. To be called
 * wherever an atlas is made that shifts are estimated on. SCS_EARG for a type that does not exist,
 * or a glob that selects none; SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_plan_restrict(const scs_config *config, scs_atlas *atlas);

/** Append a row with its groups; the plan grows as needed.
 *  @param what its treatment: condition, perturbation, second, pair, dose */
SCS_MUST_USE scs_status scs_plan_add_treated(const scs_atlas *atlas, int32_t species,
                                             int32_t cell_type, const scs_combination *what,
                                             scs_plan *plan);
/** Append every perturbed group that may be used and has controls beside it. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_plan_seen(const scs_atlas *atlas, scs_plan *plan);
/** Rows named in words, "SPECIES,TYPE,PERTURBATION[,DOSE]"; SPECIES `all` stands for each species,
 * no dose for those of screen.doses. In a plan's order, each once. SCS_EARG: a name that the data
 * do not have, with the nearest.
 *  @param key of the words, for messages  @param[out] plan caller destroys; NULL after an error */
SCS_MUST_USE scs_status scs_plan_named(const scs_config *config, const scs_atlas *atlas,
                                       const scs_names *words, const char *key, scs_plan **plan);
/** Free all that a plan holds; it is empty then. */
void scs_plan_clear(scs_plan *plan);
/** Rows of screen.combinations, in the file's order; a row without species once for each, one
 * without dose once for each of screen.doses. */
SCS_MUST_USE scs_status scs_plan_read(const scs_config *config, const scs_atlas *atlas,
                                      scs_plan *plan);

#endif
