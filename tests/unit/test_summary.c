/* What a validation says in short: means, differences to the best baseline, intervals, the scale to
 * a repeat; and that tricks gain nothing. */
#include "src/crossval/replicate.h"
#include "src/crossval/summary.h"
#include "tests/unit/fixture_atlas.h"
#include "tests/unit/scratch.h"

enum {
    NO_CHANGE,
    PAIRED,
    NEAREST,
    OTHERS,
    ADDITIVE,
    RIDGE,
    MEAN,
    PCA,
    VAE,
    VAE_DECODE,
    VAE_EDIT,
    REPLICATE
};

static void set(scs_report_table *t, int64_t i, int p, int m, double value)
{
    t->value[(i * scs_report_predictor_count() + p) * SCS_N_MEASURE + m] = value;
    t->made[p] = true;
}

static const scs_summary_cell *cell(const scs_summary *s, int p, int m)
{
    return &s->cell[p * SCS_N_MEASURE + m];
}

static void predictors_are_where_this_test_thinks(void)
{
    static const char *const name[] = {[NO_CHANGE] = "no_change",
                                       [PAIRED] = "mean_paired",
                                       [NEAREST] = "mean_nearest",
                                       [OTHERS] = "mean_others",
                                       [ADDITIVE] = "additive",
                                       [MEAN] = "mean",
                                       [VAE] = "vae",
                                       [REPLICATE] = "replicate"};

    for (int p = 0; p <= REPLICATE; p++)
        if (name[p])
            CU_ASSERT_STRING_EQUAL(scs_report_predictor_at(p)->name, name[p]);
    CU_ASSERT_PTR_NULL(scs_report_predictor_at(REPLICATE + 1));
}

/* Four combinations in numbers that can be added up by hand. */
static void by_hand(void)
{
    static const double paired[] = {.2, .4, .6, .8}, nearest[] = {.3, .4, .5, .6},
                        vae[] = {.5, .4, .7, .8}, repeat[] = {.9, .9, .9, NAN};
    scs_report_table t;
    scs_summary s;
    const scs_summary_cell *c;

    CHECK_OK(scs_report_table_create(4, &t));
    t.n = 4;
    for (int i = 0; i < 4; i++) {
        set(&t, i, PAIRED, SCS_R2_ALL, paired[i]);
        set(&t, i, NEAREST, SCS_R2_ALL, nearest[i]);
        set(&t, i, VAE, SCS_R2_ALL, vae[i]);
        set(&t, i, REPLICATE, SCS_R2_ALL, repeat[i]);
        set(&t, i, PAIRED, SCS_MSE, paired[i]);
        set(&t, i, NEAREST, SCS_MSE, nearest[i]);
        set(&t, i, VAE, SCS_MSE, vae[i]);
    }
    CHECK_OK(scs_summary_make(&t, 1, &s));
    CU_ASSERT_EQUAL(s.baseline[SCS_R2_ALL], PAIRED); /* .5 and .45: larger is better */
    CU_ASSERT_EQUAL(s.baseline[SCS_MSE], NEAREST);   /* smaller is */
    CU_ASSERT_EQUAL(s.baseline[SCS_R2_DEG], -1);
    c = cell(&s, VAE, SCS_R2_ALL);
    CU_ASSERT_EQUAL(c->n, 4);
    CU_ASSERT_DOUBLE_EQUAL(c->mean, .6, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(c->difference, .1, 1e-12);
    CU_ASSERT_EQUAL(c->wins, 2);
    /* Of the rows that have a replicate: u = 1.6 / 3, b = 1.2 / 3, r = .9. */
    CU_ASSERT_DOUBLE_EQUAL(c->scaled, (1.6 - 1.2) / (2.7 - 1.2), 1e-12);
    /* Differences .3 0 .1 0: a mean of four draws is within them. */
    CU_ASSERT(c->low >= 0 && c->low < .05 && c->high > .15 && c->high <= .3);
    c = cell(&s, VAE, SCS_MSE);
    CU_ASSERT_DOUBLE_EQUAL(c->difference, -.15, 1e-12); /* turned: worse */
    CU_ASSERT_EQUAL(c->wins, 0);
    CU_ASSERT(isnan(c->scaled)); /* nobody repeated it */
    c = cell(&s, PAIRED, SCS_R2_ALL);
    CU_ASSERT(c->difference == 0 && c->low == 0 && c->high == 0 && c->scaled == 0 && !c->wins);
    CU_ASSERT_DOUBLE_EQUAL(scs_summary_mean(&s, REPLICATE, SCS_R2_ALL), .9, 1e-12);
    CU_ASSERT_EQUAL(cell(&s, MEAN, SCS_R2_ALL)->n, 0);
    scs_summary_clear(&s);
    scs_report_table_clear(&t);
}

/* Where a repeat is no better than the baseline there is no scale. */
static void no_scale_below_the_baseline(void)
{
    scs_report_table t;
    scs_summary s;

    CHECK_OK(scs_report_table_create(2, &t));
    t.n = 2;
    for (int i = 0; i < 2; i++) {
        set(&t, i, PAIRED, SCS_R2_ALL, .8);
        set(&t, i, VAE, SCS_R2_ALL, .9);
        set(&t, i, REPLICATE, SCS_R2_ALL, .7);
        set(&t, i, PAIRED, SCS_MSE, .8);
        set(&t, i, VAE, SCS_MSE, .6);
        set(&t, i, REPLICATE, SCS_MSE, .4);
    }
    CHECK_OK(scs_summary_make(&t, 1, &s));
    CU_ASSERT(isnan(cell(&s, VAE, SCS_R2_ALL)->scaled));
    CU_ASSERT_DOUBLE_EQUAL(cell(&s, VAE, SCS_MSE)->scaled, .5, 1e-12);
    scs_summary_clear(&s);
    scs_report_table_clear(&t);
}

/* The interval of a mean of normal differences is that of the normal, within what 1,000 draws give.
 */
static void interval_covers(void)
{
    enum { ROWS = 200 };
    scs_stream stream = {7, SCS_RANDOM_SIMULATE, 0, 0};
    double noise[ROWS], mean = 0, square = 0, width;
    scs_report_table t;
    scs_summary s;
    const scs_summary_cell *c;

    scs_random_normal(&stream, ROWS, noise);
    CHECK_OK(scs_report_table_create(ROWS, &t));
    t.n = ROWS;
    for (int i = 0; i < ROWS; i++) {
        set(&t, i, PAIRED, SCS_R2_ALL, .5);
        set(&t, i, VAE, SCS_R2_ALL, .5 + .01 * noise[i]);
        mean += .01 * noise[i] / ROWS;
    }
    for (int i = 0; i < ROWS; i++)
        square += (.01 * noise[i] - mean) * (.01 * noise[i] - mean) / ROWS;
    width = 2 * 1.96 * sqrt(square / ROWS);
    CHECK_OK(scs_summary_make(&t, 1, &s));
    c = cell(&s, VAE, SCS_R2_ALL);
    CU_ASSERT_DOUBLE_EQUAL(c->high - c->low, width, .1 * width);
    CU_ASSERT_DOUBLE_EQUAL((c->high + c->low) / 2, mean, .1 * width);
    scs_summary_clear(&s);
    scs_report_table_clear(&t);
}

/* ---- tricks ---- */

enum { GENES = 150, TYPES = 4, DRUGS = 3, GROUPS = TYPES * (DRUGS + 1) };

/* A prediction made for row `row` in the place of the network's.
 *  @param control, paired [GENES] the controls' mean, the other types' mean change; borrowed
 *  @param[out] mean [GENES] the predicted mean; NAN in mean[0]: none is made */
typedef void trick(const float *control, const double *paired, int row, float *mean);

/* Groups [TYPES, DRUGS + 1] whose shifts are alike but for noise, in each drug; DEGs are the
 * largest changes. */
static void make_alike(scs_names names[4], scs_atlas **out)
{
    scs_group group[GROUPS];
    scs_atlas *a;

    for (int g = 0; g < GROUPS; g++)
        group[g] = (scs_group){0, g / (DRUGS + 1), g % (DRUGS + 1), false, 5};
    name_list(&names[0], "a", 1);
    name_list(&names[1], "type", TYPES);
    name_list(&names[2], "c", DRUGS + 1);
    name_list(&names[3], "g", GENES);
    CHECK_OK(scs_atlas_create_from(&names[0], &names[1], &names[2], &names[3], 0, group, GROUPS, 1,
                                   out));
    a = *out;
    for (int k = 0; k < GROUPS; k++)
        for (int g = 0; g < GENES; g++) {
            int drug = k % (DRUGS + 1), type = k / (DRUGS + 1);
            float effect = drug ? uniform(1, (uint64_t)(drug * GENES + g)) - .5f : 0;

            a->gene_mean[k * GENES + g] = 2 + uniform(2, (uint64_t)(type * GENES + g)) + effect +
                                          .2f * uniform(3, (uint64_t)(k * GENES + g));
        }
    for (int k = 0; k < GROUPS; k++) {
        double change[GENES], score[SCS_N_DEG];

        for (int g = 0; g < GENES; g++)
            change[g] = (double)a->gene_mean[k * GENES + g] -
                        a->gene_mean[(k - k % (DRUGS + 1)) * GENES + g];
        CHECK_OK(scs_deg_top_genes(change, GENES, 0, SCS_N_DEG, a->deg + k * SCS_N_DEG, score));
    }
}

/* The mean change of the types but `type`: [GENES]. */
static void other_types_change(const scs_atlas *a, int type, int drug, double *paired)
{
    for (int g = 0; g < GENES; g++) {
        paired[g] = 0;
        for (int k = 0; k < TYPES; k++)
            paired[g] += k == type ? 0
                                   : ((double)a->gene_mean[(k * (DRUGS + 1) + drug) * GENES + g] -
                                      a->gene_mean[k * (DRUGS + 1) * GENES + g]) /
                                         (TYPES - 1);
    }
}

/* A held-out row, measured as no_change, mean_paired and, in the network's place, the trick. */
static void measure_row(const scs_atlas *a, trick *make, int row, scs_report_table *t)
{
    int type = row / DRUGS, drug = 1 + row % DRUGS;
    scs_combination c = {.cell_type = type,
                         .condition = drug,
                         .control_group = type * (DRUGS + 1),
                         .observed_group = type * (DRUGS + 1) + drug};
    const float *control = scs_atlas_group_gene_mean(a, c.control_group);
    float mean[GENES], shift[GENES];
    scs_prediction p = {mean, shift, NULL};
    double paired[GENES];

    other_types_change(a, type, drug, paired);
    for (int who = 0; who < 3; who++) {
        int predictor = who == 0 ? NO_CHANGE : who == 1 ? PAIRED : VAE;
        double *value = &t->value[(row * scs_report_predictor_count() + predictor) * SCS_N_MEASURE];

        for (int g = 0; g < GENES; g++)
            mean[g] = (float)(control[g] + (who == 1 ? paired[g] : 0));
        if (who == 2)
            make(control, paired, row, mean);
        for (int g = 0; g < GENES; g++)
            shift[g] = mean[g] - control[g];
        t->made[predictor] = true;
        if (!isnan(mean[0]))
            CHECK_OK(scs_score_measure_means(a, &c, &p, NULL, value));
    }
}

/* What a trick scores beside the mean of the other types as the baseline. */
static void score_trick(trick *make, scs_summary *s)
{
    scs_names names[4] = {{0}};
    scs_report_table t;
    scs_atlas *a = NULL;

    make_alike(names, &a);
    CHECK_OK(scs_report_table_create(TYPES * DRUGS, &t));
    t.n = TYPES * DRUGS;
    for (int row = 0; row < TYPES * DRUGS; row++)
        measure_row(a, make, row, &t);
    CHECK_OK(scs_summary_make(&t, 1, s));
    scs_report_table_clear(&t);
    for (int i = 0; i < 4; i++)
        scs_names_clear(&names[i]);
    scs_atlas_destroy(&a);
}

static void larger(const float *control, const double *paired, int row, float *mean)
{
    (void)row;
    for (int g = 0; g < GENES; g++)
        mean[g] = (float)(control[g] + 3 * paired[g]);
}

static void smaller(const float *control, const double *paired, int row, float *mean)
{
    (void)row;
    for (int g = 0; g < GENES; g++)
        mean[g] = (float)(control[g] + .3 * paired[g]);
}

/* The same for every gene: r2 of means does not see it. */
static void constant(const float *control, const double *paired, int row, float *mean)
{
    (void)row;
    (void)paired;
    for (int g = 0; g < GENES; g++)
        mean[g] = control[g] + 1.5f;
}

static void copies(const float *control, const double *paired, int row, float *mean)
{
    (void)row;
    (void)paired;
    memcpy(mean, control, GENES * sizeof *mean);
}

/* Predicts one row well, and does not try the others. */
static void only_what_is_easy(const float *control, const double *paired, int row, float *mean)
{
    for (int g = 0; g < GENES; g++)
        mean[g] = row == 0 ? (float)(control[g] + paired[g]) : NAN;
}

/* No measure by which a trick is better than the best baseline. */
static void tricks_gain_nothing(void)
{
    static trick *const tricks[] = {larger, smaller, constant, copies, only_what_is_easy};

    for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
        scs_summary s;
        int n = 0;

        score_trick(tricks[i], &s);
        for (int m = 0; m < SCS_N_MEASURE; m++) {
            const scs_summary_cell *c = cell(&s, VAE, m);

            if (!c->n || s.baseline[m] < 0)
                continue;
            n++;
            CU_ASSERT(c->difference <= 1e-6);
        }
        CU_ASSERT(n >= 8);
        /* By the errors a trick is worse than the baseline, and it says so beyond doubt. */
        CU_ASSERT_EQUAL(s.baseline[SCS_MSE_SHARE], PAIRED);
        CU_ASSERT(cell(&s, VAE, SCS_MSE_SHARE)->high < 0);
        CU_ASSERT_EQUAL(s.n_none[VAE], tricks[i] == only_what_is_easy ? TYPES * DRUGS - 1 : 0);
        scs_summary_clear(&s);
    }
}

/* ---- replicate ---- */

/* Every group falls into two halves of one size, whose cells are its own. */
static void halves_are_halves(void)
{
    enum { CELLS = 60 };
    int32_t species[CELLS], type[CELLS], condition[CELLS], n[2][2][3] = {{{0}}};
    uint8_t role[CELLS];
    scs_names one = {0}, types = {0}, conditions = {0}, genes = {0};
    scs_dataset d = {.n_cell = CELLS,
                     .n_gene = 2,
                     .cell_species = species,
                     .cell_type = type,
                     .cell_condition = condition,
                     .role = role};
    scs_dataset half, again, other;
    scs_atlas *a = NULL;
    int left = 0, differ = 0;

    for (int i = 0; i < CELLS; i++) {
        species[i] = 0;
        type[i] = i % 2;
        condition[i] = i < 50 ? i % 3 == 0 : 2; /* groups of 17, 8, 17, 8, 5 and 5 cells */
        role[i] = i == 7 ? SCS_ROLE_HELD_OUT : SCS_ROLE_TRAIN;
    }
    name_list(&one, "a", 1);
    name_list(&types, "t", 2);
    name_list(&conditions, "c", 3);
    name_list(&genes, "g", 2);
    d.species = one;
    d.cell_types = types;
    d.conditions = conditions;
    d.genes = genes;
    CHECK_OK(scs_atlas_create(&d, 1, &a));
    CHECK_OK(scs_replicate_split(a, &d, 1, 0, &half));
    CHECK_OK(scs_replicate_split(a, &d, 1, 0, &again));
    CHECK_OK(scs_replicate_split(a, &d, 1, 1, &other));
    CU_ASSERT_EQUAL(half.species.n, 2);
    for (int i = 0; i < CELLS; i++) {
        CU_ASSERT_EQUAL(half.cell_species[i], again.cell_species[i]);
        differ += half.cell_species[i] != other.cell_species[i];
        CU_ASSERT_EQUAL(half.role[i] == SCS_ROLE_UNUSED, half.cell_species[i] < 0);
        left += half.cell_species[i] < 0;
        if (half.cell_species[i] >= 0)
            n[half.cell_species[i]][type[i]][condition[i]]++;
    }
    for (int t = 0; t < 2; t++)
        for (int c = 0; c < 3; c++)
            CU_ASSERT(n[0][t][c] == n[1][t][c] && n[0][t][c] >= 2);
    CU_ASSERT_EQUAL(left, a->group[0].count % 2 + a->group[1].count % 2 + a->group[2].count % 2 +
                              a->group[3].count % 2 + a->group[4].count % 2 +
                              a->group[5].count % 2);
    CU_ASSERT(differ > 10);
    scs_replicate_clear(&half);
    scs_replicate_clear(&again);
    scs_replicate_clear(&other);
    scs_atlas_destroy(&a);
    scs_names_clear(&one);
    scs_names_clear(&types);
    scs_names_clear(&conditions);
    scs_names_clear(&genes);
}

/* An atlas of two halves: same means, a perfect repeat; other controls move only what is a change.
 */
static void halves_tell_each_other(void)
{
    scs_names species = {0}, types = {0}, conditions = {0}, genes = {0};
    scs_group group[4];
    scs_combination target = {.condition = 1};
    double sum[SCS_N_MEASURE] = {0};
    int64_t n[SCS_N_MEASURE] = {0};
    scs_atlas *a = NULL;

    for (int g = 0; g < 4; g++)
        group[g] = (scs_group){g / 2, 0, g % 2, false, 5};
    name_list(&species, "s", 2);
    name_list(&types, "t", 1);
    name_list(&conditions, "c", 2);
    name_list(&genes, "g", GENES);
    CHECK_OK(scs_atlas_create_from(&species, &types, &conditions, &genes, 0, group, 4, 1, &a));
    for (int g = 0; g < GENES; g++) {
        a->gene_mean[g] = a->gene_mean[2 * GENES + g] = uniform(1, (uint64_t)g);
        a->gene_mean[GENES + g] = a->gene_mean[3 * GENES + g] = uniform(2, (uint64_t)g);
    }
    CHECK_OK(scs_replicate_measure(a, 1, &target, sum, n));
    CU_ASSERT(n[SCS_R2_ALL] == 2 && n[SCS_DELTA_PEARSON] == 2 && n[SCS_CENTROID_ACCURACY] == 0);
    CU_ASSERT_DOUBLE_EQUAL(sum[SCS_R2_ALL], 2, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(sum[SCS_DELTA_PEARSON], 2, 1e-9);
    CU_ASSERT_EQUAL(sum[SCS_MSE], 0);
    for (int g = 0; g < GENES; g++)
        a->gene_mean[g] += .5f * uniform(3, (uint64_t)g); /* the first half's controls */
    memset(sum, 0, sizeof sum);
    CHECK_OK(scs_replicate_measure(a, 1, &target, sum, n));
    CU_ASSERT_EQUAL(sum[SCS_MSE], 0);
    CU_ASSERT(sum[SCS_DELTA_PEARSON] > 1 && sum[SCS_DELTA_PEARSON] < 2 - 1e-3);
    scs_names_clear(&species);
    scs_names_clear(&types);
    scs_names_clear(&conditions);
    scs_names_clear(&genes);
    scs_atlas_destroy(&a);
}

/* Nothing wider than a terminal of 100 columns, whatever the numbers. */
static void fits_in_100_columns(void)
{
    scs_report_table t;
    scs_summary s;
    char *text = NULL, *line, *rest;
    size_t size = 0;
    FILE *out;
    int n = 0;

    CHECK_OK(scs_report_table_create(3, &t));
    t.n = 3;
    for (int i = 0; i < 3; i++)
        for (int p = 0; p < scs_report_predictor_count(); p++)
            for (int m = 0; m < SCS_N_MEASURE; m++)
                set(&t, i, p, m, (p == NEAREST ? .9 : p == REPLICATE ? .95 : .5) + .01 * i);
    CHECK_OK(scs_summary_make(&t, 1, &s));
    out = open_memstream(&text, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    scs_summary_print(out, &s);
    CU_ASSERT_EQUAL(fclose(out), 0);
    rest = text;
    while ((line = strsep(&rest, "\n"))) {
        if (strlen(line) > 100)
            printf("too wide: %s\n", line);
        CU_ASSERT(strlen(line) <= 100 || strstr(line, "To screen with it") ||
                  strstr(line, "is beaten by"));
        n++;
    }
    CU_ASSERT(n > 25);
    free(text);
    scs_summary_clear(&s);
    scs_report_table_clear(&t);
}

int main(void)
{
    static const scs_test tests[] = {
        {"predictors are where this test thinks", predictors_are_where_this_test_thinks},
        {"means, differences and the scale by hand", by_hand},
        {"no scale below the baseline", no_scale_below_the_baseline},
        {"the interval is that of a mean", interval_covers},
        {"tricks gain nothing", tricks_gain_nothing},
        {"halves are halves", halves_are_halves},
        {"halves tell each other", halves_tell_each_other},
        {"fits in 100 columns", fits_in_100_columns},
    };

    return run_suite("summary", tests, sizeof tests / sizeof *tests);
}
