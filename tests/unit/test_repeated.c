/* scs_repeated: cells that stand twice are found, also where only some cells are looked at. */
#include "tests/unit/suite.h"

#include "src/data/repeated.h"

#include <string.h>

/* Inputs: one; copies of some of its cells, in another order; one with each of its cells twice;
 * cells of few genes, all alike; one with each of its cells twice, whose values are no counts, so
 * that they have no codes; one with cells of the first, but for the numbers that their codes stand
 * for, and so no copies. Of the 65,500 cells one in four is looked at. */
enum { N_INPUT = 6, N_GENE = 64, ONE_IN = 4, REAL = 60000, OTHER = 80000 };
static const int64_t cells_of[N_INPUT] = {40000, 10000, 10000, 2000, 3000, 500};

/* Which pattern of values a cell of an input has: -1 is the one of few genes. */
static int64_t pattern(int32_t input, int64_t i)
{
    switch (input) {
    case 0:
        return i;
    case 1:
        return i * 7 % cells_of[0];
    case 2:
        return cells_of[0] + i / 2;
    case 4:
        return REAL + i / 2;
    case 5:
        return OTHER + i;
    default:
        return -1;
    }
}

static int64_t fill_row(int64_t cell, int32_t *gene, float *value)
{
    int64_t n = 0, like = cell < OTHER ? cell : cell - OTHER;

    for (int32_t j = 0; j < (cell < 0 ? 10 : N_GENE); j++) {
        uint64_t h = ((uint64_t)like * N_GENE + (uint64_t)j + 1) * 0x9e3779b97f4a7c15u;

        h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9u;
        if (cell >= 0 && h >> 63)
            continue;
        gene[n] = j;
        value[n++] = like >= REAL ? 1.0F + (float)(h >> 42) * 0x1p-22F
                                  : (float)((cell < OTHER ? 1 : 9) + (h >> 32) % 7);
    }
    return n;
}

/* All cells of inputs [first, last). @param before what stood in the memory of the rows */
static void pack(int32_t first, int32_t last, int before, scs_packed *x)
{
    int64_t n = 0, row = 0, at = 0;
    scs_csr csr;

    for (int32_t i = first; i < last; i++)
        n += cells_of[i];
    CHECK_OK(scs_csr_alloc(n, N_GENE, n * N_GENE, &csr));
    for (int32_t i = first; i < last; i++)
        for (int64_t k = 0; k < cells_of[i]; k++) {
            at += fill_row(pattern(i, k), csr.indices + at, csr.values + at);
            csr.indptr[++row] = at;
        }
    CHECK_OK(scs_packed_alloc(n, N_GENE, n * (2 * N_GENE + 8), x));
    memset(x->word, before, (size_t)x->capacity * 4);
    CHECK_OK(scs_packed_append(x, 0, &csr));
    scs_csr_clear(&csr);
}

/* The first input's cells by their first number, the others' by a list, as ranks have them. */
static void find(scs_repeated *found)
{
    int64_t first_cell[N_INPUT + 1] = {0}, n = 0, *cell;
    scs_dataset dataset = {.n_input = N_INPUT, .first_cell = first_cell};
    scs_print *print = NULL;
    scs_packed x;

    for (int32_t i = 0; i < N_INPUT; i++)
        first_cell[i + 1] = first_cell[i] + cells_of[i];
    dataset.n_cell = first_cell[N_INPUT];
    pack(0, 1, 0x55, &x);
    CHECK_OK(scs_repeated_add(&dataset, &x, NULL, 0, &print, &n));
    scs_packed_clear(&x);
    pack(1, N_INPUT, 0xaa, &x);
    CHECK_OK(SCS_ALLOC(cell, x.n_row));
    for (int64_t i = 0; i < x.n_row; i++)
        cell[i] = first_cell[1] + i;
    CHECK_OK(scs_repeated_add(&dataset, &x, cell, 0, &print, &n));
    scs_packed_clear(&x);
    scs_repeated_count(print, n, N_INPUT, found);
    free(print);
    free(cell);
}

/* Within a tenth of the share that is looked at. */
static void check_looked_at(const scs_repeated *found, int64_t cells)
{
    CU_ASSERT(found->cells > cells / ONE_IN * 9 / 10 && found->cells < cells / ONE_IN * 11 / 10);
}

static void copies_are_found(void)
{
    scs_repeated found[N_INPUT];

    find(found);
    check_looked_at(&found[0], cells_of[0]);
    CU_ASSERT_EQUAL(found[0].within, 0);
    CU_ASSERT_EQUAL(found[0].shared, 0);
    CU_ASSERT_EQUAL(found[0].with, -1);
    check_looked_at(&found[1], cells_of[1]);
    CU_ASSERT_EQUAL(found[1].within, 0);
    CU_ASSERT_EQUAL(found[1].shared, found[1].cells);
    CU_ASSERT_EQUAL(found[1].with, 0);
    CU_ASSERT_EQUAL(found[1].others, 0);
    check_looked_at(&found[2], cells_of[2]);
    CU_ASSERT_EQUAL(found[2].within * 2, found[2].cells);
    CU_ASSERT_EQUAL(found[2].shared, 0);
    CU_ASSERT_EQUAL(found[3].cells, 0);
    check_looked_at(&found[4], cells_of[4]);
    CU_ASSERT_EQUAL(found[4].within * 2, found[4].cells);
    CU_ASSERT_EQUAL(found[4].shared, 0);
    CU_ASSERT(found[5].cells > 0);
    CU_ASSERT_EQUAL(found[5].shared + found[5].within, 0);
}

int main(void)
{
    const scs_test tests[] = {{"copies are found", copies_are_found}};

    return run_suite("repeated", tests, sizeof tests / sizeof *tests);
}
