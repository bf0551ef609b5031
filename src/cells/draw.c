/* Inversion adds up probabilities until they pass a uniform number; sums are in double, and the
 * last bit of a sum that ends below 1 is cut off by a limit far out in the tail.
 *
 *  Why inversion: one uniform decides, so that a slightly other mean gives a slightly other count.
 *  src/cells/calibrate.h relies on that: cells that are made again differ from the first ones by
 *  what their mean differs, not by new noise. O(mean) steps, below 30. */
#include "src/cells/draw.h"

#include "src/base/hash64.h"
#include "src/simulate/sampler.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { GENE_BITS = 8, MOST_STEPS = 100000 };

/* Up to this mean by inversion: exp(-30) is far from underflow. */
static const double most_inverted = 30;

/* With the final NUL: "a", "bc" and "ab", "c" are two keys. */
static void add_text(scs_hash64 *sum, const char *text)
{
    scs_hash64_add(sum, text, (int64_t)strlen(text) + 1);
}

/* No dose is one of its own, whatever bits its NaN has. */
uint64_t scs_draw_key(int64_t seed, const char *species, const char *cell_type,
                      const char *perturbation, double dose)
{
    scs_hash64 sum = scs_hash64_begin();

    dose = isnan(dose) ? -1 : dose;
    scs_hash64_add(&sum, &seed, sizeof seed);
    add_text(&sum, species);
    add_text(&sum, cell_type);
    add_text(&sum, perturbation);
    scs_hash64_add(&sum, &dose, sizeof dose);
    return scs_hash64_end(&sum);
}

scs_stream scs_draw_cell(uint64_t key, int64_t cell)
{
    return (scs_stream){.seed = key, .purpose = SCS_RANDOM_CELLS, .cell = (uint64_t)cell};
}

/* A gene's numbers begin at a block of its own, whatever was drawn for others. */
static scs_sampler start(const scs_stream *cell, int32_t gene)
{
    scs_sampler s = scs_sampler_start(cell);

    s.block = (uint32_t)gene << GENE_BITS;
    return s;
}

/* Behind all genes; a block has four words, two of them a uniform. */
double scs_draw_uniform(const scs_stream *cell, int32_t i)
{
    scs_sampler s = start(cell, SCS_DRAW_GENES);

    s.block += (uint32_t)i / 2;
    if (i % 2)
        (void)scs_sampler_uniform(&s);
    return scs_sampler_uniform(&s);
}

/* n p <= most_inverted, p <= 1/2. */
static int64_t binomial(scs_sampler *s, int64_t n, double p)
{
    double u = scs_sampler_uniform(s), f, sum, odds = p / (1 - p);
    int64_t k = 0;

    if (n == 1)
        return u < p;
    f = exp((double)n * log1p(-p));
    sum = f;
    while (u > sum && k < n) {
        f *= odds * (double)(n - k) / (double)(k + 1);
        sum += f;
        k++;
    }
    return k;
}

/* Large counts in pieces: a sum of binomials is one. */
int64_t scs_draw_thin(const scs_stream *cell, int32_t gene, int64_t n, double p)
{
    bool flip = p > .5;
    double q = flip ? 1 - p : p;
    int64_t step, taken = 0;
    scs_sampler s;

    if (n <= 0 || p <= 0)
        return 0;
    if (p >= 1)
        return n;
    s = start(cell, gene);
    step = q * (double)n <= most_inverted ? n : (int64_t)(most_inverted / q);
    for (int64_t left = n; left > 0; left -= step)
        taken += binomial(&s, left < step ? left : step, q);
    return flip ? n - taken : taken;
}

/* u <= 1 - mean is within the probability of 0, which is 1 - mean at least: most draws of genes
 * that hardly show end here, without a logarithm. */
static bool is_zero(double u, double mean)
{
    return u <= 1 - mean;
}

/* p_k = p_(k-1) mean / k. */
int64_t scs_draw_poisson(const scs_stream *cell, int32_t gene, double mean)
{
    scs_sampler s = start(cell, gene);
    double u, p, sum;
    int64_t k = 0;

    if (mean > most_inverted)
        return scs_sampler_poisson(&s, mean);
    u = scs_sampler_uniform(&s);
    if (is_zero(u, mean))
        return 0;
    p = sum = exp(-mean);
    while (u > sum && k < MOST_STEPS) {
        p *= mean / (double)++k;
        sum += p;
    }
    return k;
}

/* Poisson of scale x gamma(shape), which is negative binomial. */
static int64_t gamma_poisson(scs_sampler *s, double shape, double scale)
{
    double u, p, sum, ratio = scale / (1 + scale);
    int64_t k = 0;

    if (shape * scale > most_inverted)
        return scs_sampler_poisson(s, scale * scs_sampler_gamma(s, shape));
    u = scs_sampler_uniform(s);
    if (is_zero(u, shape * scale))
        return 0;
    p = sum = exp(-shape * log1p(scale));
    while (u > sum && k < MOST_STEPS) {
        p *= ratio * (shape + (double)k) / (double)(k + 1);
        sum += p;
        k++;
    }
    return k;
}

/* Posterior of the rate: gamma of shape 1 / dispersion + y and mean (shape + y) mean / (shape0 +
 * mean), shape0 = 1 / dispersion; the missing part is (ratio - 1) of it. */
int64_t scs_draw_rise(const scs_stream *cell, int32_t gene, int64_t y, double ratio, double mean,
                      double dispersion)
{
    double shape = 1 / dispersion;
    scs_sampler s = start(cell, gene);

    return gamma_poisson(&s, shape + (double)y, (ratio - 1) * mean / (shape + mean));
}
