/* The decoder of means: each kind of processor's kernel against plain loops. */
#include "src/screen/decode_mean.c"

#include "src/base/random.h"
#include "tests/unit/suite.h"

#include <math.h>

enum { D = 37, N = 13 }; /* rows: whole groups and what is left of them */

typedef int (*kernel)(const double *panel, const double *hidden, int32_t d, int64_t n, double *out);

static double panel[D * WIDTH], hidden[N * D], expected[N * WIDTH];

static void fill(double *x, int64_t n, uint32_t purpose)
{
    scs_stream stream = {7, SCS_RANDOM_SIMULATE, purpose, 0};

    scs_random_normal(&stream, n, x);
}

static void multiply_plainly(void)
{
    fill(panel, D * WIDTH, 1);
    fill(hidden, N * D, 2);
    for (int64_t i = 0; i < N; i++)
        for (int64_t g = 0; g < WIDTH; g++) {
            expected[i * WIDTH + g] = 0;
            for (int64_t j = 0; j < D; j++)
                expected[i * WIDTH + g] += hidden[i * D + j] * panel[j * WIDTH + g];
        }
}

static void check_kernel(kernel run)
{
    double out[ROWS * WIDTH];
    int64_t wrong = 0;

    multiply_plainly();
    for (int64_t first = 0, taken; first < N; first += taken) {
        taken = run(panel, hidden + first * D, D, N - first, out);
        CU_ASSERT_FATAL(taken > 0 && taken <= ROWS && taken <= N - first);
        for (int64_t k = 0; k < taken * WIDTH; k++)
            wrong += !(fabs(out[k] - expected[first * WIDTH + k]) < 1e-13);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_here(void)
{
    check_kernel(SCS_OF_PROCESSOR(multiply));
}

static void test_plain(void)
{
    check_kernel(multiply_plain);
}

#if SCS_HAS_CLONES
static void test_v3(void)
{
    if (__builtin_cpu_supports("x86-64-v3"))
        check_kernel(multiply_v3);
    else
        printf("(not run: this processor is no x86-64-v3) ");
}
#endif

int main(void)
{
    static const scs_test tests[] = {
        {"this processor's kernel against plain loops", test_here},
        {"the kernel for any processor", test_plain},
#if SCS_HAS_CLONES
        {"the kernel for AVX2", test_v3},
#endif
    };

    return run_suite("mean_decoder", tests, sizeof tests / sizeof *tests);
}
