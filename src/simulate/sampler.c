/** Draws from a stream (src/simulate/sampler.h has the methods and their sources).
 *
 *  Each draw's numbers are part of every simulated atlas: a change here changes the bytes of files
 *  that tests compare, and the counts that predicted cells get (src/cells/draw.c).
 */
#include "src/simulate/sampler.h"

#include "src/base/random.h"

#include <math.h>

scs_sampler scs_sampler_start(const scs_stream *stream)
{
    return (scs_sampler){.stream = *stream};
}

/* Words of a block in their order, then the next block. */
static uint32_t next_word(scs_sampler *s)
{
    if (s->left == 0) {
        scs_random_block(&s->stream, s->block++, s->word);
        s->left = 4;
    }
    return s->word[4 - s->left--];
}

/* The middle of one of 2^52 equal intervals. */
double scs_sampler_uniform(scs_sampler *sampler)
{
    uint64_t high = next_word(sampler), low = next_word(sampler);

    return ((double)((high << 32 | low) >> 12) + 0.5) * 0x1p-52;
}

/* Four words, whatever came before. */
double scs_sampler_normal(scs_sampler *sampler)
{
    double u = scs_sampler_uniform(sampler), v = scs_sampler_uniform(sampler);

    return sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * v);
}

/* Shape >= 1. Names and constants as in the paper; the first condition accepts nearly all,
 * without logarithms. */
static double gamma_large(scs_sampler *sampler, double shape)
{
    double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);

    for (;;) {
        double x = scs_sampler_normal(sampler), v = 1.0 + c * x, u;

        if (v <= 0.0)
            continue;
        v = v * v * v;
        u = scs_sampler_uniform(sampler);
        if (u < 1.0 - 0.0331 * (x * x) * (x * x) || log(u) < 0.5 * x * x + d * (1.0 - v + log(v)))
            return d * v;
    }
}

/* Below 1: gamma(shape + 1) times U^(1 / shape). */
double scs_sampler_gamma(scs_sampler *sampler, double shape)
{
    double larger;

    if (shape >= 1.0)
        return gamma_large(sampler, shape);
    larger = gamma_large(sampler, shape + 1.0);
    return larger * pow(scs_sampler_uniform(sampler), 1.0 / shape);
}

/* The sum of probabilities may end just below 1: past POISSON_MOST they are below 1e-100. */
enum { POISSON_MOST = 200 };

/* Add up probabilities until they pass u: `mean` steps on average. */
static int64_t poisson_inversion(scs_sampler *sampler, double mean)
{
    double u = scs_sampler_uniform(sampler), p = exp(-mean), sum = p;
    int64_t k = 0;

    while (u > sum && k < POISSON_MOST) {
        p *= mean / (double)++k;
        sum += p;
    }
    return k;
}

/* Algorithm PTRS with the constants of the paper's table; names as there. */
static int64_t poisson_rejection(scs_sampler *sampler, double mean)
{
    double b = 0.931 + 2.53 * sqrt(mean), a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2.0);
    double log_mean = log(mean);
    int sign;

    for (;;) {
        double u = scs_sampler_uniform(sampler) - 0.5, v = scs_sampler_uniform(sampler);
        double us = 0.5 - fabs(u), k = floor((2.0 * a / us + b) * u + mean + 0.43);

        if (us >= 0.07 && v <= v_r)
            return (int64_t)k;
        if (k < 0.0 || (us < 0.013 && v > us))
            continue;
        if (log(v * inverse_alpha / (a / (us * us) + b)) <=
            k * log_mean - mean - lgamma_r(k + 1.0, &sign))
            return (int64_t)k;
    }
}

/* At 10 the rejection's constants begin to hold (Hoermann: for means of 10 and more). */
int64_t scs_sampler_poisson(scs_sampler *sampler, double mean)
{
    return mean < 10.0 ? poisson_inversion(sampler, mean) : poisson_rejection(sampler, mean);
}

/* Mean / dispersion is the gamma's scale: its mean is `mean`, its variance mean^2 / dispersion. */
int64_t scs_sampler_count(scs_sampler *sampler, double mean, double dispersion)
{
    return scs_sampler_poisson(sampler, mean / dispersion * scs_sampler_gamma(sampler, dispersion));
}
