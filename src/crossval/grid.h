/** The grid of a validation: which combinations are scored, and what each model holds out for them.
 *  All functions are Local and give the same on every rank.
 *
 *  validate.protocol says what is held out together, a fold:
 *
 *      combination    one observed (species, cell type, perturbation[, dose]); validate.folds of
 *                     them share a model, which costs one training for all of them
 *      context        every perturbed cell of a cell type of a species, or of a species: its
 *                     controls alone are seen
 *      dose           every cell that got a dose, of all perturbations
 *      perturbation   every cell that got a perturbation, at any dose and in any pair
 *
 *  A combination is scored if other groups show its perturbation beside their controls while its
 *  fold is held out: else there would be nothing to learn it from, and a score would say nothing
 *  (with `perturbation` there never are; what is known of the perturbation then decides whether a
 *  row gets a prediction). What is held out does not depend on what is scored: a fold is held out
 *  as a whole, even if validate.perturbations selects some of its rows.
 */
#ifndef SCS_GRID_H
#define SCS_GRID_H

#include "scscreen/screen.h"

/** Owned as a whole; scs_grid_destroy frees it. */
typedef struct scs_grid {
    scs_plan *plan;      /**< combinations that are scored */
    int64_t n_model;     /**< one for each fold; combinations / folds, rounded up */
    int64_t *row_first;  /**< [n_model + 1] into row */
    int64_t *row;        /**< [plan->n] into plan->item, each once */
    int64_t *held_first; /**< [n_model + 1] into held */
    int32_t *held;       /**< groups that each model holds out, ascending */
    scs_names notes;     /**< what cannot be scored and why; a line each */
} scs_grid;

/** The combinations that config->validate selects, and their folds. With protocol combination,
 *  combination i is held out by model i % n_model, so that one model's are far apart in the list.
 *  @param atlas of a dataset that holds nothing out; borrowed until it returns
 *  @param[out] grid destroyed by the caller; NULL after a failure
 *  @return SCS_OK; SCS_EARG: no combination left, a name that does not exist, a key that the
 *  protocol does not know, or validate.folds leaves a perturbation nowhere to be learnt;
 *  SCS_ENOMEM */
SCS_MUST_USE scs_status scs_grid_create(const scs_config *config, const scs_atlas *atlas,
                                        scs_grid **grid);
/** Sets *grid to NULL; it may be NULL. */
void scs_grid_destroy(scs_grid **grid);
/** How many combinations of a model are scored. */
int64_t scs_grid_size(const scs_grid *grid, int64_t model);
/** Where the k-th of them stands in plan->item, 0 <= k < scs_grid_size. */
int64_t scs_grid_row(const scs_grid *grid, int64_t model, int64_t k);
/** The k-th itself; borrowed from the grid. */
const scs_combination *scs_grid_item(const scs_grid *grid, int64_t model, int64_t k);
/** Groups that a model holds out, ascending. @param[out] n how many  @return borrowed */
const int32_t *scs_grid_held(const scs_grid *grid, int64_t model, int64_t *n);
/** Make what a model holds out config->hold_out, by name, in place of what was there: training
 *  then treats them as a config that lists them would. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_grid_hold_out(const scs_grid *grid, const scs_atlas *atlas,
                                          int64_t model, scs_config *config);
/** "species_a, type_2, drug_1", "species_a, type_2, 4 combinations": what a model is scored on.
 * @return out */
char *scs_grid_describe(const scs_grid *grid, const scs_atlas *atlas, int64_t model, char *out,
                        size_t size);

#endif
