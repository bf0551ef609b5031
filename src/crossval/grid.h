/** The grid of a validation: every combination that can be held out, and which ones a model holds
 *  out together. All functions are Local and give the same on every rank.
 *
 *  A combination can be held out if other groups show its perturbation beside their controls: else
 *  there would be nothing to learn it from, and a score would say nothing. validate.folds
 *  combinations share a model (1: leave one out), which costs one training for all of them.
 */
#ifndef SCS_GRID_H
#define SCS_GRID_H

#include "scscreen/screen.h"

/** Owned as a whole; scs_grid_destroy frees it. */
typedef struct scs_grid {
    scs_plan *plan;  /**< observed combinations that can be learnt from other groups */
    int64_t n_model; /**< combinations / folds, rounded up */
    scs_names notes; /**< what cannot be held out and why; a line each */
} scs_grid;

/** The combinations that config->validate selects, dealt to models in turn: combination i is
 *  held out by model i % n_model, so that one model's are far apart in the list.
 *  @param atlas of a dataset that holds nothing out; borrowed until it returns
 *  @param[out] grid destroyed by the caller; NULL after a failure
 *  @return SCS_OK; SCS_EARG: no combination left, a name that does not exist, or validate.folds
 *  leaves a perturbation nowhere to be learnt; SCS_ENOMEM */
SCS_MUST_USE scs_status scs_grid_create(const scs_config *config, const scs_atlas *atlas,
                                        scs_grid **grid);
void scs_grid_destroy(scs_grid **grid);
/** How many combinations a model holds out. */
int64_t scs_grid_size(const scs_grid *grid, int64_t model);
/** The k-th of them, 0 <= k < scs_grid_size; borrowed from the grid. */
const scs_combination *scs_grid_item(const scs_grid *grid, int64_t model, int64_t k);
/** Make a model's combinations config->hold_out, by name, in place of what was there: training
 *  then treats them as a config that lists them would. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_grid_hold_out(const scs_grid *grid, const scs_atlas *atlas,
                                          int64_t model, scs_config *config);

#endif
