/** The measures of a prediction, and the table of them.
 *
 *  One row of the table of measures gives name, source and direction of each; what is printed,
 *  written and averaged follows from it. doc/score.md has the definitions.
 *
 *  All functions are Local.
 */
#ifndef SCS_SCORECARD_H
#define SCS_SCORECARD_H

#include "src/score/cell_space.h"
#include "src/score/panel.h"

#include <stdio.h>

/** Numbers of a perturbation. */
enum scs_card_measure {
    SCS_CARD_PDS,
    SCS_CARD_MSE,
    SCS_CARD_DISTANCE,
    SCS_CARD_NORMALIZED_MSE, /**< of all perturbations together only */
    SCS_CARD_FIDELITY,
    SCS_CARD_REACH,
    SCS_CARD_JACCARD,
    SCS_CARD_NMAE,
    SCS_CARD_DES,
    SCS_CARD_PDS_L1,
    SCS_CARD_MAE,
    SCS_CARD_DELTA_PEARSON,
    SCS_CARD_DELTA_MAE,
    SCS_CARD_DELTA_MSE,
    SCS_CARD_DELTA_SIZE,
    SCS_CARD_R2_MEAN,
    SCS_CARD_R2_VARIANCE,
    SCS_CARD_R2_SD,
    SCS_CARD_E_DISTANCE,
    SCS_CARD_ENERGY_DISTANCE,
    SCS_CARD_MMD2,
    SCS_CARD_TOP,
    SCS_CARD_DEG_PREDICTED,
    SCS_CARD_DEG_REAL,
    SCS_N_CARD
};

/** A panel's numbers. */
typedef struct scs_scorecard {
    const scs_panel *panel;        /**< borrowed */
    double *value;                 /**< [perturbations, SCS_N_CARD] owned; NaN: not defined */
    int64_t *n_predicted, *n_real; /**< [perturbations] cells; owned */
    int64_t n_control;             /**< real controls */
    scs_cell_space space;          /**< in which populations are compared; owned */
    double mean[SCS_N_CARD];       /**< over the perturbations where it is defined */
    double baseline[SCS_N_CARD];   /**< the same of the baseline; NaN: none was asked for */
    double replicate[SCS_N_CARD];  /**< of a repeat of the experiment; NaN likewise */
} scs_scorecard;

/** Zeroed counts, NaN elsewhere. @param[out] card caller clears, also after a failure
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_scorecard_create(const scs_panel *panel, scs_scorecard *card);
/** Free what it owns; zeroed is let through. */
void scs_scorecard_clear(scs_scorecard *card);
/** Means over the perturbations where a measure is defined; the ratio of sums of the normalised
 *  error. @param value [n, SCS_N_CARD]  @param[out] mean [SCS_N_CARD] */
void scs_scorecard_mean(const double *value, int32_t n, double *mean);
/** (u - b) / (r - b): 0 at the baseline, 1 for a repeat of the experiment. NaN where one of them is
 *  none, or b is r. */
double scs_scorecard_scaled(const scs_scorecard *card, int measure);
/** For people, a line a measure. Labels are escaped. */
void scs_scorecard_print(const scs_scorecard *card, FILE *out);
/** Tab-separated: cell_type, perturbation, measure, value, baseline, replicate, scaled, a line for
 *  each measure of each perturbation and ("*") of all; "nan" where there is none.
 *  @param card [n] panels  @return SCS_ECREATE, SCS_EIO, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_scorecard_write(const scs_scorecard *card, int32_t n, const char *path);

#endif
