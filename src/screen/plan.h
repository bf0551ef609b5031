/** The rows of a screen. All functions are Local.
 *
 *  A row is a treatment (src/screen/treatments.h) of one cell type of one species. Treatments are
 *  chosen first, for all types alike, then crossed with species and types, or read one by one from
 *  screen.combinations. O(rows) memory, the same on every rank.
 */
#ifndef SCS_PLAN_H
#define SCS_PLAN_H

#include "scscreen/screen.h"

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
/** The group of cells "SPECIES,TYPE,CONDITION[,DOSE]", the control among the conditions; SPECIES
 *  `all` where there is one. SCS_EARG: a name that the data do not have, with the nearest;
 * SCS_EDATA: no such cells.
 *  @param key of the words, for messages */
SCS_MUST_USE scs_status scs_plan_named_group(const scs_atlas *atlas, const char *words,
                                             const char *key, int32_t *group);
/** Free all that a plan holds; it is empty then. */
void scs_plan_clear(scs_plan *plan);
/** Rows of screen.combinations, in the file's order; a row without species once for each, one
 * without dose once for each of screen.doses. */
SCS_MUST_USE scs_status scs_plan_read(const scs_config *config, const scs_atlas *atlas,
                                      scs_plan *plan);

#endif
