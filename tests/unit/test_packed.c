/* scs_packed gives back what was put in, bit by bit, whatever way a row is kept. */
#include "tests/unit/packing.h"

#include "src/base/random.h"

#include <math.h>
#include <string.h>

/* A row has n entries, with `levels` distinct values (0: all distinct). */
typedef struct shape {
    int32_t n, levels;
} shape;

static const shape shapes[] = {{0, 1},      {1, 1},      {2, 1},    {3, 1},     {4, 4},
                               {0, 1},      {5, 2},      {500, 20}, {400, 255}, {400, 256},
                               {400, 257},  {256, 0},    {1000, 0}, {340, 255}, {342, 256},
                               {5000, 256}, {5000, 257}, {0, 1}};
enum { N_ROW = sizeof shapes / sizeof *shapes };

static float level(int32_t row, int32_t k, int32_t levels)
{
    return (float)log1p(1 + (levels ? k % levels : k) * (0.5 + 0.01 * row));
}

/* Genes spread over all columns. */
static scs_csr example(int32_t n_col)
{
    int64_t at = 0, nnz = 0;
    scs_csr x;

    for (int i = 0; i < N_ROW; i++)
        nnz += shapes[i].n;
    CHECK_OK(scs_csr_alloc(N_ROW, n_col, nnz, &x));
    for (int32_t i = 0; i < N_ROW; i++) {
        for (int32_t k = 0; k < shapes[i].n; k++, at++) {
            x.indices[at] = (int32_t)((int64_t)(k + 1) * n_col / shapes[i].n) - 1;
            x.values[at] = level(i, k, shapes[i].levels);
        }
        x.indptr[i + 1] = at;
    }
    return x;
}

static void check_equal(const scs_csr *x, const scs_packed *packed)
{
    scs_csr back = unpacked(packed);

    CU_ASSERT_EQUAL_FATAL(back.n_row, x->n_row);
    CU_ASSERT_EQUAL(back.n_col, x->n_col);
    CU_ASSERT_EQUAL_FATAL(back.indptr[back.n_row], x->indptr[x->n_row]);
    for (int64_t i = 0; i <= x->n_row; i++)
        CU_ASSERT_EQUAL(back.indptr[i], x->indptr[i]);
    CU_ASSERT_EQUAL(memcmp(back.indices, x->indices, 4 * (size_t)x->indptr[x->n_row]), 0);
    CU_ASSERT_EQUAL(memcmp(back.values, x->values, 4 * (size_t)x->indptr[x->n_row]), 0);
    scs_csr_clear(&back);
}

/* Bytes of a row: codes where there are 256 levels at most and they save something. */
static int64_t bytes_of(shape row, int64_t gene)
{
    int64_t levels = row.levels && row.levels < row.n ? row.levels : row.n, n = row.n;
    int64_t plain = 4 + (n * gene + 3) / 4 * 4 + 4 * n;
    int64_t coded = 4 + (n * (gene + 1) + 3) / 4 * 4 + 4 * levels;

    return levels <= 256 && coded < plain ? coded : plain;
}

/* 65536 columns are the most whose numbers fit 16 bits. */
static void rows_come_back_as_they_were(void)
{
    static const int32_t n_col[] = {5000, 6998, 65536, 65537, 70000};

    for (int c = 0; c < 5; c++) {
        scs_csr x = example(n_col[c]);
        scs_packed p = packed(&x);
        int64_t bytes = (N_ROW + 1) * 8;

        check_equal(&x, &p);
        for (int i = 0; i < N_ROW; i++)
            bytes += bytes_of(shapes[i], n_col[c] <= 65536 ? 2 : 4);
        CU_ASSERT_EQUAL(scs_packed_bytes(&p), bytes);
        CU_ASSERT_EQUAL(scs_packed_nnz(&p), x.indptr[N_ROW]);
        scs_csr_clear(&x);
        scs_packed_clear(&p);
    }
}

static void codes_are_used_where_they_save(void)
{
    scs_csr x = example(6998);
    scs_packed p = packed(&x);

    for (int i = 0; i < N_ROW; i++) {
        scs_row row = scs_packed_row(&p, i);
        bool coded = shapes[i].levels && shapes[i].levels <= 256 && shapes[i].n > 4 * 1 &&
                     shapes[i].levels < shapes[i].n * 3 / 4;

        if (shapes[i].n < 5)
            coded = shapes[i].n == 3; /* 1 level and 9 bytes of genes and codes */
        CU_ASSERT_EQUAL(row.code != NULL, coded);
        CU_ASSERT_PTR_NOT_NULL(row.gene16);
    }
    scs_csr_clear(&x);
    scs_packed_clear(&p);
}

/* Matrices of all densities, values few or many, 0 and -0 among them. */
static void random_matrices_come_back(void)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        scs_stream stream = {seed, SCS_RANDOM_SIMULATE, 0, 0};
        float u[64 * 40 * 2], values = 1;
        int64_t at = 0;
        scs_packed p;
        scs_csr x;

        scs_random_uniform(&stream, sizeof u / sizeof *u, u);
        values += floorf(400 * u[0] * u[0]);
        CHECK_OK(scs_csr_alloc(40, 64, 64 * 40, &x));
        for (int32_t i = 0; i < 40 * 64; i++) {
            if (u[2 * i] < u[1]) {
                x.indices[at] = i % 64;
                x.values[at++] = copysignf(floorf(values * u[2 * i + 1]), u[2 * i] - u[1] / 2);
            }
            x.indptr[i / 64 + 1] = at;
        }
        p = packed(&x);
        check_equal(&x, &p);
        scs_csr_clear(&x);
        scs_packed_clear(&p);
    }
}

/* Rows of counts: 1 to 256 of them distinct, in any order, in as many entries as fill registers,
 * one less and one more. Levels stand in the order in which they come. */
static void counts_have_codes_by_their_first_appearance(void)
{
    static const int32_t entries[] = {63, 64, 65, 127, 128, 129, 700, 5000};

    for (uint32_t levels = 1; levels <= 256; levels += levels < 250 ? 7 : 1)
        for (size_t e = 0; e < sizeof entries / sizeof *entries; e++) {
            int32_t n = entries[e], n_seen = 0, genes[5000];
            int64_t indptr[] = {0, n};
            float values[5000], seen[256];
            scs_csr x = {1, 5000, indptr, genes, values};
            scs_packed p;
            scs_row row;

            for (int32_t k = 0; k < n; k++) {
                uint32_t any = (uint32_t)k * 2654435769U >> 8;
                bool found = false;

                genes[k] = k;
                values[k] = (float)((any % levels * 97 + 3 * levels) % 256);
                for (int32_t s = 0; s < n_seen && !found; s++)
                    found = seen[s] == values[k];
                if (!found)
                    seen[n_seen++] = values[k];
            }
            p = packed(&x);
            check_equal(&x, &p);
            row = scs_packed_row(&p, 0);
            CU_ASSERT_EQUAL(scs_packed_bytes(&p),
                            2 * 8 + bytes_of((shape){n, n_seen < n ? n_seen : 0}, 2));
            if (row.code)
                CU_ASSERT_EQUAL(memcmp(row.value, seen, 4 * (size_t)n_seen), 0);
            scs_packed_clear(&p);
        }
}

static void zero_and_minus_zero_stay_apart(void)
{
    float values[] = {0, -0.0F, 0, -0.0F, -0.0F, 0, 0, 1};
    int32_t genes[] = {0, 1, 2, 3, 4, 5, 6, 7};
    int64_t indptr[] = {0, 8};
    scs_csr x = {1, 9, indptr, genes, values};
    scs_packed p = packed(&x);

    CU_ASSERT_PTR_NOT_NULL(scs_packed_row(&p, 0).code);
    check_equal(&x, &p);
    scs_packed_clear(&p);
}

/* The same rows, standing in another order. */
static scs_packed shuffled(const scs_packed *x)
{
    scs_packed all;

    CHECK_OK(scs_packed_alloc_any_order(x->n_row, x->n_col, 0, &all));
    for (int64_t k = 0; k < x->n_row; k++) {
        int64_t i = (k * 5 + 3) % x->n_row;

        CHECK_OK(scs_packed_place(&all, i, x->word + 4 * x->first[i], scs_packed_row_words(x, i)));
    }
    return all;
}

/* Part by part, or row by row from another matrix, it is the same matrix. */
static void parts_make_the_whole(void)
{
    scs_csr x = example(6998);
    scs_packed whole = packed(&x), any_order = shuffled(&whole), parts, rows;

    CHECK_OK(scs_packed_alloc(N_ROW, 6998, 0, &parts));
    CHECK_OK(scs_packed_alloc(N_ROW, 6998, whole.first[N_ROW], &rows));
    for (int i = 0; i < N_ROW; i += 5) {
        int64_t n = N_ROW - i < 5 ? N_ROW - i : 5, indptr[6];
        scs_csr part = {n, 6998, indptr, x.indices + x.indptr[i], x.values + x.indptr[i]};

        for (int64_t k = 0; k <= n; k++)
            indptr[k] = x.indptr[i + k] - x.indptr[i];
        CHECK_OK(scs_packed_append(&parts, i, &part));
    }
    for (int i = 0; i < N_ROW; i++)
        scs_packed_put(&rows, i, whole.word + 4 * whole.first[i],
                       whole.first[i + 1] - whole.first[i]);
    check_equal(&x, &parts);
    check_equal(&x, &rows);
    CHECK_OK(scs_packed_restart(&rows, N_ROW));
    for (int i = 0; i < N_ROW; i++)
        scs_packed_copy(&rows, i, &any_order, i);
    check_equal(&x, &rows);
    CHECK_OK(scs_packed_trim(&parts));
    check_equal(&x, &parts);
    CU_ASSERT_EQUAL(scs_packed_bytes(&parts), scs_packed_bytes(&whole));
    scs_csr_clear(&x);
    scs_packed_clear(&whole);
    scs_packed_clear(&any_order);
    scs_packed_clear(&parts);
    scs_packed_clear(&rows);
}

/* As long as if the kept columns alone had been packed: wide or narrow genes, codes that no longer
 * save anything, rows of which nothing is left. */
static void fewer_columns_are_as_if_packed_alone(void)
{
    static const int32_t sizes[] = {5000, 70000};

    for (int s = 0; s < 2; s++)
        for (int32_t step = 1; step <= 1000; step *= 10) {
            scs_csr x = example(sizes[s]);
            scs_packed p = packed(&x), placed = shuffled(&p), expected;
            int32_t *to, n = 0;

            CHECK_OK(SCS_ALLOC(to, x.n_col));
            for (int32_t g = 0; g < x.n_col; g++)
                to[g] = g % (3 * step) < step ? n++ : -1;
            CHECK_OK(scs_csr_map_columns(&x, to, n));
            expected = packed(&x);
            CHECK_OK(scs_packed_select(&p, to, n));
            CHECK_OK(scs_packed_select(&placed, to, n));
            check_equal(&x, &p);
            check_equal(&x, &placed);
            CU_ASSERT_EQUAL(placed.first[N_ROW], expected.first[N_ROW]);
            scs_packed_clear(&placed);
            CU_ASSERT_EQUAL(memcmp(p.first, expected.first, (N_ROW + 1) * sizeof *p.first), 0);
            scs_csr_clear(&x);
            scs_packed_clear(&p);
            scs_packed_clear(&expected);
            free(to);
        }
}

/* The bits of log1p of each value times the row's scale, coded or not. */
static void normalising_is_done_value_by_value(void)
{
    scs_csr x = example(6998);
    scs_packed p = packed(&x);
    double totals[N_ROW];

    scs_csr_row_sums(&x, totals);
    totals[7] = 0;
    scs_packed_log_normalize(&p, totals, 1e4);
    for (int i = 0; i < N_ROW; i++)
        for (int64_t k = x.indptr[i]; k < x.indptr[i + 1]; k++)
            x.values[k] = (float)log1p(x.values[k] * (totals[i] > 0 ? 1e4 / totals[i] : 0));
    check_equal(&x, &p);
    scs_csr_clear(&x);
    scs_packed_clear(&p);
}

static void normalised_rows_have_the_target_sum(void)
{
    scs_csr x = example(6998);
    scs_packed p = packed(&x);
    double totals[N_ROW];

    scs_csr_row_sums(&x, totals);
    scs_packed_log_normalize(&p, totals, 1e4);
    for (int i = 0; i < N_ROW; i++) {
        scs_row row = scs_packed_row(&p, i);
        double sum = 0;

        for (int64_t k = 0; k < row.n; k++)
            sum += expm1(scs_row_value(&row, k));
        CU_ASSERT_DOUBLE_EQUAL(sum, row.n ? 1e4 : 0, 1e-6 * 1e4);
    }
    scs_csr_clear(&x);
    scs_packed_clear(&p);
}

static void genes_are_found(void)
{
    for (int32_t n_col = 6998; n_col <= 70000; n_col += 70000 - 6998) {
        scs_csr x = example(n_col);
        scs_packed p = packed(&x);

        for (int i = 0; i < N_ROW; i++) {
            scs_row row = scs_packed_row(&p, i);
            int32_t expected = 0;

            for (int32_t gene = 0; gene <= n_col; gene += 100) {
                while (expected < row.n && scs_row_gene(&row, expected) < gene)
                    expected++;
                CU_ASSERT_EQUAL(scs_packed_row_find(&row, gene), expected);
            }
            CU_ASSERT_EQUAL(scs_packed_row_find(&row, n_col), row.n);
        }
        scs_csr_clear(&x);
        scs_packed_clear(&p);
    }
}

static void absurd_sizes_are_refused(void)
{
    scs_packed p;

    CHECK_FAILS(scs_packed_alloc(INT64_MAX, 1, 1, &p), SCS_EINTERNAL, "packed matrix");
    CHECK_FAILS(scs_packed_alloc(1, 1, INT64_MAX / 2, &p), SCS_EINTERNAL, "packed matrix");
    CHECK_FAILS(scs_packed_alloc(1, 1, INT64_MAX / 8, &p), SCS_ENOMEM, "out of memory");
    CU_ASSERT_PTR_NULL(p.first);
}

static void an_empty_matrix_works(void)
{
    scs_csr x;
    scs_packed p;

    CHECK_OK(scs_csr_alloc(0, 0, 0, &x));
    CHECK_OK(scs_packed_make(&x, &p));
    CU_ASSERT_EQUAL(scs_packed_nnz(&p), 0);
    check_equal(&x, &p);
    scs_csr_clear(&x);
    scs_packed_clear(&p);
}

int main(void)
{
    static const scs_test tests[] = {
        {"rows come back as they were", rows_come_back_as_they_were},
        {"codes are used where they save", codes_are_used_where_they_save},
        {"random matrices come back", random_matrices_come_back},
        {"counts have codes by their first appearance",
         counts_have_codes_by_their_first_appearance},
        {"zero and minus zero stay apart", zero_and_minus_zero_stay_apart},
        {"parts make the whole", parts_make_the_whole},
        {"fewer columns are as if packed alone", fewer_columns_are_as_if_packed_alone},
        {"normalising is done value by value", normalising_is_done_value_by_value},
        {"normalised rows have the target sum", normalised_rows_have_the_target_sum},
        {"genes are found", genes_are_found},
        {"absurd sizes are refused", absurd_sizes_are_refused},
        {"an empty matrix works", an_empty_matrix_works},
    };

    return run_suite("packed", tests, sizeof tests / sizeof *tests);
}
