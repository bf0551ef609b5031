/* Doses and pairs: what a combination's shift is put together from, against direct computation. */
#include "src/base/names.h"
#include "src/data/dose.h"
#include "src/screen/shift.h"
#include "src/screen/plan.h"
#include "tests/unit/configs.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { T = 3, D = 2 }; /* cell types, latent units; one species */
enum { CONTROL, A1, A4, A15, B4, AB4, N_CONDITION };

static char *const labels[] = {"control", "a@1", "a@4", "a@15", "b@4", "b+a@4"};
static char *const perturbations[] = {"control", "a", "b", "b+a"};
static const int32_t of[N_CONDITION] = {0, 1, 1, 1, 2, 3};
static const double dose[N_CONDITION] = {0, 1, 4, 15, 4, 4};

typedef struct setup {
    scs_config *config;
    scs_atlas *atlas;
    scs_plan *plan;
} setup;

static double mean_of(int type, int condition, int unit)
{
    return 10 * type + (type + 1) * (condition + 1) * (unit ? 1.5 : 1) * (condition ? 1 : 0);
}

/* All groups but type 2's a@15 and b@4. */
static void begin(setup *t, const char *text)
{
    const scs_names species = {1, (char *[]){"all"}}, types = {T, (char *[]){"t0", "t1", "t2"}};
    const scs_names conditions = {N_CONDITION, (char **)labels}, genes = {D, (char *[]){"g", "h"}};
    const scs_dose_list doses = {
        N_CONDITION, {4, (char **)perturbations}, (int32_t *)of, (double *)dose};
    scs_group group[T * N_CONDITION];
    int32_t n = 0;

    *t = (setup){0};
    CHECK_OK(parse(text, &t->config));
    for (int32_t k = 0; k < T; k++)
        for (int32_t c = 0; c < N_CONDITION; c++)
            if (k != 2 || (c != A15 && c != B4))
                group[n++] = (scs_group){0, k, c, false, 10};
    CHECK_OK(scs_atlas_create_from(&species, &types, &conditions, &genes, CONTROL, group, n, D,
                                   &t->atlas));
    CHECK_OK(scs_dose_list_copy(&doses, &t->atlas->doses));
    for (int32_t g = 0; g < n; g++)
        for (int j = 0; j < D; j++)
            t->atlas->gene_mean[g * D + j] =
                (float)(t->atlas->mean[g * D + j] =
                            mean_of(group[g].cell_type, group[g].condition, j));
}

static scs_status plan(setup *t)
{
    const scs_arch arch = {.n_gene = D, .n_hidden = 1, .n_layer = 1, .n_latent = D};

    return scs_plan_create(t->config, t->atlas, &arch, &t->plan);
}

static void end(setup *t)
{
    scs_plan_destroy(&t->plan);
    scs_atlas_destroy(&t->atlas);
    scs_config_destroy(&t->config);
}

static void hold_out(setup *t, int32_t type, int32_t condition)
{
    t->atlas->group[scs_atlas_group(t->atlas, 0, type, condition)].held_out = true;
}

/* The row of a type, "perturbation@dose". */
static const scs_combination *row(const setup *t, int32_t type, const char *what)
{
    char text[100];

    for (int64_t i = 0; i < t->plan->n; i++)
        if (t->plan->item[i].cell_type == type &&
            strcmp(scs_plan_treatment_text(t->atlas, &t->plan->pairs, &t->plan->item[i], text,
                                           sizeof text),
                   what) == 0)
            return &t->plan->item[i];
    CU_FAIL_FATAL("no such row");
    return NULL;
}

/* delta and source of a row. */
static void check_shift(const setup *t, int32_t type, const char *what, const char *source,
                        const double *expected)
{
    scs_method method = scs_shift_method_from_config(t->config);
    scs_sources *sources;
    double delta[D];

    CHECK_OK(scs_shift_sources_create(t->atlas, &sources));
    CHECK_OK(scs_shift_sources_find(t->atlas, &method, row(t, type, what), sources));
    CU_ASSERT_STRING_EQUAL(sources->text, source);
    scs_shift_sources_latent(t->atlas, sources, delta);
    for (int j = 0; j < D; j++)
        CU_ASSERT_DOUBLE_EQUAL(delta[j], expected[j], 1e-12);
    scs_shift_sources_destroy(&sources);
}

/* A type's own shift. */
static double own(int type, int condition, int unit)
{
    return mean_of(type, condition, unit) - mean_of(type, CONTROL, unit);
}

#define PAIRED "screen: {shift: paired"
#define DATA "data: {dose: dose}\n"

/* Rows: each perturbation at the doses that cells show, ordered by perturbation and dose. */
static void observed_doses_are_rows(void)
{
    static const char *const expected[] = {"a@1", "a@4", "a@15", "b@4", "b+a@4"};
    char text[100];
    setup t;

    begin(&t, DATA PAIRED "}");
    CHECK_OK(plan(&t));
    CU_ASSERT_EQUAL_FATAL(t.plan->n, T * 5);
    for (int i = 0; i < T * 5; i++) {
        const scs_combination *c = &t.plan->item[i];

        CU_ASSERT_EQUAL(c->cell_type, i / 5);
        CU_ASSERT_STRING_EQUAL(
            scs_plan_treatment_text(t.atlas, &t.plan->pairs, c, text, sizeof text),
            expected[i % 5]);
    }
    CU_ASSERT_EQUAL(row(&t, 2, "a@15")->observed_group, -1);
    CU_ASSERT_EQUAL(row(&t, 1, "a@15")->observed_group, scs_atlas_group(t.atlas, 0, 1, A15));
    end(&t);
}

/* What cells of other types show at the dose itself comes before any interpolation. */
static void a_seen_dose_is_estimated_there(void)
{
    double expected[D];
    setup t;

    begin(&t, DATA PAIRED "}");
    CHECK_OK(plan(&t));
    for (int j = 0; j < D; j++)
        expected[j] = (own(1, A4, j) + own(2, A4, j)) / 2;
    check_shift(&t, 0, "a@4", "own", expected);
    end(&t);
}

/* Between doses: log(1 + dose) on a straight line; the type's own cells at those doses speak. */
static void unseen_doses_lie_between(void)
{
    double way = (log(1 + 9.) - log(1 + 4.)) / (log(1 + 15.) - log(1 + 4.)), expected[D];
    setup t;

    begin(&t, DATA PAIRED ", doses: [0.5, 9, 15, 16]}");
    CHECK_OK(plan(&t));
    CU_ASSERT_EQUAL_FATAL(t.plan->n, T * 4 * 3);
    for (int j = 0; j < D; j++)
        expected[j] = (1 - way) * own(1, A4, j) + way * own(1, A15, j);
    check_shift(&t, 1, "a@9", "measured (doses 4, 15)", expected);
    for (int j = 0; j < D; j++) /* type 2 was not measured at 15 */
        expected[j] = (1 - way) * own(2, A4, j) + way * (own(0, A15, j) + own(1, A15, j)) / 2;
    check_shift(&t, 2, "a@9", "measured and own (doses 4, 15)", expected);
    for (int j = 0; j < D; j++) /* below the lowest: from no shift at 0 */
        expected[j] = log(1.5) / log(2) * own(1, A1, j);
    check_shift(&t, 1, "a@0.5", "measured (doses 0, 1)", expected);
    for (int j = 0; j < D; j++)
        expected[j] = log(1.5) / log(5) * own(0, B4, j);
    check_shift(&t, 0, "b@0.5", "measured (doses 0, 4)", expected);
    end(&t);
}

/* Beyond the largest dose nothing is predicted, and the row says so. */
static void nothing_is_extrapolated(void)
{
    const scs_combination *c;
    scs_method method;
    setup t;

    begin(&t, DATA PAIRED ", doses: [9, 15, 16]}");
    CHECK_OK(plan(&t));
    method = scs_shift_method_from_config(t.config);
    CHECK_OK(scs_plan_resolve(t.atlas, &method, t.plan));
    c = row(&t, 0, "a@16");
    CU_ASSERT_EQUAL(c->status, SCS_ROW_NO_SOURCE);
    CU_ASSERT_PTR_NOT_NULL(strstr(t.plan->reasons.name[c->reason], "above the largest"));
    CU_ASSERT_PTR_NOT_NULL(strstr(t.plan->reasons.name[c->reason], "(15)"));
    CU_ASSERT_EQUAL(row(&t, 0, "a@15")->status, SCS_ROW_OK);
    CU_ASSERT_EQUAL(row(&t, 0, "b@9")->status, SCS_ROW_NO_SOURCE);
    end(&t);
}

/* A dose that is held out in every type is predicted from its neighbours, never from its cells. */
static void held_out_doses_lie_between(void)
{
    double way = log(5. / 2) / log(16. / 2), expected[D];
    setup t;

    begin(&t, DATA PAIRED "}");
    for (int32_t k = 0; k < T; k++)
        hold_out(&t, k, A4);
    CHECK_OK(plan(&t));
    CU_ASSERT(row(&t, 0, "a@4")->held_out);
    for (int j = 0; j < D; j++)
        expected[j] = (1 - way) * own(0, A1, j) + way * own(0, A15, j);
    check_shift(&t, 0, "a@4", "measured (doses 1, 15)", expected);
    hold_out(&t, 0, A1); /* all of the type's doses: what other types show between the two */
    hold_out(&t, 0, A15);
    for (int j = 0; j < D; j++)
        expected[j] = (1 - way) * (own(1, A1, j) + own(2, A1, j)) / 2 + way * own(1, A15, j);
    check_shift(&t, 0, "a@4", "own (doses 1, 15)", expected);
    end(&t);
}

/* Order 1: the data's pair is a perturbation like others. Order 2: the sum of its two. */
static void pairs_are_sums(void)
{
    double expected[D], way = log(1 + 2.) / log(1 + 4.);
    setup t;

    begin(&t, DATA PAIRED "}");
    CHECK_OK(plan(&t));
    for (int j = 0; j < D; j++)
        expected[j] = (own(1, AB4, j) + own(2, AB4, j)) / 2;
    check_shift(&t, 0, "b+a@4", "own", expected);
    end(&t);

    begin(&t, DATA PAIRED ", order: 2, doses: [observed, 2]}");
    CHECK_OK(plan(&t));
    CU_ASSERT_EQUAL_FATAL(t.plan->n, T * (4 + 2 + 2)); /* a: 1 2 4 15, b: 2 4, b+a: 2 4 */
    CU_ASSERT_EQUAL(row(&t, 0, "b+a@4")->observed_group, scs_atlas_group(t.atlas, 0, 0, AB4));
    CU_ASSERT_EQUAL(row(&t, 0, "b+a@2")->observed_group, -1);
    for (int j = 0; j < D; j++)
        expected[j] = own(0, A4, j) + own(0, B4, j);
    check_shift(&t, 0, "b+a@4", "measured", expected);
    for (int j = 0; j < D; j++) /* type 2 never saw b */
        expected[j] = own(2, A4, j) + (own(0, B4, j) + own(1, B4, j)) / 2;
    check_shift(&t, 2, "b+a@4", "measured + own", expected);
    for (int j = 0; j < D; j++)
        expected[j] = (1 - log(3. / 2) / log(5. / 2)) * own(0, A1, j) +
                      log(3. / 2) / log(5. / 2) * own(0, A4, j) + way * own(0, B4, j);
    check_shift(&t, 0, "b+a@2", "measured (doses 1, 4) + measured (doses 0, 4)", expected);
    end(&t);
}

/* Bad lists are refused with the key and the value. */
static void bad_doses_are_refused(void)
{
    static const char *const bad[] = {"-1", "0", ".nan", "high", ".inf", "1x"};
    char text[100];
    setup t;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, DATA "screen: {doses: ['%s']}", bad[i]);
        begin(&t, text);
        CU_ASSERT_EQUAL(plan(&t), SCS_EARG);
        CU_ASSERT_PTR_NOT_NULL(strstr(scs_message(), "screen.doses"));
        CU_ASSERT_PTR_NOT_NULL(strstr(scs_message(), bad[i]));
        end(&t);
    }
    begin(&t, DATA "screen: {doses: [1]}");
    scs_dose_list_clear(&t.atlas->doses);
    CU_ASSERT_EQUAL(plan(&t), SCS_EARG);
    CU_ASSERT_PTR_NOT_NULL(strstr(scs_message(), "data.dose"));
    end(&t);
}

static void way_and_text(void)
{
    char text[SCS_DOSE_TEXT];
    double value;

    CU_ASSERT_DOUBLE_EQUAL(scs_dose_way(0, 1, 3), .5, 1e-15);
    CU_ASSERT_EQUAL(scs_dose_way(2, 2, 5), 0);
    CU_ASSERT_EQUAL(scs_dose_way(2, 5, 5), 1);
    CU_ASSERT_STRING_EQUAL(scs_dose_text(.1, text), "0.1");
    CU_ASSERT_STRING_EQUAL(scs_dose_text(10, text), "10");
    CU_ASSERT_STRING_EQUAL(scs_dose_text(0, text), "0");
    CU_ASSERT_STRING_EQUAL(scs_dose_text(2.5e-7, text), "2.5e-07");
    CU_ASSERT(scs_dose_parse(scs_dose_text(1. / 3, text), &value) && value == 1. / 3);
}

/* `auto` leaves out each group as the row that it is, with its perturbation and its dose. */
static void auto_leaves_out_doses(void)
{
    double missed = 0, size = 0, delta[D];
    scs_shift_choice choice;
    scs_sources *sources;
    scs_method method;
    setup t;

    begin(&t, DATA PAIRED "}");
    CHECK_OK(plan(&t));
    method = scs_shift_method_from_config(t.config);
    CHECK_OK(scs_shift_sources_create(t.atlas, &sources));
    for (int64_t i = 0; i < t.plan->n; i++) {
        const scs_combination *c = &t.plan->item[i];

        if (c->observed_group < 0)
            continue;
        CHECK_OK(scs_shift_sources_find(t.atlas, &method, c, sources));
        scs_shift_sources_latent(t.atlas, sources, delta);
        for (int j = 0; j < D; j++) {
            double truth = own(c->cell_type, c->condition, j);

            missed += (delta[j] - truth) * (delta[j] - truth);
            size += truth * truth;
        }
    }
    CHECK_OK(scs_choose_shift(t.atlas, &method, &choice));
    CU_ASSERT(missed > .01 * size && missed < .5 * size);
    CU_ASSERT_DOUBLE_EQUAL(choice.error[SCS_SHIFT_PAIRED], missed / size, 1e-12);
    scs_shift_sources_destroy(&sources);
    end(&t);
}

/* Whatever the labels hold, two rows never have one name. */
static void names_of_rows_are_unique(void)
{
    static const char *const rows[][4] = {
        {"h", "T", "x|y", ""},   {"h", "T|x", "y", ""}, {"h", "T\\", "x|y", ""},
        {"h", "T\\|x", "y", ""}, {"h|T", "x", "y", ""}, {"h", "T", "x|y|2", ""},
        {"h", "T", "x|y", "2"},  {"h", "T", "x", "2"},
    };
    scs_names names = {0};
    scs_index index;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_OK(scs_dose_row_name_add(rows[i][0], rows[i][1], rows[i][2], rows[i][3], &names));
    CU_ASSERT_STRING_EQUAL(names.name[0], "h|T|x\\|y");
    CU_ASSERT_STRING_EQUAL(names.name[7], "h|T|x|2");
    CHECK_OK(scs_names_index_create(&names, &index));
    CU_ASSERT_EQUAL(scs_names_index_duplicate(&index), -1);
    scs_names_index_clear(&index);
    scs_names_clear(&names);
}

int main(void)
{
    static const scs_test tests[] = {
        {"the scale and the text of doses", way_and_text},
        {"names of rows are unique", names_of_rows_are_unique},
        {"observed doses are rows", observed_doses_are_rows},
        {"a seen dose is estimated there", a_seen_dose_is_estimated_there},
        {"unseen doses lie between", unseen_doses_lie_between},
        {"nothing is extrapolated", nothing_is_extrapolated},
        {"held-out doses lie between", held_out_doses_lie_between},
        {"pairs are sums", pairs_are_sums},
        {"auto leaves out doses", auto_leaves_out_doses},
        {"bad doses are refused", bad_doses_are_refused},
    };

    return run_suite("dose", tests, sizeof tests / sizeof *tests);
}
