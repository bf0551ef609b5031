/* Products by integer tiles: as near to the exact ones as float32 gets. */
#include "src/kernels/gemm_int8.h"
#include "tests/unit/fixture_atlas.h"

#include <cblas.h>

typedef struct product {
    int32_t n, n_out, n_in;
    scs_real *x, *w, *y; /* [n, n_in], [n_out, n_in], [n, n_out] */
} product;

static void begin(product *p, int32_t n, int32_t n_out, int32_t n_in)
{
    *p = (product){.n = n, .n_out = n_out, .n_in = n_in};
    CHECK_OK(SCS_ALLOC(p->x, (int64_t)n * n_in));
    CHECK_OK(SCS_ALLOC(p->w, (int64_t)n_out * n_in));
    CHECK_OK(SCS_ALLOC(p->y, (int64_t)n * n_out));
    for (int64_t i = 0; i < (int64_t)n * n_in; i++)
        p->x[i] = (scs_real)(uniform(1, (uint64_t)i) - .3);
    for (int64_t i = 0; i < (int64_t)n_out * n_in; i++)
        p->w[i] = (scs_real)(uniform(2, (uint64_t)i) - .5);
}

static void end(product *p)
{
    free(p->x);
    free(p->w);
    free(p->y);
}

/* @return false on processors without tiles, of which nothing can be said then */
static bool multiply(product *p)
{
    scs_gemm_int8 *tiles;
    char *scratch;

    CHECK_OK(scs_gemm_int8_create(p->w, p->n_out, p->n_in, &tiles));
    CU_ASSERT_EQUAL(tiles != NULL, scs_gemm_int8_available() && p->n_in >= SCS_GEMM_INT8_LEAST);
    if (!tiles)
        return false;
    CHECK_OK(SCS_ALLOC(scratch, scs_gemm_int8_scratch(p->n_in, p->n) + 1));
    memset(scratch, 0x5a, (size_t)scs_gemm_int8_scratch(p->n_in, p->n) + 1);
    for (int32_t i = p->n - 1; i >= 0; i--)
        scs_gemm_int8_put_row(tiles, p->x + (int64_t)i * p->n_in, i, p->n, scratch);
    scs_gemm_int8_multiply(tiles, p->n, scratch, p->y);
    CU_ASSERT_EQUAL(scratch[scs_gemm_int8_scratch(p->n_in, p->n)], 0x5a);
    free(scratch);
    scs_gemm_int8_destroy(&tiles);
    return true;
}

static double exact(const product *p, int64_t i, int64_t j, double *size)
{
    double sum = 0;

    *size = 0;
    for (int64_t k = 0; k < p->n_in; k++) {
        double term = (double)p->x[i * p->n_in + k] * p->w[j * p->n_in + k];

        sum += term;
        *size += term * term;
    }
    *size = sqrt(*size);
    return sum;
}

/* Root mean square, over what independent terms add up to and over the result, whichever is more.
 */
static double error_of(const product *p)
{
    double size, square = 0;

    for (int64_t i = 0; i < p->n; i++)
        for (int64_t j = 0; j < p->n_out; j++) {
            double sum = exact(p, i, j, &size), off = p->y[i * p->n_out + j] - sum;

            square += off * off / fmax(size * size, sum * sum);
        }
    return sqrt(square / ((double)p->n * p->n_out));
}

static void multiply_by_blas(product *p)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, p->n, p->n_out, p->n_in, 1, p->x, p->n_in,
                p->w, p->n_in, 0, p->y, p->n_out);
}

/* Whole tiles and ragged ones. */
static void products_are_as_exact_as_float32(void)
{
    static const int32_t shape[][3] = {{16, 16, 64}, {1, 1, 64}, {17, 70, 65}, {40, 33, 832}};

    for (int s = 0; s < 4; s++) {
        product p;

        begin(&p, shape[s][0], shape[s][1], shape[s][2]);
        if (multiply(&p)) {
            double tiles = error_of(&p), blas;

            multiply_by_blas(&p);
            blas = error_of(&p);
            fprintf(stderr, "\n    %d x %d x %d: tiles %.2g, BLAS %.2g", p.n, p.n_out, p.n_in,
                    tiles, blas);
            CU_ASSERT(tiles < 3e-7 && tiles < 2 * blas + 1e-7);
        }
        end(&p);
    }
}

static void scale_row(scs_real *row, int32_t n, scs_real by)
{
    for (int32_t k = 0; k < n; k++)
        row[k] *= by;
}

/* Each row has a scale of its own, so that large ones take nothing from small ones. */
static void rows_and_weights_have_their_own_scales(void)
{
    product p;

    begin(&p, 20, 20, 100);
    scale_row(p.x, p.n_in, 1e15F);
    scale_row(p.x + p.n_in, p.n_in, 1e-15F);
    scale_row(p.w + 3 * p.n_in, p.n_in, 1e12F);
    scale_row(p.w + 4 * p.n_in, p.n_in, 1e-12F);
    if (multiply(&p))
        CU_ASSERT(error_of(&p) < 3e-7);
    end(&p);
}

static void rows_do_not_depend_on_others(void)
{
    product p, alone;

    begin(&p, 40, 33, 300);
    begin(&alone, 1, 33, 300);
    for (int32_t i = 0; i < p.n && multiply(&p); i++) {
        memcpy(alone.x, p.x + (int64_t)i * p.n_in, (size_t)p.n_in * sizeof *p.x);
        (void)multiply(&alone);
        CU_ASSERT(memcmp(alone.y, p.y + (int64_t)i * p.n_out, (size_t)p.n_out * sizeof *p.y) == 0);
    }
    end(&p);
    end(&alone);
}

static void what_is_no_number_stays_in_its_row(void)
{
    product p;

    begin(&p, 18, 17, 70);
    memset(p.x, 0, (size_t)p.n_in * sizeof *p.x);
    p.x[p.n_in + 5] = NAN;
    p.x[2 * p.n_in + 69] = -INFINITY;
    if (multiply(&p))
        for (int32_t i = 0; i < p.n; i++)
            for (int32_t j = 0; j < p.n_out; j++) {
                scs_real y = p.y[i * p.n_out + j];

                CU_ASSERT(i == 0 ? y == 0 : i < 3 ? isnan(y) : isfinite(y));
            }
    end(&p);
}

static void short_rows_are_left_to_blas(void)
{
    product p;

    begin(&p, 4, 4, SCS_GEMM_INT8_LEAST - 1);
    CU_ASSERT(!multiply(&p));
    end(&p);
}

int main(void)
{
    static const scs_test tests[] = {
        {"products are as exact as float32", products_are_as_exact_as_float32},
        {"rows and weights have scales of their own", rows_and_weights_have_their_own_scales},
        {"a row does not depend on the others", rows_do_not_depend_on_others},
        {"what is no number stays in its row", what_is_no_number_stays_in_its_row},
        {"short rows are left to BLAS", short_rows_are_left_to_blas}};

    if (!scs_gemm_int8_available())
        fprintf(stderr, "this processor has no integer tiles: only that is tested\n");
    return run_suite("tiles", tests, sizeof tests / sizeof *tests);
}
