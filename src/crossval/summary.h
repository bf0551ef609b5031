/** What a validation says in short: means, and how each predictor stands to the best baseline and
 * to a repeat of the experiment. All functions are Local; rank 0 prints and writes.
 *
 *  A row without a prediction counts as no change in means and differences, and a correlation that
 *  is undefined for one predictor alone as 0: who predicts only what is easy gains nothing. A
 *  measure that a predictor never has (latent distances of gene-space arithmetic) is undefined for
 *  it, and rows in which nobody has it (one perturbation only) are left out.
 *
 *  For each measure, over combinations: u a predictor's mean, b that of the best baseline by this
 *  mean, r that of the replicate,
 *
 *      scaled      (u - b) / (r - b): 0 is the best baseline, 1 a repeat of the experiment (Virtual
 *                  Cell Challenge 2026); undefined where a repeat is not better than the baseline
 *      difference  mean of the paired differences to that baseline, turned so that more is better
 *      low, high   its 95 % interval: quantiles of SCS_SUMMARY_REPLICATES means of combinations
 *                  drawn with replacement. Cells are not drawn: the question is how it would go
 *                  with other combinations
 *      wins        combinations in which it is better than that baseline */
#ifndef SCS_SUMMARY_H
#define SCS_SUMMARY_H

#include "src/crossval/report.h"

#include <stdio.h>

enum { SCS_SUMMARY_REPLICATES = 1000 };

/** One predictor by one measure; NaN where undefined. */
typedef struct scs_summary_cell {
    int64_t n; /**< combinations in which the measure is defined; 0: not for this predictor */
    double mean, scaled, difference, low, high;
    int64_t wins;
} scs_summary_cell;

/** All of them. */
typedef struct scs_summary {
    scs_summary_cell *cell; /**< [predictors, SCS_N_MEASURE] */
    int baseline[64];       /**< [SCS_N_MEASURE] the best one; -1: none has the measure */
    int64_t *n_none;        /**< [predictors] combinations without a prediction */
    bool *made;             /**< [predictors] */
    int64_t n;              /**< combinations */
} scs_summary;

/** @param seed of the draws  @param[out] summary cleared even after a failure
 *  @return SCS_OK, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_summary_make(const scs_report_table *table, int64_t seed,
                                         scs_summary *summary);
/** Free all; zeroed is let through. */
void scs_summary_clear(scs_summary *summary);
/** A predictor's mean of a measure; NaN where it has none. */
double scs_summary_mean(const scs_summary *summary, int predictor, int measure);
/** Means of every predictor, the config's against the best baselines, then the verdict. */
void scs_summary_print(FILE *out, const scs_summary *summary);
/** Whether the network is ahead of the baselines; what beats no change, by r2_all, r2_deg and mse,
 *  or that nothing does; and which model to use, by the mean of r2_all, r2_deg and delta_pearson,
 *  of those that are ahead of no change in the first two together. A line each. */
void scs_summary_verdict(FILE *out, const scs_summary *summary);
/** All cells as a table, a line each: predictor, measure, combinations, mean, baseline, ... */
void scs_summary_write(FILE *out, const scs_summary *summary);

#endif
