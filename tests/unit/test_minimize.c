/* The minimum is found where it is known, and not left for a step that cannot be made. */
#include "src/kernels/minimize.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <string.h>

/* 100 (y - x^2)^2 + (1 - x)^2 (Rosenbrock 1960) in pairs of variables, each pair turned to 1, 1 */
static scs_status valley(void *ctx, const double *x, double *gradient, double *value)
{
    int pairs = *(int *)ctx;

    *value = 0;
    for (int k = 0; k < 2 * pairs; k += 2) {
        double off = x[k + 1] - x[k] * x[k], left = 1 - x[k];

        *value += 100 * off * off + left * left;
        gradient[k] = -400 * off * x[k] - 2 * left;
        gradient[k + 1] = 200 * off;
    }
    return SCS_OK;
}

static void finds_the_end_of_a_valley(void)
{
    double x[20], value;
    int pairs = 10;

    for (int k = 0; k < 20; k++)
        x[k] = k % 2 ? 1 + .1 * k : -1.2;
    CHECK_OK(scs_minimize(valley, &pairs, 20, 500, 1e-14, x, &value));
    CU_ASSERT(value < 1e-10);
    for (int k = 0; k < 20; k++)
        CU_ASSERT_DOUBLE_EQUAL(x[k], 1, 1e-4);
}

/* x - log x where x > 0, nowhere else */
static scs_status half_line(void *ctx, const double *x, double *gradient, double *value)
{
    (void)ctx;
    *value = x[0] > 0 ? x[0] - log(x[0]) : INFINITY;
    gradient[0] = x[0] > 0 ? 1 - 1 / x[0] : 0;
    return SCS_OK;
}

static void stays_where_the_function_is_defined(void)
{
    double x = .01, value;

    CHECK_OK(scs_minimize(half_line, NULL, 1, 200, 1e-15, &x, &value));
    CU_ASSERT_DOUBLE_EQUAL(x, 1, 1e-6);
    x = 1.9;
    CHECK_OK(scs_minimize(half_line, NULL, 1, 200, 1e-15, &x, &value));
    CU_ASSERT_DOUBLE_EQUAL(x, 1, 1e-6);
    x = -1;
    CHECK_OK(scs_minimize(half_line, NULL, 1, 200, 1e-15, &x, &value));
    CU_ASSERT_EQUAL(x, -1);
    CU_ASSERT(isinf(value));
}

static scs_status fails(void *ctx, const double *x, double *gradient, double *value)
{
    (void)x, (void)gradient, (void)value;
    if (--*(int *)ctx == 0)
        return SCS_FAIL(SCS_ENOMEM, "no more");
    return valley(&(int){1}, x, gradient, value);
}

static void passes_failures_on(void)
{
    for (int at = 1; at < 4; at++) {
        double x[2] = {-1.2, .7}, value;
        int left = at;

        CHECK_FAILS(scs_minimize(fails, &left, 2, 100, 0, x, &value), SCS_ENOMEM, "no more");
    }
}

int main(void)
{
    static const scs_test tests[] = {
        {"finds the end of a valley", finds_the_end_of_a_valley},
        {"stays where the function is defined", stays_where_the_function_is_defined},
        {"passes failures on", passes_failures_on},
    };

    return run_suite("minimize", tests, sizeof tests / sizeof *tests);
}
