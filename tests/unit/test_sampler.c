/* The samplers draw from the distributions that they are named after: moments, and the distribution
 * function itself. */
#include "src/simulate/sampler.h"
#include "tests/unit/suite.h"

#include <math.h>

enum { N_DRAW = 200000, N_POISSON = 2000000 };

typedef double (*draw_fn)(scs_sampler *sampler, const double *parameter);

static double draw_uniform(scs_sampler *s, const double *p)
{
    (void)p;
    return scs_sampler_uniform(s);
}

static double draw_normal(scs_sampler *s, const double *p)
{
    (void)p;
    return scs_sampler_normal(s);
}

static double draw_gamma(scs_sampler *s, const double *p)
{
    return scs_sampler_gamma(s, p[0]);
}

static double draw_poisson(scs_sampler *s, const double *p)
{
    return (double)scs_sampler_poisson(s, p[0]);
}

static double draw_count(scs_sampler *s, const double *p)
{
    return (double)scs_sampler_count(s, p[0], p[1]);
}

static scs_sampler start(uint64_t cell)
{
    scs_stream stream = {42, SCS_RANDOM_SIMULATE, 7, cell};

    return scs_sampler_start(&stream);
}

/* Mean and variance within 5 standard errors; `fourth` is the fourth central moment. */
static void check_moments(draw_fn draw, const double *parameter, double mean, double variance,
                          double fourth)
{
    scs_sampler s = start(1);
    double sum = 0, square = 0;

    for (int i = 0; i < N_DRAW; i++) {
        double x = draw(&s, parameter) - mean;

        sum += x;
        square += x * x;
    }
    CU_ASSERT_DOUBLE_EQUAL(sum / N_DRAW, 0, 5 * sqrt(variance / N_DRAW));
    CU_ASSERT_DOUBLE_EQUAL(square / N_DRAW, variance,
                           5 * sqrt((fourth - variance * variance) / N_DRAW));
}

static void moments_of_continuous(void)
{
    static const double shapes[] = {0.05, 0.7, 1.0, 2.0, 50.0, 1e4};

    check_moments(draw_uniform, NULL, 0.5, 1.0 / 12, 1.0 / 80);
    check_moments(draw_normal, NULL, 0, 1, 3);
    for (int i = 0; i < 6; i++) {
        double k = shapes[i];

        check_moments(draw_gamma, &k, k, k, 3 * k * k + 6 * k);
    }
}

static void moments_of_counts(void)
{
    static const double means[] = {0, 1e-3, 0.4, 3, 9.99, 10, 37, 1e3, 1e6};
    static const double dispersions[] = {0.3, 2, 100};

    for (int i = 0; i < 9; i++) {
        double m = means[i];

        check_moments(draw_poisson, &m, m, m, 3 * m * m + m);
        for (int j = 0; m > 0 && j < 3; j++) {
            /* excess kurtosis 6 / dispersion + 1 / variance */
            double d = dispersions[j], v = m + m * m / d;
            const double parameter[2] = {m, d};

            check_moments(draw_count, parameter, m, v, 3 * v * v + 6 * v * v / d + v);
        }
    }
}

/* Poisson probabilities against a table of draws: chi-square over cells that expect 20 or more. */
static void poisson_distribution(double mean)
{
    enum { CELLS = 200 };
    double chi = 0, p = exp(-mean);
    int seen[CELLS] = {0}, cells = 0, negative = 0;
    scs_sampler s = start(2);

    for (int i = 0; i < N_POISSON; i++) {
        int64_t k = scs_sampler_poisson(&s, mean);

        negative += k < 0;
        seen[k < 0 || k >= CELLS ? CELLS - 1 : k]++;
    }
    for (int k = 0; k < CELLS - 1; k++) {
        double expected = p * N_POISSON;

        if (expected >= 20) {
            chi += (seen[k] - expected) * (seen[k] - expected) / expected;
            cells++;
        }
        p *= mean / (k + 1);
    }
    CU_ASSERT_EQUAL(negative, 0);
    CU_ASSERT(cells > 3);
    CU_ASSERT(chi < cells + 5 * sqrt(2.0 * cells)); /* 5 standard deviations */
}

static void poisson_has_its_probabilities(void)
{
    static const double means[] = {0.7, 9.9, 10, 14.5, 60};

    for (int i = 0; i < 5; i++)
        poisson_distribution(means[i]);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Gamma of shape 1 is the exponential, of shape 1/2 half a squared normal: Kolmogorov's distance.
 */
static void gamma_has_its_distribution(void)
{
    double *x;

    CHECK_OK(SCS_ALLOC(x, N_DRAW));
    for (int half = 0; half < 2; half++) {
        scs_sampler s = start(3);
        double distance = 0;

        for (int i = 0; i < N_DRAW; i++)
            x[i] = scs_sampler_gamma(&s, half ? 0.5 : 1.0);
        qsort(x, N_DRAW, sizeof *x, by_value);
        for (int i = 0; i < N_DRAW; i++) {
            double f = half ? erf(sqrt(x[i])) : -expm1(-x[i]);

            distance = fmax(distance, fabs(f - (i + 0.5) / N_DRAW));
        }
        CU_ASSERT(distance < 2.0 / sqrt(N_DRAW)); /* passed by chance in 0.07 % only */
    }
    free(x);
}

static void streams_are_reproducible_and_apart(void)
{
    scs_sampler a = start(4), b = start(4), c = start(5);
    int same = 0;

    for (int i = 0; i < 1000; i++) {
        double x = scs_sampler_gamma(&a, 2);

        CU_ASSERT_EQUAL(x, scs_sampler_gamma(&b, 2));
        same += x == scs_sampler_gamma(&c, 2);
    }
    CU_ASSERT_EQUAL(same, 0);
}

int main(void)
{
    static const scs_test tests[] = {
        {"uniform, normal and gamma have their moments", moments_of_continuous},
        {"Poisson and negative binomial have their moments", moments_of_counts},
        {"Poisson has its probabilities on both sides of the switch",
         poisson_has_its_probabilities},
        {"gamma has its distribution", gamma_has_its_distribution},
        {"the same stream gives the same draws, another does not",
         streams_are_reproducible_and_apart},
    };

    return run_suite("sampler", tests, sizeof tests / sizeof *tests);
}
