/* scs_csr against plain dense arithmetic. */
#include "src/data/csr.h"

#include <string.h>

#include "tests/unit/suite.h"

enum { ROWS = 17, COLUMNS = 29 };

/* A matrix with some empty rows, and the same dense. @param[out] dense [ROWS, COLUMNS] */
static scs_csr example(float *dense)
{
    scs_csr x;
    int64_t k = 0;

    CHECK_OK(scs_csr_alloc(ROWS, COLUMNS, ROWS * COLUMNS, &x));
    memset(dense, 0, sizeof(float) * ROWS * COLUMNS);
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < COLUMNS; j++) {
            if (i % 5 == 3 || (i * 7 + j * 11) % 4)
                continue;
            dense[i * COLUMNS + j] = 0.25F * (float)(1 + (i * 13 + j * 5) % 9);
            x.indices[k] = j;
            x.values[k++] = dense[i * COLUMNS + j];
        }
        x.indptr[i + 1] = k;
    }
    return x;
}

static void reverse_rows(scs_csr *x)
{
    for (int64_t i = 0; i < x->n_row; i++)
        for (int64_t a = x->indptr[i], b = x->indptr[i + 1] - 1; a < b; a++, b--) {
            int32_t column = x->indices[a];
            float value = x->values[a];
            x->indices[a] = x->indices[b];
            x->values[a] = x->values[b];
            x->indices[b] = column;
            x->values[b] = value;
        }
}

/* Ascending columns, and exactly the dense matrix. @param dense [n_row, n_col] */
static void check_equal(const scs_csr *x, const float *dense)
{
    for (int64_t i = 0; i < x->n_row; i++) {
        int64_t k = x->indptr[i];
        for (int32_t j = 0; j < x->n_col; j++) {
            float value = 0;
            if (k < x->indptr[i + 1] && x->indices[k] == j)
                value = x->values[k++];
            CU_ASSERT_EQUAL(value, dense[i * x->n_col + j]);
        }
        CU_ASSERT_EQUAL(k, x->indptr[i + 1]);
    }
}

static void sorting_keeps_the_matrix(void)
{
    float dense[ROWS * COLUMNS];
    scs_csr x = example(dense);

    reverse_rows(&x);
    CHECK_OK(scs_csr_sort_rows(&x));
    check_equal(&x, dense);
    CHECK_OK(scs_csr_sort_rows(&x));
    check_equal(&x, dense);
    scs_csr_clear(&x);
}

static void sorting_refuses_a_column_that_stands_twice(void)
{
    float dense[ROWS * COLUMNS];
    scs_csr x = example(dense);
    char words[64];

    x.indices[x.indptr[2]] = x.indices[x.indptr[2] + 1];
    snprintf(words, sizeof words, "row 2 holds column %d twice", x.indices[x.indptr[2]]);
    CHECK_FAILS(scs_csr_sort_rows(&x), SCS_EDATA, words);
    scs_csr_clear(&x);
}

static void row_sums_are_sums(void)
{
    float dense[ROWS * COLUMNS];
    double sums[ROWS];
    scs_csr x = example(dense);

    scs_csr_row_sums(&x, sums);
    for (int i = 0; i < ROWS; i++) {
        double direct = 0;
        for (int j = 0; j < COLUMNS; j++)
            direct += dense[i * COLUMNS + j];
        CU_ASSERT_EQUAL(sums[i], direct);
    }
    scs_csr_clear(&x);
}

static void mapping_moves_and_drops_columns(void)
{
    enum { GENES = 20 };
    float dense[ROWS * COLUMNS], moved[ROWS * GENES] = {0};
    int32_t gene[COLUMNS];
    scs_csr x = example(dense);

    for (int j = 0; j < COLUMNS; j++) /* backwards, two of three */
        gene[j] = j % 3 == 0 ? -1 : GENES - 1 - (j - 1 - j / 3);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            if (gene[j] >= 0)
                moved[i * GENES + gene[j]] = dense[i * COLUMNS + j];
    CHECK_OK(scs_csr_map_columns(&x, gene, GENES));
    CU_ASSERT_EQUAL(x.n_col, GENES);
    check_equal(&x, moved);
    scs_csr_clear(&x);
}

static void summing_adds_columns_that_become_one(void)
{
    enum { GENES = COLUMNS / 2 };
    const int32_t same[] = {0, 0, 0};
    float dense[ROWS * COLUMNS], moved[ROWS * GENES] = {0};
    int32_t gene[COLUMNS];
    scs_csr x = example(dense), y;

    for (int j = 0; j < COLUMNS; j++) /* the first and last of what is kept, and so on */
        gene[j] = j >= 2 * GENES ? -1 : j < GENES ? j : 2 * GENES - 1 - j;
    for (int i = 0; i < ROWS; i++)
        for (int g = 0; g < GENES; g++)
            moved[i * GENES + g] = (float)((double)dense[i * COLUMNS + g] +
                                           (double)dense[i * COLUMNS + 2 * GENES - 1 - g]);
    CHECK_OK(scs_csr_sum_columns(&x, gene, GENES));
    CU_ASSERT_EQUAL(x.n_col, GENES);
    check_equal(&x, moved);
    scs_csr_clear(&x);

    /* Exact up to 2^24, whatever the order of the columns. */
    CHECK_OK(scs_csr_alloc(1, 3, 3, &y));
    y.indptr[1] = 3;
    for (int j = 0; j < 3; j++)
        y.indices[j] = 2 - j;
    y.values[0] = 16777213;
    y.values[1] = y.values[2] = 1;
    CHECK_OK(scs_csr_sum_columns(&y, same, 1));
    CU_ASSERT_EQUAL(y.indptr[1], 1);
    CU_ASSERT_EQUAL(y.values[0], 16777215);
    y.indptr[1] = 2;
    y.n_col = 3;
    y.indices[0] = y.indices[1] = 1;
    CHECK_FAILS(scs_csr_sum_columns(&y, same, 1), SCS_EDATA, "row 0 holds column 1 twice");
    scs_csr_clear(&y);
}

static void mapping_refuses_a_gene_out_of_range(void)
{
    float dense[ROWS * COLUMNS];
    int32_t gene[COLUMNS] = {0};
    scs_csr x = example(dense);

    gene[4] = 7;
    CHECK_FAILS(scs_csr_map_columns(&x, gene, 7), SCS_EINTERNAL, "column 4 is mapped to gene 7");
    scs_csr_clear(&x);
}

static void absurd_sizes_are_refused(void)
{
    scs_csr x;

    CHECK_FAILS(scs_csr_alloc(INT64_MAX, 1, 1, &x), SCS_EINTERNAL, "matrix");
    CHECK_FAILS(scs_csr_alloc(1, 1, INT64_MAX / 2, &x), SCS_ENOMEM, "out of memory");
    CU_ASSERT_PTR_NULL(x.indptr);
}

static void an_empty_matrix_works(void)
{
    scs_csr x;

    CHECK_OK(scs_csr_alloc(0, 0, 0, &x));
    CHECK_OK(scs_csr_sort_rows(&x));
    CHECK_OK(scs_csr_map_columns(&x, NULL, 3));
    scs_csr_clear(&x);
}

/* All columns, each as the gene of its number. */
static void columns_are_kept_by_the_identity_alone(void)
{
    const int32_t same[] = {0, 1, 2, 3}, swapped[] = {0, 1, 3, 2}, dropped[] = {0, 1, 2, -1};

    CU_ASSERT_TRUE(scs_csr_keeps_columns(same, 4, 4));
    CU_ASSERT_FALSE(scs_csr_keeps_columns(same, 4, 5));
    CU_ASSERT_FALSE(scs_csr_keeps_columns(same, 3, 4));
    CU_ASSERT_FALSE(scs_csr_keeps_columns(swapped, 4, 4));
    CU_ASSERT_FALSE(scs_csr_keeps_columns(dropped, 4, 4));
}

int main(void)
{
    static const scs_test tests[] = {
        {"columns are kept by the identity alone", columns_are_kept_by_the_identity_alone},
        {"sorting keeps the matrix", sorting_keeps_the_matrix},
        {"sorting refuses a column that stands twice", sorting_refuses_a_column_that_stands_twice},
        {"row sums are sums", row_sums_are_sums},
        {"mapping moves and drops columns", mapping_moves_and_drops_columns},
        {"summing adds columns", summing_adds_columns_that_become_one},
        {"mapping refuses a gene out of range", mapping_refuses_a_gene_out_of_range},
        {"absurd sizes are refused", absurd_sizes_are_refused},
        {"an empty matrix works", an_empty_matrix_works},
    };

    return run_suite("csr", tests, sizeof tests / sizeof *tests);
}
