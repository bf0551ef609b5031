#include "src/gram.h"

#include "src/blas.h"
#include "src/simd.h"

enum { PIECE = 256, MAX_PIECES = 8 };

int scs_gram_tasks(int32_t n)
{
    return n > PIECE * (MAX_PIECES - 1) ? MAX_PIECES : (n + PIECE - 1) / PIECE;
}

void scs_gram_run(const scs_real *a, int32_t n, int32_t d, double scale, int task, scs_real *square)
{
    int64_t n_task = scs_gram_tasks(n), first = n * task / n_task, last = n * (task + 1) / n_task;

    SCS_SYRK(CblasRowMajor, CblasUpper, CblasTrans, d, (int32_t)(last - first), (scs_real)scale,
             a + first * d, d, 0, square, d);
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

void scs_gram_pack(const scs_real *square, int32_t n, int32_t d, double *packed)
{
    int n_task = scs_gram_tasks(n);

#pragma omp parallel for if (SCS_WORTH_THREADS((int64_t)d * d))
    for (int64_t i = 0; i < d; i++) {
        double *row = packed + row_of(i, d);

        for (int64_t j = i; j < d; j++)
            row[j] = n_task > 0 ? square[i * d + j] : 0;
        for (int64_t task = 1; task < n_task; task++)
            for (int64_t j = i; j < d; j++)
                row[j] += square[(task * d + i) * d + j];
    }
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
