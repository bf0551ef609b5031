/* Products by panels against sums in double: each kind of processor's loops, left-over rows, all
 * starts of the sums and both orders of the left factor. */
#include "src/kernels/gemm_panel.c"

#include "src/base/random.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <string.h>

enum { MOST_M = 35, MOST_K = 131, B_ROW = 40, OUT_ROW = 37, GUARD = 12345 };

typedef enum start { ZERO, ADD, BASE } start;

typedef struct problem {
    scs_real a[MOST_M * MOST_K], b[MOST_K * B_ROW], base[MOST_M];
    scs_real before[MOST_M * OUT_ROW], out[MOST_M * OUT_ROW];
    scs_gemm_panel product;
} problem;

static void draw(scs_real *x, int64_t n, uint64_t cell)
{
    scs_stream stream = {7, SCS_RANDOM_SIMULATE, 1, cell};
    uint32_t word[4];

    for (int64_t i = 0; i < n; i++) {
        scs_random_block(&stream, (uint32_t)i, word);
        x[i] = (scs_real)((double)word[0] * 0x1p-32 - .5);
    }
}

static void open_problem(problem *p, int32_t m, int32_t n_k, bool transposed, start from)
{
    draw(p->a, MOST_M * MOST_K, 1);
    draw(p->b, MOST_K * B_ROW, 2);
    draw(p->base, MOST_M, 3);
    draw(p->before, MOST_M * OUT_ROW, 4);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = SCS_PANEL; j < OUT_ROW; j++)
            p->before[i * OUT_ROW + j] = GUARD;
    memcpy(p->out, p->before, sizeof p->out);
    p->product = (scs_gemm_panel){.m = m,
                                  .n_k = n_k,
                                  .a = p->a,
                                  .a_row = transposed ? 1 : n_k,
                                  .a_step = transposed ? m : 1,
                                  .b = p->b,
                                  .b_row = B_ROW,
                                  .base = from == BASE ? p->base : NULL,
                                  .add = from == ADD,
                                  .out = p->out,
                                  .out_row = OUT_ROW};
}

static double exact(const problem *p, int64_t i, int64_t j)
{
    const scs_gemm_panel *of = &p->product;
    double sum = of->base ? of->base[i] : of->add ? p->before[i * OUT_ROW + j] : 0;

    for (int64_t k = 0; k < of->n_k; k++)
        sum += (double)of->a[i * of->a_row + k * of->a_step] * (double)of->b[k * B_ROW + j];
    return sum;
}

/* Sums of at most 131 products below 0.25. */
static void check_problem(const problem *p)
{
    bool right = true;

    for (int64_t i = 0; i < MOST_M; i++)
        for (int64_t j = 0; j < OUT_ROW; j++) {
            double out = p->out[i * OUT_ROW + j];

            if (i < p->product.m && j < SCS_PANEL)
                right = right && fabs(out - exact(p, i, j)) < 1e-5;
            else
                right = right && !(out < p->before[i * OUT_ROW + j]) &&
                        !(out > p->before[i * OUT_ROW + j]);
        }
    CU_ASSERT(right);
}

/* Weights that the product updates, beside those that its stored result does. Compilers may fuse
 * multiplications and additions differently in the two loops: a few last bits of what is added. */
static void check_update(void (*run)(const scs_gemm_panel *p), int32_t m)
{
    static scs_real is[3][MOST_M * OUT_ROW], wanted[3][MOST_M * OUT_ROW];
    scs_adam_rule rule = {1e-6, 0.9, 0.999, 0.01};
    scs_adam adam = scs_adam_at(&rule, 1e-2, 3);
    bool right = true;
    problem p;

    for (int a = 0; a < 3; a++)
        draw(is[a], MOST_M * OUT_ROW, 10 + (uint64_t)a);
    for (int64_t i = 0; i < MOST_M * OUT_ROW; i++)
        is[2][i] = (scs_real)fabs((double)is[2][i]);
    memcpy(wanted, is, sizeof is);
    open_problem(&p, m, 32, false, ZERO);
    run(&p.product);
    for (int64_t i = 0; i < m; i++) {
        scs_adam_state row = {wanted[0] + i * OUT_ROW, wanted[1] + i * OUT_ROW,
                              wanted[2] + i * OUT_ROW};

        scs_adam_update(&adam, SCS_PANEL, &row, p.out + i * OUT_ROW);
    }
    p.product.out = NULL;
    p.product.adam = &adam;
    p.product.state = (scs_adam_state){is[0], is[1], is[2]};
    run(&p.product);
    for (int a = 0; a < 3; a++)
        for (int64_t i = 0; i < MOST_M * OUT_ROW; i++)
            right = right && fabs((double)(is[a][i] - wanted[a][i])) <=
                                 1e-6 * (fabs((double)wanted[a][i]) + .1);
    CU_ASSERT(right);
}

static void check_all(void (*run)(const scs_gemm_panel *p))
{
    static const int32_t rows[] = {1, 2, 3, 6, 7, 8, 9, 14, 32, MOST_M},
                         depths[] = {0, 1, 32, MOST_K};
    problem p;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t k = 0; k < sizeof depths / sizeof *depths; k++)
            for (int way = 0; way < 6; way++) {
                open_problem(&p, rows[i], depths[k], way % 2, (start)(way / 2));
                run(&p.product);
                check_problem(&p);
            }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_update(run, rows[i]);
}

static void test_of_processor(void)
{
    check_all(scs_gemm_panel_run);
}

static void test_plain(void)
{
    check_all(multiply_plain);
}

#if SCS_HAS_CLONES
/* The same bits with registers of 32 and 64 bytes. */
static void test_v3(void)
{
    problem p, q;

    if (!__builtin_cpu_supports("x86-64-v3"))
        return;
    check_all(multiply_v3);
    open_problem(&p, MOST_M, MOST_K, false, ADD);
    open_problem(&q, MOST_M, MOST_K, false, ADD);
    multiply_v3(&p.product);
    scs_gemm_panel_run(&q.product);
    CU_ASSERT_EQUAL(memcmp(p.out, q.out, sizeof p.out), 0);
}
#endif

/* A row's bits do not depend on how many rows there are, which is how work is divided. */
static void test_rows_alone(void)
{
    problem all, one;

    open_problem(&all, MOST_M, MOST_K, false, BASE);
    scs_gemm_panel_run(&all.product);
    for (int64_t i = 0; i < MOST_M; i++) {
        open_problem(&one, MOST_M, MOST_K, false, BASE);
        one.product.m = 1;
        one.product.a += i * one.product.a_row;
        one.product.base += i;
        one.product.out += i * OUT_ROW;
        scs_gemm_panel_run(&one.product);
        CU_ASSERT_EQUAL(
            memcmp(one.out + i * OUT_ROW, all.out + i * OUT_ROW, SCS_PANEL * sizeof *one.out), 0);
    }
}

enum { MOST_COLS = 70, MOST_ROWS = 70, DEEP = 2 * SCS_GEMM_DEPTH + 3 };

/* out [m, n_col] = or += a [m, n_k] b, by turns of rows of b, as a caller puts it together. */
static void multiply_whole(const scs_real *a, int32_t m, const scs_gemm_factor *b, bool add,
                           scs_real *out)
{
    scs_real copy[SCS_GEMM_DEPTH * SCS_PANEL];

    for (int32_t panel = 0; panel < scs_gemm_panel_count(b->n_col); panel++)
        for (int32_t first = 0; first < b->n_k; first += SCS_GEMM_DEPTH) {
            int32_t left = b->n_k - first;
            scs_gemm_panel p = {.m = m,
                                .n_k = left < SCS_GEMM_DEPTH ? left : SCS_GEMM_DEPTH,
                                .a = a + first,
                                .a_row = b->n_k,
                                .a_step = 1,
                                .add = add || first > 0,
                                .out = out + panel * SCS_PANEL,
                                .out_row = b->n_col};

            p.b = scs_gemm_panel_lay(b, panel, first, copy, &p.b_row);
            scs_gemm_panel_run_narrow(&p, b->n_col - panel * SCS_PANEL);
        }
}

static void check_whole(int32_t n_k, int32_t n_col, bool transposed, bool add)
{
    static scs_real a[MOST_ROWS * DEEP], at[DEEP * MOST_COLS], out[MOST_ROWS * MOST_COLS + 1];
    scs_gemm_factor b = {n_k, n_col, at, transposed ? 1 : n_col, transposed ? n_k : 1};
    int64_t n = (int64_t)MOST_ROWS * n_col;
    bool right = true;

    draw(a, MOST_ROWS * DEEP, 5);
    draw(at, DEEP * MOST_COLS, 6);
    for (int64_t i = 0; i <= n; i++)
        out[i] = 1;
    multiply_whole(a, MOST_ROWS, &b, add, out);
    for (int64_t i = 0; i < MOST_ROWS; i++)
        for (int64_t j = 0; j < n_col; j++) {
            double sum = add;

            for (int64_t k = 0; k < n_k; k++)
                sum += (double)a[i * n_k + k] * (double)at[k * b.row + j * b.col];
            right = right && fabs((double)out[i * n_col + j] - sum) < 2e-5;
        }
    CU_ASSERT(right);
    CU_ASSERT_EQUAL(out[n], 1);
}

/* Factors as they lie and transposed, columns that fill panels and such that do not. */
static void test_factors(void)
{
    static const int32_t depths[] = {1, SCS_GEMM_DEPTH, DEEP}, cols[] = {1, 31, 32, 64, MOST_COLS};

    for (size_t k = 0; k < sizeof depths / sizeof *depths; k++)
        for (size_t c = 0; c < sizeof cols / sizeof *cols; c++)
            for (int way = 0; way < 4; way++)
                check_whole(depths[k], cols[c], way & 1, way & 2);
}

static void test_nan(void)
{
    problem p;

    open_problem(&p, 9, 32, false, ZERO);
    p.a[3 * 32 + 5] = (scs_real)NAN;
    scs_gemm_panel_run(&p.product);
    for (int64_t i = 0; i < 9; i++)
        for (int64_t j = 0; j < SCS_PANEL; j++)
            CU_ASSERT_EQUAL(isnan(p.out[i * OUT_ROW + j]) != 0, i == 3);
}

int main(void)
{
    static const scs_test tests[] = {
        {"this processor's loops", test_of_processor},
        {"the loops for any processor", test_plain},
#if SCS_HAS_CLONES
        {"the loops for AVX2, and the same bits", test_v3},
#endif
        {"a row's bits do not depend on its neighbours", test_rows_alone},
        {"right factors of any width and order", test_factors},
        {"a NaN stays in its row", test_nan},
    };

    return run_suite("gemm_panel", tests, sizeof tests / sizeof *tests);
}
