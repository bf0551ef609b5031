#include "src/simulate_expectation.h"

#include <math.h>
#include <stdlib.h>

/* Gauss-Hermite nodes and weights for a standard normal, 5 points (Abramowitz and Stegun,
 * table 25.10, rescaled). */
enum { NODES = 5 };
static const double node[NODES] = {-2.8569700138728056, -1.3556261799742659, 0.0,
                                   1.3556261799742659, 2.8569700138728056};
static const double weight[NODES] = {0.011257411327720689, 0.2220759220056126, 0.53333333333333333,
                                     0.2220759220056126, 0.011257411327720689};

/* Logarithm of the negative binomial's probability, at real x too. */
static double log_probability(double x, double mean, double dispersion)
{
    int sign;

    return lgamma_r(x + dispersion, &sign) - lgamma_r(dispersion, &sign) -
           lgamma_r(x + 1.0, &sign) - dispersion * log1p(mean / dispersion) +
           x * log(mean / (mean + dispersion));
}

/* For n of this mean, x = scale * n. Exact below 1024; above, blocks of n / 1024 numbers stand for
 * their middle, which is finer than any negative binomial bends there. */
static scs_expected expected_of_count(double mean, double dispersion, double scale)
{
    double sd = sqrt(mean + mean * mean / dispersion), total = 0.0;
    double n = floor(fmax(0.0, mean - 12.0 * sd));
    scs_expected sum = {0.0, 0.0};

    if (mean <= 0.0)
        return sum;
    for (;;) {
        double step = fmax(1.0, floor(n / 1024.0)), middle = n + 0.5 * (step - 1.0);
        double p = step * exp(log_probability(middle, mean, dispersion)), x = scale * middle;

        total += p;
        sum.value += p * log1p(x);
        sum.bend += 0.5 * p * (x / (1.0 + x) + x / ((1.0 + x) * (1.0 + x)));
        n += step;
        if (n > mean && p < 1e-13)
            return (scs_expected){sum.value / total, sum.bend / total};
    }
}

scs_expected scs_expected_log(const scs_sim *sim, double target, double share)
{
    const double sd = SCS_SIM_LIBRARY_SD;
    scs_expected sum = {0.0, 0.0};

    for (int i = 0; i < NODES; i++) {
        double library = sim->counts * exp(sd * node[i] - 0.5 * sd * sd);
        scs_expected e = expected_of_count(library * share, sim->dispersion, target / library);

        sum.value += weight[i] * e.value;
        sum.bend += weight[i] * e.bend;
    }
    return sum;
}

/* The table's points are even in the logarithm of the share, from LOWEST to 0. */
static const double lowest = -28.0;

scs_status scs_expectation_create(const scs_sim *sim, double target, scs_expectation *table)
{
    const int last = SCS_EXPECTATION_POINTS - 1;

    SCS_TRY(SCS_ALLOC(table->at, SCS_EXPECTATION_POINTS));
#pragma omp parallel for schedule(dynamic, 8)
    for (int i = 0; i <= last; i++)
        table->at[i] = scs_expected_log(sim, target, exp(lowest * (1.0 - (double)i / last)));
    return SCS_OK;
}

void scs_expectation_clear(scs_expectation *table)
{
    free(table->at);
    table->at = NULL;
}

double scs_expectation_at(const scs_expectation *table, double share, double v)
{
    const int last = SCS_EXPECTATION_POINTS - 1;
    double at = share > 0.0 ? (1.0 - log(share) / lowest) * last : 0.0;
    int i = at <= 0.0 ? 0 : at >= last - 1 ? last - 1 : (int)at;
    double part = fmax(0.0, at - i);
    const scs_expected *low = &table->at[i], *high = low + 1;

    return (1.0 - part) * (low->value + v * low->bend) + part * (high->value + v * high->bend);
}

double scs_total_variance(const scs_sim *sim, const double *share)
{
    double square = 0.0;

    for (int32_t g = 0; g < sim->n_own; g++)
        square += share[g] * share[g];
    return square / sim->dispersion + 1.0 / sim->counts;
}
