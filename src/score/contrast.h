/** What is compared with what: each cell's group among the predicted and among the real ones.
 *
 *  A prediction is scored by its own cells against the real ones. What its score is worth is told
 *  by comparing real cells with one another in the same way: those of perturbations at random
 *  (a baseline), those of two halves of the experiment (a replicate). All of these are labels on
 *  the same cells, so that one kind of pass through the genes serves them all.
 *
 *  All functions are Local, and alike on all ranks.
 */
#ifndef SCS_CONTRAST_H
#define SCS_CONTRAST_H

#include "src/score/panel.h"

typedef enum scs_side { SCS_PREDICTED, SCS_REAL, SCS_N_SIDE } scs_side;

/** Owned. */
typedef struct scs_contrast {
    int64_t n_cell;
    int32_t n;                  /**< perturbations; group n is the control */
    int32_t *group[SCS_N_SIDE]; /**< [n_cell] the cell's group on this side, -1: none */
    int64_t *count[SCS_N_SIDE]; /**< [n + 1] cells of each group */
    bool controls_predict;      /**< the real controls stand for every perturbation's predicted
                                     cells, whose groups are not looked at */
    bool own_control;           /**< predicted cells are tested against predicted controls, not
                                     against the real ones */
} scs_contrast;

/** The prediction against the real cells. @param[out] contrast caller clears, also after a failure
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_contrast_predict(const scs_panel *panel, scs_contrast *contrast);
/** The mean response against the real cells: every perturbed cell takes part once more, as a
 *  prediction of a perturbation that is not its own, drawn at random; each group keeps its size.
 *  @param[out] possible false where there is one perturbation only, or one has more than half of
 *              the cells: there is no such draw then, and the contrast is empty */
SCS_MUST_USE scs_status scs_contrast_mean(const scs_panel *panel, int64_t seed,
                                          scs_contrast *contrast, bool *possible);
/** One half of the real cells of each group against the other, controls and all; with an odd number
 *  one cell is left out, and a group of one cell. Each half has its own controls.
 *  @param split from 0: each is another way to halve */
SCS_MUST_USE scs_status scs_contrast_split(const scs_panel *panel, int64_t seed, int64_t split,
                                           scs_contrast *contrast);
/** Free all; the contrast is empty then. */
void scs_contrast_clear(scs_contrast *contrast);

#endif
