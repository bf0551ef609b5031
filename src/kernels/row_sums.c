/* Weighted sums of rows (row_sums.h): blocks of the matrix, made doubles, times all weights. All
 * functions are Local. Each thread has blocks of columns of its own. */
#include "src/kernels/row_sums.h"

#include "src/base/parallel.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 256, COLUMNS = 256 }; /* of a block: 512 KiB, the second cache's */

/* A matrix of values, its weights and their sums. */
typedef struct sums {
    const double *weight;
    const float *value;
    double *sum;
    int64_t n, n_row, n_column;
} sums;

/* Some columns of all sums. */
static scs_status add_columns(const sums *s, int64_t first)
{
    int64_t left = s->n_column - first, width = left < COLUMNS ? left : COLUMNS;
    double *block;

    SCS_TRY(SCS_ALLOC(block, ROWS * width));
    for (int64_t r = 0; r < s->n_row; r += ROWS) {
        int64_t height = s->n_row - r < ROWS ? s->n_row - r : ROWS;

        for (int64_t i = 0; i < height; i++)
            for (int64_t j = 0; j < width; j++)
                block[i * width + j] = s->value[(r + i) * s->n_column + first + j];
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)s->n, (int)width, (int)height,
                    1, s->weight + r, (int)s->n_row, block, (int)width, r > 0, s->sum + first,
                    (int)s->n_column);
    }
    free(block);
    return SCS_OK;
}

scs_status scs_row_sums(const double *weight, int64_t n, const float *value, int64_t n_row,
                        int64_t n_column, double *sum)
{
    const sums s = {weight, value, sum, n, n_row, n_column};
    scs_parallel_error failed = {0};

    memset(sum, 0, sizeof *sum * (size_t)(n * n_column));
    if (n == 0)
        return SCS_OK;
#pragma omp parallel for schedule(dynamic)
    for (int64_t first = 0; first < n_column; first += COLUMNS)
        scs_parallel_error_note(&failed, first, add_columns(&s, first));
    return scs_parallel_error_raise(&failed);
}
