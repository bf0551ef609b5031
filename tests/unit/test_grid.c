/* Which combinations a validation holds out, and which of them together. */
#include "src/crossval/grid.h"
#include "src/crossval/report.h"
#include "tests/unit/configs.h"
#include "tests/unit/fixture_atlas.h"

typedef struct setup {
    scs_config *config;
    scs_atlas *atlas;
    scs_grid *grid;
} setup;

/* Control is drug1. drug2 was seen in one group with controls, and in one without (type 2 of
 * species 0); drug0 in four. */
static void begin(setup *t, const char *config)
{
    static const scs_group group[] = {
        {0, 0, 0, false, 9},  {0, 0, 1, false, 100}, {0, 0, 2, false, 7}, {0, 1, 0, false, 5},
        {0, 1, 1, false, 10}, {0, 2, 2, false, 8},   {1, 0, 0, false, 6}, {1, 0, 1, false, 3},
        {1, 2, 0, false, 4},  {1, 2, 1, false, 30}};
    scs_names species = {0}, types = {0}, conditions = {0}, genes = {0};

    *t = (setup){0};
    CHECK_OK(parse(config, &t->config));
    name_list(&species, "species", 2);
    name_list(&types, "type", 3);
    name_list(&conditions, "drug", 3);
    name_list(&genes, "gene", 5);
    CHECK_OK(scs_atlas_create_from(&species, &types, &conditions, &genes, 1, group,
                                   sizeof group / sizeof *group, 3, &t->atlas));
    scs_names_clear(&species);
    scs_names_clear(&types);
    scs_names_clear(&conditions);
    scs_names_clear(&genes);
}

static void end(setup *t)
{
    scs_grid_destroy(&t->grid);
    CU_ASSERT_PTR_NULL(t->grid);
    scs_atlas_destroy(&t->atlas);
    scs_config_destroy(&t->config);
}

/* Observed, beside controls, and to be learnt from another group. */
static void what_can_be_held_out(void)
{
    static const int expected[][3] = {{0, 0, 0}, {0, 1, 0}, {1, 0, 0}, {1, 2, 0}};
    setup t;

    begin(&t, "");
    CHECK_OK(scs_grid_create(t.config, t.atlas, &t.grid));
    CU_ASSERT_EQUAL_FATAL(t.grid->plan->n, 4);
    CU_ASSERT_EQUAL(t.grid->n_model, 4);
    for (int i = 0; i < 4; i++) {
        const scs_combination *c = scs_grid_item(t.grid, i, 0);

        CU_ASSERT_EQUAL(scs_grid_size(t.grid, i), 1);
        CU_ASSERT(c->species == expected[i][0] && c->cell_type == expected[i][1] &&
                  c->condition == expected[i][2]);
    }
    CU_ASSERT_EQUAL_FATAL(t.grid->notes.n, 1); /* drug2 */
    CU_ASSERT_PTR_NOT_NULL(strstr(t.grid->notes.name[0], "species0, type0, drug2"));
    end(&t);
}

/* Every combination belongs to one model; no model has more than folds. */
static void folds_deal_combinations(void)
{
    setup t;
    int seen[4] = {0};

    begin(&t, "validate: {folds: 3}");
    CHECK_OK(scs_grid_create(t.config, t.atlas, &t.grid));
    CU_ASSERT_EQUAL_FATAL(t.grid->n_model, 2);
    for (int64_t m = 0; m < 2; m++) {
        CU_ASSERT_EQUAL(scs_grid_size(t.grid, m), 2);
        for (int64_t k = 0; k < scs_grid_size(t.grid, m); k++)
            seen[scs_grid_item(t.grid, m, k) - t.grid->plan->item]++;
    }
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(seen[i], 1);
    end(&t);
}

static void folds_must_leave_something(void)
{
    setup t;

    begin(&t, "validate: {folds: 4}");
    CHECK_FAILS(scs_grid_create(t.config, t.atlas, &t.grid), SCS_EARG, "validate.folds");
    end(&t);
}

static void lists_select(void)
{
    setup t;

    begin(&t, "validate: {cell_types: [type0], species: [species1]}");
    CHECK_OK(scs_grid_create(t.config, t.atlas, &t.grid));
    CU_ASSERT_EQUAL(t.grid->plan->n, 1);
    end(&t);
    begin(&t, "validate: {cell_types: [tipe0]}");
    CHECK_FAILS(scs_grid_create(t.config, t.atlas, &t.grid), SCS_EARG, "validate.cell_types");
    end(&t);
    begin(&t, "validate: {perturbations: [drug2]}");
    CHECK_FAILS(scs_grid_create(t.config, t.atlas, &t.grid), SCS_EARG, "nothing to validate");
    end(&t);
}

/* Whether a model holds out these groups (by number), ending with -1. */
static bool holds(const scs_grid *grid, int64_t model, const int32_t *groups)
{
    int64_t n, i = 0;
    const int32_t *held = scs_grid_held(grid, model, &n);

    for (; i < n && groups[i] == held[i]; i++)
        ;
    return i == n && groups[i] == -1;
}

/* All perturbed cells of a type or species, also those of perturbations that are not scored. */
static void contexts_are_held_out_whole(void)
{
    static const int32_t types[][3] = {{0, 2, -1}, {3, -1}, {6, -1}, {8, -1}},
                         species[][5] = {{0, 2, 3, 5, -1}, {6, 8, -1}};
    setup t;

    begin(&t, "validate: {protocol: context}");
    CHECK_OK(scs_grid_create(t.config, t.atlas, &t.grid));
    CU_ASSERT_EQUAL_FATAL(t.grid->n_model, 4); /* type 2 of species 0 has no controls */
    CU_ASSERT_EQUAL(t.grid->plan->n, 4);
    for (int m = 0; m < 4; m++)
        CU_ASSERT(scs_grid_size(t.grid, m) == 1 && holds(t.grid, m, types[m]));
    CU_ASSERT_EQUAL_FATAL(t.grid->notes.n, 1); /* drug2 is seen without controls alone */
    end(&t);
    begin(&t, "validate: {protocol: context, context: species}");
    CHECK_OK(scs_grid_create(t.config, t.atlas, &t.grid));
    CU_ASSERT_EQUAL_FATAL(t.grid->n_model, 2);
    for (int m = 0; m < 2; m++)
        CU_ASSERT(scs_grid_size(t.grid, m) == 2 && holds(t.grid, m, species[m]));
    CHECK_OK(scs_grid_hold_out(t.grid, t.atlas, 0, t.config));
    CU_ASSERT_EQUAL_FATAL(t.config->n_hold_out, 4);
    CU_ASSERT_STRING_EQUAL(t.config->hold_out[1].condition.name[0], "drug2");
    end(&t);
    begin(&t, "validate: {protocol: context, folds: 2}");
    CHECK_FAILS(scs_grid_create(t.config, t.atlas, &t.grid), SCS_EARG, "validate.folds");
    end(&t);
    begin(&t, "validate: {protocol: dose}");
    CHECK_FAILS(scs_grid_create(t.config, t.atlas, &t.grid), SCS_EARG, "data.dose");
    end(&t);
}

/* Nobody else can show it: rows are scored though `paired` has nothing to go by. */
static void perturbations_are_held_out_everywhere(void)
{
    static const int32_t held[][6] = {{0, 3, 6, 8, -1}, {2, 5, -1}};
    setup t;

    begin(&t, "validate: {protocol: perturbation}");
    CHECK_OK(scs_grid_create(t.config, t.atlas, &t.grid));
    CU_ASSERT_EQUAL_FATAL(t.grid->n_model, 2);
    CU_ASSERT_EQUAL(scs_grid_size(t.grid, 0), 4);
    CU_ASSERT_EQUAL(scs_grid_size(t.grid, 1), 1);
    for (int m = 0; m < 2; m++)
        CU_ASSERT(holds(t.grid, m, held[m]));
    end(&t);
    begin(&t, "validate: {protocol: perturbation, cell_types: [type2]}");
    CHECK_OK(scs_grid_create(t.config, t.atlas, &t.grid));
    CU_ASSERT_EQUAL_FATAL(t.grid->n_model, 1);
    CU_ASSERT(scs_grid_size(t.grid, 0) == 1 && holds(t.grid, 0, held[0]));
    end(&t);
}

/* As if the user had written it, and nothing of an earlier model stays. */
static void becomes_hold_out(void)
{
    setup t;

    begin(&t, "validate: {folds: 2}");
    CHECK_OK(scs_grid_create(t.config, t.atlas, &t.grid));
    CHECK_OK(scs_grid_hold_out(t.grid, t.atlas, 0, t.config));
    CHECK_OK(scs_grid_hold_out(t.grid, t.atlas, 1, t.config));
    CU_ASSERT_EQUAL_FATAL(t.config->n_hold_out, 2);
    CU_ASSERT_STRING_EQUAL(t.config->hold_out[0].species.name[0], "species0");
    CU_ASSERT_STRING_EQUAL(t.config->hold_out[0].cell_type.name[0], "type1");
    CU_ASSERT_STRING_EQUAL(t.config->hold_out[0].condition.name[0], "drug0");
    CU_ASSERT_STRING_EQUAL(t.config->hold_out[1].species.name[0], "species1");
    CU_ASSERT_STRING_EQUAL(t.config->hold_out[1].cell_type.name[0], "type2");
    end(&t);
}

/* Each predictor belongs to one of the models that are trained, or to none. */
static void predictors_are_made_once(void)
{
    static const struct {
        const char *config;
        int kinds, made;
    } cases[] = {{"model: {kind: vae}\nvalidate: {pca: true}", 2, 12},
                 {"model: {kind: vae}\nvalidate: {pca: false}", 1, 11},
                 {"model: {kind: pca}\nvalidate: {pca: true}", 1, 9},
                 {"model: {kind: mean}\nvalidate: {pca: true}", 2, 9},
                 {"model: {kind: mean}\nvalidate: {pca: false}", 1, 8}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scs_config *config = NULL;
        int kind[SCS_MOST_KINDS], n, made = 0;

        CHECK_OK(parse(cases[i].config, &config));
        n = scs_report_predictor_kinds(config, kind);
        CU_ASSERT_EQUAL(n, cases[i].kinds);
        for (int p = 0; p < scs_report_predictor_count(); p++) {
            int times = 0;

            for (int k = 0; k < n; k++)
                times +=
                    scs_report_predictor_is_made_by(scs_report_predictor_at(p), config, kind[k]);
            CU_ASSERT_EQUAL(times,
                            scs_report_predictor_is_made(scs_report_predictor_at(p), config));
            made += times;
        }
        CU_ASSERT_EQUAL(made, cases[i].made);
        scs_config_destroy(&config);
    }
}

int main(void)
{
    static const scs_test tests[] = {
        {"what can be held out", what_can_be_held_out},
        {"folds deal combinations to models", folds_deal_combinations},
        {"folds leave something to learn from", folds_must_leave_something},
        {"lists select", lists_select},
        {"a model's combinations become hold_out", becomes_hold_out},
        {"contexts are held out whole", contexts_are_held_out_whole},
        {"perturbations are held out everywhere", perturbations_are_held_out_everywhere},
        {"predictors are made once", predictors_are_made_once},
    };

    return run_suite("grid", tests, sizeof tests / sizeof *tests);
}
