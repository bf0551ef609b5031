/** Expected log1p-normalised expression of a gene, as a function of its share of a cell's counts.
 * All functions are Local. */
#ifndef SCS_SIM_TRUTH_H
#define SCS_SIM_TRUTH_H

#include "src/simulate/sim_model.h"

/** E log1p(target * n / total), n negative binomial of mean L * share, L log-normal as
 * scs_sim_library draws it.
 *
 *  value: with L for the total. The total of a cell differs from L by a factor of variance v = sum
 * of shares^2 / dispersion + 1 / L; to first order in v this adds v * bend, bend = half of E (x /
 * (1 + x) + x / (1 + x)^2), x = target * n / L. */
typedef struct scs_expected {
    double value, bend;
} scs_expected;

scs_expected scs_sim_truth_expected_log(const scs_sim *sim, double target, double share);

/** The same from a table over the logarithm of the share, by linear interpolation (error below 1e-4
 * log units). */
typedef struct scs_expectation {
    scs_expected *at; /**< [SCS_EXPECTATION_POINTS] */
} scs_expectation;

SCS_MUST_USE scs_status scs_sim_truth_expectation_create(const scs_sim *sim, double target,
                                                         scs_expectation *table);
void scs_sim_truth_expectation_clear(scs_expectation *table);
/** @param share in [0, 1]  @param v variance of the total around L, relative; 0 = the total is L */
double scs_sim_truth_expectation_at(const scs_expectation *table, double share, double v);
/** v of a group. @param share [n_own] */
double scs_sim_truth_total_variance(const scs_sim *sim, const double *share);

#endif
