/* Which combinations are screened, and how they are spread. */
#include "scscreen/screen.h"
#include "tests/unit/small.h"

typedef struct setup {
    scs_config config; /* lists empty: all */
    scs_arch arch;
    scs_atlas *atlas;
    scs_plan *plan;
} setup;

static void atlas_of(setup *t, const scs_group *group, int32_t n_group)
{
    scs_names species = {0}, types = {0}, conditions = {0}, genes = {0};

    *t = (setup){.arch = small_arch(SCS_PROFILE_SCGEN2, 5, 4, 3)};
    name_list(&species, "species", 2);
    name_list(&types, "type", 3);
    name_list(&conditions, "drug", 3);
    name_list(&genes, "gene", 5);
    CHECK_OK(scs_atlas_create_from(&species, &types, &conditions, &genes, 1, group, n_group, 3,
                                   &t->atlas));
    scs_names_clear(&species);
    scs_names_clear(&types);
    scs_names_clear(&conditions);
    scs_names_clear(&genes);
}

/* Control is drug1. Type 2 of species 0 has no controls; type 1's are few; drug0 on type 1 is held
 * out. */
static void begin(setup *t)
{
    static const scs_group group[] = {
        {0, 0, 0, false, 9},  {0, 0, 1, false, 100}, {0, 0, 2, false, 7}, {0, 1, 0, true, 5},
        {0, 1, 1, false, 10}, {0, 2, 2, false, 8},   {1, 0, 1, true, 3},  {1, 2, 1, false, 30}};

    atlas_of(t, group, sizeof group / sizeof *group);
}

static void end(setup *t)
{
    scs_names_clear(&t->config.screen.species);
    scs_names_clear(&t->config.screen.cell_types);
    scs_names_clear(&t->config.screen.perturbations);
    scs_plan_destroy(&t->plan);
    CU_ASSERT_PTR_NULL(t->plan);
    scs_atlas_destroy(&t->atlas);
}

static scs_status plan(setup *t)
{
    return scs_plan_create(&t->config, t->atlas, &t->arch, &t->plan);
}

static void check_item(const setup *t, int64_t i, int32_t species, int32_t type, int32_t condition,
                       bool observed, bool held_out)
{
    const scs_combination *c = &t->plan->item[i];

    CU_ASSERT(c->species == species && c->cell_type == type && c->condition == condition);
    CU_ASSERT_EQUAL(c->control_group, scs_atlas_group(t->atlas, species, type, 1));
    CU_ASSERT_EQUAL(c->observed_group >= 0, observed);
    CU_ASSERT_EQUAL(c->held_out, held_out);
    CU_ASSERT(c->cost > 0);
}

static void everything_with_controls_is_planned(void)
{
    setup t;

    begin(&t);
    CHECK_OK(plan(&t));
    CU_ASSERT_EQUAL_FATAL(t.plan->n, 6);
    check_item(&t, 0, 0, 0, 0, true, false);
    check_item(&t, 1, 0, 0, 2, true, false);
    check_item(&t, 2, 0, 1, 0, true, true);
    check_item(&t, 3, 0, 1, 2, false, false);
    check_item(&t, 4, 1, 2, 0, false, false);
    check_item(&t, 5, 1, 2, 2, false, false);
    CU_ASSERT(t.plan->item[0].cost > t.plan->item[2].cost);
    end(&t);
}

static void lists_select(void)
{
    setup t;

    begin(&t);
    CHECK_OK(scs_names_add(&t.config.screen.cell_types, "type1"));
    CHECK_OK(scs_names_add(&t.config.screen.cell_types, "type2"));
    CHECK_OK(scs_names_add(&t.config.screen.perturbations, "drug2"));
    CHECK_OK(plan(&t));
    CU_ASSERT_EQUAL_FATAL(t.plan->n, 2);
    check_item(&t, 0, 0, 1, 2, false, false);
    check_item(&t, 1, 1, 2, 2, false, false);
    scs_plan_destroy(&t.plan);
    CHECK_OK(scs_names_add(&t.config.screen.species, "species0"));
    CHECK_OK(plan(&t));
    CU_ASSERT_EQUAL(t.plan->n, 1);
    end(&t);
}

static void names_that_are_not_there_are_refused(void)
{
    setup t;

    begin(&t);
    CHECK_OK(scs_names_add(&t.config.screen.cell_types, "typo1"));
    CHECK_FAILS(plan(&t), SCS_EARG, "no cell type \"typo1\"; did you mean \"type1\"?");
    CU_ASSERT_PTR_NULL(t.plan);
    scs_names_clear(&t.config.screen.cell_types);
    CHECK_OK(scs_names_add(&t.config.screen.perturbations, "hydrocortisone"));
    CHECK_FAILS(plan(&t), SCS_EARG, "there are: drug0, drug1, drug2");
    scs_names_clear(&t.config.screen.perturbations);
    CHECK_OK(scs_names_add(&t.config.screen.perturbations, "drug1"));
    CHECK_FAILS(plan(&t), SCS_EARG, "\"drug1\" is the control");
    scs_names_clear(&t.config.screen.perturbations);
    CHECK_OK(scs_names_add(&t.config.screen.species, "species1"));
    CHECK_OK(scs_names_add(&t.config.screen.cell_types, "type0"));
    CHECK_FAILS(plan(&t), SCS_EARG, "nothing to screen");
    end(&t);
}

static void split_covers_every_row_once(void)
{
    setup t;
    int64_t first[12];

    begin(&t);
    CHECK_OK(plan(&t));
    for (int32_t n_rank = 1; n_rank <= 11; n_rank++) {
        scs_plan_split(t.plan, n_rank, first);
        CU_ASSERT_EQUAL(first[0], 0);
        CU_ASSERT_EQUAL(first[n_rank], t.plan->n);
        for (int32_t r = 0; r < n_rank; r++)
            CU_ASSERT(first[r] <= first[r + 1]);
    }
    end(&t);
}

/* No rank does more than its share and one combination. */
static void split_is_even(void)
{
    scs_combination item[50];
    scs_plan p = {50, item};
    int64_t first[8];
    double total = 0, largest = 0;

    for (int i = 0; i < 50; i++) {
        item[i].cost = 1 + 10 * uniform(6, (uint64_t)i);
        total += item[i].cost;
        largest = fmax(largest, item[i].cost);
    }
    scs_plan_split(&p, 7, first);
    for (int r = 0; r < 7; r++) {
        double mine = 0;

        for (int64_t i = first[r]; i < first[r + 1]; i++)
            mine += item[i].cost;
        CU_ASSERT(mine <= total / 7 + largest);
        CU_ASSERT(mine >= total / 7 - largest);
    }
}

int main(void)
{
    static const scs_test tests[] = {
        {"everything with controls is planned", everything_with_controls_is_planned},
        {"lists select", lists_select},
        {"names that are not there are refused", names_that_are_not_there_are_refused},
        {"split covers every row once", split_covers_every_row_once},
        {"split is even", split_is_even}};

    return run_suite("plan", tests, sizeof tests / sizeof *tests);
}
