/* Weighted sums of rows are those of plain loops, but for floats' rounding, whatever the blocks. */
#include "src/base/vector.h"
#include "src/kernels/row_sums.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdlib.h>

/* Numbers of either sign, none of them round. */
static double number(int64_t at)
{
    return sin(1.7 * (double)at);
}

static void check(int64_t n, int64_t n_row, int64_t n_column)
{
    double *weight, *sum, *expected;
    float *value, *rounded;
    int32_t *row;

    CHECK_OK(SCS_ALLOC(weight, n * n_row));
    CHECK_OK(SCS_ALLOC(rounded, n * n_row));
    CHECK_OK(SCS_ALLOC(value, n_row * n_column));
    CHECK_OK(SCS_ALLOC(sum, n * n_column));
    CHECK_OK(SCS_ALLOC(expected, n_column));
    CHECK_OK(SCS_ALLOC(row, n_row));
    for (int64_t i = 0; i < n * n_row; i++)
        weight[i] = rounded[i] = (float)number(i);
    for (int64_t i = 0; i < n_row * n_column; i++)
        value[i] = (float)number(3 * i + 1);
    for (int64_t r = 0; r < n_row; r++)
        row[r] = (int32_t)r;
    if (n > 0)
        sum[0] = 9; /* what was there does not count */
    CHECK_OK(scs_row_sums(rounded, n, value, n_row, n_column, sum));
    for (int64_t i = 0; i < n; i++) {
        scs_vector_sum_rows(value, n_column, row, weight + i * n_row, (int32_t)n_row, expected);
        for (int64_t j = 0; j < n_column; j++)
            CU_ASSERT_DOUBLE_EQUAL(sum[i * n_column + j], expected[j], 5e-7 * (double)n_row);
    }
    free(row);
    free(expected);
    free(sum);
    free(value);
    free(rounded);
    free(weight);
}

static void sums_are_those_of_plain_loops(void)
{
    check(1, 1, 1);
    check(3, 256, 256); /* a block */
    check(5, 257, 513); /* and a little more */
    check(64, 600, 20);
    check(0, 10, 10);
}

int main(void)
{
    static const scs_test tests[] = {
        {"sums are those of plain loops", sums_are_those_of_plain_loops},
    };

    return run_suite("row_sums", tests, sizeof tests / sizeof *tests);
}
