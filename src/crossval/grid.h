/** The grid of a validation: every combination that can be held out, and which ones a model holds
 * out together. All functions are Local and give the same on every rank. */
#ifndef SCS_GRID_H
#define SCS_GRID_H

#include "scscreen/screen.h"

typedef struct scs_grid {
    scs_plan *plan; /**< observed combinations that can be learnt from other groups */
    int64_t n_model;
    scs_names notes; /**< what cannot be held out and why; a line each */
} scs_grid;

/** The combinations that config->validate selects, dealt to models in turn: combination i is held
 * out by model i % n_model, so that one model's are far apart in the list.
 *  @param atlas of a dataset that holds nothing out
 *  SCS_EARG: no combination left, or validate.folds leaves a perturbation nowhere to be learnt. */
SCS_MUST_USE scs_status scs_grid_create(const scs_config *config, const scs_atlas *atlas,
                                        scs_grid **grid);
void scs_grid_destroy(scs_grid **grid);
/** How many combinations a model holds out. */
int64_t scs_grid_size(const scs_grid *grid, int64_t model);
/** The k-th of them. */
const scs_combination *scs_grid_item(const scs_grid *grid, int64_t model, int64_t k);
/** Make them config->hold_out. */
SCS_MUST_USE scs_status scs_grid_hold_out(const scs_grid *grid, const scs_atlas *atlas,
                                          int64_t model, scs_config *config);

#endif
