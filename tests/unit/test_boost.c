/* Boosted trees learn what they are shown, and say no more than that. */
#include "src/kernels/boost.h"
#include "tests/unit/fixture_atlas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 4000, F = SCS_BOOST_FEATURES };

/* Points in a cube of side 2, one in four of them in one place of the last feature, as genes that
 * nothing expresses are; nothing random in it. */
static void make_points(float *x)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < F; j++)
            x[i * F + j] = j == F - 1 && i % 4 == 0 ? 0 : 2 * uniform(3, (uint64_t)(i * F + j)) - 1;
}

static float bent(const float *x)
{
    return (x[0] > .2f ? 1 : 0) - x[1] * (x[2] > 0 ? 1 : 0);
}

static scs_boost *fit(const float *x, const float *y, int64_t n)
{
    scs_boost *b;

    CHECK_OK(SCS_ALLOC(b, 1));
    CHECK_OK(scs_boost_fit(x, y, n, b));
    return b;
}

/* What was learnt of a point, from tree to tree. */
static double at(const scs_boost *b, const float *x)
{
    double sum = b->level;

    for (int32_t t = 0; t < b->n_tree; t++) {
        const scs_boost_tree *tree = &b->tree[t];
        int32_t to = tree->n_node > 0 ? 0 : -1;

        while (to >= 0)
            to = x[tree->feature[to]] < tree->threshold[to] ? tree->below[to] : tree->above[to];
        sum += tree->value[-1 - to];
    }
    return sum;
}

/* A step, and a slope where another feature is above 0: most of it after 60 steps of a tenth. */
static void a_step_and_a_slope_are_learnt(void)
{
    static float x[N * F], y[N];
    double off = 0, all = 0, mean = 0;
    scs_boost *b;

    make_points(x);
    for (int i = 0; i < N; i++)
        mean += (y[i] = bent(x + i * F)) / (double)N;
    b = fit(x, y, N);
    CU_ASSERT_EQUAL(b->n_tree, SCS_BOOST_TREES);
    CU_ASSERT_DOUBLE_EQUAL(b->level, mean, 1e-9);
    for (int i = 0; i < N; i++) {
        double miss = at(b, x + i * F) - y[i];

        off += miss * miss;
        all += (y[i] - mean) * (y[i] - mean);
    }
    CU_ASSERT(off < .02 * all);
    free(b);
}

/* The first tree of a plain step: its threshold between the two sides, a tenth of their means. */
static void the_first_split_is_where_the_step_is(void)
{
    static float x[N * F], y[N];
    double sum[2] = {0}, level = 0;
    int n[2] = {0};
    scs_boost *b;

    make_points(x);
    for (int i = 0; i < N; i++) {
        int above = x[i * F + 1] >= .5f;

        y[i] = above ? 3 : -1;
        sum[above] += y[i];
        n[above]++;
        level += y[i] / (double)N;
    }
    b = fit(x, y, N);
    CU_ASSERT_EQUAL(b->tree[0].feature[0], 1);
    CU_ASSERT(fabs(b->tree[0].threshold[0] - .5f) < .02);
    CU_ASSERT_DOUBLE_EQUAL(at(b, (float[]){0, -.9f, 0}), -1, .01);
    CU_ASSERT_DOUBLE_EQUAL(at(b, (float[]){0, .9f, 0}), 3, .01);
    CU_ASSERT(sum[1] / n[1] > level && sum[0] / n[0] < level);
    free(b);
}

static void beyond_the_points_nothing_is_extrapolated(void)
{
    static float x[N * F], y[N];
    scs_boost *b;

    make_points(x);
    for (int i = 0; i < N; i++)
        y[i] = x[i * F];
    b = fit(x, y, N);
    CU_ASSERT_EQUAL(at(b, (float[]){1e6f, 0, 0}), at(b, (float[]){1, 0, 0}));
    CU_ASSERT(fabs(at(b, (float[]){-1e6f, 0, 0})) < 1.05);
    free(b);
}

/* Leaves have SCS_BOOST_LEAST points or more, so that too few points, or nothing to tell them
 * apart by, leave their mean. */
static void few_points_or_one_place_have_their_mean(void)
{
    static float x[N * F], y[N];
    scs_boost *b;

    make_points(x);
    for (int i = 0; i < N; i++)
        y[i] = i % 2 ? 5 : 1;
    b = fit(x, y, 2 * SCS_BOOST_LEAST - 1);
    CU_ASSERT_EQUAL(b->n_tree, 0);
    CU_ASSERT_DOUBLE_EQUAL(at(b, x), b->level, 0);
    free(b);
    memset(x, 0, sizeof x);
    b = fit(x, y, N);
    CU_ASSERT_EQUAL(b->n_tree, 0);
    CU_ASSERT_DOUBLE_EQUAL(at(b, (float[]){9, 9, 9}), 3, 1e-9);
    free(b);
}

static void the_same_points_give_the_same_bits(void)
{
    static float x[N * F], y[N];
    scs_boost *a, *b;

    make_points(x);
    for (int i = 0; i < N; i++)
        y[i] = bent(x + i * F) + .1f * uniform(5, (uint64_t)i);
    a = fit(x, y, N);
    b = fit(x, y, N);
    CU_ASSERT(memcmp(a, b, sizeof *a) == 0);
    free(a);
    free(b);
}

/* Many points at a time say what one at a time says, to the last bit; 1,024 of them, and some more,
 * and a feature that is -0 where a threshold is 0. */
static void many_points_are_as_one(void)
{
    static float x[N * F], y[N], column[N * F];
    static double out[N];
    scs_boost *b;

    make_points(x);
    for (int i = 0; i < N; i++)
        y[i] = bent(x + i * F) + .1f * uniform(5, (uint64_t)i);
    b = fit(x, y, N);
    for (int t = 0; t < b->n_tree; t++)
        for (int k = 0; k < b->tree[t].n_node; k++)
            if (fabsf(b->tree[t].threshold[k]) < .02f)
                b->tree[t].threshold[k] = 0;
    x[F - 1] = -0.f;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < F; j++)
            column[j * N + i] = x[i * F + j];
    for (int i = 0; i < N; i++)
        out[i] = i;
    scs_boost_add(b, column, N, .75, out);
    for (int i = 0; i < N; i++) {
        double expected = i;

        expected += .75 * at(b, x + i * F);
        CU_ASSERT_EQUAL(out[i], expected);
    }
    b->n_tree = 1; /* a tree without a split */
    b->tree[0].n_node = 0;
    out[0] = 0;
    scs_boost_add(b, column, N, 1, out);
    CU_ASSERT_EQUAL(out[0], b->level + b->tree[0].value[0]);
    free(b);
}

int main(void)
{
    static const scs_test tests[] = {
        {"a step and a slope are learnt", a_step_and_a_slope_are_learnt},
        {"the first split is where the step is", the_first_split_is_where_the_step_is},
        {"beyond the points nothing is extrapolated", beyond_the_points_nothing_is_extrapolated},
        {"few points or one place have their mean", few_points_or_one_place_have_their_mean},
        {"the same points give the same bits", the_same_points_give_the_same_bits},
        {"many points are as one", many_points_are_as_one},
    };

    return run_suite("boost", tests, sizeof tests / sizeof *tests);
}
