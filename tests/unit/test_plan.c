/* Which combinations are screened, and how they are spread. */
#include "scscreen/screen.h"
#include "tests/unit/scratch.h"
#include "tests/unit/fixture_atlas.h"

typedef struct setup {
    scs_config config; /* lists empty: all */
    scs_arch arch;
    scs_atlas *atlas;
    scs_plan *plan;
} setup;

static void atlas_of(setup *t, const scs_group *group, int32_t n_group)
{
    scs_names species = {0}, types = {0}, conditions = {0}, genes = {0};

    *t = (setup){.arch = plain_arch(SCS_PROFILE_SCGEN2, 5, 4, 3)};
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
    CHECK_OK(scs_names_add(&t.config.screen.species, "species0*"));
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
    CHECK_OK(scs_names_add(&t.config.screen.species, "*1"));
    CHECK_OK(scs_names_add(&t.config.screen.cell_types, "type0"));
    CHECK_FAILS(plan(&t), SCS_EARG, "nothing to screen");
    end(&t);
}

static void globs_select(void)
{
    setup t;

    begin(&t);
    CHECK_OK(scs_names_add(&t.config.screen.cell_types, "type[12]"));
    CHECK_OK(scs_names_add(&t.config.screen.perturbations, "*2"));
    CHECK_OK(plan(&t));
    CU_ASSERT_EQUAL_FATAL(t.plan->n, 2);
    check_item(&t, 0, 0, 1, 2, false, false);
    check_item(&t, 1, 1, 2, 2, false, false);
    scs_plan_destroy(&t.plan);
    CHECK_OK(scs_names_add(&t.config.screen.perturbations, "x?z*"));
    CHECK_FAILS(plan(&t), SCS_EARG,
                "screen.perturbations: no condition is like \"x?z*\"; there are: drug0, drug1");
    scs_names_clear(&t.config.screen.perturbations);
    CHECK_OK(scs_names_add(&t.config.screen.perturbations, "drug*")); /* the control is not meant */
    CHECK_OK(plan(&t));
    CU_ASSERT_EQUAL(t.plan->n, 4);
    end(&t);
}

/* Type 2 of species 0 has cells of drug2 and no control; that of species 1 has. */
static void what_is_named_is_a_row_without_controls(void)
{
    scs_method how = {.shift = SCS_SHIFT_NEAREST, .power = 4};
    setup t;

    begin(&t);
    CHECK_OK(scs_names_add(&t.config.screen.cell_types, "type2"));
    CHECK_OK(plan(&t));
    CU_ASSERT_EQUAL(t.plan->n, 2); /* the species was not named */
    scs_plan_destroy(&t.plan);
    CHECK_OK(scs_names_add(&t.config.screen.species, "species0"));
    CHECK_OK(plan(&t));
    CHECK_OK(scs_plan_resolve(t.atlas, &how, t.plan));
    CU_ASSERT_EQUAL_FATAL(t.plan->n, 2);
    for (int i = 0; i < 2; i++) {
        const scs_combination *c = &t.plan->item[i];

        CU_ASSERT(c->control_group == -1 && c->status == SCS_ROW_NO_CONTROL);
        CU_ASSERT_STRING_EQUAL(t.plan->sources.name[c->source], "");
        CU_ASSERT_PTR_NOT_NULL(strstr(t.plan->reasons.name[c->reason], "no control cells"));
    }
    end(&t);
}

/* drug0 on type 1 of species 0 is held out and no other type or species but type 0 saw it. */
static void rows_know_their_source(void)
{
    scs_method how = {.shift = SCS_SHIFT_NEAREST, .power = 4};
    setup t;
    const scs_combination *c;

    begin(&t);
    CHECK_OK(plan(&t));
    CHECK_OK(scs_plan_resolve(t.atlas, &how, t.plan));
    c = t.plan->item;
    CU_ASSERT_STRING_EQUAL(t.plan->sources.name[c[0].source], "self");
    CU_ASSERT_STRING_EQUAL(t.plan->sources.name[c[2].source], "own");
    CU_ASSERT_STRING_EQUAL(t.plan->sources.name[c[4].source], "donors: species0");
    CU_ASSERT(c[0].kind == SCS_SOURCE_SELF && c[2].kind == SCS_SOURCE_OWN);
    for (int i = 0; i < 6; i++)
        CU_ASSERT(c[i].status == SCS_ROW_OK && !*t.plan->reasons.name[c[i].reason]);
    t.atlas->group[0].held_out = true; /* now nobody has seen drug0 */
    CHECK_OK(scs_plan_resolve(t.atlas, &how, t.plan));
    CU_ASSERT(c[0].status == SCS_ROW_NO_SOURCE && c[2].status == SCS_ROW_NO_SOURCE);
    CU_ASSERT(c[1].status == SCS_ROW_OK);
    end(&t);
}

static void write_wanted(setup *t, const char *folder, const char *text)
{
    char path[2 * SCRATCH_PATH];

    scratch_write(scratch_path(folder, "wanted.csv", path), text);
    free(t->config.screen.combinations);
    CU_ASSERT_PTR_NOT_NULL_FATAL((t->config.screen.combinations = strdup(path)));
}

static void a_file_names_the_rows(void)
{
    char folder[SCRATCH_PATH];
    setup t;

    begin(&t);
    scratch_make(folder);
    write_wanted(&t, folder,
                 "perturbation,note,cell_type,species\n\ndrug2,x,type2,species1\n"
                 "drug2,,type2,species0\ndrug0,\"a, b\",type0,\ndrug2,again,type2,species1\n");
    CHECK_OK(plan(&t));
    CU_ASSERT_EQUAL_FATAL(t.plan->n, 4); /* in a plan's order, each once, no species: both */
    CU_ASSERT(t.plan->item[0].species == 0 && t.plan->item[0].cell_type == 0);
    CU_ASSERT(t.plan->item[1].cell_type == 2 && t.plan->item[1].control_group == -1);
    CU_ASSERT(t.plan->item[2].species == 1 && t.plan->item[2].control_group == -1);
    check_item(&t, 3, 1, 2, 2, false, false);
    CHECK_OK(scs_names_add(&t.config.screen.species, "species1"));
    scs_plan_destroy(&t.plan);
    CHECK_FAILS(plan(&t), SCS_EARG, "take screen.cell_types");
    free(t.config.screen.combinations);
    scratch_remove(folder);
    end(&t);
}

static void a_wrong_file_is_refused(void)
{
    static const char *const wrong[][2] = {
        {"cell_type,perturbation\ntype0,drug0\n", "wanted.csv:1: no column species"},
        {"type,perturbation,species\n", "wanted.csv:1: no column cell_type"},
        {"", "wanted.csv: is empty"},
        {"cell_type,perturbation,species\n", "wanted.csv: holds titles and no rows"},
        {"cell_type,perturbation,species\n\n# type0,drug0,species0\n", "titles and no rows"},
        {"cell_type,perturbation,species\ntype0,drug0\n", "wanted.csv:2: the row has only 2"},
        {"cell_type,perturbation,species\ntype0,drg0,species0\n",
         "wanted.csv:2: there is no perturbation \"drg0\"; did you mean \"drug0\"?"},
        {"cell_type,perturbation,species\n,drug0,species0\n", "wanted.csv:2: a row without"},
        {"cell_type,perturbation,species\ntype0,drug1,species0\n", "\"drug1\" is the control"}};
    char folder[SCRATCH_PATH];
    setup t;

    begin(&t);
    scratch_make(folder);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_wanted(&t, folder, wrong[i][0]);
        CHECK_FAILS(plan(&t), SCS_EARG, wrong[i][1]);
        CU_ASSERT_PTR_NULL(t.plan);
    }
    free(t.config.screen.combinations);
    t.config.screen.combinations = strdup("/nowhere/wanted.csv");
    CHECK_FAILS(plan(&t), SCS_EDATA, "/nowhere/wanted.csv");
    free(t.config.screen.combinations);
    scratch_remove(folder);
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
    scs_plan p = {.n = 50, .item = item};
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
        {"globs select", globs_select},
        {"what is named is a row without controls", what_is_named_is_a_row_without_controls},
        {"rows know their source", rows_know_their_source},
        {"a file names the rows", a_file_names_the_rows},
        {"a wrong file is refused", a_wrong_file_is_refused},
        {"split covers every row once", split_covers_every_row_once},
        {"split is even", split_is_even}};

    return run_suite("plan", tests, sizeof tests / sizeof *tests);
}
