/* What the counts of a cell are worth, once for all passes (levels.h).
 *
 * A cell has few distinct counts: those up to n_small have a place each, the larger ones a sorted
 * list, O(log) to find. Only those that these rows have are worked out: a rank that has some of the
 * genes has some of the counts. Levels are filled in cell by cell; then all their log1p(cpm) are
 * sorted together once, and a rank test needs the ranks alone: integers, of which equal ones are
 * ties.
 *
 * The sort key holds the value to 2^-32, and below it which level it is: 36 + 28 bits. Levels
 * whose keys' upper parts agree are few, or ties, and are put in order by the value itself.
 *
 * 32 bytes a small level, 40 a large one, and 16 for each while they are sorted. */
#include "src/score/levels.h"

#include "src/kernels/radix.h"

#include <math.h>
#include <stdlib.h>

enum { INDEX_BITS = 28 };

/* Counts are whole and not NaN. */
static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* ---- what counts there are ---- */

/* The row's distinct counts: those above n_small, ascending, and which of the others there are.
 * @param[out] found [values of the row]  @param[out] small bit c - 1: the count c
 * @return how many large ones */
static int32_t row_counts(const scs_packed *x, int64_t i, int32_t n_small, float *found,
                          uint64_t *small)
{
    int64_t n;
    const float *value = scs_packed_values(x, i, &n);
    int32_t n_found = 0, kept = 0;

    *small = 0;
    for (int64_t k = 0; k < n; k++)
        if (value[k] > (float)n_small)
            found[n_found++] = value[k];
        else
            *small |= (uint64_t)1 << ((int)value[k] - 1);
    qsort(found, (size_t)n_found, sizeof *found, ascending);
    for (int32_t k = 0; k < n_found; k++)
        if (k == 0 || found[k] > found[k - 1])
            found[kept++] = found[k];
    return kept;
}

_Static_assert(SCS_LEVELS_SMALL <= 64, "small counts are bits of a word");

/* Two passes over the cells: to count, and to keep.
 * @param scratch [genes]  @param[out] small [n_cell] of row_counts */
static scs_status list_counts(const scs_packed *x, float *scratch, uint64_t *small, scs_levels *l)
{
    for (int64_t i = 0; i < l->n_cell; i++)
        l->first[i + 1] = l->first[i] + row_counts(x, i, l->n_small, scratch, &small[i]);
    SCS_TRY(SCS_ALLOC(l->large, l->first[l->n_cell]));
    for (int64_t i = 0; i < l->n_cell; i++) {
        int32_t n = row_counts(x, i, l->n_small, scratch, &small[i]);

        for (int32_t k = 0; k < n; k++)
            l->large[l->first[i] + k].count = scratch[k];
    }
    return SCS_OK;
}

/* ---- what they are worth ---- */

/* The three scales of one count. Equal counts of equal totals have the same bits, which ties are
 * made of. */
static scs_level level_of(double count, double total, double target)
{
    return (scs_level){.cpm = count / (total / 1e6),
                       .log10k = log1p(count * (1e4 / total)),
                       .logged = log1p(count * (target / total))};
}

/* A cell without counts has none that could be asked for; nor has one the counts that it lacks. */
static void fill(scs_levels *l, const uint64_t *small, const double *total, const double *target)
{
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < l->n_cell; i++) {
        if (total[i] <= 0)
            continue;
        for (uint64_t left = small[i]; left; left &= left - 1) {
            int k = __builtin_ctzll(left);

            l->small[k * l->n_cell + i] = level_of(k + 1, total[i], target[i]);
        }
        for (int64_t k = l->first[i]; k < l->first[i + 1]; k++)
            l->large[k].level = level_of((double)l->large[k].count, total[i], target[i]);
    }
}

/* ---- ranks ---- */

/* Level k of small and large together. */
static scs_level *level_at(scs_levels *l, int64_t k)
{
    int64_t n_small = l->n_small * l->n_cell;

    return k < n_small ? &l->small[k] : &l->large[k - n_small].level;
}

/* What ranks go by; the order of the logarithms, whose rounding makes ties of counts per million
 * that differ in their last bit alone. */
static double sorted_by(scs_levels *l, uint64_t key)
{
    return log1p(level_at(l, (int64_t)(key & (((uint64_t)1 << INDEX_BITS) - 1)))->cpm);
}

/* Keys [begin, end) agree in all but which level they are: by value now. Most of them are equal,
 * and do not move. @param value [end - begin] scratch */
static void order_run(scs_levels *l, uint64_t *key, double *value, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double moved = sorted_by(l, key[i]);
        uint64_t moved_key = key[i];
        int64_t at = i;

        for (; at > 0 && value[at - 1] > moved; at--) {
            value[at] = value[at - 1];
            key[at] = key[at - 1];
        }
        value[at] = moved;
        key[at] = moved_key;
    }
}

/* @param key, value [n] key sorted by its upper part; value scratch */
static void number(scs_levels *l, uint64_t *key, double *value, int64_t n)
{
    uint32_t rank = 0;
    double before = -1;

    for (int64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && key[end] >> INDEX_BITS == key[i] >> INDEX_BITS;)
            end++;
        order_run(l, key + i, value, end - i);
        for (int64_t k = i; k < end; k++) {
            rank += before >= 0 && value[k - i] > before;
            before = value[k - i];
            level_at(l, (int64_t)(key[k] & (((uint64_t)1 << INDEX_BITS) - 1)))->rank = rank;
        }
    }
    l->rank_bits = scs_radix_bits(rank);
}

/* Ranks over all cells of both files. Levels that there are not (cpm 0) have none.
 * @param small of list_counts */
static scs_status rank_levels(const uint64_t *small, scs_levels *l)
{
    int64_t there = l->first[l->n_cell];
    int64_t all = l->n_small * l->n_cell + l->first[l->n_cell], n = 0;
    uint64_t *key = NULL, *scratch = NULL;
    scs_status st;

    SCS_REQUIRE(all < (int64_t)1 << INDEX_BITS, SCS_EDATA,
                "%lld distinct counts over all cells: more than %lld are not supported",
                (long long)all, (long long)1 << INDEX_BITS);
    for (int64_t i = 0; i < l->n_cell; i++)
        there += __builtin_popcountll(small[i]);
    SCS_GO(st, SCS_ALLOC(key, there));
    SCS_GO(st, SCS_ALLOC(scratch, there));
    for (int64_t k = 0; k < all; k++) {
        double cpm = level_at(l, k)->cpm;

        if (cpm > 0)
            key[n++] = (uint64_t)(log1p(cpm) * 0x1p32) << INDEX_BITS | (uint64_t)k;
    }
    scs_radix_sort(key, scratch, n, INDEX_BITS, 64);
    _Static_assert(sizeof(double) == sizeof *scratch, "ties are ordered in the same memory");
    number(l, key, (double *)(void *)scratch, n);
done:
    free(key);
    free(scratch);
    return st;
}

/* As many as 64 MiB hold, 4 at least. */
static int32_t choose_small(int64_t n_cell)
{
    int64_t fit = ((int64_t)64 << 20) / ((n_cell + 1) * (int64_t)sizeof(scs_level));

    return fit < 4 ? 4 : fit < SCS_LEVELS_SMALL ? (int32_t)fit : SCS_LEVELS_SMALL;
}

/* O(values) to list and fill in, O(levels) to sort by radix. Local; every rank has its genes' cells
 * and so its own levels, but ranks are compared within a gene alone, which one rank has. */
scs_status scs_levels_make(const scs_packed *x, const double *total, const double *target,
                           scs_levels *levels)
{
    uint64_t *small = NULL;
    float *scratch = NULL;
    scs_status st;

    *levels = (scs_levels){.n_cell = x->n_row, .n_small = choose_small(x->n_row)};
    SCS_GO(st, SCS_ALLOC(levels->small, levels->n_small * x->n_row));
    SCS_GO(st, SCS_ALLOC(levels->first, x->n_row + 1));
    SCS_GO(st, SCS_ALLOC(scratch, x->n_col));
    SCS_GO(st, SCS_ALLOC(small, x->n_row));
    SCS_GO(st, list_counts(x, scratch, small, levels));
    fill(levels, small, total, target);
    SCS_GO(st, rank_levels(small, levels));
done:
    free(small);
    free(scratch);
    return st;
}

void scs_levels_clear(scs_levels *levels)
{
    free(levels->small);
    free(levels->first);
    free(levels->large);
    *levels = (scs_levels){0};
}

/* Bisection. Where the large counts have no gap below this one, it stands at most count - n_small
 * places behind the first, which bounds the search from above. */
const scs_level *scs_levels_find_large(const scs_levels *levels, int64_t cell, float count)
{
    int64_t low = levels->first[cell], high = levels->first[cell + 1];
    int64_t most = low + (int64_t)count - levels->n_small; /* behind the one, were all there */

    high = most < high ? most : high;
    if (levels->large[high - 1].count <= count)
        return &levels->large[high - 1].level;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;

        if (levels->large[middle].count <= count)
            low = middle;
        else
            high = middle;
    }
    return &levels->large[low].level;
}
