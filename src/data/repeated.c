/* Which cells are in the inputs twice: a file beside a part of it, the same controls in several
 * files, a file that was joined with itself. Names of cells say little: lanes have barcodes in
 * common, and copies are renamed. Values do: two cells of sixteen genes or more hardly ever agree
 * in all of them.
 *
 * Hashing all values of all cells would cost as much as a part of reading them. So a short hash of
 * a cell's first genes and last values, which lie in two lines of memory, decides which cells are
 * hashed as a whole; it is the same for a copy of the cell, wherever it stands. All functions are
 * Local.
 */
#include "src/data/repeated.h"

#include <stdlib.h>
#include <string.h>

/* Genes of a cell below which another may have the same by chance; genes and values that choose a
 * cell; cells that are looked at, about; entries that are hashed beside one another. */
enum { GENES = 16, FEW = 8, CELLS = 1 << 14, LANES = 4 };

/* Steele et al.'s splitmix64, of what was before and what comes. */
static uint64_t mix(uint64_t h, uint64_t next)
{
    h = (h ^ next) + 0x9E3779B97F4A7C15u;
    h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9u;
    h = (h ^ (h >> 27)) * 0x94D049BB133111EBu;
    return h ^ (h >> 31);
}

static uint32_t value_bits(const scs_row *row, int64_t k)
{
    float value = scs_row_value(row, k);
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Of all genes and values. In lanes, as an entry would wait for the one before. */
static uint64_t hash(const scs_row *row)
{
    uint64_t lane[LANES] = {0}, h = (uint64_t)(uint32_t)row->n;

    for (int64_t k = 0; k < row->n; k++) {
        uint64_t entry = (uint64_t)(uint32_t)scs_row_gene(row, k) << 32 | value_bits(row, k);

        lane[k % LANES] = mix(lane[k % LANES], entry);
    }
    for (int l = 0; l < LANES; l++)
        h = mix(h, lane[l]);
    return h;
}

/* Of its length, first genes and last values. */
static uint64_t short_hash(const scs_row *row)
{
    uint64_t h = (uint64_t)(uint32_t)row->n;

    for (int64_t k = 0; k < FEW; k++)
        h = mix(h,
                (uint64_t)(uint32_t)scs_row_gene(row, k) << 32 | value_bits(row, row->n - 1 - k));
    return h;
}

/* A power of two: one cell in so many is looked at. */
static uint64_t one_in(const scs_dataset *d)
{
    uint64_t share = 1;

    while (d->n_cell / (int64_t)share > CELLS)
        share *= 2;
    return share;
}

/* Whether row i is looked at. */
static bool is_chosen(const scs_packed *x, int64_t i, uint64_t share)
{
    scs_row row = scs_packed_row(x, i);

    return row.n >= GENES && short_hash(&row) % share == 0;
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
    uint8_t *chosen = NULL; /* [n_row]; a look at a row is many looks far apart */
    int64_t more = 0;
    scs_print *all;
    scs_status st;

    SCS_TRY(SCS_ALLOC(chosen, x->n_row));
    for (int64_t i = 0; i < x->n_row; i++)
        more += chosen[i] = is_chosen(x, i, share);
    SCS_GO(st, SCS_ALLOC(all, *n + more));
    if (*n > 0)
        memcpy(all, *print, (size_t)*n * sizeof *all);
    free(*print);
    *print = all;
    for (int64_t i = 0; i < x->n_row; i++)
        if (chosen[i]) {
            scs_row row = scs_packed_row(x, i);

            all[(*n)++] = (scs_print){.hash = hash(&row),
                                      .input = input_of(dataset, cell ? cell[i] : first + i)};
        }
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
