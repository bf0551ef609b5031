/* Eigenvectors by Lanczos against matrices whose eigenvectors are known. */
#include "src/kernels/lanczos.h"
#include "src/base/random.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <string.h>

enum { N = 300, TOP = 12, B = SCS_LANCZOS_BLOCK };

/* A = Q diag(value) Q', Q = (1 - 2 u u')(1 - 2 w w'): dense, and all of it is known. */
typedef struct known {
    double u[N], w[N], value[N];
    int n_call, fail_at; /* 0: never */
} known;

static void unit(double *x, uint64_t cell)
{
    scs_stream stream = {.seed = 5, .purpose = SCS_RANDOM_SIMULATE, .cell = cell};
    double square = 0;

    scs_random_normal(&stream, N, x);
    for (int i = 0; i < N; i++)
        square += x[i] * x[i];
    for (int i = 0; i < N; i++)
        x[i] /= sqrt(square);
}

static void open_known(known *k)
{
    *k = (known){0};
    unit(k->u, 1);
    unit(k->w, 2);
}

static void reflect(const double *u, double *x)
{
    double dot = 0;

    for (int i = 0; i < N; i++)
        dot += u[i] * x[i];
    for (int i = 0; i < N; i++)
        x[i] -= 2 * dot * u[i];
}

static scs_status apply(void *ctx, const double *block, double *product)
{
    known *k = ctx;

    if (++k->n_call == k->fail_at)
        return SCS_FAIL(SCS_EIO, "no product");
    for (int c = 0; c < B; c++) {
        double x[N];

        for (int i = 0; i < N; i++)
            x[i] = block[i * B + c];
        reflect(k->u, x);
        reflect(k->w, x);
        for (int i = 0; i < N; i++)
            x[i] *= k->value[i];
        reflect(k->w, x);
        reflect(k->u, x);
        for (int i = 0; i < N; i++)
            product[i * B + c] = x[i];
    }
    return SCS_OK;
}

/* Values as known (value[0] is the largest); columns orthonormal, and A v = value v. */
static void check(known *k, const double *value, const double *vector)
{
    static double image[N * B], block[N * B];

    for (int t = 0; t < TOP; t++)
        CU_ASSERT_DOUBLE_EQUAL(value[t], k->value[t], 1e-13 * k->value[0]);
    for (int s = 0; s < TOP; s++)
        for (int t = 0; t <= s; t++) {
            double dot = 0;

            for (int i = 0; i < N; i++)
                dot += vector[i * TOP + s] * vector[i * TOP + t];
            CU_ASSERT_DOUBLE_EQUAL(dot, s == t, 1e-12);
        }
    for (int t = 0; t < TOP; t++) {
        for (int i = 0; i < N; i++)
            block[i * B] = vector[i * TOP + t];
        CHECK_OK(apply(k, block, image));
        for (int i = 0; i < N; i++)
            CU_ASSERT_DOUBLE_EQUAL(image[i * B], value[t] * block[i * B],
                                   1e-10 * k->value[t] + 1e-13 * k->value[0]);
    }
}

static void search(known *k)
{
    static double vector[N * TOP];
    double value[TOP];
    bool found;

    CHECK_OK(scs_lanczos(apply, k, N, TOP, 500, value, vector, &found));
    CU_ASSERT_TRUE_FATAL(found);
    check(k, value, vector);
}

/* A few that stand out, and a tail of close ones, as cells have them. */
static void finds_what_is_known(void)
{
    known k;

    open_known(&k);
    for (int i = 0; i < N; i++)
        k.value[i] = i < 4 ? 100 - 20 * i : 2 - .006 * i;
    search(&k);
}

/* As exact as if it were not there. */
static void finds_small_ones_below_a_large_one(void)
{
    known k;

    open_known(&k);
    for (int i = 0; i < N; i++)
        k.value[i] = i < 1 ? 1e4 : 2 - .006 * i;
    search(&k);
}

/* More of one eigenvalue than a block has columns, and below it others that are found at once: a
 * search that ends as soon as it has twelve ends with eight of the ten, and two of these. */
static void finds_all_of_an_eigenvalue(void)
{
    known k;

    open_known(&k);
    for (int i = 0; i < N; i++)
        k.value[i] = i < 1 ? 30 : i < 11 ? 10 : i < 20 ? 5 - .2 * i : 1e-3 - 3e-6 * i;
    search(&k);
}

/* Of three directions and of none: the others have the value 0. */
static void of_few_directions(void)
{
    known k;

    open_known(&k);
    search(&k);
    k.value[0] = 3;
    k.value[1] = 2;
    k.value[2] = 1e-3;
    search(&k);
}

/* All alike, and eigenvalues below 0, which are not asked for however large they are. */
static void of_one_value_and_below_zero(void)
{
    known k;

    open_known(&k);
    for (int i = 0; i < N; i++)
        k.value[i] = 7;
    search(&k);
    for (int i = 0; i < N; i++)
        k.value[i] = 5 - .05 * i;
    search(&k);
}

static void the_same_bits_again(void)
{
    static double a[N * TOP], b[N * TOP];
    double value[TOP];
    bool found;
    known k;

    open_known(&k);
    for (int i = 0; i < N; i++)
        k.value[i] = 1. / (1 + i);
    CHECK_OK(scs_lanczos(apply, &k, N, TOP, 500, value, a, &found));
    CHECK_OK(scs_lanczos(apply, &k, N, TOP, 500, value, b, &found));
    CU_ASSERT_EQUAL(memcmp(a, b, sizeof a), 0);
}

static void says_that_it_gives_up(void)
{
    static double vector[N * TOP];
    double value[TOP];
    bool found = true;
    known k;

    open_known(&k);
    for (int i = 0; i < N; i++)
        k.value[i] = 2 - .006 * i;
    CHECK_OK(scs_lanczos(apply, &k, N, TOP, 4, value, vector, &found));
    CU_ASSERT_FALSE(found);
    CU_ASSERT_EQUAL(k.n_call, 4);
    k.fail_at = 7;
    CHECK_FAILS(scs_lanczos(apply, &k, N, TOP, 500, value, vector, &found), SCS_EIO, "no product");
    CU_ASSERT_FALSE(found);
    CHECK_FAILS(scs_lanczos(apply, &k, (int32_t)scs_lanczos_least(TOP) - 1, TOP, 500, value, vector,
                            &found),
                SCS_EINTERNAL, "too many");
}

int main(void)
{
    static const scs_test tests[] = {
        {"finds what is known", finds_what_is_known},
        {"finds small ones below a large one", finds_small_ones_below_a_large_one},
        {"finds all of an eigenvalue", finds_all_of_an_eigenvalue},
        {"of few directions", of_few_directions},
        {"of one value, and below zero", of_one_value_and_below_zero},
        {"the same bits again", the_same_bits_again},
        {"says that it gives up", says_that_it_gives_up},
    };

    return run_suite("lanczos", tests, sizeof tests / sizeof *tests);
}
