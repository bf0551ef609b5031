/* Sparse products against plain loops: each kind of processor's kernel, blocks and panels with
 * ragged ends. */
#include "src/kernels/sparse.c"

#include "src/base/random.h"
#include "tests/unit/packing.h"

#include <math.h>

typedef struct sizes {
    int32_t n_cell, n_gene, n_col;
    double density;
} sizes;

static const sizes cases[] = {{1, 1, 1, 1},          {3, 128, 16, .3},     {65, 129, 17, .2},
                              {130, 300, 50, 0},     {64, 200, 160, 1},    {513, 257, 161, .1},
                              {2100, 400, 100, .02}, {70, 1100, 800, .08}, {3, 66000, 5, .01}};

typedef struct problem {
    sizes size;
    scs_csr csr;
    scs_packed cells;
    scs_nonzeros x;
    scs_real *dense, *base, *base_scale, *out;
} problem;

static double draw(uint64_t k)
{
    scs_stream stream = {5, SCS_RANDOM_SIMULATE, 1, k};

    float u;

    scs_random_uniform(&stream, 1, &u);
    return u;
}

static scs_real *draw_reals(int64_t n, uint64_t first)
{
    scs_real *x = NULL;

    CHECK_OK(SCS_ALLOC(x, n));
    for (int64_t i = 0; i < n; i++)
        x[i] = (scs_real)(draw(first + (uint64_t)i) - .5);
    return x;
}

static void draw_cells(problem *p)
{
    int64_t n = 0;

    CHECK_OK(scs_csr_alloc(p->size.n_cell, p->size.n_gene, (int64_t)p->size.n_cell * p->size.n_gene,
                           &p->csr));
    for (int64_t i = 0; i < p->size.n_cell; i++) {
        for (int32_t g = 0; g < p->size.n_gene; g++)
            if (draw((uint64_t)(i * p->size.n_gene + g)) < p->size.density) {
                p->csr.indices[n] = g;
                p->csr.values[n] = (float)(1 + draw((uint64_t)n));
                n++;
            }
        p->csr.indptr[i + 1] = n;
    }
}

/* @param by_gene X' A, else X W */
static scs_product make(const problem *p, bool by_gene)
{
    return (scs_product){.x = by_gene ? &p->x.by_gene : &p->x.by_cell,
                         .dense = p->dense,
                         .base = p->base,
                         .base_scale = p->base_scale,
                         .out = p->out,
                         .n_col = p->size.n_col};
}

static void create(sizes size, problem *p)
{
    int32_t most = size.n_cell > size.n_gene ? size.n_cell : size.n_gene;

    *p = (problem){.size = size};
    draw_cells(p);
    p->cells = packed(&p->csr);
    CHECK_OK(scs_nonzeros_reserve(&p->x, &p->cells, NULL, 0, size.n_cell, true));
    scs_nonzeros_fill(&p->x, &p->cells, NULL, 0, true);
    p->dense = draw_reals((int64_t)most * size.n_col, 1u << 30);
    p->base = draw_reals(size.n_col, 1u << 29);
    p->base_scale = draw_reals(most, 1u << 28);
    p->out = draw_reals((int64_t)most * size.n_col, 0);
}

static void destroy(problem *p)
{
    scs_nonzeros_clear(&p->x);
    scs_csr_clear(&p->csr);
    scs_packed_clear(&p->cells);
    free(p->dense);
    free(p->base);
    free(p->base_scale);
    free(p->out);
}

/* expected = base_scale base + x dense, and what its terms' sizes add up to */
static void multiply_plainly(const problem *p, const scs_product *product, bool by_gene,
                             double *expected, double *size)
{
    int64_t n_col = product->n_col;

    for (int64_t i = 0; i < product->x->n_out; i++)
        for (int64_t c = 0; c < n_col; c++) {
            double scale = product->base_scale ? product->base_scale[i] : 1;

            expected[i * n_col + c] = product->base ? scale * product->base[c] : 0;
            size[i * n_col + c] = fabs(expected[i * n_col + c]);
        }
    for (int64_t i = 0; i < p->csr.n_row; i++)
        for (int64_t k = p->csr.indptr[i]; k < p->csr.indptr[i + 1]; k++) {
            int64_t gene = p->csr.indices[k], to = by_gene ? gene : i, from = by_gene ? i : gene;

            for (int64_t c = 0; c < n_col; c++) {
                double term = (double)p->csr.values[k] * product->dense[from * n_col + c];

                expected[to * n_col + c] += term;
                size[to * n_col + c] += fabs(term);
            }
        }
}

static void run_all(const scs_product *product, kind here)
{
    int n = scs_sparse_product_tasks(product->x->n_out, product->n_col) *
            4; /* for the shortest vectors */

    memset(product->out, 0x7f, (size_t)product->x->n_out * product->n_col * sizeof *product->out);
    for (int task = n - 1; task >= 0; task--)
        run_task(product, task, here);
}

static void check_product(const problem *p, bool by_gene, bool with_base, kind here)
{
    scs_product product = make(p, by_gene);
    int64_t n = (int64_t)product.x->n_out * product.n_col, wrong = 0;
    double *expected = NULL, *size = NULL;

    if (!with_base)
        product.base = product.base_scale = NULL;
    CHECK_OK(SCS_ALLOC(expected, n));
    CHECK_OK(SCS_ALLOC(size, n));
    multiply_plainly(p, &product, by_gene, expected, size);
    run_all(&product, here);
    for (int64_t i = 0; i < n; i++)
        wrong += !(fabs(product.out[i] - expected[i]) <= 1e-6 * size[i]);
    CU_ASSERT_EQUAL(wrong, 0);
    free(size);
    free(expected);
}

/* Weights that the product updates, beside those that its stored result does. Compilers may fuse
 * multiplications and additions differently in the two loops: a few last bits of what is added. */
static void check_update(const problem *p, kind here)
{
    scs_product product = make(p, true);
    int64_t n = (int64_t)product.x->n_out * product.n_col, wrong = 0;
    scs_adam_rule rule = {1e-6, 0.9, 0.999, 0.01};
    scs_adam adam = scs_adam_at(&rule, 1e-2, 3);
    scs_real *array[6];
    scs_adam_state wanted;

    for (int a = 0; a < 6; a++)
        array[a] = draw_reals(n, (1u << 26) + (uint64_t)(a % 3) * (1u << 24));
    for (int64_t i = 0; i < n; i++)
        array[2][i] = array[5][i] = (scs_real)fabs((double)array[2][i]);
    wanted = (scs_adam_state){array[0], array[1], array[2]};
    product.base = product.base_scale = NULL;
    run_all(&product, here);
    scs_adam_update(&adam, n, &wanted, product.out);
    product.adam = &adam;
    product.state = (scs_adam_state){array[3], array[4], array[5]};
    for (int task = 4 * scs_sparse_product_tasks(product.x->n_out, product.n_col) - 1; task >= 0;
         task--)
        run_task(&product, task, here);
    for (int a = 0; a < 3; a++)
        for (int64_t i = 0; i < n; i++)
            wrong += !(fabs((double)(array[a][i] - array[a + 3][i])) <=
                       1e-6 * (fabs((double)array[a][i]) + fabs((double)product.out[i]) + .1));
    CU_ASSERT_EQUAL(wrong, 0);
    for (int a = 0; a < 6; a++)
        free(array[a]);
}

static void check_kind(kind here)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        problem p;

        create(cases[i], &p);
        for (int which = 0; which < 4; which++)
            check_product(&p, which & 1, which & 2, here);
        check_update(&p, here);
        destroy(&p);
    }
}

static void test_here(void)
{
    check_kind(find_kind());
}

static void test_plain(void)
{
    check_kind(kind_plain);
}

#if SCS_HAS_CLONES
static void test_v3(void)
{
    if (__builtin_cpu_supports("x86-64-v3"))
        check_kind(kind_v3);
    else
        printf("(not run: this processor is no x86-64-v3) ");
}
#endif

/* A row's bits do not depend on which rows and tasks stand beside it. */
static void test_bits(void)
{
    problem p, row;
    scs_product whole, one;

    create((sizes){600, 300, 100, .1}, &p);
    whole = make(&p, false);
    run_all(&whole, find_kind());
    create((sizes){1, 300, 100, 0}, &row);
    for (int32_t i = 0; i < 600; i += 37) {
        CHECK_OK(scs_nonzeros_reserve(&row.x, &p.cells, NULL, i, 1, true));
        scs_nonzeros_fill(&row.x, &p.cells, NULL, i, true);
        one = make(&row, false);
        one.dense = p.dense;
        one.base = p.base;
        one.base_scale = p.base_scale + i;
        run_all(&one, find_kind());
        CU_ASSERT_EQUAL(memcmp(one.out, whole.out + (int64_t)i * 100, 100 * sizeof *one.out), 0);
    }
    destroy(&row);
    destroy(&p);
}

int main(void)
{
    static const scs_test tests[] = {
        {"this processor's kernel against plain loops", test_here},
        {"the kernel for any processor", test_plain},
#if SCS_HAS_CLONES
        {"the kernel for AVX2", test_v3},
#endif
        {"a row's bits do not depend on its neighbours", test_bits},
    };

    return run_suite("sparse", tests, sizeof tests / sizeof *tests);
}
