/* Predicted cells: draws have the distributions that they are named after; templates are used
 * evenly; a recipe's cells have the mean that was asked for, and depend on nothing but their
 * number. */
#include "src/cells/draw.h"
#include "src/cells/recipe.h"
#include "src/cells/target_mean.h"
#include "src/cells/templates.h"
#include "src/simulate/sampler.h"
#include "tests/unit/fixture_atlas.h"
#include "tests/unit/packing.h"
#include "tests/unit/suite.h"

#include <math.h>

enum { N_DRAW = 100000 };

/* ---- draws ---- */

/* Mean and variance within 5 standard errors; `fourth` is the fourth central moment at most. */
static void check_moments(const double *x, double mean, double variance)
{
    double sum = 0, square = 0, fourth = 0;

    for (int i = 0; i < N_DRAW; i++) {
        double d = x[i] - mean;

        sum += d;
        square += d * d;
        fourth += d * d * d * d;
    }
    CU_ASSERT_DOUBLE_EQUAL(sum / N_DRAW, 0, 5 * sqrt(variance / N_DRAW) + 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(square / N_DRAW, variance, 5 * sqrt((fourth / N_DRAW) / N_DRAW) + 1e-12);
}

static double *reserve_draws(void)
{
    double *x;

    CHECK_OK(SCS_ALLOC(x, N_DRAW));
    return x;
}

/* n p and n p (1 - p), for one count and for thousands. */
static void thinning_is_binomial(void)
{
    static const int64_t counts[] = {1, 2, 7, 60, 400, 5000};
    static const double shares[] = {.001, .3, .5, .77, .999};
    double *x = reserve_draws();

    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 5; j++) {
            double n = (double)counts[i], p = shares[j];
            bool within = true;

            for (int c = 0; c < N_DRAW; c++) {
                scs_stream cell = scs_draw_cell(11, c);

                x[c] = (double)scs_draw_thin(&cell, j, counts[i], p);
                within &= x[c] >= 0 && x[c] <= n;
            }
            CU_ASSERT(within);
            check_moments(x, n * p, n * p * (1 - p));
        }
    free(x);
}

static void thinning_by_0_and_1_is_exact(void)
{
    scs_stream cell = scs_draw_cell(1, 2);

    CU_ASSERT_EQUAL(scs_draw_thin(&cell, 0, 17, 0), 0);
    CU_ASSERT_EQUAL(scs_draw_thin(&cell, 0, 17, 1), 17);
    CU_ASSERT_EQUAL(scs_draw_thin(&cell, 0, 17, 2), 17);
    CU_ASSERT_EQUAL(scs_draw_thin(&cell, 0, 0, .5), 0);
}

static void poisson_has_its_moments(void)
{
    static const double means[] = {1e-3, .2, .999, 1, 7, 29.9, 31, 400};
    double *x = reserve_draws();

    for (int i = 0; i < 8; i++) {
        for (int c = 0; c < N_DRAW; c++) {
            scs_stream cell = scs_draw_cell(12, c);

            x[c] = (double)scs_draw_poisson(&cell, i, means[i]);
        }
        check_moments(x, means[i], means[i]);
    }
    free(x);
}

/* If y is negative binomial of (mean, phi), y and what it gains are so of (ratio mean, phi): the
 * mean and the variance of the latter. */
static void rise_keeps_the_dispersion(void)
{
    static const struct {
        double mean, phi, ratio;
    } cases[] = {{.05, .5, 3}, {.4, 2, 1.5}, {3, .3, 4}, {2, .001, 2}, {40, .2, 3}, {1e-3, 1, 50}};
    double *x = reserve_draws();

    for (int i = 0; i < 6; i++) {
        double mean = cases[i].mean * cases[i].ratio, phi = cases[i].phi;

        for (int c = 0; c < N_DRAW; c++) {
            scs_stream stream = {5, SCS_RANDOM_SIMULATE, 0, (uint64_t)c};
            scs_sampler other = scs_sampler_start(&stream);
            scs_stream cell = scs_draw_cell(13, c);
            int64_t y = scs_sampler_count(&other, cases[i].mean, 1 / phi);

            x[c] = (double)(y + scs_draw_rise(&cell, i, y, cases[i].ratio, cases[i].mean, phi));
        }
        check_moments(x, mean, mean + phi * mean * mean);
    }
    free(x);
}

/* Only what a number is for decides it; another gene, cell, combination or seed has another. */
static void draws_depend_on_what_they_are_for(void)
{
    uint64_t key = scs_draw_key(1, "human", "B", "drug", NAN);
    scs_stream cell = scs_draw_cell(key, 7), other = scs_draw_cell(key, 8);
    int same = 0;

    CU_ASSERT_EQUAL(key, scs_draw_key(1, "human", "B", "drug", -NAN));
    CU_ASSERT_NOT_EQUAL(key, scs_draw_key(2, "human", "B", "drug", NAN));
    CU_ASSERT_NOT_EQUAL(key, scs_draw_key(1, "humanB", "", "drug", NAN));
    CU_ASSERT_NOT_EQUAL(key, scs_draw_key(1, "human", "B", "drug", 2));
    for (int32_t g = 0; g < 200; g++) {
        int64_t n = scs_draw_thin(&cell, g, 1000, .5);

        CU_ASSERT_EQUAL(n, scs_draw_thin(&cell, g, 1000, .5));
        same += n == scs_draw_thin(&cell, g + 1, 1000, .5);
        same += n == scs_draw_thin(&other, g, 1000, .5);
    }
    CU_ASSERT(same < 40); /* about 7 by chance */
    CU_ASSERT(scs_draw_uniform(&cell, 0) != scs_draw_uniform(&cell, 1));
    CU_ASSERT(scs_draw_uniform(&cell, 1) != scs_draw_uniform(&cell, 2));
}

/* ---- templates ---- */

static void templates_are_used_evenly(void)
{
    enum { CONTROLS = 7, CELLS = 45 };
    int64_t cell[CONTROLS] = {3, 4, 9, 12, 100, 101, 5000};
    int32_t all[CELLS], part[10], used[CONTROLS] = {0};
    bool shuffled = false;

    CHECK_OK(scs_templates_pick(99, cell, CONTROLS, 0, CELLS, all));
    for (int i = 0; i < CELLS; i++) {
        used[all[i]]++;
        shuffled |= all[i] != all[i % CONTROLS];
    }
    for (int k = 0; k < CONTROLS; k++)
        CU_ASSERT(used[k] == CELLS / CONTROLS || used[k] == CELLS / CONTROLS + 1);
    CU_ASSERT(shuffled); /* another order in each round */
    CHECK_OK(scs_templates_pick(99, cell, CONTROLS, 12, 10, part));
    CU_ASSERT_EQUAL(memcmp(part, all + 12, sizeof part), 0);
}

/* ---- cells ---- */

enum { GENES = 40, CONTROL_CELLS = 300, DONOR_CELLS = 250, MADE = 30000 };

/* Counts of a group: gene g has the mean rate[g] x library, negative binomial. */
static scs_packed draw_group(int64_t n, const double *rate, uint64_t seed)
{
    scs_csr x;
    scs_packed all;
    int64_t at = 0;

    CHECK_OK(scs_csr_alloc(n, GENES, n * GENES, &x));
    for (int64_t i = 0; i < n; i++) {
        scs_stream stream = {seed, SCS_RANDOM_SIMULATE, 3, (uint64_t)i};
        scs_sampler s = scs_sampler_start(&stream);
        double size = exp(.4 * scs_sampler_normal(&s));

        for (int32_t g = 0; g < GENES; g++) {
            int64_t y = rate[g] > 0 ? scs_sampler_count(&s, rate[g] * size, 4) : 0;

            if (y > 0) {
                x.indices[at] = g;
                x.values[at++] = (float)y;
            }
        }
        x.indptr[i + 1] = at;
    }
    all = packed(&x);
    scs_csr_clear(&x);
    return all;
}

typedef struct kitchen {
    scs_count_group control, source[2];
    const scs_count_group *donor[2];
    scs_donors donors;
    double mean[GENES];
    scs_recipe *recipe;
} kitchen;

/* Genes fall, stay and rise; gene 0 is nowhere but in the prediction, gene 1 not in the controls,
 * gene 2 in no donor. */
static void kitchen_open(kitchen *k, double library_factor)
{
    static int32_t group[] = {4, 5}, control[] = {1, 2};
    static double weight[] = {.75, .25};
    double rate[3][GENES], sum = 0, total = 0;
    scs_packed x;

    *k = (kitchen){.donors = {2, group, control, weight}};
    for (int32_t g = 0; g < GENES; g++) {
        rate[0][g] = g < 2 ? 0 : .2 * (g % 9) + .3;
        rate[1][g] = g == 0 || g == 2 ? 0 : rate[0][g] * (g % 4) + .2;
        rate[2][g] = g == 0 || g == 2 ? 0 : rate[0][g] * .5 + .2;
    }
    x = draw_group(CONTROL_CELLS, rate[0], 1);
    CHECK_OK(scs_count_group_make(1, &x, &k->control));
    for (int i = 0; i < 2; i++) {
        x = draw_group(DONOR_CELLS, rate[i + 1], 2 + (uint64_t)i);
        CHECK_OK(scs_count_group_make(4 + i, &x, &k->source[i]));
        k->donor[i] = &k->source[i];
    }
    for (int32_t g = 0; g < GENES; g++) {
        k->mean[g] = g < 2 ? 20000 : k->control.cpm[g] * (.25 + .5 * (g % 5));
        sum += k->mean[g];
        total += k->control.cpm[g];
    }
    for (int32_t g = 0; g < GENES; g++)
        k->mean[g] *= total / sum;
    CHECK_OK(scs_recipe_create(&(scs_recipe_parts){.control = &k->control,
                                                   .donor = k->donor,
                                                   .donors = &k->donors,
                                                   .mean = k->mean,
                                                   .library_factor = library_factor,
                                                   .key = 77},
                               &k->recipe));
}

static void kitchen_close(kitchen *k)
{
    scs_recipe_destroy(&k->recipe);
    scs_count_group_clear(&k->control);
    scs_count_group_clear(&k->source[0]);
    scs_count_group_clear(&k->source[1]);
}

/* Cells [first, first + n), each control as template in turn. */
static void make(const kitchen *k, int64_t first, int64_t n, scs_cell_block *b)
{
    CHECK_OK(scs_recipe_block_make(n, b));
    b->first = first;
    b->n = n;
    for (int64_t i = 0; i < n; i++)
        b->control[i] = (int32_t)((first + i) % CONTROL_CELLS);
    CHECK_OK(scs_recipe_make(k->recipe, b));
}

/* Mean count of a gene over the control cells. */
static double control_mean(const kitchen *k, int32_t gene)
{
    double sum = 0;

    for (int64_t i = 0; i < CONTROL_CELLS; i++) {
        scs_row row = scs_packed_row(&k->control.x, i);
        int32_t at = scs_packed_row_find(&row, gene);

        if (at < row.n && scs_row_gene(&row, at) == gene)
            sum += (double)scs_row_value(&row, at);
    }
    return sum / CONTROL_CELLS;
}

/* A gene that falls keeps the asked share of its templates' counts; one that rises gains what its
 * mean lacks, for the templates' libraries. */
static void cells_have_the_mean(void)
{
    double sum[GENES] = {0}, library = 0;
    scs_cell_block b;
    kitchen k;

    kitchen_open(&k, 1.2);
    make(&k, 0, MADE, &b);
    for (int64_t j = 0; j < b.indptr[MADE]; j++)
        sum[b.gene[j]] += b.count[j];
    for (int64_t i = 0; i < CONTROL_CELLS; i++)
        library += k.control.library[i] / CONTROL_CELLS;
    for (int32_t g = 0; g < GENES; g++) {
        double ratio = 1.2 * k.mean[g] / k.control.cpm[g], wanted = control_mean(&k, g);

        if (ratio < 1)
            wanted *= ratio;
        else
            wanted += (1.2 * k.mean[g] - k.control.cpm[g]) * 1e-6 * library;
        CU_ASSERT_DOUBLE_EQUAL(sum[g] / MADE, wanted, .04 * wanted);
    }
    scs_recipe_block_clear(&b);
    kitchen_close(&k);
}

/* Genes ascend, no count is 0, libraries are the sums, donors have the asked weights. */
static void blocks_are_sparse_rows(void)
{
    bool sorted = true, counted = true;
    int64_t first = 0;
    scs_cell_block b;
    kitchen k;

    kitchen_open(&k, 1);
    make(&k, 0, 4000, &b);
    for (int64_t i = 0; i < b.n; i++) {
        int64_t all = 0;

        for (int64_t j = b.indptr[i]; j < b.indptr[i + 1]; j++) {
            sorted &= j == b.indptr[i] || b.gene[j] > b.gene[j - 1];
            counted &= b.count[j] > 0;
            all += b.count[j];
        }
        counted &= all == b.library[i];
        first += b.donor[i] == 0;
    }
    CU_ASSERT(sorted);
    CU_ASSERT(counted);
    CU_ASSERT_DOUBLE_EQUAL((double)first / 4000, .75, .04);
    scs_recipe_block_clear(&b);
    kitchen_close(&k);
}

/* Made in another block, a cell is the same. */
static void a_cell_depends_on_its_number_alone(void)
{
    scs_cell_block all, part;
    kitchen k;

    kitchen_open(&k, 1.1);
    make(&k, 0, 500, &all);
    make(&k, 123, 50, &part);
    for (int64_t i = 0; i < 50; i++) {
        int64_t n = part.indptr[i + 1] - part.indptr[i], at = all.indptr[123 + i];

        CU_ASSERT_EQUAL(all.indptr[124 + i] - at, n);
        CU_ASSERT_EQUAL(memcmp(all.gene + at, part.gene + part.indptr[i], 4 * (size_t)n), 0);
        CU_ASSERT_EQUAL(memcmp(all.count + at, part.count + part.indptr[i], 4 * (size_t)n), 0);
        CU_ASSERT_EQUAL(all.donor[123 + i], part.donor[i]);
    }
    scs_recipe_block_clear(&all);
    scs_recipe_block_clear(&part);
    kitchen_close(&k);
}

/* The controls' own mean and library are no reason to change a count. */
static void no_change_leaves_cells_alone(void)
{
    scs_cell_block b;
    kitchen k;

    kitchen_open(&k, 1);
    scs_recipe_destroy(&k.recipe);
    CHECK_OK(scs_recipe_create(&(scs_recipe_parts){.control = &k.control,
                                                   .donor = k.donor,
                                                   .donors = &k.donors,
                                                   .mean = k.control.cpm,
                                                   .library_factor = 1,
                                                   .key = 77},
                               &k.recipe));
    make(&k, 0, CONTROL_CELLS, &b);
    for (int64_t i = 0; i < CONTROL_CELLS; i++) {
        scs_row row = scs_packed_row(&k.control.x, i);

        CU_ASSERT_EQUAL_FATAL(b.indptr[i + 1] - b.indptr[i], row.n);
        for (int32_t j = 0; j < row.n; j++) {
            CU_ASSERT_EQUAL(b.gene[b.indptr[i] + j], scs_row_gene(&row, j));
            CU_ASSERT_EQUAL((float)b.count[b.indptr[i] + j], scs_row_value(&row, j));
        }
    }
    scs_recipe_block_clear(&b);
    kitchen_close(&k);
}

/* The dispersion that counts were drawn with comes back (0.25; a quarter of it either way). */
static void dispersion_is_estimated(void)
{
    double excess[GENES] = {0}, square[GENES] = {0}, rate[GENES], phi = 0;
    scs_dispersion sum = {excess, square};
    scs_count_group g;
    scs_packed x;

    for (int32_t i = 0; i < GENES; i++)
        rate[i] = 3;
    x = draw_group(2000, rate, 9);
    CHECK_OK(scs_count_group_make(0, &x, &g));
    CHECK_OK(scs_count_group_disperse(&g, &sum));
    for (int32_t i = 0; i < GENES; i++)
        phi += excess[i] / square[i] / GENES;
    CU_ASSERT_DOUBLE_EQUAL(phi, .25, .06);
    for (int64_t i = 1; i < 2000; i++)
        CU_ASSERT(g.library[g.by_library[i - 1]] <= g.library[g.by_library[i]]);
    scs_count_group_clear(&g);
}

/* ---- the mean ---- */

/* Two types with controls (0, 2) and perturbed cells (1, 3), a target with controls alone (4);
 * every gene's variance is 0.1. */
static void make_groups(const float mean[5][4], scs_atlas **atlas, scs_names *labels)
{
    static const scs_group groups[] = {{0, 0, 0, false, 50},
                                       {0, 0, 1, false, 50},
                                       {0, 1, 0, false, 50},
                                       {0, 1, 1, false, 50},
                                       {0, 2, 0, false, 50}};

    name_list(&labels[0], "species", 1);
    name_list(&labels[1], "type", 3);
    name_list(&labels[2], "condition", 2);
    name_list(&labels[3], "gene", 4);
    CHECK_OK(scs_atlas_create_from(&labels[0], &labels[1], &labels[2], &labels[3], 0, groups, 5, 1,
                                   atlas));
    for (int i = 0; i < 5; i++)
        for (int g = 0; g < 4; g++) {
            (*atlas)->gene_mean[4 * i + g] = mean[i][g];
            (*atlas)->gene_variance[4 * i + g] = .1f;
        }
}

/* Genes: a clear rise, pure noise, a fall below nothing, unseen in controls. */
static void noise_is_taken_out_of_the_mean(void)
{
    static const float mean[5][4] = {{1, 1, .5f, 0},
                                     {2, 1.02f, .02f, .3f},
                                     {1, 1, .5f, 0},
                                     {2, 1.02f, .02f, .3f},
                                     {1, 1, .4f, 0}};
    const float shift[4] = {1, .02f, -.48f, .3f};
    const double cpm[4] = {600000, 390000, 10000, 0};
    int32_t group[] = {0, 1, 2, 3}, donor[] = {1, 3}, control[] = {0, 2};
    double weight[] = {-.5, .5, -.5, .5}, share[] = {.5, .5}, got[4], sum = 0, raw[4], factor;
    scs_sources sources = {.n = 4, .group = group, .weight = weight};
    scs_donors donors = {2, donor, control, share};
    scs_mean_parts parts;
    double near[] = {1, .02, -.48, .3}, noise = 4 * .25 * .1 / 50, length = 0;
    double stim[4], base[4];
    scs_names labels[4] = {{0}};
    scs_atlas *a;

    make_groups(mean, &a, labels);
    /* donors' mean counts: of gene 2 more is left than their logarithms say */
    for (int i = 0; i < 2; i++)
        for (int g = 0; g < 4; g++) {
            stim[g] = 100 * expm1(mean[1][g]);
            base[g] = 100 * expm1(mean[0][g]);
        }
    stim[2] = 30;
    parts = (scs_mean_parts){.atlas = a,
                             .sources = &sources,
                             .donors = &donors,
                             .shift = shift,
                             .control = mean[4],
                             .cpm = cpm,
                             .donor_cpm = (const double *[]){stim, stim},
                             .donor_control_cpm = (const double *[]){base, base},
                             .total = 1e4};
    CHECK_OK(scs_target_mean(&parts, got));
    for (int g = 0; g < 4; g++)
        length += near[g] * near[g];
    factor = sqrt((length - 4 * noise) / length);
    /* .02 is within its noise (.002 > .02^2): the gene does not move. The fall stops at a quarter
     * of what the donors leave, (.02 + .01) / (.5 + .01) of .4. */
    raw[0] = 600000 * expm1(1 + factor * (1 - noise) * 1) / expm1(1);
    raw[1] = 390000;
    raw[2] = 10000 * expm1(.25 * .4 * (.03 / .51)) / expm1(.4) *
             exp(.5 * (1 - noise / (.48 * .48)) * log((30 + 50) / (100 * expm1(.02) + 50)));
    raw[3] = 100 * expm1(factor * (1 - noise / .09) * .3);
    for (int g = 0; g < 4; g++)
        sum += raw[g];
    for (int g = 0; g < 4; g++)
        CU_ASSERT_DOUBLE_EQUAL(got[g] / (raw[g] * 1e6 / sum), 1, 1e-5);
    /* A gene that the cells do not have gets none; the others sum to what is there. */
    parts.absent = (const uint8_t[]){0, 0, 0, 1};
    CHECK_OK(scs_target_mean(&parts, got));
    CU_ASSERT_EQUAL(got[3], 0);
    for (int g = 0; g < 3; g++)
        CU_ASSERT_DOUBLE_EQUAL(got[g] / (raw[g] * 1e6 / (sum - raw[3])), 1, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(scs_donors_library_factor(&donors, (double[]){100, 200, 100, 50, 80}), 1,
                           1e-12);
    scs_atlas_destroy(&a);
    for (int i = 0; i < 4; i++)
        scs_names_clear(&labels[i]);
}

int main(void)
{
    static const scs_test tests[] = {
        {"thinning is binomial", thinning_is_binomial},
        {"thinning by 0 and 1 is exact", thinning_by_0_and_1_is_exact},
        {"poisson has its moments", poisson_has_its_moments},
        {"rise keeps the dispersion", rise_keeps_the_dispersion},
        {"draws depend on what they are for", draws_depend_on_what_they_are_for},
        {"templates are used evenly", templates_are_used_evenly},
        {"cells have the mean", cells_have_the_mean},
        {"blocks are sparse rows", blocks_are_sparse_rows},
        {"a cell depends on its number alone", a_cell_depends_on_its_number_alone},
        {"no change leaves cells alone", no_change_leaves_cells_alone},
        {"dispersion is estimated", dispersion_is_estimated},
        {"noise is taken out of the mean", noise_is_taken_out_of_the_mean},
    };

    return run_suite("cells", tests, sizeof tests / sizeof *tests);
}
