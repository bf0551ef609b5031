#include "src/blas_probe.h"

#include "src/sandbox.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

/* No multiples of a kernel's blocks. */
enum { M = 67, N = 131, K = 93, SECONDS = 20 };

static const int64_t memory = (int64_t)1 << 30;

static double element(int64_t i)
{
    return (double)((i * 7919) % 1009) / 1009 - 0.5;
}

/* Element i, k of a matrix [rows, cols], or of its transpose. */
static int64_t at(bool transposed, int64_t i, int64_t k, int64_t rows, int64_t cols)
{
    return transposed ? k * rows + i : i * cols + k;
}

static bool product_is_right(bool ta, bool tb, const float *a, const float *b, float *c,
                             const double *da, const double *db, double *dc)
{
    bool right = true;

    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, M, N,
                K, 1, a, ta ? M : K, b, tb ? K : N, 0, c, N);
    cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, M, N,
                K, 1, da, ta ? M : K, db, tb ? K : N, 0, dc, N);
    for (int64_t i = 0; i < M; i++)
        for (int64_t j = 0; j < N; j++) {
            double sum = 0;

            for (int64_t k = 0; k < K; k++)
                sum += da[at(ta, i, k, M, K)] * db[at(tb, k, j, K, N)];
            right = right && fabs(dc[i * N + j] - sum) < 1e-11;
            right = right && fabs((double)c[i * N + j] - sum) < 1e-4;
        }
    return right;
}

/* In the child, whose memory goes away with it. */
static scs_status probe(void *arg, scs_bytes *out)
{
    float *a, *b, *c;
    double *da, *db, *dc;

    (void)arg, (void)out;
    openblas_set_num_threads(1);
    SCS_TRY(SCS_ALLOC(a, M * K));
    SCS_TRY(SCS_ALLOC(b, K * N));
    SCS_TRY(SCS_ALLOC(c, M * N));
    SCS_TRY(SCS_ALLOC(da, M * K));
    SCS_TRY(SCS_ALLOC(db, K * N));
    SCS_TRY(SCS_ALLOC(dc, M * N));
    for (int64_t i = 0; i < M * K; i++)
        a[i] = (float)(da[i] = element(i));
    for (int64_t i = 0; i < K * N; i++)
        b[i] = (float)(db[i] = element(3 * i + 1));
    for (int way = 0; way < 4; way++)
        SCS_REQUIRE(product_is_right(way & 1, way & 2, a, b, c, da, db, dc), SCS_EINTERNAL,
                    "a matrix product is wrong");
    return SCS_OK;
}

bool scs_blas_works(void)
{
    scs_bytes nothing = {0};
    scs_status st = scs_sandbox_run("BLAS", probe, NULL, memory, SECONDS, &nothing);

    scs_bytes_clear(&nothing);
    return st == SCS_OK;
}
