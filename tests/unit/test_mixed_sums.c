/* Sums by what very many groups' weights have in common are those of plain loops over all groups.
 */
#include "src/screen/mixed_atlas.h"
#include "src/screen/mixed_sums.h"
#include "tests/unit/fixture_atlas.h"

#include <math.h>
#include <stdlib.h>

/* More groups than one inverse holds. Of pairs' conditions all types but one show cells. */
enum { TYPES = 48, CONDITIONS = 52, GENES = 7, LATENT = 3, UNSEEN = 17, RARE = 9, HELD_OUT = 30 };

static scs_atlas *atlas_of_very_many(void)
{
    scs_names species = {0}, types = {0}, conditions = {0}, genes = {0};
    scs_group *group;
    scs_atlas *a;
    int32_t n = 0;

    name_list(&species, "species", 1);
    name_list(&types, "type", TYPES);
    name_list(&conditions, "condition", CONDITIONS);
    name_list(&genes, "gene", GENES);
    CHECK_OK(SCS_ALLOC(group, TYPES * CONDITIONS));
    for (int t = 0; t < TYPES; t++)
        for (int c = 0; c < CONDITIONS; c++)
            if (c != UNSEEN && (c != RARE || t % 16 == 3) && (c < 5 || (t + c) % 11 != 0))
                group[n++] = (scs_group){0, t, c, t == HELD_OUT && c == 6, 5 + (t * c) % 30};
    CHECK_OK(scs_atlas_create_from(&species, &types, &conditions, &genes, 0, group, n, LATENT, &a));
    for (int32_t i = 0; i < n; i++)
        for (int g = 0; g < GENES; g++) {
            double type = sin(group[i].cell_type * (g + 1.)), with = sin(group[i].condition + g);

            a->gene_mean[i * GENES + g] = (float)(2 + type + (group[i].condition ? with : 0));
            a->gene_variance[i * GENES + g] =
                (float)(.1 + .1 * uniform(3, (uint64_t)(i * GENES + g)));
        }
    for (int32_t i = 0; i < n * LATENT; i++)
        a->mean[i] = group[i / LATENT].held_out ? NAN : uniform(7, (uint64_t)i) - .5;
    a->by_expression = true;
    free(group);
    scs_names_clear(&species);
    scs_names_clear(&types);
    scs_names_clear(&conditions);
    scs_names_clear(&genes);
    return a;
}

static scs_mixed_atlas *model_of(const scs_atlas *a)
{
    scs_mixed_hyper hyper = {
        .variance = {.01, .02, .05, .1}, .length = {1, .7, 1, 1}, .beta = .3, .ridge = 1e-9};
    scs_mixed_atlas *mixed;
    double *number;

    CHECK_OK(scs_mixed_atlas_create(a, NULL, &mixed));
    CHECK_OK(SCS_ALLOC(number, scs_mixed_atlas_size(mixed)));
    memcpy(number, &hyper, sizeof hyper);
    for (int64_t i = sizeof hyper / sizeof *number; i < scs_mixed_atlas_size(mixed); i++)
        number[i] = 1 + .3 * sin((double)i);
    CHECK_OK(scs_mixed_atlas_set(mixed, number));
    CU_ASSERT_FATAL(scs_mixed_atlas_weighs_all(mixed));
    free(number);
    return mixed;
}

static scs_combination target_of(const scs_atlas *a, int type, int condition, int second)
{
    return (scs_combination){.cell_type = type,
                             .condition = second ? -1 : condition,
                             .perturbation = scs_atlas_perturbation(a, condition),
                             .second = second ? scs_atlas_perturbation(a, second) : 0,
                             .pair = second != 0,
                             .control_group = scs_atlas_group(a, 0, type, 0),
                             .observed_group = -1};
}

/* Of one kind of values, several targets at once. */
static void check_sums(const scs_mixed_atlas *mixed, const scs_group_values *v,
                       scs_sources *const *sources, const scs_mixed_split *split, int n)
{
    scs_mixed_sums *sums;
    double *sum;

    CHECK_OK(SCS_ALLOC(sum, n * v->n_column));
    CHECK_OK(scs_mixed_sums_create(mixed, v, &sums));
    CHECK_OK(scs_mixed_sums_make(sums, split, n, sum));
    for (int i = 0; i < n; i++)
        for (int64_t j = 0; j < v->n_column; j++) {
            double expected = 0;

            for (int32_t k = 0; k < sources[i]->n; k++) {
                int64_t at = (int64_t)sources[i]->group[k] * v->n_column + j;

                expected += sources[i]->weight[k] * (v->f ? v->f[at] : v->d[at]);
            }
            CU_ASSERT_DOUBLE_EQUAL(sum[i * v->n_column + j], expected, 1e-7);
            CU_ASSERT(sources[i]->n == 0 || fabs(expected) > 1e-6);
        }
    scs_mixed_sums_destroy(&sums);
    free(sum);
}

static void check(const scs_atlas *a, const scs_method *method)
{
    const int asked[][3] = {{0, 1, 0},   {4, UNSEEN, 0}, {5, RARE, 0}, {HELD_OUT, 6, 0},
                            {11, 30, 0}, {20, 3, 40},    {21, 7, 8},   {47, CONDITIONS - 1, 0}};
    enum { N = sizeof asked / sizeof *asked };
    const scs_group_values mean = {.f = a->gene_mean, .n_column = GENES};
    const scs_group_values variance = {.f = a->gene_variance, .n_column = GENES};
    const scs_group_values latent = {.d = a->mean, .n_column = LATENT};
    scs_mixed_split split[N] = {{0}}, reused = {0};
    scs_sources *sources[N];

    for (int i = 0; i < N; i++) {
        scs_combination target = target_of(a, asked[i][0], asked[i][1], asked[i][2]);

        CHECK_OK(scs_shift_sources_create(a, &sources[i]));
        CHECK_OK(scs_shift_sources_find(a, method, &target, sources[i]));
        CU_ASSERT_EQUAL(sources[i]->n == 0, asked[i][1] == UNSEEN);
        CHECK_OK(scs_mixed_sums_split(method->mixed, a, &target, sources[i], &split[i]));
        /* Few groups are left: else nothing would be gained. */
        CU_ASSERT(split[i].n_group <= 4 * TYPES);
        CHECK_OK(scs_mixed_sums_split(method->mixed, a, &target, sources[i], &reused));
        CU_ASSERT_EQUAL(reused.n_group, split[i].n_group);
    }
    check_sums(method->mixed, &mean, sources, split, N);
    check_sums(method->mixed, &variance, sources, split, N);
    check_sums(method->mixed, &latent, sources, split, N);
    for (int i = 0; i < N; i++) {
        scs_mixed_sums_clear_split(&split[i]);
        scs_shift_sources_destroy(&sources[i]);
    }
    scs_mixed_sums_clear_split(&reused);
}

static void sums_are_those_of_plain_loops(void)
{
    scs_atlas *a = atlas_of_very_many();
    scs_mixed_atlas *mixed = model_of(a);
    scs_method method = {.shift = SCS_SHIFT_MIXED, .mixed = mixed, .power = 4, .ridge = .3};

    check(a, &method);
    method.shift = SCS_SHIFT_AUTO; /* several rules, of which most know nothing of it */
    method.convergence = .5;
    method.share[SCS_SHIFT_MIXED] = .6;
    method.share[SCS_SHIFT_NEAREST] = method.share[SCS_SHIFT_BALANCED] = .1;
    method.share[SCS_SHIFT_CONVERGING] = method.share[SCS_SHIFT_REGRESSION] = .1;
    check(a, &method);
    scs_mixed_atlas_destroy(&mixed);
    scs_atlas_destroy(&a);
}

/* Sources that do not say what they have in common are summed one by one; a target without sources
 * has a sum of 0. */
static void other_sources_are_summed_as_they_are(void)
{
    scs_atlas *a = atlas_of_very_many();
    scs_mixed_atlas *mixed = model_of(a);
    scs_method method = {.shift = SCS_SHIFT_MIXED, .mixed = mixed};
    const scs_group_values mean = {.f = a->gene_mean, .n_column = GENES};
    scs_combination target = target_of(a, 5, 12, 0);
    scs_mixed_split split[2] = {{0}};
    scs_sources *sources[2];

    CHECK_OK(scs_shift_sources_create(a, &sources[0]));
    CHECK_OK(scs_shift_sources_create(a, &sources[1]));
    CHECK_OK(scs_shift_sources_find(a, &method, &target, sources[0]));
    sources[0]->has_common = false;
    CHECK_OK(scs_mixed_sums_split(mixed, a, &target, sources[0], &split[0]));
    CU_ASSERT_EQUAL(split[0].n_group, sources[0]->n - TYPES);
    check_sums(mixed, &mean, sources, split, 2);
    for (int i = 0; i < 2; i++) {
        scs_mixed_sums_clear_split(&split[i]);
        scs_shift_sources_destroy(&sources[i]);
    }
    scs_mixed_atlas_destroy(&mixed);
    scs_atlas_destroy(&a);
}

int main(void)
{
    static const scs_test tests[] = {
        {"sums are those of plain loops", sums_are_those_of_plain_loops},
        {"other sources are summed as they are", other_sources_are_summed_as_they_are},
    };

    return run_suite("mixed_sums", tests, sizeof tests / sizeof *tests);
}
