/* Each measure of trust against a direct computation; p-values and intervals on simulated cells
 * whose truth is known. */
#include "src/screen/mixed_atlas.h"
#include "src/config/rule.h"
#include "src/screen/confidence.h"
#include "src/screen/cell_distance.h"
#include "src/screen/shift.h"
#include "src/screen/resample.h"
#include "tests/unit/configs.h"
#include "tests/unit/fixture_atlas.h"

enum { T = 4, C = 2, D = 3, GENES = 2 };

static void normals(uint64_t seed, uint64_t stream, int64_t n, double *out)
{
    scs_stream s = {seed, SCS_RANDOM_SIMULATE, 0, stream};

    scs_random_normal(&s, n, out);
}

/* One species, T types in control (0) and one perturbation (1), `n` cells each. */
static scs_atlas *atlas_of(int64_t n_control, int64_t n_perturbed)
{
    scs_names species = {0}, types = {0}, conditions = {0}, genes = {0};
    scs_group group[T * C];
    scs_atlas *a;

    name_list(&species, "species", 1);
    name_list(&types, "type", T);
    name_list(&conditions, "condition", C);
    name_list(&genes, "gene", GENES);
    for (int i = 0; i < T * C; i++)
        group[i] = (scs_group){0, i / C, i % C, false, i % C ? n_perturbed : n_control};
    CHECK_OK(scs_atlas_create_from(&species, &types, &conditions, &genes, 0, group, T * C, D, &a));
    scs_names_clear(&species);
    scs_names_clear(&types);
    scs_names_clear(&conditions);
    scs_names_clear(&genes);
    return a;
}

/* Means of the simulated groups: types apart, the change alike but for a part of each type. */
static double truth(int type, int condition, int j, double effect)
{
    return 2 * cos(1 + type * 1.7 + j) + condition * effect * (1 + .3 * cos(type + 2. * j));
}

/* Cells of all groups of one experiment, and the atlas' moments of them. @param cell [T * C] */
static void draw_cells(scs_atlas *a, uint64_t seed, double effect, scs_real **cell)
{
    double noise[D];

    for (int g = 0; g < T * C; g++) {
        int64_t n = a->group[g].count;
        double *mean = a->mean + g * D, *second = a->second + g * D * D;

        CHECK_OK(SCS_ALLOC(cell[g], n * D));
        memset(mean, 0, D * sizeof *mean);
        memset(second, 0, D * D * sizeof *second);
        for (int64_t i = 0; i < n; i++) {
            scs_real *z = cell[g] + i * D;

            normals(seed, (uint64_t)(g * 1000 + i), D, noise);
            for (int j = 0; j < D; j++)
                z[j] = (scs_real)(truth(g / C, g % C, j, effect) + noise[j] +
                                  (j ? .5 * noise[j - 1] : 0)); /* units are correlated */
            for (int j = 0; j < D; j++) {
                mean[j] += z[j] / (double)n;
                for (int k = 0; k < D; k++)
                    second[j * D + k] += (double)z[j] * z[k] / (double)n;
            }
        }
    }
}

static void free_cells(scs_real **cell)
{
    for (int g = 0; g < T * C; g++)
        free(cell[g]);
}

static scs_combination target_of(int type)
{
    return (scs_combination){.cell_type = type,
                             .condition = 1,
                             .perturbation = 1,
                             .control_group = type * C,
                             .observed_group = type * C + 1};
}

static void shift_of(const scs_atlas *a, const scs_method *method, const scs_combination *target,
                     double *delta)
{
    scs_sources *sources;

    CHECK_OK(scs_shift_sources_create(a, &sources));
    CHECK_OK(scs_shift_sources_find(a, method, target, sources));
    scs_shift_sources_latent(a, sources, delta);
    scs_shift_sources_destroy(&sources);
}

/* Reference values of R's pchisq. */
static void chi_square_has_known_values(void)
{
    CU_ASSERT_DOUBLE_EQUAL(scs_confidence_chi_square_below(3.841458820694124, 1), .95, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(scs_confidence_chi_square_below(2 * log(2), 2), .5, 1e-13);
    CU_ASSERT_DOUBLE_EQUAL(scs_confidence_chi_square_below(124.3421134047, 100), .95, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(scs_confidence_chi_square_below(70.0648949254, 100), .01, 1e-9);
    CU_ASSERT_EQUAL(scs_confidence_chi_square_below(0, 5), 0);
    CU_ASSERT_DOUBLE_EQUAL(scs_confidence_chi_square_below(1e6, 5), 1, 1e-15);
}

static void agreement_is_the_mean_cosine(void)
{
    static const double along[T][D] = {{1, 0, 0}, {0, 2, 0}, {9, 9, 9}, {-3, 0, 0}};
    scs_atlas *a = atlas_of(5, 5);
    scs_combination target = target_of(2);
    scs_method method = {.shift = SCS_SHIFT_PAIRED};
    scs_sources *sources;
    double agreement;

    for (int t = 0; t < T; t++)
        for (int j = 0; j < D; j++) {
            a->mean[t * C * D + j] = truth(t, 0, j, 0);
            a->mean[(t * C + 1) * D + j] = truth(t, 0, j, 0) + along[t][j];
        }
    CHECK_OK(scs_shift_sources_create(a, &sources));
    CHECK_OK(scs_shift_sources_find(a, &method, &target, sources));
    CHECK_OK(scs_confidence_agreement(a, &target, sources, &agreement));
    CU_ASSERT_DOUBLE_EQUAL(agreement, -1. / 3, 1e-12);
    a->group[1].held_out = a->group[3].held_out = true; /* one type is left */
    CHECK_OK(scs_shift_sources_find(a, &method, &target, sources));
    CHECK_OK(scs_confidence_agreement(a, &target, sources, &agreement));
    CU_ASSERT(isnan(agreement));
    scs_shift_sources_destroy(&sources);
    scs_atlas_destroy(&a);
}

/* Mahalanobis distance by the explicit inverse of a 3 x 3 covariance. */
static double direct_support(const scs_atlas *a, int target, double n_cell)
{
    double m[D] = {0}, s[D][D] = {{0}}, inv[D][D], det = 0, trace = 0, x[D], d2 = 0;
    double rho = D / (D + n_cell);

    for (int t = 0; t < T; t++)
        for (int j = 0; j < D && t != target; j++) {
            m[j] += a->mean[t * C * D + j] / (T - 1);
            for (int k = 0; k < D; k++)
                s[j][k] += a->second[t * C * D * D + j * D + k] / (T - 1);
        }
    for (int j = 0; j < D; j++)
        for (int k = 0; k < D; k++)
            s[j][k] -= m[j] * m[k];
    trace = s[0][0] + s[1][1] + s[2][2];
    for (int j = 0; j < D; j++)
        for (int k = 0; k < D; k++)
            s[j][k] = (1 - rho) * s[j][k] + (j == k ? rho * trace / D : 0);
    for (int j = 0; j < D; j++)
        det += s[0][j] *
               (s[1][(j + 1) % 3] * s[2][(j + 2) % 3] - s[1][(j + 2) % 3] * s[2][(j + 1) % 3]);
    for (int j = 0; j < D; j++)
        for (int k = 0; k < D; k++)
            inv[k][j] = (s[(j + 1) % 3][(k + 1) % 3] * s[(j + 2) % 3][(k + 2) % 3] -
                         s[(j + 1) % 3][(k + 2) % 3] * s[(j + 2) % 3][(k + 1) % 3]) /
                        det;
    for (int j = 0; j < D; j++)
        x[j] = a->mean[target * C * D + j] - m[j];
    for (int j = 0; j < D; j++)
        for (int k = 0; k < D; k++)
            d2 += x[j] * inv[j][k] * x[k];
    return 100 * scs_confidence_chi_square_below(d2, D);
}

static void support_is_a_percentile_of_distance(void)
{
    scs_atlas *a = atlas_of(30, 20);
    scs_combination target = target_of(2);
    scs_method method = {.shift = SCS_SHIFT_BALANCED};
    scs_real *cell[T * C];
    scs_sources *sources;
    double percentile;

    draw_cells(a, 1, 1, cell);
    CHECK_OK(scs_shift_sources_create(a, &sources));
    for (int far = 0; far < 2; far++) {
        a->mean[2 * C * D] += far ? 50 : 0;
        CHECK_OK(scs_shift_sources_find(a, &method, &target, sources));
        CHECK_OK(scs_confidence_support(a, &target, sources, &percentile));
        CU_ASSERT_DOUBLE_EQUAL(percentile, direct_support(a, 2, 3 * 30), 1e-9);
        CU_ASSERT(far ? percentile > 99.9 : percentile < 99);
    }
    for (int t = 0; t < T;
         t++) /* only the target itself speaks: there is nothing to compare with */
        a->group[t * C + 1].held_out = t != 2;
    method.shift = SCS_SHIFT_PAIRED;
    CHECK_OK(scs_shift_sources_find(a, &method, &target, sources));
    CHECK_OK(scs_confidence_support(a, &target, sources, &percentile));
    CU_ASSERT(sources->kind == SCS_SOURCE_SELF && isnan(percentile));
    scs_shift_sources_destroy(&sources);
    free_cells(cell);
    scs_atlas_destroy(&a);
}

/* That of the cells and the same cells moved. */
static void moved_energy_is_an_energy_distance(void)
{
    static const double delta[D] = {.3, -1, .2}, still_delta[D] = {0};
    scs_shifted_cells cells;
    double along[50];
    scs_real x[50 * D];
    scs_sample still = {x, 50, NULL}, moved = {x, 50, delta};
    scs_cell_spread spread = {0};
    scs_cell_difference expected;
    double noise[50 * D], energy;

    normals(3, 0, 50 * D, noise);
    for (int i = 0; i < 50 * D; i++)
        x[i] = (scs_real)noise[i];
    CHECK_OK(scs_cell_distance_shifted_make(&still, D, &cells));
    energy = scs_cell_distance_shifted_energy(&cells, delta, along);
    CHECK_OK(scs_cell_distance_compare(&still, &moved, D, &spread, &expected));
    CU_ASSERT_DOUBLE_EQUAL(energy, expected.energy, 1e-10);
    CU_ASSERT(energy > .1);
    CU_ASSERT_EQUAL(scs_cell_distance_shifted_energy(&cells, still_delta, along), 0);
    scs_cell_distance_shifted_clear(&cells);
}

/* Drawn means have the covariance of a mean, whatever the rank of the cells' own. */
static void bootstrap_draws_have_the_means_covariance(void)
{
    enum { DRAWS = 4000 };
    scs_atlas *a = atlas_of(30, 2); /* two cells span one direction */
    scs_real *cell[T * C];
    scs_bootstrap *b;
    int32_t perturbed = scs_atlas_group(a, 0, 0, 1);
    scs_sources sources = {.n = 1, .group = &perturbed};
    double *mean, sum[2][D * D] = {{0}};

    draw_cells(a, 5, 1, cell);
    CHECK_OK(scs_resample_bootstrap_create(a, &sources, 7, &b));
    CU_ASSERT_EQUAL(b->n, T * C);
    CHECK_OK(SCS_ALLOC(mean, T * C * D));
    for (int i = 0; i < DRAWS; i++) {
        scs_resample_bootstrap_draw(b, i, mean);
        for (int g = 0; g < 2; g++)
            for (int j = 0; j < D * D; j++)
                sum[g][j] += (mean[g * D + j / D] - a->mean[g * D + j / D]) *
                             (mean[g * D + j % D] - a->mean[g * D + j % D]) / DRAWS;
    }
    for (int g = 0; g < 2; g++)
        for (int j = 0; j < D * D; j++) {
            double n = (double)a->group[g].count;
            double cov =
                (a->second[g * D * D + j] - a->mean[g * D + j / D] * a->mean[g * D + j % D]) /
                (n - 1);

            CU_ASSERT_DOUBLE_EQUAL(sum[g][j], cov, g ? .12 : .008);
        }
    free(mean);
    scs_resample_bootstrap_destroy(&b);
    free_cells(cell);
    scs_atlas_destroy(&a);
}

/* The first units' means are the genes'. */
static void express(scs_atlas *a)
{
    for (int g = 0; g < T * C; g++)
        for (int j = 0; j < GENES; j++) {
            a->gene_mean[g * GENES + j] = (float)a->mean[g * D + j];
            a->gene_variance[g * GENES + j] = 1;
        }
}

/* What the rule needs of the cells that were measured. */
static void get_ready(scs_atlas *a, bool by_expression, scs_method *method, scs_mixed_atlas **mixed)
{
    express(a);
    if (by_expression)
        CHECK_OK(scs_shift_measure_controls(a));
    if (!scs_rule_shift_at(method->shift)->needs_mixed)
        return;
    CHECK_OK(scs_mixed_atlas_create(a, NULL, mixed));
    CHECK_OK(scs_mixed_atlas_fit(*mixed, a));
    method->mixed = *mixed;
}

/* Intervals of one experiment that hold the shift of the true means. */
static int count_covered(int shift, bool by_expression, uint64_t seed)
{
    enum { DRAWS = 80 };
    scs_method method = {.shift = shift, .power = 4, .ridge = 1};
    scs_combination target = target_of(2);
    const scs_combination *targets[] = {&target};
    scs_atlas *a = atlas_of(30, 25);
    double delta[D], expected[D], se[D], replicate[DRAWS * D], kept[T * C * D];
    scs_real *cell[T * C];
    scs_bootstrap *b;
    int32_t perturbed = scs_atlas_group(a, 0, 0, 1);
    scs_sources sources = {.n = 1, .group = &perturbed};
    scs_mixed_atlas *mixed = NULL; /* its weights are those of the cells that were measured */
    int covered = 0;

    draw_cells(a, seed, 1, cell);
    get_ready(a, by_expression, &method, &mixed);
    shift_of(a, &method, &target, delta);
    CHECK_OK(scs_resample_bootstrap_create(a, &sources, (int64_t)seed, &b));
    CHECK_OK(scs_resample_replicate(a, &method, targets, 1, DRAWS, scs_resample_bootstrap_draw, b,
                                    replicate));
    scs_resample_replicate_error(replicate, DRAWS, D, se);
    memcpy(kept, a->mean, sizeof kept);
    for (int i = 0; i < T * C * D; i++)
        a->mean[i] = truth(i / D / C, i / D % C, i % D, 1);
    express(a);
    if (by_expression)
        CHECK_OK(scs_shift_measure_controls(a));
    shift_of(a, &method, &target, expected);
    for (int j = 0; j < D; j++)
        covered += fabs(delta[j] - expected[j]) <= 1.6449 * se[j];
    scs_mixed_atlas_destroy(&mixed);
    scs_resample_bootstrap_destroy(&b);
    free_cells(cell);
    scs_atlas_destroy(&a);
    return covered;
}

static void intervals_cover(void)
{
    enum { EXPERIMENTS = 400 };

    for (int i = 0; i < 2 * SCS_N_SHIFT; i++) {
        int covered = 0, shift = i / 2;
        bool by_expression = i % 2;
        double share;

        for (uint64_t e = 0; e < EXPERIMENTS; e++)
            covered += count_covered(shift, by_expression, 1000 + e);
        share = (double)covered / (EXPERIMENTS * D);
        fprintf(stderr, "\n    %s%s: 90 %% intervals cover %.1f %%",
                scs_rule_shift_at(shift)->word.text,
                by_expression ? " (closeness by expression)" : "", 100 * share);
        CU_ASSERT(share > .87 && share < .93);
    }
}

/* Every permutation keeps the cells: the groups' sums add up, and subsets differ. */
static void permutations_keep_the_cells(void)
{
    static const scs_stream stream = {3, SCS_RANDOM_PERMUTE, 0, 5};
    enum { PERMUTATIONS = 2000 };
    const int64_t size[2][2] = {{7, 4}, {3, 9}};

    for (int k = 0; k < 2; k++) {
        int64_t n_control = size[k][0], n_perturbed = size[k][1], n = n_control + n_perturbed;
        scs_real x[12];
        double mean[PERMUTATIONS], pooled = 0, spread = 0, variance = 0;

        for (int64_t i = 0; i < n; i++) {
            x[i] = (scs_real)(1 << i); /* a sum says which cells are in it */
            pooled += x[i] / (double)n;
        }
        CHECK_OK(scs_resample_permute_pair(&stream, x, n_control, x + n_control, n_perturbed, 1, 0,
                                           PERMUTATIONS, mean));
        for (int b = 0; b < PERMUTATIONS; b++) {
            double sum = mean[b] * (double)n_perturbed;

            CU_ASSERT_DOUBLE_EQUAL(sum, round(sum), 1e-6);
            CU_ASSERT_EQUAL(__builtin_popcount((unsigned)round(sum)), n_perturbed);
            spread += pow(mean[b] - pooled, 2) / PERMUTATIONS;
        }
        for (int64_t i = 0; i < n; i++)
            variance += pow(x[i] - pooled, 2) / (double)(n - 1);
        variance *= (double)n_control / (double)(n * n_perturbed); /* without replacement */
        CU_ASSERT_DOUBLE_EQUAL(spread / variance, 1, .1);
    }
}

static scs_method rule_of(int shift)
{
    return (scs_method){.shift = shift, .power = 4, .ridge = 1};
}

/* What auto's and the mixed model's p-values go by. */
static scs_method blind_of(void)
{
    scs_config *config = NULL;
    scs_method method;

    CHECK_OK(parse("screen: {shift: auto}", &config));
    method = scs_shift_method_from_config(config);
    method = scs_choose_shift_blind(&method, config);
    scs_config_destroy(&config);
    return method;
}

/* p-value of type 2 where the other types speak. */
static double p_of(double effect, scs_method method, uint64_t seed)
{
    enum { PERMUTATIONS = 99 };
    static const int32_t control[] = {0, 2, 4, 6}, perturbed[] = {1, 3, 5, 7};
    scs_combination target = target_of(2);
    const scs_combination *targets[] = {&target};
    scs_atlas *a = atlas_of(12, 9);
    static double mean[T * PERMUTATIONS * D];
    scs_permutation p = {a, T, control, perturbed, PERMUTATIONS, mean};
    scs_mixed_atlas *mixed = NULL;
    scs_replica replica;
    double delta[D];
    int32_t count = 0;
    scs_real *cell[T * C];

    draw_cells(a, seed, effect, cell);
    get_ready(a, false, &method, &mixed);
    for (int t = 0; t < T; t++)
        CHECK_OK(scs_resample_permute_pair(&(scs_stream){seed, SCS_RANDOM_PERMUTE, 0, (uint64_t)t},
                                           cell[2 * t], 12, cell[2 * t + 1], 9, D, 0, PERMUTATIONS,
                                           mean + t * PERMUTATIONS * D));
    CHECK_OK(scs_resample_replica_make(a, &replica));
    CHECK_OK(scs_resample_replica_count(&replica, &method, &p, targets, 1, delta, &count));
    CU_ASSERT_EQUAL(memcmp(replica.atlas.mean, a->mean, sizeof(double) * D * (size_t)a->n_group),
                    0);
    scs_resample_replica_clear(&replica);
    scs_mixed_atlas_destroy(&mixed);
    free_cells(cell);
    scs_atlas_destroy(&a);
    return (count + 1.) / (PERMUTATIONS + 1.);
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Of the rules that p-values go by. Kolmogorov-Smirnov distance from the uniform distribution on
 * 1/100, 2/100 .. 1. The bound is that of a test at 1 %. */
static void p_values_are_uniform_under_the_null(void)
{
    enum { EXPERIMENTS = 400 };

    for (int shift = 0; shift < SCS_N_SHIFT; shift++) {
        double p[EXPERIMENTS], distance = 0;

        if (scs_rule_shift_at(shift)->learns)
            continue;
        for (uint64_t e = 0; e < EXPERIMENTS; e++)
            p[e] = p_of(0, rule_of(shift), 5000 + e);
        qsort(p, EXPERIMENTS, sizeof *p, by_value);
        for (int i = 0; i < EXPERIMENTS; i++)
            if (i + 1 == EXPERIMENTS || p[i + 1] > p[i])
                distance = fmax(distance, fabs((i + 1.) / EXPERIMENTS - p[i]));
        fprintf(stderr, "\n    %s: distance from uniform %.4f, smallest p %.2f",
                scs_rule_shift_at(shift)->word.text, distance, p[0]);
        CU_ASSERT(distance < 1.63 / sqrt(EXPERIMENTS));
    }
}

static void a_response_is_found(void)
{
    for (uint64_t e = 0; e < 5; e++)
        CU_ASSERT_DOUBLE_EQUAL(p_of(2, rule_of(SCS_SHIFT_NEAREST), e), .01, 1e-12);
}

/* Whatever is called perturbed, the weights are the same: a drawn permutation's as the real
 * labels'. */
static void blind_weights_do_not_depend_on_labels(void)
{
    static const int32_t control[] = {0, 2, 4, 6}, perturbed[] = {1, 3, 5, 7};
    double drawn[T * D], before[T * C];
    scs_method method = blind_of();
    scs_combination target = target_of(2);
    scs_atlas *a = atlas_of(12, 9);
    scs_real *cell[T * C];
    scs_permutation p = {a, T, control, perturbed, 1, drawn};
    scs_replica replica;

    draw_cells(a, 3, 1, cell);
    for (int i = 0; i < 9 * D; i++) /* a noisy type */
        cell[1][i] *= 10;
    for (int j = 0; j < D; j++)
        a->mean[D + j] *= 10;
    for (int j = 0; j < D * D; j++)
        a->second[D * D + j] *= 100;
    for (int t = 0; t < T; t++)
        CHECK_OK(scs_resample_permute_pair(&(scs_stream){5, SCS_RANDOM_PERMUTE, 0, (uint64_t)t},
                                           cell[2 * t], 12, cell[2 * t + 1], 9, D, 0, 1,
                                           drawn + t * D));
    CHECK_OK(scs_resample_replica_make(a, &replica));
    CHECK_OK(scs_shift_sources_find(&replica.atlas, &method, &target, replica.sources));
    CU_ASSERT_EQUAL(replica.sources->n, 6);
    memcpy(before, replica.sources->weight, sizeof *before * 6);
    CU_ASSERT(before[0] > 0 && before[0] < .1 && before[2] > .1 && before[4] > .1);
    scs_resample_permutation_draw(&p, 0, replica.atlas.mean);
    CHECK_OK(scs_shift_sources_find(&replica.atlas, &method, &target, replica.sources));
    for (int i = 0; i < 6; i++)
        CU_ASSERT_DOUBLE_EQUAL(replica.sources->weight[i], before[i], 1e-12);
    scs_resample_replica_clear(&replica);
    free_cells(cell);
    scs_atlas_destroy(&a);
}

/* By auto's p-values: of 6,000 without a response as many are up to 0.01, 0.05 and 0.1 as a
 * binomial gives with the chance of 0.999; of weak responses more are found than by the nearest
 * type. */
static void blind_p_values_are_uniform_and_find_more(void)
{
    enum { EXPERIMENTS = 6000, WEAK = 400 };
    static const double level[] = {.01, .05, .1};
    int below[3] = {0}, found[2] = {0};
    scs_method blind = blind_of(), nearest = rule_of(SCS_SHIFT_NEAREST);

    for (uint64_t e = 0; e < EXPERIMENTS; e++) {
        double p = p_of(0, blind, 20000 + e);

        for (int k = 0; k < 3; k++)
            below[k] += p <= level[k] + 1e-9;
    }
    for (int k = 0; k < 3; k++) {
        double share = (double)below[k] / EXPERIMENTS;

        fprintf(stderr, "\n    %.2f %% of %d null p-values up to %g", 100 * share, EXPERIMENTS,
                level[k]);
        CU_ASSERT(fabs(share - level[k]) < 3.3 * sqrt(level[k] * (1 - level[k]) / EXPERIMENTS));
    }
    for (uint64_t e = 0; e < WEAK; e++) {
        found[0] += p_of(.3, nearest, 40000 + e) <= .05 + 1e-9;
        found[1] += p_of(.3, blind, 40000 + e) <= .05 + 1e-9;
    }
    fprintf(stderr, "\n    of %d weak responses %d up to 0.05, by the nearest type %d", WEAK,
            found[1], found[0]);
    CU_ASSERT(found[1] > 1.2 * found[0]);
}

/* The mixed model, and several rules, have seen which cells are perturbed. */
static void p_values_go_by_a_rule_that_saw_no_labels(void)
{
    static const struct {
        const char *config;
        int shift;
        bool exchangeable;
        int typewise;
        double power;
    } cases[] = {
        {"screen: {shift: mixed}", SCS_SHIFT_MIXED, true, SCS_SHIFT_NEAREST, 4},
        {"screen: {shift: auto, nearest_power: 2}", SCS_SHIFT_PAIRED, true, SCS_SHIFT_NEAREST, 2},
        {"screen: {shift: auto, nearest_power: auto}", SCS_SHIFT_AUTO, true, SCS_SHIFT_NEAREST, 4},
        {"screen: {shift: paired}", SCS_SHIFT_PAIRED, false, SCS_SHIFT_PAIRED, 4},
        {"screen: {shift: regression}", SCS_SHIFT_REGRESSION, false, SCS_SHIFT_REGRESSION, 4}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scs_config *config = NULL;
        scs_method method, blind, typewise;

        CHECK_OK(parse(cases[i].config, &config));
        method = scs_shift_method_from_config(config);
        method.shift = cases[i].shift;
        blind = scs_choose_shift_blind(&method, config);
        CU_ASSERT_EQUAL(blind.exchangeable, cases[i].exchangeable);
        CU_ASSERT_EQUAL(blind.shift, blind.exchangeable ? SCS_SHIFT_PAIRED : cases[i].shift);
        typewise = scs_choose_shift_typewise(&method, config);
        CU_ASSERT(typewise.shift == cases[i].typewise && typewise.power == cases[i].power);
        scs_config_destroy(&config);
    }
}

static void permuted_controls_keep_the_sum(void)
{
    static const int32_t control[] = {4}, perturbed[] = {5};
    static const double drawn[D] = {1, 2, 3};
    scs_atlas *a = atlas_of(12, 9);
    scs_permutation p = {a, 1, control, perturbed, 1, drawn};
    double mean[T * C * D] = {0};

    for (int i = 0; i < T * C * D; i++)
        a->mean[i] = cos(i);
    scs_resample_permutation_draw(&p, 0, mean);
    for (int j = 0; j < D; j++) {
        CU_ASSERT_DOUBLE_EQUAL(12 * mean[4 * D + j] + 9 * mean[5 * D + j],
                               12 * a->mean[4 * D + j] + 9 * a->mean[5 * D + j], 1e-12);
        CU_ASSERT_EQUAL(mean[5 * D + j], drawn[j]);
        CU_ASSERT_EQUAL(mean[j], 0); /* other groups are left alone */
    }
    scs_atlas_destroy(&a);
}

/* Benjamini and Hochberg's own way: m p / rank, then the smallest of what follows. */
static void false_discovery_steps_up(void)
{
    const double p[] = {.01, NAN, .04, .03, .005, .5}, q[] = {.025, NAN, .05, .05, .025, .5};
    double out[6];

    CHECK_OK(scs_confidence_false_discovery(p, 6, out));
    for (int i = 0; i < 6; i++)
        CU_ASSERT((isnan(q[i]) && isnan(out[i])) || fabs(q[i] - out[i]) < 1e-12);
}

int main(void)
{
    static const scs_test tests[] = {
        {"chi-square has known values", chi_square_has_known_values},
        {"agreement is the mean cosine", agreement_is_the_mean_cosine},
        {"support is a percentile of distance", support_is_a_percentile_of_distance},
        {"moved energy is an energy distance", moved_energy_is_an_energy_distance},
        {"bootstrap draws have the means' covariance", bootstrap_draws_have_the_means_covariance},
        {"90 % intervals cover", intervals_cover},
        {"permutations keep the cells", permutations_keep_the_cells},
        {"permuted controls keep the sum", permuted_controls_keep_the_sum},
        {"p-values are uniform under the null", p_values_are_uniform_under_the_null},
        {"a response is found", a_response_is_found},
        {"blind weights do not depend on labels", blind_weights_do_not_depend_on_labels},
        {"blind p-values are uniform and find more", blind_p_values_are_uniform_and_find_more},
        {"p-values go by a rule that saw no labels", p_values_go_by_a_rule_that_saw_no_labels},
        {"false discovery steps up", false_discovery_steps_up}};

    return run_suite("trust", tests, sizeof tests / sizeof *tests);
}
