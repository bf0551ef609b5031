/** Expected log1p-normalised expression of a gene, as a function of its share of a cell's counts.
 * All functions are Local. */
#ifndef SCS_SIMULATE_EXPECTATION_H
#define SCS_SIMULATE_EXPECTATION_H

#include "src/simulate_model.h"

/** A table over the logarithm of the share, read by linear interpolation (error below 1e-4 log
 * units). */
typedef struct scs_expectation {
    double *value; /**< [SCS_EXPECTATION_POINTS] */
} scs_expectation;

enum { SCS_EXPECTATION_POINTS = 1024 };

/** E log1p(target * n / L), L log-normal as scs_sim_library draws it, n negative binomial of mean L
 * * share. The cell's total is taken for L: they differ by about 1 / sqrt(L) and the counts' own
 * dispersion. */
double scs_expected_log(const scs_sim *sim, double target, double share);
SCS_MUST_USE scs_status scs_expectation_create(const scs_sim *sim, double target,
                                               scs_expectation *table);
void scs_expectation_clear(scs_expectation *table);
/** @param share in [0, 1] */
double scs_expectation_at(const scs_expectation *table, double share);

#endif
