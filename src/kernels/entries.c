/** Blocks of columns: memory, counts, and the transpose (src/kernels/entries.h has the layout).
 *
 *  The transpose is a counting sort by column: O(nnz + n_out blocks), no comparison, and no scratch
 *  but the places of the result themselves. It is made once for each batch, for the products that
 *  run by gene.
 */
#include "src/kernels/entries.h"

#include "src/base/simd.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int32_t scs_entries_blocks(int32_t n_in)
{
    return (n_in + SCS_BLOCK - 1) / SCS_BLOCK;
}

void scs_entries_clear(scs_entries *entries)
{
    free(entries->first);
    free(entries->column);
    free(entries->value);
    *entries = (scs_entries){0};
}

/* Nothing is copied: cleared and allocated anew, so that old and new need not both fit. */
scs_status scs_entries_reserve(scs_entries *entries, int32_t n_out, int32_t n_in, int64_t nnz)
{
    int64_t n_first = (int64_t)scs_entries_blocks(n_in) * n_out + 1;

    if (nnz > entries->capacity || n_first > entries->first_capacity) {
        nnz += nnz / 4;
        scs_entries_clear(entries);
        SCS_TRY(SCS_ALLOC(entries->first, n_first));
        SCS_TRY(SCS_ALLOC(entries->column, nnz));
        SCS_TRY(SCS_ALLOC(entries->value, nnz));
        entries->capacity = nnz;
        entries->first_capacity = n_first;
    }
    entries->n_out = n_out;
    entries->n_in = n_in;
    return SCS_OK;
}

/* `first` of the part's own blocks: a part may begin anywhere in shared arrays. */
int64_t scs_entries_count(const scs_entries *entries)
{
    int64_t n_first = (int64_t)scs_entries_blocks(entries->n_in) * entries->n_out;

    return entries->first[n_first] - entries->first[0];
}

/* Exclusive prefix sums. */
void scs_entries_add_up(int64_t *first, int64_t n)
{
    int64_t begin = 0;

    for (int64_t i = 0; i < n; i++) {
        int64_t count = first[i];

        first[i] = begin;
        begin += count;
    }
    first[n] = begin;
}

/* ---- the transpose: a block of columns of `from` is rows of the result ---- */

/* Where the rows of block b begin, in that block of `to` which holds column `at` (row `at` of
 * all `from` together). */
static int64_t *rows_of(const scs_entries *to, int32_t b, int64_t at)
{
    return to->first + at / SCS_BLOCK * to->n_out + (int64_t)b * SCS_BLOCK;
}

/* How many entries each row of `to` will have in each of its blocks. */
static void count_block(const scs_entries *from, int32_t n_from, int32_t b, const scs_entries *to)
{
    int64_t at = 0, left = to->n_out - (int64_t)b * SCS_BLOCK;

    for (int64_t row = 0; row < to->n_in; row += SCS_BLOCK)
        memset(rows_of(to, b, row), 0,
               (size_t)(left < SCS_BLOCK ? left : SCS_BLOCK) * sizeof *to->first);
    for (int32_t p = 0; p < n_from; p++) {
        const int64_t *first = from[p].first + (int64_t)b * from[p].n_out;

        for (int32_t i = 0; i < from[p].n_out; i++, at++) {
            int64_t *count = rows_of(to, b, at);

            for (int64_t k = first[i]; k < first[i + 1]; k++)
                count[from[p].column[k]]++;
        }
    }
}

/* Put each entry where its row's next one goes. Afterwards `first` of the rows are their ends.
 * Rows of `from` come in order, so a row of `to` is ascending. */
static void copy_block(const scs_entries *from, int32_t n_from, int32_t b, const scs_entries *to)
{
    int64_t at = 0;

    for (int32_t p = 0; p < n_from; p++) {
        const int64_t *first = from[p].first + (int64_t)b * from[p].n_out;

        for (int32_t i = 0; i < from[p].n_out; i++, at++) {
            int64_t *next = rows_of(to, b, at);

            for (int64_t k = first[i]; k < first[i + 1]; k++) {
                int64_t entry = next[from[p].column[k]]++;

                to->column[entry] = (uint8_t)(at % SCS_BLOCK);
                to->value[entry] = from[p].value[k];
            }
        }
    }
}

/* The copy leaves each place at the end of its row, which is the beginning of the next: shifted
 * by one, the beginnings are back. */
void scs_entries_transpose(const scs_entries *from, int32_t n_from, scs_entries *to)
{
    int32_t n_block = scs_entries_blocks(to->n_out);
    int64_t n_first = (int64_t)scs_entries_blocks(to->n_in) * to->n_out;
    /* cppcheck-suppress unreadVariable ; the pragmas read it */
    bool many = SCS_WORTH_THREADS(n_first * 8);

#pragma omp parallel for schedule(dynamic) if (many)
    for (int32_t b = 0; b < n_block; b++)
        count_block(from, n_from, b, to);
    scs_entries_add_up(to->first, n_first);
#pragma omp parallel for schedule(dynamic) if (many)
    for (int32_t b = 0; b < n_block; b++)
        copy_block(from, n_from, b, to);
    memmove(to->first + 1, to->first, (size_t)n_first * sizeof *to->first);
    to->first[0] = 0;
}
