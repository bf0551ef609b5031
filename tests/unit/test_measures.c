/* Measures of predicted means, arithmetic in gene space, and the table they end in. */
#include "src/screen/predict.h"
#include "src/atlas/atlas.h"
#include "src/crossval/audit.h"
#include "src/crossval/baseline.h"
#include "src/crossval/report.h"
#include "src/crossval/ridge.h"
#include "src/crossval/summary.h"
#include "src/base/random.h"
#include "src/base/vector.h"
#include "tests/unit/scratch.h"
#include "tests/unit/fixture_atlas.h"

#include <math.h>

enum { N = 150 };

typedef struct setup {
    scs_atlas *atlas; /* type 0 is the target; conditions: control, a (held out), b */
    scs_combination target;
    float mean[N], shift[N], variance[N];
    double value[SCS_N_MEASURE];
} setup;

static void begin(setup *t)
{
    static const scs_group group[] = {{0, 0, 0, false, 5}, {0, 0, 1, true, 6},  {0, 0, 2, false, 7},
                                      {0, 1, 0, false, 5}, {0, 1, 1, false, 4}, {0, 2, 0, false, 5},
                                      {0, 2, 1, false, 3}};
    scs_names one = {0}, types = {0}, conditions = {0}, genes = {0};

    *t = (setup){.target = {.condition = 1, .control_group = 0, .observed_group = 1}};
    name_list(&one, "a", 1);
    name_list(&types, "type", 3);
    name_list(&conditions, "c", 3);
    name_list(&genes, "g", N);
    CHECK_OK(scs_atlas_create_from(&one, &types, &conditions, &genes, 0, group, 7, 2, &t->atlas));
    for (uint64_t i = 0; i < 7 * N; i++) {
        t->atlas->gene_mean[i] = uniform(1, i);
        t->atlas->gene_variance[i] = uniform(2, i);
    }
    for (int32_t i = 0; i < 60; i++) /* 60 genes, then -1 */
        t->atlas->deg[SCS_N_DEG + i] = 2 * i;
    scs_names_clear(&one);
    scs_names_clear(&types);
    scs_names_clear(&conditions);
    scs_names_clear(&genes);
}

static void end(setup *t)
{
    scs_atlas_destroy(&t->atlas);
}

static void measure(setup *t)
{
    scs_prediction p = {t->mean, t->shift, t->variance};

    for (int g = 0; g < N; g++)
        t->shift[g] = t->mean[g] - t->atlas->gene_mean[g];
    CHECK_OK(scs_score_measure_means(t->atlas, &t->target, &p, NULL, t->value));
}

static void perfect_prediction(void)
{
    setup t;

    begin(&t);
    memcpy(t.mean, t.atlas->gene_mean + N, sizeof t.mean);
    memcpy(t.variance, t.atlas->gene_variance + N, sizeof t.variance);
    t.atlas->group[0].count = t.atlas->group[1].count = 1 << 30; /* no noise in the size */
    measure(&t);
    for (int m = SCS_R2_ALL; m <= SCS_DELTA_PEARSON; m++)
        CU_ASSERT_DOUBLE_EQUAL(t.value[m], 1, 1e-12);
    CU_ASSERT_EQUAL(t.value[SCS_MSE], 0);
    CU_ASSERT_EQUAL(t.value[SCS_MAE], 0);
    CU_ASSERT_EQUAL(t.value[SCS_DEG_DIRECTION], 1);
    CU_ASSERT_EQUAL(t.value[SCS_DISCRIMINATION_L1], 1);
    CU_ASSERT_EQUAL(t.value[SCS_CENTROID_ACCURACY], 1);
    CU_ASSERT_DOUBLE_EQUAL(t.value[SCS_DELTA_PERTURBED], 1, 1e-12);
    CU_ASSERT_EQUAL(t.value[SCS_MSE_SHARE], 0);
    CU_ASSERT_DOUBLE_EQUAL(t.value[SCS_CHANGE_SIZE], 1, 1e-6);
    CU_ASSERT(isnan(t.value[SCS_DEG_OVERLAP_100])); /* there are 60 DEGs only */
    CU_ASSERT(isnan(t.value[SCS_ENERGY_LATENT]));
    end(&t);
}

/* A prediction whose error, order and sign are known. */
static void by_hand(void)
{
    setup t;
    float *control, *observed;

    begin(&t);
    control = t.atlas->gene_mean;
    observed = control + N;
    for (int g = 0; g < N; g++) {
        control[g] = 10;
        observed[g] = 11;
        control[2 * N + g] = 12;                     /* condition b */
        t.mean[g] = g % 4 ? 11.5f : 9;               /* of the DEGs 0, 2, 4, ... half go down */
        t.mean[g] += g < 25 ? 5 + (float)g / 64 : 0; /* the largest changes: genes 0 .. 24 */
    }
    measure(&t);
    /* The 20 largest changes: the 18 genes below 25 that 4 does not divide, then 24 and 20. Among
     * them of the DEGs 0, 2, ..., 38: 2, 6, 10, 14, 18, 22, 24 and 20. */
    CU_ASSERT_DOUBLE_EQUAL(t.value[SCS_DEG_OVERLAP_20], 8. / 20, 1e-12);
    /* DEGs 0 .. 118 by twos: multiples of 4 from 28 on (28 .. 116: 23 of 60) fall. */
    CU_ASSERT_DOUBLE_EQUAL(t.value[SCS_DEG_DIRECTION], 37. / 60, 1e-12);
    end(&t);
}

static void errors_and_discrimination(void)
{
    setup t;

    begin(&t);
    for (int g = 0; g < N; g++) {
        t.atlas->gene_mean[g] = 3;             /* control */
        t.atlas->gene_mean[N + g] = 1;         /* observed */
        t.atlas->gene_mean[2 * N + g] = 2;     /* the other perturbation */
        t.mean[g] = g < N / 2 ? 1.75f : 1.25f; /* L1 per gene: .5 to the truth, .5 to the other */
    }
    measure(&t);
    CU_ASSERT_DOUBLE_EQUAL(t.value[SCS_MAE], .5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(t.value[SCS_MSE], (.75 * .75 + .25 * .25) / 2, 1e-12);
    CU_ASSERT_EQUAL(t.value[SCS_DISCRIMINATION_L1], 1); /* a tie is not nearer */
    t.mean[0] = 2;
    measure(&t);
    CU_ASSERT_EQUAL(t.value[SCS_DISCRIMINATION_L1], .5);
    for (int g = 0; g < N; g++)
        t.mean[g] = 3;
    measure(&t);
    CU_ASSERT_EQUAL(t.value[SCS_DISCRIMINATION_L1], .5);
    CU_ASSERT(isnan(t.value[SCS_DEG_DIRECTION])); /* no change has no direction */
    CU_ASSERT(isnan(t.value[SCS_DEG_OVERLAP_20]));
    end(&t);
}

static double clipped(double x)
{
    return x > 0 ? x : 0;
}

/* Control + mean of the two other types' changes, clipped at 0; the target's own cells are poison.
 */
static void gene_space_is_arithmetic(void)
{
    static const scs_method paired = {.shift = SCS_SHIFT_PAIRED};
    scs_method method = scs_predict_in_gene_space(paired);
    setup t;
    scs_atlas view;
    scs_sources *sources;
    double change[2 * N];
    scs_prediction p;
    scs_evidence from = {.change = {change, change + N}, .scale = 1};
    const float *m, *v;

    begin(&t);
    from.control_mean = m = t.atlas->gene_mean;
    from.control_variance = v = t.atlas->gene_variance;
    for (int g = 0; g < N; g++)
        t.atlas->gene_mean[N + g] = t.atlas->gene_variance[N + g] = NAN;
    CHECK_OK(scs_atlas_gene_space_view(t.atlas, &view));
    CHECK_OK(scs_shift_sources_create(t.atlas, &sources));
    CHECK_OK(scs_shift_sources_find(&view, &method, &t.target, sources));
    scs_shift_sources_genes(t.atlas, sources, m, change);
    scs_shift_sources_genes(t.atlas, sources, v, change + N);
    p = (scs_prediction){t.mean, t.shift, t.variance};
    scs_predict(&method, N, &from, &p);
    for (int g = 0; g < N; g++) {
        double x = m[g] + ((double)m[4 * N + g] - m[3 * N + g] + m[6 * N + g] - m[5 * N + g]) / 2;
        double y = v[g] + ((double)v[4 * N + g] - v[3 * N + g] + v[6 * N + g] - v[5 * N + g]) / 2;

        CU_ASSERT_DOUBLE_EQUAL(t.mean[g], clipped(x), 1e-6);
        CU_ASSERT_EQUAL(t.shift[g], t.mean[g] - m[g]);
        CU_ASSERT_DOUBLE_EQUAL(t.variance[g], clipped(y), 1e-6);
    }
    scs_shift_sources_destroy(&sources);
    scs_atlas_gene_space_clear(&view);
    CHECK_OK(scs_atlas_gene_space_enter(t.atlas));
    CU_ASSERT_EQUAL(t.atlas->n_latent, N);
    CU_ASSERT_EQUAL(t.atlas->mean[3 * N + 7], (double)t.atlas->gene_mean[3 * N + 7]);
    end(&t);
}

/* A grid of 3 types x 3 perturbations; y(c, p) of the group is its mean less its control's. */
static scs_atlas *full_grid(scs_group group[12])
{
    scs_names one = {0}, types = {0}, conditions = {0}, genes = {0};
    scs_atlas *a = NULL;

    for (int g = 0; g < 12; g++)
        group[g] = (scs_group){0, g / 4, g % 4, false, 5};
    name_list(&one, "a", 1);
    name_list(&types, "type", 3);
    name_list(&conditions, "c", 4);
    name_list(&genes, "g", N);
    CHECK_OK(scs_atlas_create_from(&one, &types, &conditions, &genes, 0, group, 12, 1, &a));
    for (uint64_t i = 0; i < 12 * N; i++)
        a->gene_mean[i] = uniform(3, i);
    scs_names_clear(&one);
    scs_names_clear(&types);
    scs_names_clear(&conditions);
    scs_names_clear(&genes);
    return a;
}

static double shift_of(const scs_atlas *a, int type, int condition, int gene)
{
    return (double)a->gene_mean[(type * 4 + condition) * N + gene] -
           a->gene_mean[type * 4 * N + gene];
}

/* The change that a baseline predicts for type 1 under condition 2, whose own cells are hidden. */
static void baseline_of(scs_atlas *a, scs_baseline which, double change[N], scs_sources *sources)
{
    scs_combination target = {
        .cell_type = 1, .condition = 2, .perturbation = 2, .control_group = 4, .observed_group = 6};

    CHECK_OK(scs_baseline_find(a, which, &target, sources));
    scs_shift_sources_genes(a, sources, a->gene_mean, change);
}

/* Against the mean of the type's other perturbations, and nearer to its own mean than theirs: in
 * numbers that can be added up by hand. */
static void systema_by_hand(void)
{
    static const float control[] = {0, 0, 0}, observed[] = {2, 0, 4},
                       others[][3] = {{4, 0, 0}, {0, 2, 2}};
    static const float predicted[] = {2, 1, 1};
    scs_group group[12];
    scs_atlas *a = full_grid(group);
    scs_combination target = {
        .cell_type = 1, .condition = 2, .perturbation = 2, .control_group = 4, .observed_group = 6};
    float mean[N], shift[N], reference[N];
    scs_prediction p = {mean, shift, NULL};
    scs_score_base base = {.control = reference};
    double value[SCS_N_MEASURE];

    for (int g = 0; g < N; g++) { /* 50 times the same three genes */
        a->gene_mean[4 * N + g] = control[g % 3];
        a->gene_mean[5 * N + g] = others[0][g % 3];
        a->gene_mean[6 * N + g] = observed[g % 3];
        a->gene_mean[7 * N + g] = others[1][g % 3];
        a->gene_variance[4 * N + g] = 1;
        a->gene_variance[6 * N + g] = 2;
        mean[g] = shift[g] = predicted[g % 3];
    }
    a->group[4].count = 5;
    a->group[6].count = 3;
    CHECK_OK(scs_score_measure_means(a, &target, &p, NULL, value));
    /* The others' mean is 2 1 1: predicted 0 0 0 is no difference from it, which correlates with
     * nothing; of the distances 10 (own), 6 and 6, none is further than its own. */
    CU_ASSERT(isnan(value[SCS_DELTA_PERTURBED]));
    CU_ASSERT_EQUAL(value[SCS_CENTROID_ACCURACY], 0);
    CU_ASSERT_DOUBLE_EQUAL(value[SCS_MSE_SHARE], 10. / 20, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(value[SCS_CHANGE_SIZE], /* of three genes: noise 1 / 4 + 2 / 2 each */
                           sqrt(6. / (20 - 3 * 1.25)), 1e-12);
    CU_ASSERT(scs_score_perturbed_mean(a, 6, reference));
    CU_ASSERT(reference[0] == 2 && reference[1] == 1 && reference[2] == 1);
    for (int g = 0; g < N;
         g++) /* 3 0 2: differences 1 -1 1 and 0 -1 3, r = 4/3 / sqrt(8/3 * 26/3) */
        mean[g] = shift[g] = predicted[g % 3] + (g % 3 == 1 ? -1 : 1);
    CHECK_OK(scs_score_measure_means(a, &target, &p, NULL, value));
    CU_ASSERT_DOUBLE_EQUAL(value[SCS_DELTA_PERTURBED], (10. / 3) / sqrt(8. / 3 * 26 / 3), 1e-6);
    CU_ASSERT_EQUAL(value[SCS_CENTROID_ACCURACY], .5); /* 5 to its own, 5 and 13 to the others */
    CHECK_OK(scs_score_measure_means(a, &target, &p, &base, value));
    CU_ASSERT(isnan(value[SCS_DELTA_PERTURBED])); /* a prediction without a reference of its own */
    base.reference = reference;
    CHECK_OK(scs_score_measure_means(a, &target, &p, &base, value));
    CU_ASSERT_DOUBLE_EQUAL(value[SCS_DELTA_PERTURBED], (10. / 3) / sqrt(8. / 3 * 26 / 3), 1e-6);
    CU_ASSERT_EQUAL(value[SCS_CENTROID_ACCURACY], .5);
    scs_atlas_destroy(&a);
}

static void others_are_the_types_own(void)
{
    scs_group group[12];
    scs_atlas *a = full_grid(group);
    scs_sources *sources = NULL;
    const int32_t held = 6;
    double change[N];

    CHECK_OK(scs_shift_sources_create(a, &sources));
    a->group[6].held_out = true;
    scs_audit_hide(a, &held, 1);
    baseline_of(a, SCS_BASELINE_OTHERS, change, sources);
    for (int g = 0; g < N; g++)
        CU_ASSERT_DOUBLE_EQUAL(change[g], (shift_of(a, 1, 1, g) + shift_of(a, 1, 3, g)) / 2, 1e-6);
    CU_ASSERT_STRING_EQUAL(sources->text, "other perturbations");
    a->group[5].held_out = a->group[7].held_out = true; /* a context: of what is left */
    baseline_of(a, SCS_BASELINE_OTHERS, change, sources);
    for (int g = 0; g < N; g++) {
        double sum = 0;

        for (int p = 1; p < 4; p++)
            sum += shift_of(a, 0, p, g) + shift_of(a, 2, p, g);
        CU_ASSERT_DOUBLE_EQUAL(change[g], sum / 6, 1e-6);
    }
    for (int g = 0; g < 12; g++)
        a->group[g].held_out = g % 4 > 0;
    baseline_of(a, SCS_BASELINE_OTHERS, change, sources);
    CU_ASSERT(sources->kind == SCS_SOURCE_NONE && sources->n == 0);
    scs_shift_sources_destroy(&sources);
    scs_atlas_destroy(&a);
}

/* The least-squares estimate of a missing one in a balanced two-way table: (rows x sum of its row +
 * columns x sum of its column - sum of all) / (rows - 1) / (columns - 1) (Yates 1933). */
static void additive_is_least_squares(void)
{
    scs_group group[12];
    scs_atlas *a = full_grid(group);
    scs_sources *sources = NULL;
    const int32_t held = 6;
    double change[N];

    CHECK_OK(scs_shift_sources_create(a, &sources));
    a->group[6].held_out = true;
    scs_audit_hide(a, &held, 1);
    baseline_of(a, SCS_BASELINE_ADDITIVE, change, sources);
    for (int g = 0; g < N; g++) {
        double row = 0, column = 0, all = 0;

        for (int c = 0; c < 3; c++)
            for (int p = 1; p < 4; p++) {
                double y = c == 1 && p == 2 ? 0 : shift_of(a, c, p, g);

                all += y;
                row += c == 1 ? y : 0;
                column += p == 2 ? y : 0;
            }
        CU_ASSERT_DOUBLE_EQUAL(change[g], (3 * row + 3 * column - all) / 4, 1e-5);
    }
    a->group[5].held_out = a->group[7].held_out = true; /* a context: the perturbation alone */
    baseline_of(a, SCS_BASELINE_ADDITIVE, change, sources);
    for (int g = 0; g < N; g++)
        CU_ASSERT_DOUBLE_EQUAL(change[g], (shift_of(a, 0, 2, g) + shift_of(a, 2, 2, g)) / 2, 1e-6);
    a->group[5].held_out = a->group[7].held_out = false;
    a->group[2].held_out = a->group[10].held_out = true; /* a perturbation: the type's others */
    baseline_of(a, SCS_BASELINE_ADDITIVE, change, sources);
    for (int g = 0; g < N; g++)
        CU_ASSERT_DOUBLE_EQUAL(change[g], (shift_of(a, 1, 1, g) + shift_of(a, 1, 3, g)) / 2, 1e-6);
    scs_shift_sources_destroy(&sources);
    scs_atlas_destroy(&a);
}

static bool are_columns(const scs_sources *s, const int32_t *group, int32_t n)
{
    return s->n == n && memcmp(s->group, group, (size_t)n * sizeof *group) == 0;
}

/* Of what it learns, and that all it can say of a perturbation that others do not show is the mean,
 * the control's 0 among it. */
static void ridge_learns_from_the_type_or_the_others(void)
{
    static const int32_t own[] = {5, 7}, others[] = {1, 2, 3, 9, 10, 11};
    scs_combination target = {
        .cell_type = 1, .condition = 2, .perturbation = 2, .control_group = 4, .observed_group = 6};
    scs_group group[12];
    scs_atlas *a = full_grid(group);
    scs_sources *sources = NULL;
    double change[N], first[N];
    float off = 0;

    CHECK_OK(scs_shift_sources_create(a, &sources));
    a->group[6].held_out = true;
    scs_ridge_columns(a, &target, sources);
    CU_ASSERT(are_columns(sources, own, 2));
    CHECK_OK(scs_ridge_change(a, &target, sources, first));
    a->group[2].held_out = a->group[10].held_out = true; /* nobody shows it */
    scs_ridge_columns(a, &target, sources);
    CHECK_OK(scs_ridge_change(a, &target, sources, change));
    for (int g = 0; g < N; g++) {
        CU_ASSERT_DOUBLE_EQUAL(change[g], (shift_of(a, 1, 1, g) + shift_of(a, 1, 3, g)) / 3, 1e-6);
        off = fmaxf(off, (float)fabs(change[g] - first[g]));
    }
    CU_ASSERT(off > 1e-3); /* where others show it they are listened to */
    a->group[2].held_out = a->group[10].held_out = false;
    a->group[5].held_out = a->group[7].held_out = true;
    scs_ridge_columns(a, &target, sources);
    CU_ASSERT(are_columns(sources, others, 6));
    for (int g = 0; g < 12; g++)
        a->group[g].held_out = g % 4 > 0;
    scs_ridge_columns(a, &target, sources);
    CU_ASSERT(sources->kind == SCS_SOURCE_NONE);
    scs_shift_sources_destroy(&sources);
    scs_atlas_destroy(&a);
}

/* By labels: roles and held_out may say what they like. */
static void audit_finds_what_was_seen(void)
{
    static const int32_t held[] = {1, 6};
    static const int64_t cells[] = {0, 2, 4};
    int32_t of_species[] = {0, 0, 0, 0, 0}, type[] = {0, 0, 1, 1, 2}, condition[] = {0, 1, 2, 2, 1};
    scs_dataset d = {
        .n_cell = 5, .cell_species = of_species, .cell_type = type, .cell_condition = condition};
    scs_combination target = {.control_group = 4};
    scs_group group[12];
    scs_atlas *a = full_grid(group);
    scs_sources *sources = NULL;
    int64_t seen = 0;

    CHECK_OK(scs_audit_count(a, &d, held, 2, cells, 3, &seen));
    CU_ASSERT_EQUAL(seen, 1); /* cell 2: type 1 under 2 */
    CHECK_OK(scs_audit_count(a, &d, held, 2, cells, 1, &seen));
    CU_ASSERT_EQUAL(seen, 1);
    CHECK_OK(scs_shift_sources_create(a, &sources));
    sources->n = 2;
    sources->group[0] = 2;
    sources->group[1] = 5;
    CHECK_OK(scs_audit_sources(&target, sources, held, 2, "x"));
    sources->group[1] = 6;
    CHECK_FAILS(scs_audit_sources(&target, sources, held, 2, "x"), SCS_EINTERNAL, "of x was made");
    target.control_group = 1;
    CHECK_FAILS(scs_audit_sources(&target, sources, held, 2, "x"), SCS_EINTERNAL, "controls");
    scs_audit_hide(a, held, 2);
    for (int g = 0; g < 12; g++)
        CU_ASSERT_EQUAL(isnan(a->gene_mean[g * N + 3]) && isnan(a->mean[g]), g == 1 || g == 6);
    CHECK_FAILS(scs_audit_finite((double[]){1, NAN}, 2, "x"), SCS_EINTERNAL, "of x has a part");
    CHECK_OK(scs_audit_finite((double[]){1, NAN}, 1, "x"));
    scs_shift_sources_destroy(&sources);
    scs_atlas_destroy(&a);
}

/* What is written is read back; what is cut short or of other columns is refused. */
static void table_round_trip(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    scs_report_origin origin = {.n_training = 30};
    scs_report_table table;
    setup t;
    FILE *out;

    begin(&t);
    scratch_make(folder);
    scratch_path(folder, "v.tsv", path);
    measure(&t);
    out = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    scs_report_write_head(out);
    for (int i = 0; i < 4; i++) { /* predictors 1 and 2 of two combinations */
        t.value[SCS_MAE] = i;
        t.value[SCS_R2_DEG] = i ? (double)i : NAN;
        scs_report_write_row(out, t.atlas, &t.target, scs_report_predictor_at(1 + i % 2), &origin,
                             "own", t.value);
    }
    CU_ASSERT_EQUAL(fclose(out), 0);
    CHECK_OK(scs_report_table_create(2, &table));
    CHECK_OK(scs_report_read(path, 4, &table, NULL));
    CU_ASSERT_EQUAL(table.n, 2);
    CU_ASSERT(!table.made[0] && table.made[1] && table.made[2]);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(scs_report_value(&table, i / 2, 1 + i % 2, SCS_MAE), i);
    CU_ASSERT(isnan(scs_report_value(&table, 0, 1, SCS_R2_DEG)));
    CU_ASSERT(isnan(scs_report_value(&table, 0, 0, SCS_MAE)));
    CHECK_FAILS(scs_report_read(path, 4, &table, NULL), SCS_EDATA, "not a whole record");
    CHECK_FAILS(scs_report_read(path, 5, NULL, NULL), SCS_EDATA, "not a whole record");
    CU_ASSERT_EQUAL(truncate(path, 300), 0);
    CHECK_FAILS(scs_report_read(path, 4, NULL, NULL), SCS_EDATA, "not a whole record");
    scs_report_table_clear(&table);
    scratch_remove(folder);
    end(&t);
}

/* What a validation advises can be written into a config as it stands. */
static void a_predictor_says_how_to_screen_with_it(void)
{
    static const char *const use[][2] = {
        {"no_change", ""},
        {"mean_paired", "model.kind: mean, screen.shift: paired"},
        {"mean_nearest", "model.kind: mean, screen.shift: nearest"},
        {"mean_others", ""},
        {"additive", ""},
        {"ridge_pca", ""},
        {"mean", "model.kind: mean, with screen.shift as it is"},
        {"pca", "model.kind: pca, with screen.decode as it is"},
        {"vae", "model.kind: vae, with screen.decode as it is"},
        {"vae_decode", "model.kind: vae, screen.decode: decode"},
        {"vae_edit", "model.kind: vae, screen.decode: edit"},
        {"replicate", ""}};
    char text[80];

    CU_ASSERT_EQUAL_FATAL(scs_report_predictor_count(), sizeof use / sizeof *use);
    for (int i = 0; i < scs_report_predictor_count(); i++) {
        CU_ASSERT_STRING_EQUAL(scs_report_predictor_at(i)->name, use[i][0]);
        CU_ASSERT_STRING_EQUAL(
            scs_report_predictor_use(scs_report_predictor_at(i), text, sizeof text), use[i][1]);
    }
}

/* One predictor's means, as of one row. */
static void mean_is(scs_report_table *table, int p, double r2_all, double r2_deg, double delta,
                    double mse)
{
    static const int measure[] = {SCS_R2_ALL, SCS_R2_DEG, SCS_DELTA_PEARSON, SCS_MSE};
    const double value[] = {r2_all, r2_deg, delta, mse};

    table->n = 1;
    table->made[p] = true;
    for (int i = 0; i < 4; i++)
        table->value[p * SCS_N_MEASURE + measure[i]] = value[i];
}

static int network(void)
{
    int p = 0;

    while (strcmp(scs_report_predictor_at(p)->name, "vae") != 0)
        p++;
    return p;
}

static void verdict_is(const scs_report_table *table, const char *expected)
{
    char text[1024] = "";
    scs_summary summary;
    FILE *out = fmemopen(text, sizeof text, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CHECK_OK(scs_summary_make(table, 1, &summary));
    scs_summary_verdict(out, &summary);
    scs_summary_clear(&summary);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text, expected);
}

/* What beats no change is named with the measures; what does not is never recommended, network or
 * not, however well its changes correlate. */
static void what_does_not_beat_no_change_is_not_recommended(void)
{
    static const char nothing[] =
        "NOTHING BEATS no_change by r2_all, r2_deg or mse: the control cells as they are predict "
        "best here, and none of the others is worth screening with\n";
    scs_report_table table;

    CHECK_OK(scs_report_table_create(1, &table));
    verdict_is(&table, "");
    mean_is(&table, 0, .8, .5, NAN, 2);
    mean_is(&table, 1, .8, .4, .9, 2); /* as good is not better */
    mean_is(&table, 2, NAN, NAN, .9, NAN);
    verdict_is(&table, nothing);
    mean_is(&table, 1, .7, .5, .9, 1);
    verdict_is(&table, "no_change is beaten by mean_paired (mse)\n"
                       "No better than no_change by any of the three: mean_nearest\n"
                       "None that a screen can use is ahead of no_change in r2_all and r2_deg "
                       "together, so none is recommended\n");
    mean_is(&table, 2, .9, .45, .3, 3);
    verdict_is(&table,
               "no_change is beaten by mean_paired (mse), mean_nearest (r2_all)\n"
               "Best mean of r2_all, r2_deg and delta_pearson: mean_nearest (0.550). It does "
               "not beat no_change by r2_deg, mse. To screen with it: model.kind: mean, "
               "screen.shift: nearest\n");
    mean_is(&table, 1, .9, .6, .6, 1);
    verdict_is(&table, "no_change is beaten by mean_paired (r2_all, r2_deg, mse), mean_nearest "
                       "(r2_all)\n"
                       "Best mean of r2_all, r2_deg and delta_pearson: mean_paired (0.700). To "
                       "screen with it: model.kind: mean, screen.shift: paired\n");
    mean_is(&table, 1, .7, .4, .6, 3); /* what no screen does may be ahead alone */
    mean_is(&table, 2, .7, .4, .6, 3);
    mean_is(&table, 3, .9, .6, .6, 1);
    verdict_is(&table, "no_change is beaten by mean_others (r2_all, r2_deg, mse)\n"
                       "No better than no_change by any of the three: mean_paired, mean_nearest\n"
                       "None that a screen can use is ahead of no_change in r2_all and r2_deg "
                       "together, so none is recommended\n");
    mean_is(&table, 3, .7, .4, .6, 3);
    mean_is(&table, 0, .8, NAN, NAN, 2); /* too few genes for r2_deg: r2_all decides */
    mean_is(&table, 1, .7, .6, .6, 3);
    mean_is(&table, 2, .7, .6, .6, 3);
    verdict_is(&table, nothing);
    scs_report_table_clear(&table);

    CHECK_OK(scs_report_table_create(1, &table)); /* a network that adds nothing to speak of */
    mean_is(&table, 0, .8, .5, NAN, 2);
    mean_is(&table, 1, .9, .6, .6, 1);
    for (int i = 0; i < 2; i++) { /* by .0003 of the mean, and by .0006 */
        mean_is(&table, network(), .901 + i * .001, .6, .6, 1);
        verdict_is(&table,
                   i ? "  r2_all        the network beats the baselines: vae 0.902, mean_paired "
                       "0.900\n"
                       "  r2_deg        the network ADDS NOTHING to the baselines: vae 0.600, "
                       "mean_paired 0.600\n"
                       "  delta_pearson the network ADDS NOTHING to the baselines: vae 0.600, "
                       "mean_paired 0.600\n"
                       "no_change is beaten by mean_paired (r2_all, r2_deg, mse), vae (r2_all, "
                       "r2_deg, mse)\n"
                       "Best mean of r2_all, r2_deg and delta_pearson: vae (0.701). To screen with "
                       "it: model.kind: vae, with screen.decode as it is\n"
                     : "  r2_all        the network beats the baselines: vae 0.901, mean_paired "
                       "0.900\n"
                       "  r2_deg        the network ADDS NOTHING to the baselines: vae 0.600, "
                       "mean_paired 0.600\n"
                       "  delta_pearson the network ADDS NOTHING to the baselines: vae 0.600, "
                       "mean_paired 0.600\n"
                       "no_change is beaten by mean_paired (r2_all, r2_deg, mse), vae (r2_all, "
                       "r2_deg, mse)\n"
                       "Best mean of r2_all, r2_deg and delta_pearson: mean_paired (0.700). To "
                       "screen with it: model.kind: mean, screen.shift: paired\n");
    }
    scs_report_table_clear(&table);

    CHECK_OK(scs_report_table_create(1, &table)); /* a network alone */
    mean_is(&table, 0, .8, .5, NAN, 2);
    mean_is(&table, network(), .7, .4, .9, 3);
    verdict_is(&table,
               "  r2_all        the network DOES NOT BEAT the baselines: vae 0.700, no_change "
               "0.800\n"
               "  r2_deg        the network DOES NOT BEAT the baselines: vae 0.400, no_change "
               "0.500\n"
               "NOTHING BEATS no_change by r2_all, r2_deg or mse: the control cells as they are "
               "predict best here, and none of the others is worth screening with\n");
    mean_is(&table, network(), .7996, .5, NAN, 2); /* alike as it is printed */
    verdict_is(&table,
               "  r2_all        the network ADDS NOTHING to the baselines: vae 0.800, no_change "
               "0.800\n"
               "  r2_deg        the network ADDS NOTHING to the baselines: vae 0.500, no_change "
               "0.500\n"
               "NOTHING BEATS no_change by r2_all, r2_deg or mse: the control cells as they are "
               "predict best here, and none of the others is worth screening with\n");
    mean_is(&table, network(), NAN, NAN, NAN, NAN); /* as of a perturbation that it never saw */
    verdict_is(&table,
               "  r2_all        the network has none to compare with the baselines: "
               "no_change 0.800\n"
               "  r2_deg        the network has none to compare with the baselines: "
               "no_change 0.500\n"
               "NOTHING BEATS no_change by r2_all, r2_deg or mse: the control cells as they "
               "are predict best here, and none of the others is worth screening with\n");
    scs_report_table_clear(&table);
}

/* In whole numbers: exact. */
static void vectors_by_hand(void)
{
    double a[] = {3, -1, 2, 7}, b[] = {1, 4, 0, 2};

    CU_ASSERT_EQUAL(scs_vector_dot(a, b, 4), 13);
    CU_ASSERT_EQUAL(scs_vector_squared_distance(a, b, 4), 58);
    scs_vector_add(b, a, -2, 4);
    CU_ASSERT(b[0] == -5 && b[1] == 6 && b[2] == -4 && b[3] == -12);
    CU_ASSERT_EQUAL(scs_vector_median(a, 4), 2.5);
    CU_ASSERT_EQUAL(scs_vector_median(b, 3), -4); /* sorted: -5, -4, 6 */
    CU_ASSERT_EQUAL(scs_vector_median(b, 1), b[0]);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Lengths from 1 on, with and without ties, in whole numbers; nothing is lost. */
static void medians_like_sorting(void)
{
    double value[60], sorted[60];
    scs_stream stream = {3, SCS_RANDOM_SIMULATE, 1, 0};
    uint32_t word[4];

    for (int n = 1; n <= 60; n++)
        for (int kinds = 1; kinds <= 64; kinds *= 4) {
            double expected;

            for (int i = 0; i < n; i++) {
                scs_random_block(&stream, (uint32_t)(n * 100 + i), word);
                value[i] = sorted[i] = word[0] % (uint32_t)kinds;
            }
            qsort(sorted, (size_t)n, sizeof *sorted, by_value);
            expected = n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
            CU_ASSERT_EQUAL(scs_vector_median(value, n), expected);
            qsort(value, (size_t)n, sizeof *value, by_value);
            CU_ASSERT_EQUAL(memcmp(value, sorted, (size_t)n * sizeof *value), 0);
        }
}

/* Blocks, fours and what is left of them, with products that a fused multiply-add would round
 * otherwise: the bits of the plain loop. */
static void sum_of_rows_is_the_plain_loop(void)
{
    enum { COLUMNS = 1500, ROWS = 7, PICKED = 6 };
    static float value[ROWS * COLUMNS];
    static double sum[COLUMNS], plain[COLUMNS];
    const int32_t row[PICKED] = {5, 0, 6, 2, 2, 1};
    const double weight[PICKED] = {.1, -.7, 1. / 3, 1e-3, -.2, .9};

    for (int i = 0; i < ROWS * COLUMNS; i++)
        value[i] = (float)sin(i);
    for (int i = 0; i < PICKED; i++)
        for (int g = 0; g < COLUMNS; g++) {
            volatile double product = weight[i] * value[row[i] * COLUMNS + g];

            plain[g] += product;
        }
    scs_vector_sum_rows(value, COLUMNS, row, weight, PICKED, sum);
    CU_ASSERT(memcmp(sum, plain, sizeof sum) == 0);
    scs_vector_sum_rows(value, COLUMNS, row, weight, 0, sum);
    CU_ASSERT(sum[0] == 0 && sum[COLUMNS - 1] == 0);
}

int main(void)
{
    static const scs_test tests[] = {
        {"a predictor says how to screen with it", a_predictor_says_how_to_screen_with_it},
        {"a perfect prediction", perfect_prediction},
        {"overlap and direction by hand", by_hand},
        {"errors and discrimination by hand", errors_and_discrimination},
        {"gene space is arithmetic on means", gene_space_is_arithmetic},
        {"Systema's measures by hand", systema_by_hand},
        {"others are the type's own", others_are_the_types_own},
        {"additive is least squares", additive_is_least_squares},
        {"ridge learns from the type or the others", ridge_learns_from_the_type_or_the_others},
        {"the audit finds what was seen", audit_finds_what_was_seen},
        {"the table is read back", table_round_trip},
        {"what does not beat no change is not recommended",
         what_does_not_beat_no_change_is_not_recommended},
        {"medians like sorting", medians_like_sorting},
        {"vectors by hand", vectors_by_hand},
        {"a sum of rows is the plain loop", sum_of_rows_is_the_plain_loop},
    };

    return run_suite("measures", tests, sizeof tests / sizeof *tests);
}
