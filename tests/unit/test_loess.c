/* Local regression: parabolas come back as they are, ties and few points do no harm, and a cloud is
 * smoothed as scikit-misc 0.5.3 does it. */
#include "src/kernels/loess.h"
#include "tests/unit/suite.h"

#include <math.h>

enum { MOST = 200 };

/* A parabola is its own local fit, and the cubics between knots have it, too. */
static void parabolas_are_kept(void)
{
    double x[MOST], y[MOST], fitted[MOST];

    for (int i = 0; i < MOST; i++) {
        x[i] = (i * 77 % MOST) * 0.05 - 3;
        y[i] = 2 - 3 * x[i] + 0.5 * x[i] * x[i];
    }
    CHECK_OK(scs_loess_fit(x, y, MOST, 0.3, fitted));
    for (int i = 0; i < MOST; i++)
        CU_ASSERT_DOUBLE_EQUAL(fitted[i], y[i], 1e-9);
}

/* loess(x, y, span=0.3, degree=2) of skmisc.loess, at six of the points. */
static void is_what_scikit_misc_computes(void)
{
    static const int at[] = {0, 1, 13, 29, 44, 59};
    static const double expected[] = {-0.174473, -0.59343, -0.015184,
                                      -0.826592, 0.775633, 0.727671};
    double x[60], y[60], fitted[60];

    for (int i = 0; i < 60; i++) {
        x[i] = (i * 37 % 60) / 10.0;
        y[i] = sin(x[i]) + 0.1 * (i * 17 % 7 - 3);
    }
    CHECK_OK(scs_loess_fit(x, y, 60, 0.3, fitted));
    for (int k = 0; k < 6; k++)
        CU_ASSERT_DOUBLE_EQUAL(fitted[at[k]], expected[k], 2e-6);
}

/* Five places with many points each: a curve through their means, to which noise that adds up to
 * nothing makes no difference. */
static void ties_are_averaged(void)
{
    double x[MOST], y[MOST], fitted[MOST];

    for (int i = 0; i < MOST; i++) {
        x[i] = i % 5;
        y[i] = x[i] + (i / 5 % 2 ? 1 : -1);
    }
    CHECK_OK(scs_loess_fit(x, y, MOST, 0.7, fitted));
    for (int i = 0; i < MOST; i++)
        CU_ASSERT_DOUBLE_EQUAL(fitted[i], x[i], 0.05);
}

/* One place, two, three; no point at all. */
static void few_points_give_numbers(void)
{
    double x[] = {5, 5, 5, 6}, y[] = {1, 2, 3, 4}, fitted[4] = {0};

    CHECK_OK(scs_loess_fit(x, y, 0, 0.3, fitted));
    CHECK_OK(scs_loess_fit(x, y, 1, 0.3, fitted));
    CU_ASSERT_DOUBLE_EQUAL(fitted[0], 1, 1e-12);
    CHECK_OK(scs_loess_fit(x, y, 3, 1, fitted));
    for (int i = 0; i < 3; i++)
        CU_ASSERT_DOUBLE_EQUAL(fitted[i], 2, 1e-9);
    for (int n = 1; n <= 4; n++) {
        CHECK_OK(scs_loess_fit(x, y, n, 0.3, fitted));
        for (int i = 0; i < n; i++)
            CU_ASSERT(isfinite(fitted[i]));
    }
}

int main(void)
{
    static const scs_test tests[] = {
        {"parabolas are kept", parabolas_are_kept},
        {"is what scikit-misc computes", is_what_scikit_misc_computes},
        {"ties are averaged", ties_are_averaged},
        {"few points give numbers", few_points_give_numbers},
    };

    return run_suite("loess", tests, sizeof tests / sizeof *tests);
}
