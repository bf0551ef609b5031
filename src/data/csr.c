/* Compressed sparse rows: allocation, sorting within rows, and renaming of columns.
 *
 * Files of scipy need not have their columns sorted, and renaming genes to the reference's order
 * unsorts them; everything after the reader walks ascending columns. Most rows are sorted already
 * and cost one comparison an entry; the others are sorted as 64-bit keys, O(n log n) a row.
 */
#include "src/data/csr.h"

#include "src/base/simd.h"
#include "scscreen/status.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

scs_status scs_csr_alloc(int64_t n_row, int32_t n_col, int64_t nnz, scs_csr *x)
{
    scs_status st = SCS_OK;

    *x = (scs_csr){.n_row = n_row, .n_col = n_col};
    SCS_REQUIRE(n_row >= 0 && n_col >= 0 && nnz >= 0 && n_row < INT64_MAX, SCS_EINTERNAL,
                "a matrix of %lld x %d with %lld values", (long long)n_row, n_col, (long long)nnz);
    SCS_GO(st, SCS_ALLOC(x->indptr, n_row + 1));
    SCS_GO(st, SCS_ALLOC(x->indices, nnz));
    SCS_GO(st, SCS_ALLOC(x->values, nnz));
done:
    if (st != SCS_OK)
        scs_csr_clear(x);
    return st;
}

void scs_csr_clear(scs_csr *x)
{
    free(x->indptr);
    free(x->indices);
    free(x->values);
    *x = (scs_csr){0};
}

/* Of counts the sum is exact in any order, so that several are added at a time: the bits are those
 * of one after the other. @return false: some are no whole numbers, or large */
SCS_VECTOR static bool sum_whole(const float *value, int64_t n, double *sum)
{
    const uint32_t most = 0x4a800000u; /* 2^22 */
    const int64_t some = 1 << 8;       /* whose sum fits 32 bits */
    const scs_float_bits *bits = (const scs_float_bits *)(const void *)value;
    int64_t all = 0;
    int32_t other = 0;

    for (int64_t first = 0; first < n; first += some) {
        int64_t end = n - first < some ? n : first + some;
        int32_t part = 0;

        for (int64_t k = first; k < end; k++) {
            int32_t whole;

            other |= !scs_simd_is_whole(bits[k], most, &whole);
            part += whole;
        }
        all += part;
    }
    *sum = (double)all;
    return !other;
}

/* Over all of the file's genes, before any is dropped: a cell's total must not depend on what
 * other inputs have. */
void scs_csr_row_sums(const scs_csr *x, double *sums)
{
    for (int64_t i = 0; i < x->n_row; i++) {
        double sum;

        if (sum_whole(x->values + x->indptr[i], x->indptr[i + 1] - x->indptr[i], &sums[i]))
            continue;
        sum = 0;
        for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++)
            sum += x->values[k];
        sums[i] = sum;
    }
}

void scs_csr_keep_rows(scs_csr *x, const uint8_t *keep)
{
    int64_t kept = 0, used = 0, n = x->n_row;

    for (int64_t i = 0, begin = 0, end; i < n; i++, begin = end) {
        int64_t values;

        end = x->indptr[i + 1];
        values = end - begin;
        if (!keep[i])
            continue;
        if (used < begin) {
            memmove(x->indices + used, x->indices + begin, (size_t)values * sizeof *x->indices);
            memmove(x->values + used, x->values + begin, (size_t)values * sizeof *x->values);
        }
        used += values;
        x->indptr[++kept] = used;
    }
    x->n_row = kept;
}

/* An entry as one number, column in the high half and the value's bits in the low one: sorts by
 * column in one compare, and the value comes along unchanged. */
static uint64_t entry(int32_t column, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return (uint64_t)(uint32_t)column << 32 | bits;
}

/* The value, bit for bit. */
static float entry_value(uint64_t e)
{
    uint32_t bits = (uint32_t)e;
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Columns are not negative, so that their order is that of the numbers. Equal columns are refused
 * afterwards: how they are ordered does not matter. */
static int compare_entries(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Strictly: a row with a column twice is not. */
SCS_VECTOR static bool is_sorted(const int32_t *column, int64_t n)
{
    int32_t bad = 0;

    for (int64_t k = 1; k < n; k++)
        bad |= column[k - 1] >= column[k];
    return !bad;
}

/* @param column, value [n] in place
 *  @param room [n] scratch */
static void sort_row(int32_t *column, float *value, int64_t n, uint64_t *room)
{
    for (int64_t k = 0; k < n; k++)
        room[k] = entry(column[k], value[k]);
    qsort(room, (size_t)n, sizeof *room, compare_entries);
    for (int64_t k = 0; k < n; k++) {
        column[k] = (int32_t)(room[k] >> 32);
        value[k] = entry_value(room[k]);
    }
}

/* A sorted row holds each column once. */
static scs_status check_row(const scs_csr *x, int64_t row)
{
    for (int64_t k = x->indptr[row] + 1; k < x->indptr[row + 1]; k++)
        SCS_REQUIRE(x->indices[k - 1] < x->indices[k], SCS_EDATA, "row %lld holds column %d twice",
                    (long long)row, x->indices[k]);
    return SCS_OK;
}

/* So that one buffer serves all rows. */
static int64_t longest_row(const scs_csr *x)
{
    int64_t longest = 0;

    for (int64_t i = 0; i < x->n_row; i++)
        if (x->indptr[i + 1] - x->indptr[i] > longest)
            longest = x->indptr[i + 1] - x->indptr[i];
    return longest;
}

/* A place for each column: a row is laid out in it, and read back in order. */
typedef struct column_table {
    int32_t n_col;
    uint64_t *held; /* [n_col / 64 + 1] a bit for each column that the row at hand has; else 0 */
    float *value;   /* [n_col] */
} column_table;

enum { BITS = 64 };

static scs_status open_table(int32_t n_col, column_table *t)
{
    *t = (column_table){.n_col = n_col};
    SCS_TRY(SCS_ALLOC(t->held, n_col / BITS + 1));
    return SCS_ALLOC(t->value, n_col);
}

static void close_table(column_table *t)
{
    free(t->held);
    free(t->value);
}

/* The row into the table, up to a column that it has already or that is none of n_col.
 *  @return how many of its entries are there */
static int64_t lay_out(const column_table *t, const int32_t *column, const float *value, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        uint32_t c = (uint32_t)column[k];
        uint64_t bit = (uint64_t)1 << c % BITS;

        if (c >= (uint32_t)t->n_col || (t->held[c / BITS] & bit))
            return k;
        t->held[c / BITS] |= bit;
        t->value[c] = value[k];
    }
    return n;
}

/* sort_row without a comparison: O(n + n_col / 64).
 *  @return false, and the row is as it was: lay_out does not take it */
static bool sort_row_in(const column_table *t, int32_t *column, float *value, int64_t n)
{
    int64_t taken = lay_out(t, column, value, n), at = 0;

    if (taken < n) {
        for (int64_t k = 0; k < taken; k++)
            t->held[column[k] / BITS] = 0;
        return false;
    }
    for (int32_t w = 0; at < n; w++)
        for (; t->held[w]; t->held[w] &= t->held[w] - 1) {
            int32_t c = w * BITS + __builtin_ctzll(t->held[w]);

            column[at] = c;
            value[at++] = t->value[c];
        }
    return true;
}

/* The first row that is not sorted, or n_row. */
static int64_t first_unsorted(const scs_csr *x)
{
    int64_t i = 0;

    while (i < x->n_row && is_sorted(x->indices + x->indptr[i], x->indptr[i + 1] - x->indptr[i]))
        i++;
    return i;
}

/* Rows that are sorted already are left as they are; of others the duplicates show once they are
 * sorted. */
scs_status scs_csr_sort_rows(scs_csr *x)
{
    int64_t begin = first_unsorted(x);
    uint64_t *room = NULL;
    column_table table = {0};
    scs_status st;

    if (begin == x->n_row)
        return SCS_OK;
    SCS_GO(st, SCS_ALLOC(room, longest_row(x)));
    SCS_GO(st, open_table(x->n_col, &table));
    for (int64_t i = begin; i < x->n_row; i++) {
        int64_t first = x->indptr[i], n = x->indptr[i + 1] - first;
        if (is_sorted(x->indices + first, n) ||
            sort_row_in(&table, x->indices + first, x->values + first, n))
            continue;
        sort_row(x->indices + first, x->values + first, n, room);
        SCS_GO(st, check_row(x, i));
    }
done:
    close_table(&table);
    free(room);
    return st;
}

/* The map is made by this program: a wrong one is a bug, not bad data. One-to-one is not checked
 * here; sorting finds a gene that two columns became. */
static scs_status check_map(const int32_t *gene, int32_t n_col, int32_t n_gene)
{
    for (int32_t j = 0; j < n_col; j++)
        SCS_REQUIRE(gene[j] >= -1 && gene[j] < n_gene, SCS_EINTERNAL,
                    "column %d is mapped to gene %d of %d", j, gene[j], n_gene);
    return SCS_OK;
}

/* No branch: all are looked at, many at a time. */
bool scs_csr_keeps_columns(const int32_t *gene, int32_t n_column, int32_t n_gene)
{
    int32_t other = n_column != n_gene;

    for (int32_t j = 0; j < n_column; j++)
        other |= gene[j] != j;
    return !other;
}

/* Closed up in place: what is kept never lies behind what is read. */
static void rename_columns(scs_csr *x, const int32_t *gene, int32_t n_gene)
{
    int64_t kept = 0;

    for (int64_t i = 0, k = 0; i < x->n_row; i++) {
        for (; k < x->indptr[i + 1]; k++) {
            int32_t to = gene[x->indices[k]];

            if (to < 0)
                continue;
            x->indices[kept] = to;
            x->values[kept++] = x->values[k];
        }
        x->indptr[i + 1] = kept;
    }
    x->n_col = n_gene;
}

/* Sorting afterwards, because the reference's order of genes is another one than the file's. */
scs_status scs_csr_map_columns(scs_csr *x, const int32_t *gene, int32_t n_gene)
{
    SCS_TRY(check_map(gene, x->n_col, n_gene));
    if (!scs_csr_keeps_columns(gene, x->n_col, n_gene))
        rename_columns(x, gene, n_gene);
    return scs_csr_sort_rows(x);
}

/* Equal columns stand together, by their values: the file's order of columns has no say in the
 * sum. */
static int64_t add_up_row(scs_csr *x, int64_t from, int64_t to, int64_t kept)
{
    for (int64_t k = from; k < to;) {
        int32_t column = x->indices[k];
        double sum = 0;

        for (; k < to && x->indices[k] == column; k++)
            sum += (double)x->values[k];
        x->indices[kept] = column;
        x->values[kept++] = (float)sum;
    }
    return kept;
}

scs_status scs_csr_sum_columns(scs_csr *x, const int32_t *gene, int32_t n_gene)
{
    uint64_t *room;
    int64_t kept = 0;

    SCS_TRY(check_map(gene, x->n_col, n_gene));
    SCS_TRY(scs_csr_sort_rows(x)); /* a column that stands twice is still refused */
    rename_columns(x, gene, n_gene);
    SCS_TRY(SCS_ALLOC(room, longest_row(x)));
    for (int64_t i = 0, from = 0; i < x->n_row; i++) {
        int64_t to = x->indptr[i + 1];

        sort_row(x->indices + from, x->values + from, to - from, room);
        kept = add_up_row(x, from, to, kept);
        x->indptr[i + 1] = kept;
        from = to;
    }
    free(room);
    return SCS_OK;
}
