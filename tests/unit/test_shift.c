/* Each estimator against a direct computation; what must never be used is poisoned with NaN. */
#include "src/screen/correction.h"
#include "src/screen/mixed_atlas.h"
#include "src/screen/shift_error.h"
#include "src/config/rule.h"
#include "src/screen/shift.h"
#include "tests/unit/configs.h"
#include "tests/unit/fixture_atlas.h"

enum { S = 3, T = 4, C = 3, D = 6, G = 6 }; /* condition 0 is the control; G genes */

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
    name_list(&genes, "gene", G);
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

/* What a species that never saw the perturbation asks; ridge of the regression. */
static _Thread_local int cross_species = SCS_CROSS_MEAN;
static const double ridge = .3;

static void shift(const scs_atlas *a, int method, int s, int t, int c, double *delta,
                  const char *source)
{
    scs_combination target = combination(a, s, t, c);
    scs_method how = {.shift = method, .power = 4, .cross_species = cross_species, .ridge = ridge};
    scs_sources *sources;

    CHECK_OK(scs_shift_sources_create(a, &sources));
    CHECK_OK(scs_shift_sources_find(a, &how, &target, sources));
    scs_shift_sources_latent(a, sources, delta);
    CU_ASSERT_STRING_EQUAL(sources->text, source);
    scs_shift_sources_destroy(&sources);
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

/* With measured controls closeness is that of mean expression, whatever the latent means say. */
static void measured_controls_are_close_by_expression(void)
{
    scs_atlas *a;
    double delta[D], expected[D] = {0}, all = 0;

    build(&a, NULL, NULL);
    for (int32_t i = 0; i < a->n_group; i++)
        for (int g = 0; g < 2; g++)
            a->gene_mean[i * G + g] = uniform(9, (uint64_t)(2 * i + g));
    CHECK_OK(scs_shift_measure_controls(a));
    shift(a, SCS_SHIFT_NEAREST, 1, 2, 1, delta, "own");
    for (int t = 0; t < T; t++) {
        const float *near = a->gene_mean + G * (int64_t)scs_atlas_group(a, 1, t, 0);
        const float *target = a->gene_mean + G * (int64_t)scs_atlas_group(a, 1, 2, 0);
        double w =
            pow(pow((double)near[0] - target[0], 2) + pow((double)near[1] - target[1], 2), -2);

        if (t == 2)
            continue;
        all += w;
        for (int j = 0; j < D; j++)
            expected[j] += w * (mean_of(a, 1, t, 1)[j] - mean_of(a, 1, t, 0)[j]);
    }
    for (int j = 0; j < D; j++)
        expected[j] /= all;
    check(delta, expected);
    scs_atlas_destroy(&a);
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
    for (int method = SCS_SHIFT_NEAREST; method <= SCS_SHIFT_REGRESSION; method++)
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
    for (int method = SCS_SHIFT_NEAREST; method <= SCS_SHIFT_REGRESSION; method++) {
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

static void unknown_everywhere_has_no_source(void)
{
    scs_atlas *a;
    double delta[D];

    build(&a, NULL, condition_1);
    shift(a, SCS_SHIFT_NEAREST, 1, 1, 1, delta, "");
    for (int j = 0; j < D; j++)
        CU_ASSERT_EQUAL(delta[j], 0);
    scs_atlas_destroy(&a);
}

/* Ridge regression in the primal form, intercept not penalised: B = (C'C + l I)^-1 C'D by
 * Gauss-Jordan, delta = mean D + B' (target - mean C). */
static void expect_regression(const scs_atlas *a, int s, int c, const bool *use, const double *at,
                              double *out)
{
    double n = 0, mean[D] = {0}, change[D] = {0}, m[D][2 * D] = {{0}}, trace = 0;

    for (int t = 0; t < T; t++)
        n += use[t];
    for (int t = 0; t < T; t++)
        for (int j = 0; j < D && use[t]; j++) {
            mean[j] += mean_of(a, s, t, 0)[j] / n;
            change[j] += (mean_of(a, s, t, c)[j] - mean_of(a, s, t, 0)[j]) / n;
        }
    for (int t = 0; t < T; t++)
        for (int j = 0; j < D && use[t]; j++)
            for (int k = 0; k < D; k++) {
                const double *ctrl = mean_of(a, s, t, 0), *stim = mean_of(a, s, t, c);

                m[j][k] += (ctrl[j] - mean[j]) * (ctrl[k] - mean[k]);
                m[j][D + k] += (ctrl[j] - mean[j]) * (stim[k] - ctrl[k] - change[k]);
            }
    for (int j = 0; j < D; j++)
        trace += m[j][j];
    for (int j = 0; j < D; j++)
        m[j][j] += ridge * trace / n;
    for (int j = 0; j < D; j++)
        for (int i = 0; i < D; i++) {
            double f = m[i][j] / m[j][j];

            for (int k = 0; k < 2 * D && i != j; k++)
                m[i][k] -= f * m[j][k];
        }
    for (int k = 0; k < D; k++) {
        out[k] = change[k];
        for (int j = 0; j < D; j++)
            out[k] += m[j][D + k] / m[j][j] * (at[j] - mean[j]);
    }
}

static void regression_equals_the_primal_form(void)
{
    static const bool use[] = {true, true, false, true}, all[] = {true, true, true, true};
    scs_atlas *a;
    double delta[D], expected[D];

    build(&a, NULL, NULL);
    shift(a, SCS_SHIFT_REGRESSION, 1, 2, 1, delta, "own");
    expect_regression(a, 1, 1, use, mean_of(a, 1, 2, 0), expected);
    check(delta, expected);
    scs_atlas_destroy(&a);
    build(&a, unseen_in_species_0, NULL);
    cross_species = SCS_CROSS_MEAN;
    shift(a, SCS_SHIFT_REGRESSION, 0, 2, 1, delta, "donors: species1+species2");
    expect_regression(a, 1, 1, all, mean_of(a, 0, 2, 0), expected);
    for (int j = 0; j < D; j++)
        delta[j] = 2 * delta[j] - expected[j];
    expect_regression(a, 2, 1, all, mean_of(a, 0, 2, 0), expected);
    check(delta, expected);
    scs_atlas_destroy(&a);
}

static void regression_of_one_type_is_its_shift(void)
{
    scs_atlas *a;
    double delta[D], expected[D];

    build(&a, seen_in_type_2_of_species_0, NULL);
    for (int j = 0; j < D; j++)
        expected[j] = mean_of(a, 0, 2, 1)[j] - mean_of(a, 0, 2, 0)[j];
    shift(a, SCS_SHIFT_REGRESSION, 0, 1, 1, delta, "own");
    check(delta, expected);
    scs_atlas_destroy(&a);
}

static bool type_2_only_in_species_2(int s, int t, int c)
{
    return unseen_in_species_0(s, t, c) || (s == 1 && t == 2);
}

static void move_close(const scs_atlas *a, int s, int t, int to_s, int to_t)
{
    for (int j = 0; j < D; j++)
        mean_of(a, s, t, 0)[j] = mean_of(a, to_s, to_t, 0)[j] + 1e-3 * (j + 1);
}

/* By control cells of the same type; a species without that type comes after those that have it. */
static void the_nearest_donor_speaks(void)
{
    static const bool all[] = {true, true, true, true};
    scs_atlas *a;
    double delta[D], expected[D];

    cross_species = SCS_CROSS_NEAREST;
    for (int near = 1; near < 3; near++) {
        build(&a, unseen_in_species_0, NULL);
        move_close(a, near, 2, 0, 2);
        move_close(a, 3 - near, 1, 0, 2); /* another type does not count */
        shift(a, SCS_SHIFT_PAIRED, 0, 2, 1, delta,
              near == 1 ? "donors: species1" : "donors: species2");
        expect_paired(a, near, 1, all, NULL, expected);
        check(delta, expected);
        scs_atlas_destroy(&a);
    }
    build(&a, type_2_only_in_species_2, NULL);
    move_close(a, 1, 1, 0, 2);
    shift(a, SCS_SHIFT_PAIRED, 0, 2, 1, delta, "donors: species2");
    scs_atlas_destroy(&a);
    cross_species = SCS_CROSS_MEAN;
}

static bool type_2_only_in_species_0(int s, int t, int c)
{
    return unseen_in_species_0(s, t, c) || (s > 0 && t == 2);
}

static void without_the_type_the_nearest_other_counts(void)
{
    scs_atlas *a;
    double delta[D];

    cross_species = SCS_CROSS_NEAREST;
    build(&a, type_2_only_in_species_0, NULL);
    move_close(a, 2, 1, 0, 2);
    shift(a, SCS_SHIFT_PAIRED, 0, 2, 1, delta, "donors: species2");
    move_close(a, 2, 1, 0, 3);
    move_close(a, 1, 0, 0, 2);
    shift(a, SCS_SHIFT_PAIRED, 0, 2, 1, delta, "donors: species1");
    shift(a, SCS_SHIFT_BALANCED, 0, 2, 1, delta, "donors: species1");
    scs_atlas_destroy(&a);
    cross_species = SCS_CROSS_MEAN;
}

/* z = 1/2 (ctrl + delta_donor) + 1/2 (perturbed_donor + delta_species), less ctrl. */
static void half_and_half_is_the_published_rule(void)
{
    static const bool all[] = {true, true, true, true};
    scs_atlas *a;
    double delta[D], one[D], species[D] = {0};

    cross_species = SCS_CROSS_AVERAGE;
    build(&a, unseen_in_species_0, NULL);
    move_close(a, 2, 1, 0, 1);
    shift(a, SCS_SHIFT_PAIRED, 0, 1, 1, delta, "average: species2");
    expect_paired(a, 2, 1, all, NULL, one);
    for (int j = 0; j < D; j++) {
        for (int t = 0; t < T; t++)
            species[j] += (mean_of(a, 0, t, 0)[j] - mean_of(a, 2, t, 0)[j]) / T;
        one[j] = .5 * one[j] + .5 * (mean_of(a, 2, 1, 1)[j] + species[j] - mean_of(a, 0, 1, 0)[j]);
    }
    check(delta, one);
    scs_atlas_destroy(&a);
    build(&a, type_2_only_in_species_0, NULL); /* no donor shows this type: the estimate alone */
    shift(a, SCS_SHIFT_PAIRED, 0, 2, 1, delta, "donors: species1");
    scs_atlas_destroy(&a);
    cross_species = SCS_CROSS_MEAN;
}

/* The same weights hold in gene space. */
static void genes_move_by_the_same_weights(void)
{
    scs_method how = {.shift = SCS_SHIFT_NEAREST, .power = 4};
    scs_combination target;
    scs_sources *sources;
    double change[G], sum[G] = {0}, total = 0;
    scs_atlas *a;

    build(&a, NULL, NULL);
    for (int64_t i = 0; i < (int64_t)a->n_group * G; i++)
        a->gene_mean[i] = uniform(8, (uint64_t)i);
    target = combination(a, 1, 2, 1);
    CHECK_OK(scs_shift_sources_create(a, &sources));
    CHECK_OK(scs_shift_sources_find(a, &how, &target, sources));
    scs_shift_sources_genes(a, sources, a->gene_mean, change);
    for (int32_t i = 0; i < sources->n; i++) {
        total += sources->weight[i];
        for (int g = 0; g < G; g++)
            sum[g] += sources->weight[i] * a->gene_mean[sources->group[i] * G + g];
        CU_ASSERT(a->group[sources->group[i]].cell_type != 2);
    }
    CU_ASSERT_EQUAL(sources->n, 2 * (T - 1));
    CU_ASSERT_DOUBLE_EQUAL(total, 0, 1e-12);
    for (int g = 0; g < G; g++)
        CU_ASSERT_DOUBLE_EQUAL(change[g], sum[g], 1e-12);
    scs_shift_sources_destroy(&sources);
    scs_atlas_destroy(&a);
}

/* Expression that is as the latent means are. */
static void show_as_genes(scs_atlas *a)
{
    for (int32_t i = 0; i < a->n_group * G; i++)
        a->gene_mean[i] = (float)a->mean[i];
}

/* Shifts that depend linearly on the control means are regression's; a common shift leaves nothing
 * to choose, and the first method stays. */
static void auto_takes_the_smallest_error(void)
{
    scs_method how = {.ridge = 1e-3, .power = 4};
    scs_shift_choice choice;
    const double *error = choice.error;
    scs_atlas *a;

    build(&a, NULL, NULL);
    for (int s = 0; s < S; s++)
        for (int t = 0; t < T; t++)
            for (int j = 0; j < D; j++) {
                double place = t - 1.5; /* types on a line */

                mean_of(a, s, t, 0)[j] = j == 0 ? place : 0;
                mean_of(a, s, t, 1)[j] = (j == 0 ? place : 0) + (j == 1 ? 1 + place : 0);
                mean_of(a, s, t, 2)[j] = (j == 0 ? place : 0) + (j == 2 ? 2 - 3 * place : 0);
            }
    show_as_genes(a);
    CHECK_OK(scs_choose_shift(a, &how, &choice));
    CU_ASSERT(choice.shift == SCS_SHIFT_REGRESSION || choice.share[SCS_SHIFT_REGRESSION] > .99);
    CU_ASSERT(error[SCS_SHIFT_REGRESSION] < 1e-3 && error[SCS_SHIFT_PAIRED] > .05);
    how.learnt_latent = true; /* by a network that has seen the groups: no test of it */
    CHECK_OK(scs_choose_shift(a, &how, &choice));
    CU_ASSERT(choice.shift != SCS_SHIFT_REGRESSION && choice.share[SCS_SHIFT_REGRESSION] == 0);
    CU_ASSERT(isnan(error[SCS_SHIFT_REGRESSION]) && error[SCS_SHIFT_PAIRED] > .05);
    how.learnt_latent = false;
    scs_atlas_destroy(&a);
    build(&a, NULL, condition_1);
    for (int s = 0; s < S; s++)
        for (int t = 0; t < T; t++)
            for (int j = 0; j < D; j++)
                mean_of(a, s, t, 2)[j] = mean_of(a, s, t, 0)[j] + 1;
    show_as_genes(a);
    CHECK_OK(scs_choose_shift(a, &how, &choice));
    CU_ASSERT_DOUBLE_EQUAL(error[SCS_SHIFT_NEAREST], 0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(error[SCS_SHIFT_REGRESSION], 0, 1e-12);
    scs_atlas_destroy(&a);
    build(&a, seen_in_type_2_of_species_0, condition_1);
    for (int32_t g = 0; g < a->n_group; g++)
        a->group[g].held_out = a->group[g].condition > 0;
    CHECK_OK(scs_choose_shift(a, &how, &choice));
    CU_ASSERT(choice.shift == SCS_SHIFT_NEAREST && isnan(error[0]) && isnan(choice.stacked));
    scs_atlas_destroy(&a);
}

/* Types on a line. Two pairs of neighbours whose shifts are opposite: the nearest alone knows, so
 * the largest power wins; shifts that alternate along the line are noise: the smallest. */
static void power_is_chosen_by_the_smallest_error(void)
{
    scs_method how = {.power = SCS_POWER_AUTO};
    double error[SCS_N_POWER];
    scs_atlas *a;
    int chosen;

    build(&a, NULL, condition_1);
    for (int s = 0; s < S; s++)
        for (int t = 0; t < T; t++)
            for (int j = 0; j < D; j++) {
                mean_of(a, s, t, 0)[j] = j == 0 ? t + (t >= T / 2) : 0;
                mean_of(a, s, t, 2)[j] = mean_of(a, s, t, 0)[j] + (t >= T / 2 ? 1 : -1);
            }
    show_as_genes(a);
    CHECK_OK(scs_choose_shift_power(a, &how, &chosen, error));
    CU_ASSERT_EQUAL(chosen, SCS_N_POWER - 1);
    for (int i = 1; i < SCS_N_POWER; i++)
        CU_ASSERT(error[i] < error[i - 1]);
    for (int s = 0; s < S; s++)
        for (int t = 0; t < T; t++)
            for (int j = 0; j < D; j++)
                mean_of(a, s, t, 2)[j] = mean_of(a, s, t, 0)[j] + (t % 2 ? 2 : -2);
    show_as_genes(a);
    CHECK_OK(scs_choose_shift_power(a, &how, &chosen, error));
    CU_ASSERT_EQUAL(chosen, 0);
    for (int32_t g = 0; g < a->n_group; g++)
        a->group[g].held_out = a->group[g].condition > 0;
    CHECK_OK(scs_choose_shift_power(a, &how, &chosen, error));
    CU_ASSERT(scs_choose_shift_power_tried(chosen) == 4 && isnan(error[0]));
    scs_atlas_destroy(&a);
}

static bool condition_1_of_species_0(int s, int t, int c)
{
    (void)t;
    return s == 0 && c == 1;
}

/* paired, and a share of what sets the target's controls apart from those of its sources; a species
 * that never saw the perturbation gets paired, as its controls differ by more than types do. */
static void converging_takes_a_share_of_what_sets_the_target_apart(void)
{
    scs_method how = {.shift = SCS_SHIFT_CONVERGING, .convergence = .3};
    double paired[D], delta[D];
    scs_combination target;
    scs_sources *sources;
    scs_atlas *a;

    build(&a, condition_1_of_species_0, NULL);
    target = combination(a, 1, 2, 1);
    CHECK_OK(scs_shift_sources_create(a, &sources));
    shift(a, SCS_SHIFT_PAIRED, 1, 2, 1, paired, "own");
    for (int j = 0; j < D; j++)
        for (int t = 0; t < T; t++)
            paired[j] +=
                t == 2 ? -.3 * mean_of(a, 1, t, 0)[j] : .3 * mean_of(a, 1, t, 0)[j] / (T - 1);
    CHECK_OK(scs_shift_sources_find(a, &how, &target, sources));
    scs_shift_sources_latent(a, sources, delta);
    check(delta, paired);
    target = combination(a, 0, 0, 1);
    CHECK_OK(scs_shift_sources_find(a, &how, &target, sources));
    scs_shift_sources_latent(a, sources, delta);
    CU_ASSERT_EQUAL(sources->kind, SCS_SOURCE_DONORS);
    how.convergence = 0;
    CHECK_OK(scs_shift_sources_find(a, &how, &target, sources));
    scs_shift_sources_latent(a, sources, paired);
    check(delta, paired);
    scs_shift_sources_destroy(&sources);
    scs_atlas_destroy(&a);
}

/* All types move the same way, and a share of the way to their mean. */
static void let_converge(scs_atlas *a, double share)
{
    for (int s = 0; s < S; s++)
        for (int j = 0; j < D; j++) {
            double mean = 0;

            for (int t = 0; t < T; t++)
                mean += mean_of(a, s, t, 0)[j] / T;
            for (int t = 0; t < T; t++)
                mean_of(a, s, t, 2)[j] =
                    mean_of(a, s, t, 0)[j] + .5 + share * (mean - mean_of(a, s, t, 0)[j]);
        }
    show_as_genes(a);
}

/* The share is found, with the rule asked for and by auto. Below four groups auto knows no error to
 * go by, and keeps away from it. */
static void types_that_come_together_are_found(void)
{
    scs_method how = {.ridge = 1, .power = 4};
    double convergence, error;
    scs_shift_choice choice;
    scs_atlas *a;

    build(&a, NULL, condition_1);
    let_converge(a, .4);
    CHECK_OK(scs_choose_shift_convergence(a, &how, &convergence, &error));
    /* the target is part of the mean that it goes to, not of its sources' */
    CU_ASSERT_DOUBLE_EQUAL(convergence, .4, 1e-5);
    CU_ASSERT(error < 1e-9);
    CHECK_OK(scs_choose_shift(a, &how, &choice));
    CU_ASSERT_EQUAL(choice.shift, SCS_SHIFT_CONVERGING);
    CU_ASSERT_DOUBLE_EQUAL(choice.convergence, .4, 1e-5);
    CU_ASSERT(choice.error[SCS_SHIFT_CONVERGING] < 1e-9 && choice.error[SCS_SHIFT_PAIRED] > .01);
    for (int i = 0; i < SCS_N_SHIFT; i++)
        CU_ASSERT_EQUAL(choice.share[i], 0);
    for (int32_t g = 0; g < a->n_group; g++) /* three groups are left */
        a->group[g].held_out |=
            a->group[g].condition > 0 && (a->group[g].species > 0 || a->group[g].cell_type == 3);
    CHECK_OK(scs_choose_shift(a, &how, &choice));
    CU_ASSERT(choice.shift != SCS_SHIFT_CONVERGING && isnan(choice.error[SCS_SHIFT_CONVERGING]));
    scs_atlas_destroy(&a);
}

/* ---- the mixed model ---- */

/* Expression with its variances, and the model of what may be used. */
static scs_mixed_atlas *mixed_of(scs_atlas *a)
{
    scs_mixed_atlas *mixed;

    for (int32_t i = 0; i < a->n_group * G; i++) {
        bool out = a->group[i / G].held_out;

        a->gene_mean[i] = out ? NAN : (float)(2 * uniform(11, (uint64_t)i));
        a->gene_variance[i] = out ? NAN : (float)uniform(12, (uint64_t)i);
    }
    CHECK_OK(scs_shift_measure_controls(a));
    CHECK_OK(scs_mixed_atlas_create(a, NULL, &mixed));
    CHECK_OK(scs_mixed_atlas_fit(mixed, a));
    return mixed;
}

/* Groups that are held out hold NaN: neither the estimates nor the weights touch them. A target
 * that was seen is not its own source; weights of perturbed groups and of controls balance. */
static void mixed_uses_what_may_be_used(void)
{
    double change[G];
    scs_sources *sources;
    scs_atlas *a;
    scs_mixed_atlas *mixed;
    scs_method how = {.shift = SCS_SHIFT_MIXED};

    build(&a, NULL, type_1_of_condition_1);
    mixed = mixed_of(a);
    how.mixed = mixed;
    CHECK_OK(scs_shift_sources_create(a, &sources));
    for (int t = 0; t < T; t++) {
        scs_combination target = combination(a, 0, t, 1);
        double total = 0, largest = 0;

        CHECK_OK(scs_shift_sources_find(a, &how, &target, sources));
        CU_ASSERT_STRING_EQUAL(sources->text, "own");
        CU_ASSERT(sources->variance > 0 && sources->n > 2 * (T - 1));
        for (int32_t i = 0; i < sources->n; i++) {
            const scs_group *g = &a->group[sources->group[i]];

            CU_ASSERT(!g->held_out && sources->group[i] != target.observed_group);
            total += sources->weight[i];
            largest = fmax(largest, fabs(sources->weight[i]));
        }
        CU_ASSERT_DOUBLE_EQUAL(total, 0, 1e-9);
        CU_ASSERT(largest > .01);
        scs_shift_sources_genes(a, sources, a->gene_mean, change);
        for (int g = 0; g < G; g++)
            CU_ASSERT(isfinite(change[g]));
    }
    scs_shift_sources_destroy(&sources);
    scs_mixed_atlas_destroy(&mixed);
    scs_atlas_destroy(&a);
}

/* The estimates of one rank, taken over by another, give the same weights; other species speak by
 * name where the target's own never saw the perturbation. */
static void mixed_is_the_same_where_it_is_taken_over(void)
{
    scs_method one = {.shift = SCS_SHIFT_MIXED}, two = one;
    scs_mixed_atlas *first, *second;
    scs_sources *a_sources, *b_sources;
    scs_combination target;
    double *number;
    scs_atlas *a;

    build(&a, unseen_in_species_0, NULL);
    first = mixed_of(a);
    CHECK_OK(scs_mixed_atlas_create(a, NULL, &second));
    number = calloc((size_t)scs_mixed_atlas_size(first), sizeof *number);
    scs_mixed_atlas_get(first, number);
    CHECK_OK(scs_mixed_atlas_set(second, number));
    one.mixed = first;
    two.mixed = second;
    target = combination(a, 0, 2, 1);
    CHECK_OK(scs_shift_sources_create(a, &a_sources));
    CHECK_OK(scs_shift_sources_create(a, &b_sources));
    CHECK_OK(scs_shift_sources_find(a, &one, &target, a_sources));
    CHECK_OK(scs_shift_sources_find(a, &two, &target, b_sources));
    CU_ASSERT_STRING_EQUAL(a_sources->text, "donors: species1+species2");
    CU_ASSERT_EQUAL_FATAL(a_sources->n, b_sources->n);
    CU_ASSERT(memcmp(a_sources->weight, b_sources->weight, (size_t)a_sources->n * sizeof(double)) ==
              0);
    CHECK_OK(scs_shift_sources_name(a, &one, &target, b_sources));
    CU_ASSERT_STRING_EQUAL(b_sources->text, a_sources->text);
    free(number);
    scs_shift_sources_destroy(&a_sources);
    scs_shift_sources_destroy(&b_sources);
    scs_mixed_atlas_destroy(&first);
    scs_mixed_atlas_destroy(&second);
    scs_atlas_destroy(&a);
}

/* Half of one rule and half of another is the mean of the two. */
static void several_rules_are_a_weighted_mean(void)
{
    scs_method how = {.power = 4, .shift = SCS_SHIFT_AUTO};
    double delta[D], one[D], two[D];
    scs_combination target;
    scs_sources *sources;
    scs_mixed_atlas *mixed;
    scs_atlas *a;

    build(&a, NULL, NULL);
    mixed = mixed_of(a);
    how.mixed = mixed;
    target = combination(a, 1, 2, 1);
    CHECK_OK(scs_shift_sources_create(a, &sources));
    how.share[SCS_SHIFT_NEAREST] = .25;
    how.share[SCS_SHIFT_MIXED] = .75;
    CHECK_OK(scs_shift_sources_find(a, &how, &target, sources));
    scs_shift_sources_latent(a, sources, delta);
    how.shift = SCS_SHIFT_NEAREST;
    CHECK_OK(scs_shift_sources_find(a, &how, &target, sources));
    scs_shift_sources_latent(a, sources, one);
    how.shift = SCS_SHIFT_MIXED;
    CHECK_OK(scs_shift_sources_find(a, &how, &target, sources));
    scs_shift_sources_latent(a, sources, two);
    for (int j = 0; j < D; j++)
        one[j] = .25 * one[j] + .75 * two[j];
    check(delta, one);
    scs_shift_sources_destroy(&sources);
    scs_mixed_atlas_destroy(&mixed);
    scs_atlas_destroy(&a);
}

/* The expected error of a mean of rules is that of its weights, though it is put together of the
 * mixed model's own and of the others'; a rule that the model has no part in has one, larger than
 * the model's own. The correction takes its share off; cells that were measured have none. */
static void every_rule_has_an_expected_error(void)
{
    scs_method how = {.power = 4,
                      .shift = SCS_SHIFT_AUTO,
                      .share[SCS_SHIFT_NEAREST] = .2,
                      .share[SCS_SHIFT_PAIRED] = .4,
                      .share[SCS_SHIFT_MIXED] = .4},
               alone = {.shift = SCS_SHIFT_CONVERGING, .convergence = .3};
    scs_correction correction = {.share = .5, .error = .7};
    double variance, expected, own;
    scs_combination target;
    scs_mixed_target asked;
    scs_sources *sources;
    scs_mixed_atlas *mixed;
    scs_atlas *a;

    build(&a, NULL, NULL);
    mixed = mixed_of(a);
    how.mixed = alone.mixed = mixed;
    how.decode = alone.decode = SCS_DECODE_BLEND;
    CU_ASSERT(scs_shift_rule_knows_error(&how) && scs_shift_rule_knows_error(&alone));
    target = combination(a, 1, 2, 1);
    target.perturbation = scs_atlas_perturbation(a, target.condition);
    asked = (scs_mixed_target){target.control_group, target.perturbation, 0, -1};
    CHECK_OK(scs_shift_sources_create(a, &sources));
    CHECK_OK(scs_shift_sources_find(a, &how, &target, sources));
    CU_ASSERT_DOUBLE_EQUAL(sources->modelled, .4, 1e-12);
    own = sources->variance;
    CHECK_OK(scs_shift_error_variance(a, &how, &target, sources, &variance));
    CHECK_OK(scs_mixed_atlas_expect(mixed, &asked, sources, &expected));
    CU_ASSERT(variance > 1.01 * own);
    CU_ASSERT_DOUBLE_EQUAL(variance, expected, 1e-6 * expected);
    how.correction = &correction;
    CHECK_OK(scs_shift_error_variance(a, &how, &target, sources, &expected));
    CU_ASSERT_DOUBLE_EQUAL(expected, .7 * variance, 1e-12);
    CHECK_OK(scs_shift_sources_find(a, &alone, &target, sources));
    CU_ASSERT(isnan(sources->variance) && sources->modelled == 0);
    CHECK_OK(scs_shift_error_variance(a, &alone, &target, sources, &variance));
    CU_ASSERT(variance > 1.01 * own);
    sources->kind = SCS_SOURCE_SELF;
    CHECK_OK(scs_shift_error_variance(a, &alone, &target, sources, &variance));
    CU_ASSERT(isnan(variance));
    scs_shift_sources_destroy(&sources);
    scs_mixed_atlas_destroy(&mixed);
    scs_atlas_destroy(&a);
}

static bool unpaired_in_species_0(int s, int t, int c)
{
    return s == 0 && (c == 0 ? t == 1 : c == 1 && t != 1);
}

/* A species without a pair leaves its say to balanced alone; the mixed model has the others' pairs
 * and keeps its weight. */
static void mixed_keeps_its_weight_where_a_species_has_no_pairs(void)
{
    scs_method how = {.shift = SCS_SHIFT_AUTO};
    double of_others = 0;
    scs_combination target;
    scs_sources *sources;
    scs_mixed_atlas *mixed;
    scs_atlas *a;

    build(&a, unpaired_in_species_0, NULL);
    mixed = mixed_of(a);
    how.mixed = mixed;
    how.share[SCS_SHIFT_BALANCED] = .25;
    how.share[SCS_SHIFT_MIXED] = .75;
    target = combination(a, 0, 2, 1);
    CHECK_OK(scs_shift_sources_create(a, &sources));
    CHECK_OK(scs_shift_sources_find(a, &how, &target, sources));
    CU_ASSERT_STRING_EQUAL(sources->text, "own");
    for (int32_t i = 0; i < sources->n; i++)
        if (a->group[sources->group[i]].species > 0)
            of_others += fabs(sources->weight[i]);
    CU_ASSERT(of_others > .1);
    scs_shift_sources_destroy(&sources);
    scs_mixed_atlas_destroy(&mixed);
    scs_atlas_destroy(&a);
}

/* Nearest is right of condition 1's types, and paired of condition 2's: no rule alone is as good as
 * the two together; the weights are of 0 or more and sum to 1. */
static void auto_weighs_rules_where_that_is_better(void)
{
    scs_method how = {.ridge = 1, .power = 16};
    scs_shift_choice choice;
    double sum = 0;
    scs_atlas *a;

    build(&a, NULL, NULL);
    for (int s = 0; s < S; s++)
        for (int t = 0; t < T; t++)
            for (int j = 0; j < D; j++) {
                double noise = 2 * uniform(21, (uint64_t)((s * T + t) * D + j)) - 1;

                mean_of(a, s, t, 0)[j] = j == 0 ? t + (t >= T / 2) : 0;
                mean_of(a, s, t, 1)[j] = mean_of(a, s, t, 0)[j] + (t >= T / 2 ? 1 : -1);
                mean_of(a, s, t, 2)[j] = mean_of(a, s, t, 0)[j] + 1 + 2 * noise;
            }
    show_as_genes(a);
    CHECK_OK(scs_choose_shift(a, &how, &choice));
    CU_ASSERT_EQUAL(choice.shift, SCS_SHIFT_AUTO);
    for (int i = 0; i < SCS_N_SHIFT; i++) {
        CU_ASSERT(choice.share[i] >= 0);
        sum += choice.share[i];
        if (!isnan(choice.error[i]))
            CU_ASSERT(choice.stacked < choice.error[i]);
    }
    CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-12);
    CU_ASSERT(isnan(choice.error[SCS_SHIFT_MIXED]) && choice.share[SCS_SHIFT_MIXED] == 0);
    scs_atlas_destroy(&a);
}

/* Of few groups the mixed model has no error but that of models that have not seen the group: as if
 * it were held out. */
static void few_groups_are_predicted_by_models_that_saw_none_of_them(void)
{
    scs_method how = {.ridge = 1, .power = 4}, alone = {.shift = SCS_SHIFT_MIXED};
    scs_mixed_atlas *mixed, *without;
    double missed = 0, all = 0, seen_missed = 0, change[G];
    scs_shift_choice choice;
    scs_sources *sources;
    scs_atlas *a;

    build(&a, NULL, condition_1);
    mixed = mixed_of(a);
    how.mixed = mixed;
    CHECK_OK(scs_choose_shift(a, &how, &choice));
    CHECK_OK(scs_shift_sources_create(a, &sources));
    for (int s = 0; s < S; s++)
        for (int t = 0; t < T; t++) {
            scs_combination target = combination(a, s, t, 2);

            a->group[target.observed_group].held_out = true;
            CHECK_OK(scs_mixed_atlas_create(a, NULL, &without));
            CHECK_OK(scs_mixed_atlas_fit(without, a));
            a->group[target.observed_group].held_out = false;
            for (int k = 0; k < 2; k++) {
                alone.mixed = k ? mixed : without;
                CHECK_OK(scs_shift_sources_find(a, &alone, &target, sources));
                scs_shift_sources_genes(a, sources, a->gene_mean, change);
                for (int g = 0; g < G; g++) {
                    double truth = (double)a->gene_mean[target.observed_group * G + g] -
                                   a->gene_mean[target.control_group * G + g];

                    *(k ? &seen_missed : &missed) += pow(change[g] - truth, 2);
                    all += k ? truth * truth : 0;
                }
            }
            scs_mixed_atlas_destroy(&without);
        }
    CU_ASSERT_DOUBLE_EQUAL(choice.error[SCS_SHIFT_MIXED], missed / all, 1e-9);
    CU_ASSERT(fabs(missed - seen_missed) > 1e-3 * all);
    scs_shift_sources_destroy(&sources);
    scs_mixed_atlas_destroy(&mixed);
    scs_atlas_destroy(&a);
}

/* Three groups say next to nothing of which rule is better: half of the mixed model (limited, from
 * two on), half of `nearest`, whatever their errors. Four do; and doses are the model's alone. */
static void below_four_groups_no_error_chooses(void)
{
    scs_method how = {.ridge = 1, .power = 4};
    scs_mixed_atlas *mixed;
    scs_shift_choice choice;
    scs_atlas *a;

    for (int n = 1; n <= 4; n++) {
        build(&a, NULL, condition_1);
        for (int32_t g = 0; g < a->n_group; g++)
            a->group[g].held_out |= a->group[g].condition > 0 &&
                                    (a->group[g].species > 0 || a->group[g].cell_type >= n ||
                                     a->group[g].condition != 2);
        mixed = mixed_of(a);
        how.mixed = mixed;
        CHECK_OK(scs_choose_shift(a, &how, &choice));
        if (n < 4)
            CU_ASSERT_EQUAL(choice.shift, SCS_SHIFT_AUTO);
        for (int i = 0; i < SCS_N_SHIFT && n < 4; i++)
            CU_ASSERT_EQUAL(choice.share[i], i == (n > 1 ? SCS_SHIFT_LIMITED : SCS_SHIFT_MIXED) ||
                                                     i == SCS_SHIFT_NEAREST
                                                 ? .5
                                                 : 0);
        CU_ASSERT(n < 4 || choice.share[SCS_SHIFT_NEAREST] != .5);
        how.mixed = NULL; /* without the model the smallest error chooses, as ever */
        CHECK_OK(scs_choose_shift(a, &how, &choice));
        CU_ASSERT_EQUAL(choice.share[SCS_SHIFT_NEAREST], 0);
        scs_mixed_atlas_destroy(&mixed);
        scs_atlas_destroy(&a);
    }
}

/* Rows lie at their value, and a config's word finds it. */
static void every_rule_has_the_name_that_a_config_gives_it(void)
{
    size_t at = offsetof(scs_config, screen.shift);

    for (int i = 0; i < SCS_N_SHIFT; i++)
        CU_ASSERT_EQUAL(read_choice("screen.shift", scs_rule_shift_at(i)->word.text, at), i);
    CU_ASSERT_EQUAL(read_choice("screen.shift", "auto", at), SCS_SHIFT_AUTO);
    CU_ASSERT_PTR_NULL(scs_rule_shift_at(SCS_SHIFT_AUTO));
}

/* More control groups than have a table of their pairs: types on a ring, whose changes follow their
 * place. What is predicted of one is what its place says, not the types' mean; its own perturbed
 * group has no part in it. */
static void of_very_many_controls_like_ones_speak(void)
{
    enum { TYPES = SCS_MIXED_CONTEXTS + 104, GENES = 12, TARGET = 1001 };
    scs_names species = {0}, types = {0}, conditions = {0}, genes = {0};
    scs_mixed_hyper hyper = {
        .variance = {0, 0, .1, 1}, .length = {.1, .1, 1, 1}, .beta = .01, .ridge = 1e-8};
    scs_mixed_target target = {2 * TARGET, 0, 0, 2 * TARGET + 1};
    double *number, *weight, off = 0, all = 0, sum = 0;
    scs_mixed_group_weights weights = {0};
    scs_mixed_atlas *mixed;
    scs_group *group;
    scs_atlas *a;

    name_list(&species, "species", 1);
    name_list(&types, "type", TYPES);
    name_list(&conditions, "condition", 2);
    name_list(&genes, "gene", GENES);
    CHECK_OK(SCS_ALLOC(group, 2 * TYPES));
    CHECK_OK(SCS_ALLOC(weight, 2 * TYPES));
    for (int i = 0; i < 2 * TYPES; i++)
        group[i] = (scs_group){0, i / 2, i % 2, false, 20};
    CHECK_OK(
        scs_atlas_create_from(&species, &types, &conditions, &genes, 0, group, 2 * TYPES, D, &a));
    for (int i = 0; i < 2 * TYPES; i++)
        for (int g = 0; g < GENES; g++) {
            double place = 2 * acos(-1) * (i / 2) / TYPES;

            a->gene_mean[i * GENES + g] =
                (float)(3 + cos(place + g) + i % 2 * cos(place + 2 * g + 1));
            a->gene_variance[i * GENES + g] = .02f;
        }
    a->by_expression = true;
    target.perturbation = scs_atlas_perturbation(a, 1);
    CHECK_OK(scs_mixed_atlas_create(a, NULL, &mixed));
    CHECK_OK(SCS_ALLOC(number, scs_mixed_atlas_size(mixed)));
    memcpy(number, &hyper, sizeof hyper);
    for (int64_t i = sizeof hyper / sizeof *number; i < scs_mixed_atlas_size(mixed); i++)
        number[i] = 1;
    CHECK_OK(scs_mixed_atlas_set(mixed, number));
    weights.weight = weight;
    CHECK_OK(scs_mixed_atlas_weigh(mixed, &target, &weights));
    CU_ASSERT_EQUAL(weight[2 * TARGET + 1], 0);
    CU_ASSERT(weights.variance > 0 && weights.variance < .1);
    for (int g = 0; g < GENES; g++) {
        double predicted = 0, truth = a->gene_mean[(2 * TARGET + 1) * GENES + g] -
                                      a->gene_mean[2 * TARGET * GENES + g];

        for (int i = 0; i < 2 * TYPES; i++)
            predicted += weight[i] * a->gene_mean[i * GENES + g];
        off += (predicted - truth) * (predicted - truth);
        all += truth * truth;
    }
    for (int i = 0; i < 2 * TYPES; i++)
        sum += weight[i];
    CU_ASSERT(off < .01 * all);
    CU_ASSERT_DOUBLE_EQUAL(sum, 0, 1e-9);
    scs_mixed_atlas_destroy(&mixed);
    free(number);
    free(weight);
    free(group);
    scs_atlas_destroy(&a);
    scs_names_clear(&species);
    scs_names_clear(&types);
    scs_names_clear(&conditions);
    scs_names_clear(&genes);
}

int main(void)
{
    static const scs_test tests[] = {
        {"below four groups no error chooses", below_four_groups_no_error_chooses},
        {"every rule has the name that a config gives it",
         every_rule_has_the_name_that_a_config_gives_it},
        {"paired and nearest are weighted means", paired_and_nearest_are_weighted_means},
        {"measured controls are close by expression", measured_controls_are_close_by_expression},
        {"balanced averages each condition alone", balanced_averages_each_condition_alone},
        {"a common change is found", common_change_is_found},
        {"held-out and target are never used", held_out_and_target_are_never_used},
        {"a type at distance zero takes all", a_type_at_distance_zero_takes_all},
        {"donors are averaged", donors_are_averaged},
        {"the only witness speaks for itself", the_only_witness_speaks_for_itself},
        {"unknown everywhere has no source", unknown_everywhere_has_no_source},
        {"regression equals the primal form", regression_equals_the_primal_form},
        {"regression of one type is its shift", regression_of_one_type_is_its_shift},
        {"the nearest donor speaks", the_nearest_donor_speaks},
        {"without the type the nearest other counts", without_the_type_the_nearest_other_counts},
        {"half and half is the published rule", half_and_half_is_the_published_rule},
        {"genes move by the same weights", genes_move_by_the_same_weights},
        {"auto takes the smallest error", auto_takes_the_smallest_error},
        {"power is chosen by the smallest error", power_is_chosen_by_the_smallest_error},
        {"mixed uses what may be used", mixed_uses_what_may_be_used},
        {"mixed is the same where it is taken over", mixed_is_the_same_where_it_is_taken_over},
        {"several rules are a weighted mean", several_rules_are_a_weighted_mean},
        {"every rule has an expected error", every_rule_has_an_expected_error},
        {"mixed keeps its weight where a species has no pairs",
         mixed_keeps_its_weight_where_a_species_has_no_pairs},
        {"auto weighs rules where that is better", auto_weighs_rules_where_that_is_better},
        {"converging takes a share of what sets the target apart",
         converging_takes_a_share_of_what_sets_the_target_apart},
        {"types that come together are found", types_that_come_together_are_found},
        {"few groups are predicted by models that saw none of them",
         few_groups_are_predicted_by_models_that_saw_none_of_them},
        {"of very many controls like ones speak", of_very_many_controls_like_ones_speak}};

    return run_suite("shift", tests, sizeof tests / sizeof *tests);
}
