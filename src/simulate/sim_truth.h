/** The truth of a simulated atlas, DIR/truth.h5ad: what a screen of it should predict.
 *
 *  A screen works on log1p(target n / total) of a cell's counts n. The mean of that is not the
 *  logarithm of a mean, so the truth is its expectation, E over library sizes L (log-normal) and
 *  counts n (negative binomial of mean L share):
 *
 *      value = E log1p(target n / L)
 *      bend  = half of E (x / (1 + x) + x / (1 + x)^2),  x = target n / L
 *
 *  The total of a cell differs from L by a factor of variance v = sum of shares^2 / dispersion +
 *  1 / L; to first order in v the expectation with the total is value + v bend. E over L is
 *  Gauss-Hermite with 5 points, E over n a sum over the distribution. One expectation is too
 *  costly for every gene of every group, but it is a smooth function of the share alone: a table
 *  over the logarithm of the share is made once and interpolated, with an error below 1e-4 log
 *  units (tests/unit/test_simulate).
 *
 *  All functions are Local.
 */
#ifndef SCS_SIM_TRUTH_H
#define SCS_SIM_TRUTH_H

#include "src/simulate/sim_model.h"

/** Both parts of an expectation, log units; see above. */
typedef struct scs_expected {
    double value, bend;
} scs_expected;

/** The expectation for a gene of this share, computed: thousands of terms.
 *  @param target counts per cell after normalisation  @param share in [0, 1] */
scs_expected scs_sim_truth_expected_log(const scs_sim *sim, double target, double share);

/** A table of them over the logarithm of the share. */
typedef struct scs_expectation {
    scs_expected *at; /**< owned; the number of points is fixed (src/simulate/sim_truth.c) */
} scs_expectation;

/** Make the table, with all threads. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_sim_truth_expectation_create(const scs_sim *sim, double target,
                                                         scs_expectation *table);
/** Free it. */
void scs_sim_truth_expectation_clear(scs_expectation *table);
/** value + v bend, from the table. @param share in [0, 1]  @param v 0: the total is L */
double scs_sim_truth_expectation_at(const scs_expectation *table, double share, double v);
/** v of a group. @param share [n_own] */
double scs_sim_truth_total_variance(const scs_sim *sim, const double *share);

/** Write the file: a row for each (species, type, perturbation), a column for each reference gene.
 *
 *      X                       expectation of a perturbed cell minus that of a control cell: what a
 *                              screen's layers/shift estimates
 *      layers/control, mean    the two expectations
 *      layers/log_fold_change  change of the model's log mean, before shares are normalised
 *
 *  SCS_ECREATE, SCS_EIO, SCS_ENOMEM.
 *  @param target counts per cell after normalisation; 0: the median library size */
SCS_MUST_USE scs_status scs_sim_write_truth(const scs_sim *sim, double target, const char *path);

#endif
