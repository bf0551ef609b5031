/** Packed rows into blocks of columns (src/kernels/nonzeros.h): count, add up, copy, as the
 *  transpose in src/kernels/entries.c does it.
 */
#include "src/kernels/nonzeros.h"

#include "src/base/simd.h"
#include "src/data/packed.h"
#include "src/kernels/entries.h"

#include <stdbool.h>

/* The rows of x that are unpacked. */
typedef struct selection {
    const scs_packed *x;
    const int64_t *rows; /* NULL: from row0 on */
    int64_t row0;
} selection;

/* Row i of the selection; its words belong to x. */
static scs_row row_at(const selection *s, int64_t i)
{
    return scs_packed_row(s->x, s->rows ? s->rows[i] : s->row0 + i);
}

void scs_nonzeros_clear(scs_nonzeros *x)
{
    scs_entries_clear(&x->by_cell);
    scs_entries_clear(&x->by_gene);
}

/* Counted, not estimated: a pass over the rows' sizes, which packed rows carry. */
scs_status scs_nonzeros_reserve(scs_nonzeros *to, const scs_packed *x, const int64_t *rows,
                                int64_t row0, int32_t n, bool both)
{
    selection s = {x, rows, row0};
    int64_t nnz = 0;

    for (int32_t i = 0; i < n; i++)
        nnz += row_at(&s, i).n;
    SCS_TRY(scs_entries_reserve(&to->by_cell, n, x->n_col, nnz));
    return both ? scs_entries_reserve(&to->by_gene, x->n_col, n, nnz) : SCS_OK;
}

/* How many entries cell i has in each block. Genes ascend within a row of x, which is cut where a
 * block ends: behind the last of its entries that is seen. Nothing that was just written is read
 * again, as it would be to count one by one. */
static void count_cell(const selection *s, scs_entries *to, int64_t i)
{
    scs_row row = row_at(s, i);
    int64_t n_block = scs_entries_blocks(to->n_in), n = to->n_out, begin = 0;
    int64_t *end = to->first + i;

    for (int64_t b = 0; b < n_block; b++)
        end[b * n] = 0;
    for (int64_t k = 0; k < row.n; k++)
        end[scs_row_gene(&row, k) / SCS_BLOCK * n] = k + 1;
    for (int64_t b = 0; b < n_block; b++) {
        int64_t count = end[b * n] > 0 ? end[b * n] - begin : 0;

        end[b * n] = count;
        begin += count;
    }
}

/* Unpack cell i. Where a block begins, the write moves to another place in memory: the lines
 * behind it are asked for at once. */
static void copy_cell(const selection *s, const scs_entries *to, int64_t i)
{
    scs_row row = row_at(s, i);
    int64_t at = 0;
    int32_t block = -1;

    for (int64_t k = 0; k < row.n; k++) {
        int32_t gene = scs_row_gene(&row, k);

        if (gene / SCS_BLOCK != block) {
            block = gene / SCS_BLOCK;
            at = to->first[(int64_t)block * to->n_out + i];
            __builtin_prefetch(&to->value[at + 32], 1);
            __builtin_prefetch(&to->column[at + 64], 1);
        }
        to->column[at] = (uint8_t)(gene % SCS_BLOCK);
        to->value[at++] = scs_row_value(&row, k);
    }
}

/* Count, add up, copy; a cell is one thread's. */
static void fill_by_cell(const selection *s, scs_entries *to)
{
    int64_t n_first = (int64_t)scs_entries_blocks(to->n_in) * to->n_out;
    /* cppcheck-suppress unreadVariable ; the pragmas read it */
    bool many = SCS_WORTH_THREADS(n_first * 8);

#pragma omp parallel for if (many)
    for (int64_t i = 0; i < to->n_out; i++)
        count_cell(s, to, i);
    scs_entries_add_up(to->first, n_first);
#pragma omp parallel for if (many)
    for (int64_t i = 0; i < to->n_out; i++)
        copy_cell(s, to, i);
}

void scs_nonzeros_fill(scs_nonzeros *to, const scs_packed *x, const int64_t *rows, int64_t row0,
                       bool both)
{
    selection s = {x, rows, row0};

    fill_by_cell(&s, &to->by_cell);
    if (both)
        scs_entries_transpose(&to->by_cell, 1, &to->by_gene);
}
