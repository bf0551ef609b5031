/* Weighted sums of rows (row_sums.h), by BLAS. All functions are Local. Each thread has blocks of
 * columns of its own. */
#include "src/kernels/row_sums.h"

#include "src/base/parallel.h"

#include <cblas.h>
#include <stdlib.h>

enum { COLUMNS = 256 }; /* of a block */

/* A matrix of values, its weights and their sums. */
typedef struct sums {
    const float *weight, *value;
    double *sum;
    int64_t n, n_row, n_column;
} sums;

/* Some columns of all sums. */
static scs_status add_columns(const sums *s, int64_t first)
{
    int64_t left = s->n_column - first, width = left < COLUMNS ? left : COLUMNS;
    float *sum;

    SCS_TRY(SCS_ALLOC(sum, s->n * width));
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)s->n, (int)width, (int)s->n_row, 1,
                s->weight, (int)s->n_row, s->value + first, (int)s->n_column, 0, sum, (int)width);
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t j = 0; j < width; j++)
            s->sum[i * s->n_column + first + j] = sum[i * width + j];
    free(sum);
    return SCS_OK;
}

scs_status scs_row_sums(const float *weight, int64_t n, const float *value, int64_t n_row,
                        int64_t n_column, double *sum)
{
    const sums s = {weight, value, sum, n, n_row, n_column};
    scs_parallel_error failed = {0};

    if (n == 0)
        return SCS_OK;
#pragma omp parallel for schedule(dynamic)
    for (int64_t first = 0; first < n_column; first += COLUMNS)
        scs_parallel_error_note(&failed, first, add_columns(&s, first));
    return scs_parallel_error_raise(&failed);
}
