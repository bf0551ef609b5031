/** A probe of BLAS (src/kernels/blas.h says what for): products of odd sizes against plain
 *  loops.
 */
#include "src/kernels/blas.h"

#include "src/base/sandbox.h"

#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Sizes of the products, no multiples of a kernel's blocks: edges are computed too. Seconds that
 * the child may take. */
enum { M = 67, N = 131, K = 93, SECONDS = 20 };

/* Address space of the child, beyond what the process has. */
static const int64_t memory = (int64_t)1 << 30;

/* Numbers of either sign in [-0.5, 0.5) without a pattern that errors could cancel in. */
static double element(int64_t i)
{
    return (double)((i * 7919) % 1009) / 1009 - 0.5;
}

/* Element i, k of a matrix [rows, cols], or of its transpose. */
static int64_t at(bool transposed, int64_t i, int64_t k, int64_t rows, int64_t cols)
{
    return transposed ? k * rows + i : i * cols + k;
}

/* Factors and products in both precisions. */
typedef struct operands {
    float a[M * K], b[K * N], c[M * N];
    double da[M * K], db[K * N], dc[M * N];
} operands;

/* Both precisions, one way to transpose. The bounds are far above rounding (sums of 93 products
 * below 0.25) and far below what a wrong element would show. */
static bool product_is_right(bool ta, bool tb, operands *o)
{
    bool right = true;

    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, M, N,
                K, 1, o->a, ta ? M : K, o->b, tb ? K : N, 0, o->c, N);
    cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, M, N,
                K, 1, o->da, ta ? M : K, o->db, tb ? K : N, 0, o->dc, N);
    for (int64_t i = 0; i < M; i++)
        for (int64_t j = 0; j < N; j++) {
            double sum = 0;

            for (int64_t k = 0; k < K; k++)
                sum += o->da[at(ta, i, k, M, K)] * o->db[at(tb, k, j, K, N)];
            right = right && fabs(o->dc[i * N + j] - sum) < 1e-11;
            right = right && fabs((double)o->c[i * N + j] - sum) < 1e-4;
        }
    return right;
}

/* What the child runs: its status says all. One thread, as the child has none of the parent's. */
static scs_status probe(void *arg, scs_bytes *out)
{
    operands *o;
    bool right = true;

    (void)arg, (void)out;
    openblas_set_num_threads(1);
    SCS_TRY(SCS_ALLOC(o, 1));
    for (int64_t i = 0; i < M * K; i++)
        o->a[i] = (float)(o->da[i] = element(i));
    for (int64_t i = 0; i < K * N; i++)
        o->b[i] = (float)(o->db[i] = element(3 * i + 1));
    for (int way = 0; way < 4; way++)
        right = right && product_is_right(way & 1, way & 2, o);
    free(o);
    SCS_REQUIRE(right, SCS_EINTERNAL, "a matrix product is wrong");
    return SCS_OK;
}

bool scs_blas_works(void)
{
    scs_bytes nothing = {0};
    scs_status st = scs_sandbox_run(
        "BLAS", probe, NULL,
        &(scs_sandbox_limits){.memory = memory, .processor = SECONDS, .still = SECONDS}, &nothing);

    scs_bytes_clear(&nothing);
    return st == SCS_OK;
}
