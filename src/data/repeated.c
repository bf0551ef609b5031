/* Which cells are in the inputs twice: a file beside a part of it, the same controls in several
 * files, a file that was joined with itself. Names of cells say little: lanes have barcodes in
 * common, and copies are renamed. Values do: two cells of sixteen genes or more hardly ever agree
 * in all of them.
 *
 * Hashing all values of all cells would cost as much as a part of reading them. So a short hash of
 * a cell's first genes and last values, which lie in two lines of memory, decides which cells are
 * hashed as a whole; it is the same for a copy of the cell, wherever it stands, as a row has the
 * same bytes wherever it was packed. All functions are Local.
 */
#include "src/data/repeated.h"

#include "src/base/hash64.h"

#include <stdlib.h>
#include <string.h>

/* Genes of a cell below which another may have the same by chance; bytes of genes and values that
 * choose a cell; cells that are looked at, about; rows that are asked for at once. */
enum { GENES = 16, HEAD = 16, TAIL = 8, CELLS = 1 << 14, TOGETHER = 16 };

/* Steele et al.'s splitmix64, of what was before and what comes. */
static uint64_t mix(uint64_t h, uint64_t next)
{
    h = (h ^ next) + 0x9E3779B97F4A7C15u;
    h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9u;
    h = (h ^ (h >> 27)) * 0x94D049BB133111EBu;
    return h ^ (h >> 31);
}

/* Its genes, as they stand in memory. @param[out] size bytes of them */
static const void *genes_of(const scs_row *row, int64_t *size)
{
    *size = row->n * (int64_t)(row->gene16 ? sizeof *row->gene16 : sizeof *row->gene32);
    return row->gene16 ? (const void *)row->gene16 : row->gene32;
}

/* Of all genes and values: the bytes between and behind them count for nothing. */
static uint64_t hash(const scs_packed *x, int64_t i)
{
    scs_row row = scs_packed_row(x, i);
    int64_t size, n_value;
    const void *gene = genes_of(&row, &size);
    const float *value = scs_packed_values(x, i, &n_value);
    uint64_t h = mix((uint64_t)(uint32_t)row.n, scs_hash64_of(gene, size));

    if (row.code)
        h = mix(h, scs_hash64_of(row.code, row.n));
    return mix(h, scs_hash64_of(value, n_value * (int64_t)sizeof *value));
}

/* Its last codes, or values where it has no codes. @return [TAIL] */
static const uint8_t *tail_of(const scs_row *row)
{
    return (row->code ? row->code + row->n : (const uint8_t *)(const void *)(row->value + row->n)) -
           TAIL;
}

/* Of its length, first genes and last values. */
static uint64_t short_hash(const scs_row *row)
{
    uint64_t head[HEAD / 8], tail, h = (uint64_t)(uint32_t)row->n;
    int64_t size;

    memcpy(head, genes_of(row, &size), HEAD);
    memcpy(&tail, tail_of(row), TAIL);
    for (int k = 0; k < HEAD / 8; k++)
        h = mix(h, head[k]);
    return mix(h, tail);
}

/* A power of two: one cell in so many is looked at. */
static uint64_t one_in(const scs_dataset *d)
{
    uint64_t share = 1;

    while (d->n_cell / (int64_t)share > CELLS)
        share *= 2;
    return share;
}

/* Which rows are looked at. They lie far apart: of some of them first the heads and then the tails
 * are brought near at once, as one row after the other would wait for each.
 * @param[out] chosen [n_row]  @return how many */
static int64_t choose(const scs_packed *x, uint64_t share, uint8_t *chosen)
{
    scs_row row[TOGETHER];
    int64_t n_chosen = 0;

    for (int64_t first = 0; first < x->n_row; first += TOGETHER) {
        int64_t n = x->n_row - first < TOGETHER ? x->n_row - first : TOGETHER;

        for (int64_t k = 0; k < n; k++)
            row[k] = scs_packed_row(x, first + k);
        for (int64_t k = 0; k < n; k++)
            if (row[k].n >= GENES)
                (void)*(const volatile uint8_t *)tail_of(&row[k]);
        for (int64_t k = 0; k < n; k++)
            n_chosen += chosen[first + k] = row[k].n >= GENES && short_hash(&row[k]) % share == 0;
    }
    return n_chosen;
}

/* The input that the cell is in. */
static int32_t input_of(const scs_dataset *d, int64_t cell)
{
    int32_t low = 0, high = d->n_input;

    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;

        *(d->first_cell[middle] <= cell ? &low : &high) = middle;
    }
    return low;
}

scs_status scs_repeated_add(const scs_dataset *dataset, const scs_packed *x, const int64_t *cell,
                            int64_t first, scs_print **print, int64_t *n)
{
    uint64_t share = one_in(dataset);
    uint8_t *chosen = NULL; /* [n_row] */
    int64_t more;
    scs_print *all;
    scs_status st;

    SCS_TRY(SCS_ALLOC(chosen, x->n_row));
    more = choose(x, share, chosen);
    SCS_GO(st, SCS_ALLOC(all, *n + more));
    if (*n > 0)
        memcpy(all, *print, (size_t)*n * sizeof *all);
    free(*print);
    *print = all;
    for (int64_t i = 0; i < x->n_row; i++)
        if (chosen[i])
            all[(*n)++] = (scs_print){.hash = hash(x, i),
                                      .input = input_of(dataset, cell ? cell[i] : first + i)};
done:
    free(chosen);
    return st;
}

/* Copies follow one another, the first input's first. */
static int by_hash(const void *a, const void *b)
{
    const scs_print *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->input > y->input) - (x->input < y->input);
}

void scs_repeated_count(scs_print *print, int64_t n, int32_t n_input, scs_repeated *found)
{
    for (int32_t i = 0; i < n_input; i++)
        found[i] = (scs_repeated){.with = -1};
    qsort(print, (size_t)n, sizeof *print, by_hash);
    for (int64_t k = 0, run = 0; k < n; k++) {
        scs_repeated *f = &found[print[k].input];
        const scs_print *first;

        run = k > 0 && print[k].hash == print[k - 1].hash ? run : k;
        first = &print[run];
        f->cells++;
        f->within += k > run && print[k].input == print[k - 1].input;
        if (first->input == print[k].input)
            continue;
        f->shared++;
        f->others |= f->with >= 0 && first->input != f->with;
        f->with = f->with < 0 || first->input < f->with ? first->input : f->with;
    }
}
