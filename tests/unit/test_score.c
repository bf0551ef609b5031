/* Scores against hand-computed values and a direct computation. */
#include "scscreen/screen.h"
#include "tests/unit/fixture_atlas.h"

enum { N = 200 };

static void pearson_by_hand(void)
{
    static const float a[] = {1, 2, 3, 4}, b[] = {2, 4, 6, 8}, c[] = {4, 3, 2, 1},
                       d[] = {1, 3, 2, 4};
    static const float flat[] = {.1f, .1f, .1f, .1f};
    static const int32_t two[] = {1, 2};

    CU_ASSERT_DOUBLE_EQUAL(scs_score_pearson(a, b, NULL, 4), 1, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(scs_score_pearson(a, c, NULL, 4), -1, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(scs_score_pearson(a, d, NULL, 4), .8, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(scs_score_pearson(a, d, two, 2), -1, 1e-15);
    CU_ASSERT(isnan(scs_score_pearson(a, flat, NULL, 4)));
    CU_ASSERT(isnan(scs_score_pearson(flat, a, NULL, 4)));
    CU_ASSERT(isnan(scs_score_pearson(a, b, NULL, 0)));
    CU_ASSERT(isnan(scs_score_pearson(a, b, NULL, 1)));
}

/* A large offset must not swamp a small spread. */
static void pearson_does_not_cancel(void)
{
    float a[N], b[N];

    for (int i = 0; i < N; i++) {
        a[i] = 4096 + (float)(i % 7) / 1024;
        b[i] = (float)(i % 7);
    }
    CU_ASSERT_DOUBLE_EQUAL(scs_score_pearson(a, b, NULL, N), 1, 1e-12);
}

typedef struct setup {
    scs_atlas *atlas;
    scs_combination target;
    float mean[N], shift[N], variance[N];
} setup;

static void begin(setup *t)
{
    static const scs_group group[] = {{0, 0, 0, false, 51}, {0, 0, 1, true, 61}};
    scs_names one = {0}, conditions = {0}, genes = {0};

    name_list(&one, "a", 1);
    name_list(&conditions, "c", 2);
    name_list(&genes, "g", N);
    CHECK_OK(scs_atlas_create_from(&one, &one, &conditions, &genes, 0, group, 2, 2, &t->atlas));
    for (uint64_t i = 0; i < 2 * N; i++) {
        t->atlas->gene_mean[i] = uniform(1, i);
        t->atlas->gene_variance[i] = uniform(2, i);
    }
    for (uint64_t i = 0; i < N; i++) {
        t->mean[i] = uniform(3, i) + t->atlas->gene_mean[N + i];
        t->shift[i] = uniform(5, i);
        t->variance[i] = uniform(4, i) + t->atlas->gene_variance[N + i];
    }
    for (int32_t i = 0; i < 40; i++)
        t->atlas->deg[SCS_N_DEG + i] = 3 * i; /* 40 genes, then -1 */
    t->target = (scs_combination){.condition = 1, .observed_group = 1, .held_out = true};
    scs_names_clear(&one);
    scs_names_clear(&conditions);
    scs_names_clear(&genes);
}

/* Pearson from sums in long double. @param step every step-th of the first `last` genes */
static double direct(const float *a, const float *b, const float *base, int last, int step)
{
    long double n = 0, sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;

    for (int i = 0; i < last; i += step) {
        long double x = a[i] - (base ? (long double)base[i] : 0);
        long double y = b[i] - (base ? (long double)base[i] : 0);

        n++, sa += x, sb += y, aa += x * x, bb += y * y, ab += x * y;
    }
    return (double)((n * ab - sa * sb) / sqrtl((n * aa - sa * sa) * (n * bb - sb * sb)));
}

static void scores_equal_a_direct_computation(void)
{
    setup t;
    scs_prediction p = {t.mean, t.shift, t.variance};
    const float *control, *observed;
    double mine = 0, theirs = 0, noise = 0;
    scs_scores s;

    begin(&t);
    control = t.atlas->gene_mean;
    observed = control + N;
    s = scs_score(t.atlas, &t.target, &p);
    CU_ASSERT_DOUBLE_EQUAL(s.r2_all, pow(direct(t.mean, observed, NULL, N, 1), 2), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(s.r2_deg, pow(direct(t.mean, observed, NULL, 120, 3), 2), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(
        s.r2_variance, pow(direct(t.variance, t.atlas->gene_variance + N, NULL, N, 1), 2), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(s.delta_pearson, direct(t.mean, observed, control, N, 1), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(s.r2_all_control, pow(direct(control, observed, NULL, N, 1), 2), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(s.r2_deg_control, pow(direct(control, observed, NULL, 120, 3), 2),
                           1e-12);
    for (int32_t g = 0; g < N; g++) {
        mine += pow((double)t.shift[g], 2);
        theirs += pow((double)observed[g] - control[g], 2);
        noise +=
            (double)t.atlas->gene_variance[g] / 50 + (double)t.atlas->gene_variance[N + g] / 60;
    }
    CU_ASSERT_DOUBLE_EQUAL(s.change_size, sqrt(mine / (theirs - noise)), 1e-12);
    CU_ASSERT(noise > .05 * theirs && noise < .75 * theirs);
    t.atlas->group[1].count = 2; /* noise is most of what is observed */
    CU_ASSERT(isnan(scs_score(t.atlas, &t.target, &p).change_size));
    t.atlas->group[1].count = 1; /* nobody knows */
    CU_ASSERT(isnan(scs_score(t.atlas, &t.target, &p).change_size));
    scs_atlas_destroy(&t.atlas);
}

static void nothing_observed_is_nan(void)
{
    setup t;
    scs_prediction p = {t.mean, t.shift, NULL};
    scs_scores s;

    begin(&t);
    s = scs_score(t.atlas, &t.target, &p);
    CU_ASSERT(isnan(s.r2_variance) && !isnan(s.r2_all));
    p.mean = t.atlas->gene_mean; /* the prediction is the control: no change to correlate */
    p.shift = (float[N]){0};
    s = scs_score(t.atlas, &t.target, &p);
    CU_ASSERT(isnan(s.delta_pearson) && s.r2_all == s.r2_all_control && s.change_size == 0);
    t.target.observed_group = -1;
    s = scs_score(t.atlas, &t.target, &p);
    CU_ASSERT(isnan(s.r2_all) && isnan(s.r2_deg) && isnan(s.r2_variance));
    CU_ASSERT(isnan(s.delta_pearson) && isnan(s.r2_all_control) && isnan(s.r2_deg_control));
    CU_ASSERT(isnan(s.change_size));
    scs_atlas_destroy(&t.atlas);
}

int main(void)
{
    static const scs_test tests[] = {
        {"Pearson by hand", pearson_by_hand},
        {"Pearson does not cancel", pearson_does_not_cancel},
        {"scores equal a direct computation", scores_equal_a_direct_computation},
        {"nothing observed is NaN", nothing_observed_is_nan}};

    return run_suite("score", tests, sizeof tests / sizeof *tests);
}
