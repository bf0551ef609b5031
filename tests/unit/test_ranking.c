/* Rows in the order of a number, and the genes that move most. */
#include "src/result/ranking.h"
#include "tests/unit/configs.h"
#include "tests/unit/fixture_atlas.h"

enum { ROWS = 7 };

static char *species[] = {"human", "mouse"}, *types[] = {"B", "NK"}, *drugs[] = {"ctrl", "x", "y"};
static char *sources[] = {"own", "", "self"}, *reasons[] = {"", "none"};
static scs_group groups[] = {{0, 0, 0, false, 11}, {0, 0, 1, true, 7}};
static scs_combination items[ROWS] = {
    {.condition = 1, .control_group = 0, .observed_group = 1, .held_out = true},
    {.condition = 2, .control_group = 0, .observed_group = -1},
    {.cell_type = 1,
     .condition = 1,
     .control_group = -1,
     .observed_group = -1,
     .status = 1,
     .source = 1},
    {.cell_type = 1, .condition = 2, .control_group = 0, .observed_group = -1},
    {.species = 1, .condition = 1, .control_group = 0, .observed_group = -1},
    {.species = 1,
     .condition = 2,
     .control_group = 0,
     .observed_group = 1,
     .kind = SCS_SOURCE_SELF,
     .source = 2},
    {.species = 1, .cell_type = 1, .condition = 1, .control_group = 0, .observed_group = -1}};
static const scs_plan plan = {
    .n = ROWS, .item = items, .sources = {3, sources}, .reasons = {2, reasons}};
static const double norm[ROWS] = {3, 5, NAN, 5, 1, 9, NAN};
static const double p[ROWS] = {.01, .5, NAN, .01, .2, .001, .01};

typedef struct setup {
    scs_atlas atlas;
    scs_confidence confidence[ROWS];
    scs_scores score[ROWS];
    scs_ranking ranking;
} setup;

static void begin(setup *t, int32_t n_species, int by)
{
    *t = (setup){.atlas = {.species = {n_species, species},
                           .cell_types = {2, types},
                           .conditions = {3, drugs},
                           .group = groups}};
    for (int i = 0; i < ROWS; i++) {
        t->confidence[i] = scs_confidence_none();
        t->confidence[i].p_value = p[i];
        t->score[i] = scs_score_none();
    }
    t->score[0].r2_all = .75;
    t->confidence[1].support_flag = 1;
    t->ranking = (scs_ranking){&t->atlas, &plan, norm, t->confidence, t->score, by, 99};
}

static void check_order(int by, const int64_t *expected)
{
    int64_t order[ROWS];
    setup t;

    begin(&t, 2, by);
    CHECK_OK(scs_ranking_order(&t.ranking, order));
    for (int i = 0; i < ROWS; i++)
        CU_ASSERT_EQUAL(order[i], expected[i]);
}

/* Large shifts and small p-values come first. Equal p-values go by the length of the shift, equal
 * rows stay in order. Missing numbers are behind, whatever their shift; then what is predicted from
 * itself (row 5, of the largest shift and the smallest p); then what is not predicted. */
static void best_rows_come_first(void)
{
    check_order(SCS_RANK_DELTA_NORM, (const int64_t[]){1, 3, 0, 4, 6, 5, 2});
    check_order(SCS_RANK_P_VALUE, (const int64_t[]){3, 0, 6, 4, 1, 5, 2});
    check_order(SCS_RANK_R2_ALL, (const int64_t[]){0, 1, 3, 4, 6, 5, 2});
}

static void write_text(int32_t n_species, bool table, char *text, size_t size)
{
    static const int64_t order[] = {1, 0, 2};
    FILE *out = fmemopen(text, size, "w");
    setup t;

    memset(text, 0, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    begin(&t, n_species, SCS_RANK_P_VALUE);
    if (table)
        scs_ranking_print(&t.ranking, order, 2, out);
    else
        scs_ranking_write(&t.ranking, order, 3, out);
    fclose(out);
}

static void the_file_names_its_columns(void)
{
    char text[4096];

    write_text(2, false, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(
        text,
        "rank\tspecies\tcell_type\tperturbation\tsource\tstatus\tn_control\tn_observed\theld_out\t"
        "support_flag\tdelta_norm\tenergy_distance\tagreement\tp_value\tq_value\tr2_all\tr2_deg\t"
        "delta_pearson\tsupport\tdelta_se\n"
        "1\thuman\tB\ty\town\tok\t11\t0\tFalse\tTrue\t5\t\t\t0.5\t\t\t\t\t\t\n"
        "2\thuman\tB\tx\town\tok\t11\t7\tTrue\tFalse\t3\t\t\t0.01\t\t0.75\t\t\t\t\n"
        "3\thuman\tNK\tx\t\tno_control\t0\t0\tFalse\tFalse\t\t\t\t\t\t\t\t\t\t\n");
}

/* What screen.rank_by can name is a column of that name, in the order of scs_rank_by. */
static void every_rank_has_the_name_that_a_config_gives_it(void)
{
    size_t at = offsetof(scs_config, screen.rank_by);
    char text[4096], *line, *title;

    write_text(2, false, text, sizeof text);
    line = strstr(text, "support_flag\t") + strlen("support_flag\t");
    for (int i = 1; i < SCS_N_RANK_BY; i++) {
        title = strsep(&line, "\t\n");
        CU_ASSERT_EQUAL(read_choice("screen.rank_by", title, at), i);
    }
    CU_ASSERT_EQUAL(read_choice("screen.rank_by", "none", at), SCS_RANK_NONE);
}

static void the_table_leads_with_what_was_ranked_by(void)
{
    char text[4096], *line;

    write_text(2, true, text, sizeof text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "species"));
    CU_ASSERT(strstr(text, "p_value") < strstr(text, "delta_norm"));
    line = strchr(text, '\n') + 1;
    CU_ASSERT(strncmp(line, "     1  human", 13) == 0 && strstr(line, "0.5") != NULL);
    /* 99 permutations: row 5 is below what they can give, rows 0, 3 and 6 are there */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "p_value is at least 1 / (99 + 1) = 0.01, by "
                                        "screen.permutations; 4 of 7 combinations have that one, "
                                        "in the order of delta_norm\n"));
    write_text(1, true, text, sizeof text);
    CU_ASSERT_PTR_NULL(strstr(text, "human"));
}

static void genes_that_move_most_come_first(void)
{
    static const float shift[] = {.5f, -2, 0, 3, .5f, NAN, -1};
    int32_t gene[4];
    float value[4];

    CHECK_OK(scs_deg_top_shift(shift, 7, 1, 2, gene, value));
    CU_ASSERT(gene[0] == 3 && value[0] == 3 && gene[1] == 0 && value[1] == .5f);
    CHECK_OK(scs_deg_top_shift(shift, 7, 1, 4, gene, value));
    CU_ASSERT(gene[1] == 0 && gene[2] == 4 && gene[3] == -1 && isnan(value[3]));
    CHECK_OK(scs_deg_top_shift(shift, 7, -1, 4, gene, value));
    CU_ASSERT(gene[0] == 1 && value[0] == -2 && gene[1] == 6 && value[1] == -1 && gene[2] == -1);
}

int main(void)
{
    static const scs_test tests[] = {
        {"best rows come first", best_rows_come_first},
        {"the file names its columns", the_file_names_its_columns},
        {"every rank has the name that a config gives it",
         every_rank_has_the_name_that_a_config_gives_it},
        {"the table leads with what was ranked by", the_table_leads_with_what_was_ranked_by},
        {"genes that move most come first", genes_that_move_most_come_first}};

    return run_suite("ranking", tests, sizeof tests / sizeof *tests);
}
