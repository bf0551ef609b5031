/* Each estimator against a direct computation; what must never be used is poisoned with NaN. */
#include "scscreen/screen.h"
#include "tests/unit/small.h"

enum { S = 3, T = 4, C = 3, D = 6 }; /* condition 0 is the control */

/* All groups with random means, except where `absent` says so. */
static void build(scs_atlas **atlas, bool (*absent)(int s, int t, int c),
                  bool (*held_out)(int s, int t, int c))
{
    scs_names species = {0}, types = {0}, conditions = {0}, genes = {0};
    scs_group group[S * T * C];
    int32_t n = 0;

    name_list(&species, "species", S);
    name_list(&types, "type", T);
    name_list(&conditions, "condition", C);
    name_list(&genes, "gene", 2);
    for (int s = 0; s < S; s++)
        for (int t = 0; t < T; t++)
            for (int c = 0; c < C; c++)
                if (!absent || !absent(s, t, c))
                    group[n++] = (scs_group){s, t, c, held_out && held_out(s, t, c), 10 + s};
    CHECK_OK(scs_atlas_create_from(&species, &types, &conditions, &genes, 0, group, n, D, atlas));
    for (int32_t i = 0; i < n * D; i++)
        (*atlas)->mean[i] = group[i / D].held_out ? NAN : 2 * uniform(7, (uint64_t)i) - 1;
    scs_names_clear(&species);
    scs_names_clear(&types);
    scs_names_clear(&conditions);
    scs_names_clear(&genes);
}

static double *mean_of(const scs_atlas *a, int s, int t, int c)
{
    return a->mean + D * (int64_t)scs_atlas_group(a, s, t, c);
}

static scs_combination combination(const scs_atlas *a, int s, int t, int c)
{
    return (scs_combination){.species = s,
                             .cell_type = t,
                             .condition = c,
                             .control_group = scs_atlas_group(a, s, t, 0),
                             .observed_group = scs_atlas_group(a, s, t, c)};
}

static void shift(const scs_atlas *a, int method, int s, int t, int c, double *delta,
                  const char *source)
{
    scs_combination target = combination(a, s, t, c);
    char said[SCS_SOURCE_MAX];

    CHECK_OK(scs_shift(a, method, &target, delta, said));
    CU_ASSERT_STRING_EQUAL(said, source);
}

static void check(const double *delta, const double *expected)
{
    for (int j = 0; j < D; j++)
        CU_ASSERT_DOUBLE_EQUAL(delta[j], expected[j], 1e-12);
}

static double distance(const double *a, const double *b)
{
    double d = 0;

    for (int j = 0; j < D; j++)
        d += pow(a[j] - b[j], 2);
    return d;
}

/* Weighted mean of the changes of types in `use`, by 1 / squared-distance^2 to `near` (NULL: plain
 * mean). */
static void expect_paired(const scs_atlas *a, int s, int c, const bool *use, const double *near,
                          double *out)
{
    double all = 0;

    for (int j = 0; j < D; j++)
        out[j] = 0;
    for (int t = 0; t < T; t++) {
        const double *ctrl = mean_of(a, s, t, 0), *stim = mean_of(a, s, t, c);
        double w;

        if (!use[t])
            continue;
        w = near ? pow(distance(ctrl, near), -2) : 1;
        all += w;
        for (int j = 0; j < D; j++)
            out[j] += w * (stim[j] - ctrl[j]);
    }
    for (int j = 0; j < D; j++)
        out[j] /= all;
}

static bool type_1_of_condition_1(int s, int t, int c)
{
    return s == 0 && t == 1 && c == 1;
}

static void paired_and_nearest_are_weighted_means(void)
{
    static const bool use[] = {true, true, false, true};
    scs_atlas *a;
    double delta[D], expected[D];

    build(&a, NULL, NULL);
    shift(a, SCS_SHIFT_PAIRED, 1, 2, 1, delta, "own");
    expect_paired(a, 1, 1, use, NULL, expected);
    check(delta, expected);
    shift(a, SCS_SHIFT_NEAREST, 1, 2, 1, delta, "own");
    expect_paired(a, 1, 1, use, mean_of(a, 1, 2, 0), expected);
    check(delta, expected);
    scs_atlas_destroy(&a);
}

static void balanced_averages_each_condition_alone(void)
{
    scs_atlas *a;
    double delta[D], expected[D] = {0};

    build(&a, NULL, type_1_of_condition_1);
    for (int t = 0; t < T; t++)
        for (int j = 0; j < D; j++) { /* target type 2; type 1 is held out; controls all count */
            expected[j] -= mean_of(a, 0, t, 0)[j] / T;
            expected[j] += t == 1 || t == 2 ? 0 : mean_of(a, 0, t, 1)[j] / 2;
        }
    shift(a, SCS_SHIFT_BALANCED, 0, 2, 1, delta, "own");
    check(delta, expected);
    scs_atlas_destroy(&a);
}

/* A change that all types share is what every estimator gives (balanced: where controls and
 * perturbed types are alike). */
static void common_change_is_found(void)
{
    scs_atlas *a;
    double delta[D], common[D];

    build(&a, NULL, NULL);
    for (int j = 0; j < D; j++) {
        common[j] = j - 2.5;
        for (int t = 0; t < T; t++)
            mean_of(a, 0, t, 2)[j] = mean_of(a, 0, t, 0)[j] + common[j];
    }
    shift(a, SCS_SHIFT_PAIRED, 0, 3, 2, delta, "own");
    check(delta, common);
    shift(a, SCS_SHIFT_NEAREST, 0, 3, 2, delta, "own");
    check(delta, common);
    scs_atlas_destroy(&a);
}

static void held_out_and_target_are_never_used(void)
{
    scs_atlas *a;
    double before[D], after[D];

    build(&a, NULL, type_1_of_condition_1); /* its mean is NaN */
    for (int method = SCS_SHIFT_NEAREST; method <= SCS_SHIFT_BALANCED; method++)
        for (int s = 0; s < S; s++)
            for (int t = 0; t < T; t++) {
                double *own = mean_of(a, s, t, 1), kept = own[0];

                shift(a, method, s, t, 1, before, "own");
                own[0] = NAN;
                shift(a, method, s, t, 1, after, "own");
                own[0] = kept;
                CU_ASSERT(isfinite(before[0]));
                CU_ASSERT(memcmp(before, after, sizeof before) == 0);
            }
    scs_atlas_destroy(&a);
}

static void a_type_at_distance_zero_takes_all(void)
{
    scs_atlas *a;
    double delta[D], expected[D];

    build(&a, NULL, NULL);
    memcpy(mean_of(a, 2, 3, 0), mean_of(a, 2, 0, 0), sizeof expected);
    for (int j = 0; j < D; j++)
        expected[j] = mean_of(a, 2, 0, 1)[j] - mean_of(a, 2, 0, 0)[j];
    shift(a, SCS_SHIFT_NEAREST, 2, 3, 1, delta, "own");
    check(delta, expected);
    scs_atlas_destroy(&a);
}

static bool unseen_in_species_0(int s, int t, int c)
{
    (void)t;
    return s == 0 && c == 1;
}

/* Donors give their own estimates, the target's cell type among them, distances measured to the
 * target's controls. */
static void donors_are_averaged(void)
{
    static const bool all_types[] = {true, true, true, true};
    scs_atlas *a;
    double delta[D], one[D], two[D];

    build(&a, unseen_in_species_0, NULL);
    for (int method = SCS_SHIFT_NEAREST; method <= SCS_SHIFT_PAIRED; method++) {
        const double *near = method == SCS_SHIFT_NEAREST ? mean_of(a, 0, 2, 0) : NULL;

        shift(a, method, 0, 2, 1, delta, "donors: species1+species2");
        expect_paired(a, 1, 1, all_types, near, one);
        expect_paired(a, 2, 1, all_types, near, two);
        for (int j = 0; j < D; j++)
            one[j] = (one[j] + two[j]) / 2;
        check(delta, one);
    }
    shift(a, SCS_SHIFT_BALANCED, 0, 2, 1, delta, "donors: species1+species2");
    expect_paired(a, 1, 1, all_types, NULL,
                  one); /* all types in both conditions: the same as paired */
    expect_paired(a, 2, 1, all_types, NULL, two);
    for (int j = 0; j < D; j++)
        one[j] = (one[j] + two[j]) / 2;
    check(delta, one);
    scs_atlas_destroy(&a);
}

static bool seen_in_type_2_of_species_0(int s, int t, int c)
{
    return c == 1 && !(s == 0 && t == 2);
}

static void the_only_witness_speaks_for_itself(void)
{
    scs_atlas *a;
    double delta[D], expected[D];

    build(&a, seen_in_type_2_of_species_0, NULL);
    for (int j = 0; j < D; j++)
        expected[j] = mean_of(a, 0, 2, 1)[j] - mean_of(a, 0, 2, 0)[j];
    for (int method = SCS_SHIFT_NEAREST; method <= SCS_SHIFT_BALANCED; method++) {
        shift(a, method, 0, 2, 1, delta, "self");
        check(delta, expected);
    }
    shift(a, SCS_SHIFT_PAIRED, 1, 0, 1, delta, "donors: species0");
    check(delta, expected);
    scs_atlas_destroy(&a);
}

static bool condition_1(int s, int t, int c)
{
    (void)s, (void)t;
    return c == 1;
}

static void unknown_everywhere_is_refused(void)
{
    scs_atlas *a;
    double delta[D];
    char source[SCS_SOURCE_MAX];
    scs_combination target;

    build(&a, NULL, condition_1);
    target = combination(a, 1, 1, 1);
    CHECK_FAILS(scs_shift(a, SCS_SHIFT_NEAREST, &target, delta, source), SCS_EDATA,
                "no shift for species1, type1, condition1");
    scs_atlas_destroy(&a);
}

int main(void)
{
    static const scs_test tests[] = {
        {"paired and nearest are weighted means", paired_and_nearest_are_weighted_means},
        {"balanced averages each condition alone", balanced_averages_each_condition_alone},
        {"a common change is found", common_change_is_found},
        {"held-out and target are never used", held_out_and_target_are_never_used},
        {"a type at distance zero takes all", a_type_at_distance_zero_takes_all},
        {"donors are averaged", donors_are_averaged},
        {"the only witness speaks for itself", the_only_witness_speaks_for_itself},
        {"unknown everywhere is refused", unknown_everywhere_is_refused}};

    return run_suite("shift", tests, sizeof tests / sizeof *tests);
}
