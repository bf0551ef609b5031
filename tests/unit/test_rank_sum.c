/* Rank sums of many groups against one control, with ties, against pairs counted one by one; and
 * the jackknife against leaving out cells. */
#include "src/base/random.h"
#include "src/kernels/radix.h"
#include "src/score/jackknife.h"
#include "src/score/rank_sum.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <string.h>

enum { N_CELL = 300, N_GROUP = 4, CONTROL = N_GROUP };

typedef struct gene {
    int32_t group[N_CELL];  /* CONTROL: a control */
    uint32_t value[N_CELL]; /* 0: none */
    int64_t count[N_GROUP + 1];
} gene;

/* @param most values up to it: few of them make many ties */
static gene draw(uint64_t seed, uint32_t most, int32_t controls)
{
    gene g = {0};

    for (int32_t i = 0; i < N_CELL; i++) {
        scs_stream stream = {.seed = seed, .purpose = SCS_RANDOM_SIMULATE, .cell = (uint64_t)i};
        uint64_t drawn = scs_random_key(&stream);

        g.group[i] = i < controls ? CONTROL : (int32_t)(drawn % N_GROUP);
        g.value[i] = (drawn >> 8) % 3 ? (uint32_t)(drawn >> 32) % (most + 1) : 0;
        g.count[g.group[i]]++;
    }
    return g;
}

/* p by its definition: every pair of cells, every tie. */
static double counted(const gene *g, int32_t group)
{
    double u = 0, ties = 0, n = (double)g->count[group], m = (double)g->count[CONTROL], all = n + m;
    double variance;

    for (int32_t i = 0; i < N_CELL; i++) {
        double tied = 0;

        if (g->group[i] != group && g->group[i] != CONTROL)
            continue;
        for (int32_t j = 0; j < N_CELL; j++) {
            bool either = g->group[j] == group || g->group[j] == CONTROL;

            tied += either && g->value[j] == g->value[i];
            if (g->group[i] == group && g->group[j] == CONTROL)
                u += g->value[i] > g->value[j] ? 1 : g->value[i] == g->value[j] ? .5 : 0;
        }
        ties += tied * tied - 1;
    }
    variance = n * m / 12 * (all + 1 - ties / (all * (all - 1)));
    if (!(variance > 0))
        return 1;
    return fmin(1, erfc((fmax(u, n * m - u) - n * m / 2 - .5) / sqrt(2 * variance)));
}

static void check_gene(const gene *g)
{
    uint64_t key[N_CELL], control_key[N_CELL], scratch[N_CELL];
    scs_rank_tally tally[N_GROUP] = {{0}};
    scs_rank_control control;
    int64_t n = 0, n_control = 0;

    for (int32_t i = 0; i < N_CELL; i++)
        if (g->value[i] && g->group[i] == CONTROL)
            control_key[n_control++] = (uint64_t)g->value[i] << 32;
        else if (g->value[i])
            key[n++] = (uint64_t)g->value[i] << 32 | (uint32_t)g->group[i];
    scs_radix_sort(key, scratch, n, 32, 64);
    scs_radix_sort(control_key, scratch, n_control, 32, 64);
    control = scs_rank_sum_control(control_key, n_control, g->count[CONTROL] - n_control);
    scs_rank_sum_tally(&control, key, n, tally);
    for (int32_t group = 0; group < N_GROUP; group++)
        CU_ASSERT_DOUBLE_EQUAL(scs_rank_sum_p(&control, &tally[group], g->count[group]),
                               counted(g, group), 1e-12);
}

static void p_is_that_of_counted_pairs(void)
{
    static const uint32_t most[] = {0, 1, 2, 7, 40, 100000};

    for (size_t k = 0; k < sizeof most / sizeof *most; k++)
        for (int32_t controls = 1; controls < N_CELL; controls += 74) {
            gene g = draw(k + 1, most[k], controls);

            check_gene(&g);
        }
}

/* A gene that no cell has, and one that all cells have alike, tell nothing. */
static void ties_alone_are_no_evidence(void)
{
    scs_rank_control none = scs_rank_sum_control(NULL, 0, 50);
    scs_rank_tally tally = {0};
    uint64_t control[50], key[20];

    CU_ASSERT_EQUAL(scs_rank_sum_p(&none, &tally, 20), 1);
    for (int i = 0; i < 50; i++)
        control[i] = (uint64_t)3 << 32;
    memcpy(key, control, sizeof key);
    none = scs_rank_sum_control(control, 50, 0);
    scs_rank_sum_tally(&none, key, 20, &tally);
    CU_ASSERT_EQUAL(scs_rank_sum_p(&none, &tally, 20), 1);
}

/* ---- the jackknife ---- */

enum { GENES = 30, MOST_CELLS = 200 };

typedef struct counts {
    int64_t n;
    double y[MOST_CELLS][GENES], total[MOST_CELLS];
    int32_t group[MOST_CELLS];
} counts;

static counts *draw_counts(int64_t n, uint64_t seed)
{
    counts *c = calloc(1, sizeof *c);

    c->n = n;
    for (int64_t i = 0; i < n; i++)
        for (int g = 0; g < GENES; g++) {
            scs_stream stream = {.seed = seed,
                                 .purpose = SCS_RANDOM_SIMULATE,
                                 .epoch = (uint32_t)g,
                                 .cell = (uint64_t)i};
            uint64_t drawn = scs_random_key(&stream);

            c->y[i][g] = (double)(drawn % 4 == 0 ? (drawn >> 8) % (uint64_t)(2 + g) : 0);
            c->total[i] += c->y[i][g];
        }
    return c;
}

/* (n - 1) / n sum (b without a cell - b)^2, about their mean. */
static double left_out(const counts *c, int which)
{
    double sum = 0, total = 0, v = 0, v2 = 0, n = (double)c->n, b;

    for (int64_t i = 0; i < c->n; i++) {
        sum += c->y[i][which];
        total += c->total[i];
    }
    b = log1p(50000 * sum / total);
    for (int64_t i = 0; i < c->n; i++) {
        double rest = total - c->total[i];
        double d = (rest > 0 ? log1p(50000 * (sum - c->y[i][which]) / rest) : 0) - b;

        v += d;
        v2 += d * d;
    }
    return (n - 1) / n * (v2 - v * v / n);
}

static void check_counts(const counts *c)
{
    scs_jackknife j;

    CHECK_OK(scs_jackknife_make(c->group, c->total, c->n, 1, &j));
    for (int g = 0; g < GENES; g++) {
        scs_jackknife_sum sum;
        double all = 0, expected = left_out(c, g);

        for (int64_t i = 0; i < c->n; i++)
            all += c->y[i][g];
        sum = scs_jackknife_begin(&j, 0, all);
        for (int64_t i = 0; i < c->n; i++)
            if (c->y[i][g] > 0)
                scs_jackknife_add(&sum, j.u[i], c->y[i][g]);
        CU_ASSERT_DOUBLE_EQUAL(scs_jackknife_end(&j, 0, &sum), expected,
                               1e-9 * fabs(expected) + 1e-13);
    }
    scs_jackknife_clear(&j);
}

/* Many cells: the series; few: each cell by itself. One cell with all counts of its group. */
static void jackknife_is_that_of_leaving_out_cells(void)
{
    static const int64_t sizes[] = {2, 3, 20, 60, MOST_CELLS};

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        counts *c = draw_counts(sizes[k], k + 5);

        check_counts(c);
        if (k == 1) {
            memset(c->y[1], 0, sizeof c->y[1]);
            memset(c->y[2], 0, sizeof c->y[2]);
            c->total[1] = c->total[2] = 0;
            check_counts(c);
        }
        free(c);
    }
}

int main(void)
{
    const scs_test tests[] = {
        {"p is that of counted pairs", p_is_that_of_counted_pairs},
        {"ties alone are no evidence", ties_alone_are_no_evidence},
        {"jackknife is that of leaving out cells", jackknife_is_that_of_leaving_out_cells},
    };

    return run_suite("rank sums", tests, sizeof tests / sizeof *tests);
}
