/* What is missed of the sources' change is learnt from groups that are left out, where it can be.
 */
#include "src/screen/correction.h"
#include "tests/unit/fixture_atlas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { T = 6, C = 2, D = 2, G = 600 };

static const int left = 2; /* the type that is held out */

/* Control levels that differ from type to type. */
static float control(int type, int gene)
{
    return 2 * uniform(11, (uint64_t)gene) + uniform(12, (uint64_t)(gene * T + type));
}

/* Every gene's change is the same in all types, but for what `bend` says of its control level. */
static float perturbed(int type, int gene, float bend)
{
    float level = control(type, gene), push = 2 * uniform(13, (uint64_t)gene);

    return level + push * (1 - bend * level / 3) +
           .05f * uniform(14, (uint64_t)(gene * T + type)); /* of its own */
}

/* @param bend 0: nothing depends on the level */
static scs_atlas *make_atlas(float bend)
{
    scs_names species = {0}, types = {0}, conditions = {0}, genes = {0};
    scs_group group[T * C];
    scs_atlas *a;

    name_list(&species, "species", 1);
    name_list(&types, "type", T);
    name_list(&conditions, "condition", C);
    name_list(&genes, "gene", G);
    for (int i = 0; i < T * C; i++)
        group[i] = (scs_group){0, i / C, i % C, i == left * C + 1, 50};
    CHECK_OK(scs_atlas_create_from(&species, &types, &conditions, &genes, 0, group, T * C, D, &a));
    for (int i = 0; i < T * C; i++)
        for (int g = 0; g < G; g++)
            a->gene_mean[i * G + g] = i % C ? perturbed(i / C, g, bend) : control(i / C, g);
    for (int g = 0; g < G; g++)
        a->gene_mean[(left * C + 1) * G + g] = NAN;
    for (int i = 0; i < T * C * D; i++)
        a->mean[i] = i / C == left * C + 1 ? NAN : uniform(15, (uint64_t)i);
    scs_names_clear(&species);
    scs_names_clear(&types);
    scs_names_clear(&conditions);
    scs_names_clear(&genes);
    return a;
}

static const scs_method paired = {.shift = SCS_SHIFT_PAIRED};

static scs_combination target_of(const scs_atlas *a)
{
    return (scs_combination){.cell_type = left,
                             .condition = 1,
                             .perturbation = scs_atlas_perturbation(a, 1),
                             .control_group = left * C,
                             .observed_group = left * C + 1};
}

/* The held-out type's change, corrected or not (NULL). @param change [G]  @return its squared error
 */
static double error_of(const scs_atlas *a, const scs_correction *c, const scs_combination *target,
                       float bend, double *change)
{
    scs_sources *sources;
    double sum = 0;

    CHECK_OK(scs_shift_sources_create(a, &sources));
    CHECK_OK(scs_shift_sources_find(a, &paired, target, sources));
    scs_shift_sources_genes(a, sources, a->gene_mean, change);
    CHECK_OK(scs_correction_apply(c, a, target, sources, change));
    scs_shift_sources_destroy(&sources);
    for (int g = 0; g < G; g++) {
        double off = change[g] - (perturbed(left, g, bend) - control(left, g));

        sum += off * off;
    }
    return sum;
}

/* A change that gets smaller the higher a gene is already: the held-out type is predicted better,
 * by what the other types teach, and nothing of its own perturbed cells (NaN) is in it. */
static void changes_that_depend_on_the_level_are_corrected(void)
{
    scs_atlas *a = make_atlas(1);
    scs_combination target = target_of(a);
    scs_correction *c;
    double change[G], plain[G];

    CHECK_OK(SCS_ALLOC(c, 1));
    CHECK_OK(scs_correction_fit(a, &paired, c));
    CU_ASSERT(c->share > .8 && c->share <= 1);
    CU_ASSERT(c->n_part == T - 1);
    CU_ASSERT(c->error < .5);
    CU_ASSERT(error_of(a, c, &target, 1, change) < .5 * error_of(a, NULL, &target, 1, plain));
    for (int g = 0; g < G; g++)
        CU_ASSERT(isfinite(change[g]));
    free(c);
    scs_atlas_destroy(&a);
}

/* Nothing to learn: what is left out is not predicted better by more than chance, and a prediction
 * is not made worse. */
static void where_nothing_is_taught_little_is_changed(void)
{
    scs_atlas *a = make_atlas(0);
    scs_combination target = target_of(a);
    scs_correction *c;
    double change[G];

    CHECK_OK(SCS_ALLOC(c, 1));
    CHECK_OK(scs_correction_fit(a, &paired, c));
    CU_ASSERT(c->share >= 0 && c->error <= 1 && c->error > .9);
    CU_ASSERT(error_of(a, c, &target, 0, change) < 1.05 * error_of(a, NULL, &target, 0, change));
    free(c);
    scs_atlas_destroy(&a);
}

/* Each type's change depends on the level in a way of its own, and one type's is much larger: in
 * sum over all what is learnt is a gain, of the types it is not, and the simple rule, which stands
 * for too little knowledge, does without. */
static void the_simple_rule_takes_only_what_helps_most_types(void)
{
    const scs_method converging = {.shift = SCS_SHIFT_CONVERGING};
    scs_atlas *a = make_atlas(0);
    scs_correction *c;

    for (int t = 0; t < T; t++)
        for (int g = 0; g < G; g++) {
            float bend = 3 * uniform(17, (uint64_t)(23 * T + t)) - 1.2f, size = t == 1 ? 3 : .5f;
            float push = 2 * uniform(13, (uint64_t)g) * (1 - bend * control(t, g) / 3);

            if (t != left)
                a->gene_mean[(t * C + 1) * G + g] =
                    control(t, g) + size * push + .5f * uniform(14, (uint64_t)(g * T + t));
        }
    CHECK_OK(SCS_ALLOC(c, 1));
    CHECK_OK(scs_correction_fit(a, &paired, c));
    CU_ASSERT(c->share > .1 && c->error < 1);
    CHECK_OK(scs_correction_fit(a, &converging, c));
    CU_ASSERT(c->share == 0 && c->error == 1);
    scs_atlas_destroy(&a);
    a = make_atlas(1); /* where all types say the same it is taken */
    CHECK_OK(scs_correction_fit(a, &converging, c));
    CU_ASSERT(c->share > .8 && c->error < .5);
    free(c);
    scs_atlas_destroy(&a);
}

/* A pair, and rows from the type's own cells. */
static void rows_of_other_kinds_are_left_as_they_are(void)
{
    scs_atlas *a = make_atlas(1);
    scs_combination target = target_of(a);
    scs_correction *c;
    double change[G], plain[G];

    CHECK_OK(SCS_ALLOC(c, 1));
    CHECK_OK(scs_correction_fit(a, &paired, c));
    target = (scs_combination){.cell_type = 1,
                               .condition = 1,
                               .perturbation = target.perturbation,
                               .part = true, /* its own cells speak */
                               .control_group = C,
                               .observed_group = C + 1};
    (void)error_of(a, c, &target, 1, change);
    (void)error_of(a, NULL, &target, 1, plain);
    CU_ASSERT(memcmp(change, plain, sizeof plain) == 0);
    free(c);
    scs_atlas_destroy(&a);
}

/* With one other type nothing can be left out. */
static void one_type_teaches_nothing(void)
{
    scs_atlas *a = make_atlas(1);
    scs_correction *c;

    for (int t = 0; t < T; t++)
        a->group[t * C + 1].held_out = t != 0;
    CHECK_OK(SCS_ALLOC(c, 1));
    CHECK_OK(scs_correction_fit(a, &paired, c));
    CU_ASSERT(c->share == 0 && isnan(c->error) && c->boost.n_tree == 0 && c->n_part < 2);
    free(c);
    scs_atlas_destroy(&a);
}

int main(void)
{
    static const scs_test tests[] = {
        {"changes that depend on the level are corrected",
         changes_that_depend_on_the_level_are_corrected},
        {"where nothing is taught little is changed", where_nothing_is_taught_little_is_changed},
        {"rows of other kinds are left as they are", rows_of_other_kinds_are_left_as_they_are},
        {"the simple rule takes only what helps most types",
         the_simple_rule_takes_only_what_helps_most_types},
        {"one type teaches nothing", one_type_teaches_nothing},
    };

    return run_suite("correction", tests, sizeof tests / sizeof *tests);
}
