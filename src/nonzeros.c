#include "src/nonzeros.h"

#include "src/simd.h"

#include <stdlib.h>
#include <string.h>

/* Rows of x that a part takes. */
typedef struct selection {
    const scs_packed *x;
    const int64_t *rows; /* NULL: from row0 on */
    int64_t row0;
} selection;

static scs_row row_at(const selection *s, int64_t i)
{
    return scs_packed_row(s->x, s->rows ? s->rows[i] : s->row0 + i);
}

int32_t scs_blocks(int32_t n_in)
{
    return (n_in + SCS_BLOCK - 1) / SCS_BLOCK;
}

static void clear_entries(scs_entries *entries)
{
    free(entries->first);
    free(entries->column);
    free(entries->value);
    *entries = (scs_entries){0};
}

void scs_nonzeros_clear(scs_nonzeros *x)
{
    clear_entries(&x->by_cell);
    clear_entries(&x->by_gene);
}

static scs_status reserve_entries(scs_entries *entries, int32_t n_out, int32_t n_in, int64_t nnz)
{
    int64_t n_first = (int64_t)scs_blocks(n_in) * n_out + 1;

    if (nnz > entries->capacity || n_first > entries->first_capacity) {
        nnz += nnz / 4;
        clear_entries(entries);
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

scs_status scs_nonzeros_reserve(scs_nonzeros *to, const scs_packed *x, const int64_t *rows,
                                int64_t row0, int32_t n, bool both)
{
    selection s = {x, rows, row0};
    int64_t nnz = 0;

    for (int32_t i = 0; i < n; i++)
        nnz += row_at(&s, i).n;
    SCS_TRY(reserve_entries(&to->by_cell, n, x->n_col, nnz));
    return both ? reserve_entries(&to->by_gene, x->n_col, n, nnz) : SCS_OK;
}

/* Counts become beginnings; entry 0 stays 0. */
static void add_up(int64_t *first, int64_t n)
{
    int64_t begin = 0;

    for (int64_t i = 0; i <= n; i++) {
        int64_t count = first[i];

        first[i] = begin;
        begin += count;
    }
}

/* ---- by cell: a row of x is cut where a block ends ---- */

static void count_cell(const selection *s, scs_entries *to, int64_t i)
{
    scs_row row = row_at(s, i);
    int64_t n_block = scs_blocks(to->n_in);

    for (int64_t b = 0; b < n_block; b++)
        to->first[b * to->n_out + i] = 0;
    for (int64_t k = 0; k < row.n; k++)
        to->first[(int64_t)(scs_row_gene(&row, k) / SCS_BLOCK) * to->n_out + i]++;
}

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

static void fill_by_cell(const selection *s, scs_entries *to)
{
    int64_t n_first = (int64_t)scs_blocks(to->n_in) * to->n_out;
    /* cppcheck-suppress unreadVariable ; the pragmas read it */
    bool many = SCS_WORTH_THREADS(n_first * 8);

#pragma omp parallel for if (many)
    for (int64_t i = 0; i < to->n_out; i++)
        count_cell(s, to, i);
    to->first[n_first] = 0;
    add_up(to->first, n_first);
#pragma omp parallel for if (many)
    for (int64_t i = 0; i < to->n_out; i++)
        copy_cell(s, to, i);
}

/* ---- by gene: blocks of cells ---- */

/* Counts of block b's genes. */
static void count_block(const selection *s, const scs_entries *to, int32_t b)
{
    int64_t *count = to->first + (int64_t)b * to->n_out;
    int64_t last =
        (int64_t)(b + 1) * SCS_BLOCK < to->n_in ? (int64_t)(b + 1) * SCS_BLOCK : to->n_in;

    memset(count, 0, (size_t)to->n_out * sizeof *count);
    for (int64_t i = (int64_t)b * SCS_BLOCK; i < last; i++) {
        scs_row row = row_at(s, i);

        for (int64_t k = 0; k < row.n; k++)
            count[scs_row_gene(&row, k)]++;
    }
}

/* Afterwards `first` of the block's rows are their ends. */
static void copy_block(const selection *s, const scs_entries *to, int32_t b)
{
    int64_t *at = to->first + (int64_t)b * to->n_out;
    int64_t first = (int64_t)b * SCS_BLOCK;
    int64_t last = first + SCS_BLOCK < to->n_in ? first + SCS_BLOCK : to->n_in;

    for (int64_t i = first; i < last; i++) {
        scs_row row = row_at(s, i);

        for (int64_t k = 0; k < row.n; k++) {
            int64_t entry = at[scs_row_gene(&row, k)]++;

            to->column[entry] = (uint8_t)(i - first);
            to->value[entry] = scs_row_value(&row, k);
        }
    }
}

static void fill_by_gene(const selection *s, scs_entries *to)
{
    int32_t n_block = scs_blocks(to->n_in);
    int64_t n_first = (int64_t)n_block * to->n_out;

#pragma omp parallel for if (n_block > 1)
    for (int32_t b = 0; b < n_block; b++)
        count_block(s, to, b);
    to->first[n_first] = 0;
    add_up(to->first, n_first);
#pragma omp parallel for if (n_block > 1)
    for (int32_t b = 0; b < n_block; b++)
        copy_block(s, to, b);
    /* ends to beginnings */
    memmove(to->first + 1, to->first, (size_t)n_first * sizeof *to->first);
    to->first[0] = 0;
}

void scs_nonzeros_fill(scs_nonzeros *to, const scs_packed *x, const int64_t *rows, int64_t row0,
                       bool both)
{
    selection s = {x, rows, row0};

    fill_by_cell(&s, &to->by_cell);
    if (both)
        fill_by_gene(&s, &to->by_gene);
}
