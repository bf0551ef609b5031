/* Genes are taken in blocks, blocks in runs: a row is entered where the block before has left it.
 *
 * A gene's entries are gone through twice. The first time every entry is looked up: sums of its
 * group grow, and its rank joins the values to sort, the controls' apart. The sums of counts are
 * then known, and the second time the jackknife's sums grow.
 *
 * O(values) to turn the rows over and to sort by digits, O(groups) a gene for what each group has.
 * A thread holds a block's entries, 8 bytes each, and 4 bytes a cell for where its rows stand; the
 * result is 2 SCS_N_STAT [groups, genes] doubles. Nothing is added up across threads.
 */
#include "src/score/gene_stats.h"

#include "src/base/parallel.h"
#include "src/kernels/radix.h"
#include "src/score/jackknife.h"
#include "src/score/rank_sum.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256, RUNS_A_THREAD = 4 }; /* genes; runs of blocks */

/* ---- a block of genes, gene by gene ---- */

/* A count of a gene, and whose it is. */
typedef struct entry {
    int32_t cell;
    float count;
} entry;

/* Some genes turned over: entries by gene. */
typedef struct block {
    int32_t gene0, n;
    int64_t first[BLOCK + 1];
    int64_t longest; /* entries of a gene */
    entry *entry;    /* ascending by cell within a gene */
    int32_t *at;     /* [n_cell] the row's first entry that no block before has; borrowed */
} block;

/* Cells that the contrast has no use for are passed over. */
static inline bool is_used(const scs_contrast *c, int64_t i)
{
    return c->group[SCS_PREDICTED][i] >= 0 || c->group[SCS_REAL][i] >= 0;
}

/* Each entry of the block is counted at first[gene + 1], or put at first[gene + 1]++. */
static void visit(const scs_contrast *c, const scs_packed *x, block *b, bool put)
{
    for (int64_t i = 0; i < c->n_cell; i++) {
        scs_row row;
        int32_t k = b->at[i];

        if (!is_used(c, i))
            continue;
        row = scs_packed_row(x, i);
        for (; k < row.n; k++) {
            int32_t j = scs_row_gene(&row, k) - b->gene0;

            if (j >= b->n)
                break;
            if (put)
                b->entry[b->first[j + 1]] = (entry){(int32_t)i, scs_row_value(&row, k)};
            b->first[j + 1]++;
        }
        if (put)
            b->at[i] = k;
    }
}

/* @param[in,out] row_at of the block; for the next one afterwards
 * @param[out] b its entries are malloc'ed */
static scs_status turn(const scs_contrast *c, const scs_packed *x, int32_t gene0, int32_t n,
                       int32_t *row_at, block *b)
{
    int64_t at = 0;

    memset(b, 0, sizeof *b);
    b->gene0 = gene0;
    b->n = n;
    b->at = row_at;
    visit(c, x, b, false);
    for (int32_t j = 0; j < n; j++) {
        int64_t count = b->first[j + 1];

        b->longest = count > b->longest ? count : b->longest;
        b->first[j + 1] = at; /* where it begins, until its entries are put */
        at += count;
    }
    b->entry = malloc((size_t)(at + 1) * sizeof *b->entry);
    SCS_REQUIRE(b->entry, SCS_ENOMEM, "out of memory: %lld entries of a block of genes",
                (long long)at);
    visit(c, x, b, true);
    return SCS_OK;
}

/* ---- what a thread needs for a gene ---- */

/* Sums over a group's cells that have the gene. */
typedef struct sums {
    double count, cpm, log10k, square, logged;
} sums;

typedef struct scratch {
    sums *sum;                /* [n + 1] */
    scs_rank_tally *tally;    /* [n + 1] */
    scs_jackknife_sum *noise; /* [n + 1] */
    /* [longest] values of a side's groups and controls, and of the real controls */
    uint64_t *key, *control, *real_control, *sorting;
    int64_t n_key, n_control;
} scratch;

/* The caller clears it, also after a failure. */
static scs_status scratch_make(int32_t n, int64_t longest, scratch *s)
{
    *s = (scratch){0};
    SCS_TRY(SCS_ALLOC(s->sum, n + 1));
    SCS_TRY(SCS_ALLOC(s->tally, n + 1));
    SCS_TRY(SCS_ALLOC(s->noise, n + 1));
    SCS_TRY(SCS_ALLOC(s->key, longest));
    SCS_TRY(SCS_ALLOC(s->control, longest));
    SCS_TRY(SCS_ALLOC(s->real_control, longest));
    return SCS_ALLOC(s->sorting, longest);
}

static void scratch_clear(scratch *s)
{
    free(s->sum);
    free(s->tally);
    free(s->noise);
    free(s->key);
    free(s->control);
    free(s->real_control);
    free(s->sorting);
}

/* ---- a gene ---- */

/* What all threads read, and where they write: each its own genes' columns. */
typedef struct pass {
    const scs_contrast *contrast;
    const scs_packed *x;
    const scs_levels *levels;
    scs_jackknife jackknife[SCS_N_SIDE];
    scs_gene_stats *stats;
} pass;

/* @param control where the controls' values go */
static void add_up(const pass *p, int side, const entry *e, int64_t n, uint64_t *control,
                   scratch *s)
{
    const int32_t *group = p->contrast->group[side];

    memset(s->sum, 0, (size_t)(p->contrast->n + 1) * sizeof *s->sum);
    s->n_key = s->n_control = 0;
    for (int64_t k = 0; k < n; k++) {
        int32_t g = group[e[k].cell];
        const scs_level *level;
        sums *sum;

        if (g < 0)
            continue;
        level = scs_levels_find(p->levels, e[k].cell, e[k].count);
        sum = &s->sum[g];
        sum->count += (double)e[k].count;
        sum->cpm += level->cpm;
        sum->log10k += level->log10k;
        sum->square += level->log10k * level->log10k;
        sum->logged += level->logged;
        if (g < p->contrast->n)
            s->key[s->n_key++] = (uint64_t)level->rank << 32 | (uint32_t)g;
        else
            control[s->n_control++] = (uint64_t)level->rank << 32;
    }
    scs_radix_sort(s->key, s->sorting, s->n_key, 32, 32 + p->levels->rank_bits);
    scs_radix_sort(control, s->sorting, s->n_control, 32, 32 + p->levels->rank_bits);
}

/* Below what the sums' rounding can make of cells that are all alike it is 0. */
static double variance(const sums *sum, double n)
{
    double mean = sum->log10k / n, square = sum->square / n, found = square - mean * mean;

    return found > 1e-12 * square ? found : 0;
}

/* Means are over all cells of a group; those without the gene add nothing to the sums. */
static void put_means(const pass *p, int side, int32_t gene, const scratch *s)
{
    scs_gene_stats *stats = p->stats;

    for (int32_t g = 0; g <= stats->n; g++) {
        double n = (double)p->contrast->count[side][g], mean;
        const sums *sum = &s->sum[g];

        if (n == 0)
            continue;
        mean = sum->log10k / n;
        scs_gene_stats_row(stats, side, SCS_STAT_SUM, g)[gene] = sum->count;
        scs_gene_stats_row(stats, side, SCS_STAT_CPM, g)[gene] = sum->cpm / n;
        scs_gene_stats_row(stats, side, SCS_STAT_MEAN, g)[gene] = mean;
        scs_gene_stats_row(stats, side, SCS_STAT_VARIANCE, g)[gene] = variance(sum, n);
        scs_gene_stats_row(stats, side, SCS_STAT_LOGGED, g)[gene] = sum->logged / n;
    }
}

/* The side's values against one set of controls. */
static void test_groups(const pass *p, int side, int stat, const scs_rank_control *control,
                        int32_t gene, scratch *s)
{
    memset(s->tally, 0, (size_t)(p->contrast->n + 1) * sizeof *s->tally);
    scs_rank_sum_tally(control, s->key, s->n_key, s->tally);
    for (int32_t g = 0; g < p->contrast->n; g++)
        scs_gene_stats_row(p->stats, side, stat, g)[gene] =
            scs_rank_sum_p(control, &s->tally[g], p->contrast->count[side][g]);
}

/* The second walk along a gene's entries, when the sums of counts are known. */
static void put_noise(const pass *p, int side, const entry *e, int64_t n, int32_t gene, scratch *s)
{
    const scs_jackknife *jackknife = &p->jackknife[side];
    const int32_t *group = p->contrast->group[side];

    for (int32_t g = 0; g <= p->contrast->n; g++)
        s->noise[g] = scs_jackknife_begin(jackknife, g, s->sum[g].count);
    for (int64_t k = 0; k < n; k++) {
        int32_t g = group[e[k].cell];

        if (g >= 0)
            scs_jackknife_add(&s->noise[g], jackknife->u[e[k].cell], (double)e[k].count);
    }
    for (int32_t g = 0; g <= p->contrast->n; g++)
        scs_gene_stats_row(p->stats, side, SCS_STAT_NOISE, g)[gene] =
            scs_jackknife_end(jackknife, g, &s->noise[g]);
}

/* Controls without the gene are zeros, which are counted and not stored. */
static scs_rank_control controls(const pass *p, int side, const uint64_t *key, const scratch *s)
{
    return scs_rank_sum_control(key, s->n_control,
                                p->contrast->count[side][p->contrast->n] - s->n_control);
}

/* The real side first: its controls are what the predicted cells are tested against, as a rule. */
static void do_gene(const pass *p, const entry *e, int64_t n, int32_t gene, scratch *s)
{
    const scs_contrast *c = p->contrast;
    scs_rank_control real, own;
    bool has_own = c->count[SCS_PREDICTED][c->n] > 0;

    add_up(p, SCS_REAL, e, n, s->real_control, s);
    real = controls(p, SCS_REAL, s->real_control, s);
    put_means(p, SCS_REAL, gene, s);
    test_groups(p, SCS_REAL, SCS_STAT_P, &real, gene, s);
    put_noise(p, SCS_REAL, e, n, gene, s);
    add_up(p, SCS_PREDICTED, e, n, s->control, s);
    own = controls(p, SCS_PREDICTED, s->control, s);
    put_means(p, SCS_PREDICTED, gene, s);
    test_groups(p, SCS_PREDICTED, SCS_STAT_P, c->own_control ? &own : &real, gene, s);
    if (has_own)
        test_groups(p, SCS_PREDICTED, SCS_STAT_OWN_P, &own, gene, s);
    put_noise(p, SCS_PREDICTED, e, n, gene, s);
}

/* Genes [gene0, gene0 + n), n <= BLOCK. @param row_at as block.at */
static scs_status do_block(const pass *p, int32_t gene0, int32_t n, int32_t *row_at)
{
    block b = {0};
    scratch s = {0};
    scs_status st;

    SCS_GO(st, turn(p->contrast, p->x, gene0, n, row_at, &b));
    SCS_GO(st, scratch_make(p->contrast->n, b.longest, &s));
    for (int32_t j = 0; j < n; j++)
        do_gene(p, b.entry + b.first[j], b.first[j + 1] - b.first[j], gene0 + j, &s);
done:
    scratch_clear(&s);
    free(b.entry);
    return st;
}

/* Blocks [block0, block1), one after another. */
static scs_status do_run(const pass *p, int32_t block0, int32_t block1)
{
    int32_t *row_at = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(row_at, p->contrast->n_cell));
    for (int64_t i = 0; i < p->contrast->n_cell && block0 > 0; i++) {
        scs_row row = scs_packed_row(p->x, i);

        row_at[i] = scs_packed_row_find(&row, block0 * BLOCK);
    }
    for (int32_t b = block0; b < block1; b++) {
        int32_t left = p->x->n_col - b * BLOCK;

        SCS_GO(st, do_block(p, b * BLOCK, left < BLOCK ? left : BLOCK, row_at));
    }
done:
    free(row_at);
    return st;
}

/* More runs than threads, as genes differ in their entries; few, as each run enters every row by
 * bisection once. */
static scs_status do_genes(const pass *p)
{
    int32_t n_block = (p->x->n_col + BLOCK - 1) / BLOCK, threads = omp_get_max_threads();
    int32_t wanted = threads > 1 ? threads * RUNS_A_THREAD : 1;
    int32_t n_run = n_block < wanted ? n_block : wanted;
    scs_parallel_error error = {0};

#pragma omp parallel for schedule(dynamic)
    for (int32_t r = 0; r < n_run; r++)
        scs_parallel_error_note(&error, r,
                                do_run(p, (int32_t)((int64_t)n_block * r / n_run),
                                       (int32_t)((int64_t)n_block * (r + 1) / n_run)));
    return scs_parallel_error_raise(&error);
}

scs_status scs_gene_stats_make(const scs_contrast *contrast, const scs_packed *x,
                               const scs_levels *levels, const double *total, scs_gene_stats *stats)
{
    pass p = {.contrast = contrast, .x = x, .levels = levels, .stats = stats};
    int64_t size = (int64_t)SCS_N_STAT * (contrast->n + 1) * x->n_col;
    scs_status st;

    *stats = (scs_gene_stats){.n = contrast->n, .n_gene = x->n_col};
    for (int side = 0; side < SCS_N_SIDE; side++) {
        SCS_GO(st, SCS_ALLOC(stats->value[side], size));
        SCS_GO(st, scs_jackknife_make(contrast->group[side], total, contrast->n_cell,
                                      contrast->n + 1, &p.jackknife[side]));
    }
    SCS_GO(st, do_genes(&p));
done:
    for (int side = 0; side < SCS_N_SIDE; side++)
        scs_jackknife_clear(&p.jackknife[side]);
    return st;
}

void scs_gene_stats_clear(scs_gene_stats *stats)
{
    for (int side = 0; side < SCS_N_SIDE; side++)
        free(stats->value[side]);
    *stats = (scs_gene_stats){0};
}
