/* The limits of the mixed model's shift against their definition. */
#include "src/screen/limit.h"
#include "src/screen/mixed_atlas.h"
#include "src/screen/shift.h"
#include "tests/unit/fixture_atlas.h"

enum { T = 5, SHOWN = 3, D = 3, G = 40, N = T + SHOWN, TARGET = 2 };

static int type_of(int group)
{
    return group < 2 * SHOWN ? group / 2 : group - SHOWN;
}

static int condition_of(int group)
{
    return group < 2 * SHOWN ? group % 2 : 0;
}

/* One species; a perturbation that two types show beside the target moves a few genes, by much. Of
 * one gene in three means are known well, of the others badly. @param spread of their cells'
 * variances */
static void build(double spread, scs_atlas **atlas, scs_mixed_atlas **mixed)
{
    scs_names species = {0}, types = {0}, conditions = {0}, genes = {0};
    scs_group group[N];
    scs_atlas *a;

    name_list(&species, "species", 1);
    name_list(&types, "type", T);
    name_list(&conditions, "condition", 2);
    name_list(&genes, "gene", G);
    for (int i = 0; i < N; i++)
        group[i] = (scs_group){0, type_of(i), condition_of(i), false, i == 2 * TARGET ? 4 : 8 + i};
    CHECK_OK(scs_atlas_create_from(&species, &types, &conditions, &genes, 0, group, N, D, &a));
    for (int i = 0; i < N; i++)
        for (int g = 0; g < G; g++) {
            uint64_t at = (uint64_t)(i * G + g);

            a->gene_mean[at] = 1 + uniform(1, (uint64_t)(type_of(i) * G + g)) +
                               .3f * uniform(2, at) + (float)(condition_of(i) * 2 * (g < 6));
            a->gene_variance[at] = (float)(g % 3 ? spread : .1) * uniform(4, at);
        }
    CHECK_OK(scs_shift_measure_controls(a));
    CHECK_OK(scs_mixed_atlas_create(a, NULL, mixed));
    CHECK_OK(scs_mixed_atlas_fit(*mixed, a));
    *atlas = a;
    scs_names_clear(&species);
    scs_names_clear(&types);
    scs_names_clear(&conditions);
    scs_names_clear(&genes);
}

static void find(const scs_atlas *a, const scs_method *how, scs_sources *sources, double *change)
{
    scs_combination target = {.cell_type = TARGET,
                              .condition = 1,
                              .control_group = scs_atlas_group(a, 0, TARGET, 0),
                              .observed_group = scs_atlas_group(a, 0, TARGET, 1)};

    CHECK_OK(scs_shift_sources_find(a, how, &target, sources));
    CHECK_OK(scs_shift_sources_change(a, sources, change));
}

/* Sampling variance of a group's mean: its cells' variance drawn to that of all groups, which
 * counts as three cells. */
static double noise_of(const scs_atlas *a, int32_t group, int gene)
{
    double pooled = 0, cells = 0, n = (double)a->group[group].count;

    for (int32_t i = 0; i < a->n_group; i++) {
        pooled += (double)a->group[i].count * scs_atlas_group_gene_variance(a, i)[gene];
        cells += (double)a->group[i].count - 1;
    }
    return (n * scs_atlas_group_gene_variance(a, group)[gene] + 3 * pooled / cells) / (n + 2) / n;
}

static double sum_of(const scs_atlas *a, const scs_sources *s, const double *weight, int gene)
{
    double sum = 0;

    for (int32_t i = 0; i < s->n; i++)
        sum += weight[i] * scs_atlas_group_gene_mean(a, s->group[i])[gene];
    return sum;
}

static double beyond(double x, double most)
{
    return x > most ? x - most : x < -most ? x + most : 0;
}

/* Each gene by itself: some reach either limit, some do not. */
static void no_gene_goes_further_than_its_noise(void)
{
    scs_method how = {.shift = SCS_SHIFT_LIMITED};
    double change[G];
    int shrunk = 0, denoised = 0;
    scs_sources *sources;
    scs_mixed_atlas *mixed;
    scs_atlas *a;

    build(6, &a, &mixed);
    how.mixed = mixed;
    CHECK_OK(scs_shift_sources_create(a, &sources));
    find(a, &how, sources, change);
    for (int g = 0; g < G; g++) {
        double whole = 0, own = noise_of(a, sources->limits.control_group, g), more, less;

        for (int32_t i = 0; i < sources->n; i++)
            whole += pow(sources->limits.whole[i], 2) * noise_of(a, sources->group[i], g);
        more = beyond(sum_of(a, sources, sources->limits.shrunk, g), 1.5 * sqrt(whole));
        less = beyond(sum_of(a, sources, sources->limits.denoised, g), sqrt(own));
        CU_ASSERT_DOUBLE_EQUAL(change[g], sum_of(a, sources, sources->weight, g) + more - less,
                               1e-6);
        shrunk += more != 0;
        denoised += less != 0;
    }
    CU_ASSERT(shrunk > 0 && shrunk < G && denoised > 0 && denoised < G);
    scs_shift_sources_destroy(&sources);
    scs_mixed_atlas_destroy(&mixed);
    scs_atlas_destroy(&a);
}

/* Where means have no noise nothing is shrunk away or put right; where they are all noise the model
 * is as it was. The weights are its own either way. */
static void noise_sets_the_limits(void)
{
    scs_method limited = {.shift = SCS_SHIFT_LIMITED}, plain = {.shift = SCS_SHIFT_MIXED};
    double change[G], expected[G];
    scs_sources *sources, *unlimited;
    scs_mixed_atlas *mixed;
    scs_atlas *a;

    build(6, &a, &mixed);
    limited.mixed = plain.mixed = mixed;
    CHECK_OK(scs_shift_sources_create(a, &sources));
    CHECK_OK(scs_shift_sources_create(a, &unlimited));
    find(a, &plain, unlimited, expected);
    scs_mixed_atlas_destroy(&mixed);
    for (int noisy = 0; noisy < 2; noisy++) {
        double moved = 0;

        for (int i = 0; i < N * G; i++)
            a->gene_variance[i] = noisy ? 1e6f : 0;
        CHECK_OK(scs_mixed_atlas_create(a, NULL, &mixed));
        CHECK_OK(scs_mixed_atlas_fit(mixed, a));
        limited.mixed = plain.mixed = mixed;
        find(a, &limited, sources, change);
        find(a, &plain, unlimited, expected);
        CU_ASSERT(sources->limits.mixed == mixed && !unlimited->limits.mixed);
        for (int g = 0; g < G; g++) {
            double to = noisy ? expected[g]
                              : sum_of(a, sources, sources->limits.whole, g) -
                                    sum_of(a, sources, sources->limits.denoised, g);

            CU_ASSERT_DOUBLE_EQUAL(change[g], to, 1e-6);
            CU_ASSERT_DOUBLE_EQUAL(sum_of(a, sources, sources->weight, g), expected[g], 1e-6);
            moved = fmax(moved, fabs(change[g] - expected[g]));
        }
        CU_ASSERT(noisy || moved > 1e-4);
        scs_mixed_atlas_destroy(&mixed);
    }
    scs_shift_sources_destroy(&unlimited);
    scs_shift_sources_destroy(&sources);
    scs_atlas_destroy(&a);
}

/* A share of it is that share of all of it, in a copy as well; other rules have no limits. */
static void limits_go_by_the_rules_share(void)
{
    scs_method how = {.shift = SCS_SHIFT_LIMITED, .power = 4};
    double half[G], limited[G], nearest[G], copied[G];
    scs_sources *sources, *copy;
    scs_mixed_atlas *mixed;
    scs_atlas *a;

    build(6, &a, &mixed);
    how.mixed = mixed;
    CHECK_OK(scs_shift_sources_create(a, &sources));
    find(a, &how, sources, limited);
    how.shift = SCS_SHIFT_NEAREST;
    find(a, &how, sources, nearest);
    CU_ASSERT_PTR_NULL(sources->limits.mixed);
    how.shift = SCS_SHIFT_AUTO;
    how.share[SCS_SHIFT_LIMITED] = .25;
    how.share[SCS_SHIFT_NEAREST] = .75;
    find(a, &how, sources, half);
    CHECK_OK(scs_shift_sources_copy(sources, &copy));
    CHECK_OK(scs_shift_sources_change(a, copy, copied));
    for (int g = 0; g < G; g++) {
        CU_ASSERT_DOUBLE_EQUAL(half[g], .25 * limited[g] + .75 * nearest[g], 1e-6);
        CU_ASSERT_EQUAL(copied[g], half[g]);
    }
    scs_shift_sources_destroy(&copy);
    scs_shift_sources_destroy(&sources);
    scs_mixed_atlas_destroy(&mixed);
    scs_atlas_destroy(&a);
}

int main(void)
{
    static const scs_test tests[] = {
        {"no gene goes further than its noise", no_gene_goes_further_than_its_noise},
        {"noise sets the limits", noise_sets_the_limits},
        {"limits go by the rule's share", limits_go_by_the_rules_share}};

    return run_suite("limit", tests, sizeof tests / sizeof *tests);
}
