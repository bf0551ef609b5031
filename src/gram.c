#include "src/gram.h"

#include "src/simd.h"

#include <cblas.h>

enum { TILE = 128 }; /* rows of a task */

int scs_gram_tasks(int32_t d)
{
    return (d + TILE - 1) / TILE;
}

void scs_gram_run(const scs_real *a, int32_t n, int32_t d, double scale, int task, scs_real *square)
{
    int32_t first = task * TILE, height = d - first < TILE ? d - first : TILE;

    SCS_GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, height, d - first, n, (scs_real)scale,
             a + first, d, a + first, d, 0, square + (int64_t)first * d + first, d);
}

int64_t scs_gram_size(int32_t d)
{
    return (int64_t)d * (d + 1) / 2;
}

/* Where row i of the triangle would have its column 0. */
static int64_t row_of(int64_t i, int64_t d)
{
    return i * d - i * (i + 1) / 2;
}

void scs_gram_pack(const scs_real *square, int32_t d, double *packed)
{
#pragma omp parallel for if (SCS_WORTH_THREADS((int64_t)d * d))
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = i; j < d; j++)
            packed[row_of(i, d) + j] = square[i * d + j];
}

void scs_gram_unpack(const double *packed, int32_t d, scs_real *square)
{
#pragma omp parallel for if (SCS_WORTH_THREADS((int64_t)d * d))
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j < i; j++)
            square[i * d + j] = (scs_real)packed[row_of(j, d) + i];
        for (int64_t j = i; j < d; j++)
            square[i * d + j] = (scs_real)packed[row_of(i, d) + j];
    }
}
