/* The genes' covariance and its eigenvectors on every process grid, against a dense computation and
 * LAPACK. */
#include "mpi/pca/cell_product.h"
#include "mpi/pca/pca_fit.h"
#include "src/kernels/lapack.h"
#include "tests/mpi/mpi_suite.h"
#include "tests/mpi/fixture_formula.h"

#include <math.h>
#include <string.h>

typedef struct size {
    int64_t n_cell;
    int32_t n_gene;
    int block;
    int32_t n_top;
} size;

/* More and fewer blocks than processes; blocks that do not divide; all eigenvectors and one; few of
 * many, in blocks as the program chooses them. */
static const size sizes[] = {
    {500, 61, 8, 10}, {300, 23, 8, 23}, {200, 23, 64, 5}, {5000, 40, 3, 1}, {400, 300, 0, 12}};
enum { N_SIZE = sizeof sizes / sizeof *sizes };

static void add_cells(scs_gram *gram, int64_t n_cell)
{
    int64_t rank = scs_comm_rank(gram->mesh.comm), n_rank = scs_comm_size(gram->mesh.comm);
    int64_t first = n_cell * rank / n_rank, last = n_cell * (rank + 1) / n_rank;
    scs_packed x = formula_cells(first, last, gram->n);
    int64_t half = (last - first) / 2;
    scs_cells part[] = {{&x, 0, half}, {&x, half, 0}, {&x, half, last - first - half}};

    CHECK_OK(scs_pca_fit_add(gram, part, 3));
    CU_ASSERT_EQUAL(gram->n_cell, n_cell);
    scs_packed_clear(&x);
}

/* [n, n] in two passes; values below 0 are not stored, and 0. */
static double *dense_covariance(formula_fn value, int64_t n_cell, int32_t n)
{
    double *x, *mean, *c;

    CHECK_OK(SCS_ALLOC(x, n_cell * n));
    CHECK_OK(SCS_ALLOC(mean, n));
    CHECK_OK(SCS_ALLOC(c, (int64_t)n * n));
    for (int64_t i = 0; i < n_cell; i++)
        for (int32_t g = 0; g < n; g++) {
            x[i * n + g] = fmax((double)value(i, g), 0);
            mean[g] += x[i * n + g] / (double)n_cell;
        }
    for (int64_t i = 0; i < n_cell; i++)
        for (int32_t g = 0; g < n; g++)
            for (int32_t h = 0; h < n; h++)
                c[g * n + h] +=
                    (x[i * n + g] - mean[g]) * (x[i * n + h] - mean[h]) / (double)(n_cell - 1);
    free(x);
    free(mean);
    return c;
}

static void check_elements(const scs_gram *gram, const double *expected)
{
    const scs_mesh *m = &gram->mesh;

    for (int64_t j = 0; j < gram->n_col; j++)
        for (int64_t i = 0; i < gram->n_row; i++) {
            int64_t row = scs_pca_fit_mesh_global(i, m->block, m->row, m->n_row);
            int64_t col = scs_pca_fit_mesh_global(j, m->block, m->col, m->n_col);

            if (row >= col)
                CU_ASSERT_DOUBLE_EQUAL(gram->a[j * gram->n_row + i], expected[row * gram->n + col],
                                       1e-10);
        }
}

/* LAPACK's, largest last. @param c destroyed: becomes the eigenvectors, one a row */
static void reference(double *c, int n, double *value)
{
    int lwork = 64 * n + 64, info;
    double *work;

    CHECK_OK(SCS_ALLOC(work, lwork));
    dsyev_("V", "L", &n, c, &n, value, work, &lwork, &info);
    CU_ASSERT_EQUAL_FATAL(info, 0);
    free(work);
}

/* Against LAPACK's, to 1e-6. @param vector [n, n_top] */
static void check_vectors(const double *value, const double *vector, int32_t n, int32_t n_top,
                          const double *c, const double *expected)
{
    for (int32_t k = 0; k < n_top; k++) {
        double dot = 0, off = 0;

        CU_ASSERT_DOUBLE_EQUAL(value[k], expected[n - 1 - k], fmax(1e-9, 1e-13 * expected[n - 1]));
        for (int32_t g = 0; g < n; g++)
            dot += vector[g * n_top + k] * c[(n - 1 - k) * n + g];
        for (int32_t g = 0; g < n; g++) /* up to sign */
            off =
                fmax(off, fabs(vector[g * n_top + k] - copysign(1, dot) * c[(n - 1 - k) * n + g]));
        CU_ASSERT_DOUBLE_EQUAL(off, 0, 1e-6);
    }
}

static void check_eigen(scs_gram *gram, int32_t n_top, const double *c, const double *expected)
{
    int32_t n = gram->n;
    double *value, *vector, trace, all = 0;

    CHECK_OK(SCS_ALLOC(value, n_top));
    CHECK_OK(SCS_ALLOC(vector, (int64_t)n * n_top));
    CHECK_OK(scs_pca_fit_trace(gram, &trace));
    CHECK_OK(scs_pca_fit_eigen(gram, n_top, value, vector));
    for (int32_t k = 0; k < n; k++)
        all += expected[k];
    CU_ASSERT_DOUBLE_EQUAL(trace, all, 1e-9);
    check_vectors(value, vector, n, n_top, c, expected);
    free(value);
    free(vector);
}

static void as_lapack_on_any_grid(void)
{
    for (int i = 0; i < N_SIZE; i++) {
        scs_comm *comm = open_world();
        double *c = dense_covariance(formula_value, sizes[i].n_cell, sizes[i].n_gene), *value;
        int block = sizes[i].block;
        scs_gram gram;

        if (!block)
            block = scs_pca_fit_block(sizes[i].n_gene, sizes[i].n_top, scs_comm_size(comm));
        CHECK_OK(SCS_ALLOC(value, sizes[i].n_gene));
        CHECK_OK(scs_pca_fit_open(comm, sizes[i].n_gene, block, &gram));
        add_cells(&gram, sizes[i].n_cell);
        CHECK_OK(scs_pca_fit_center(&gram));
        check_elements(&gram, c);
        reference(c, sizes[i].n_gene, value);
        check_eigen(&gram, sizes[i].n_top, c, value);
        scs_pca_fit_close(&gram);
        free(value);
        free(c);
        scs_comm_destroy(&comm);
    }
}

/* Rank r's share of the cells, in two parts. */
typedef struct share {
    scs_packed x;
    scs_cells part[2];
} share;

static void take_share(share *s, formula_fn value, const scs_comm *comm, int64_t n_cell,
                       int32_t n_gene)
{
    int64_t rank = scs_comm_rank(comm), n_rank = scs_comm_size(comm);
    int64_t first = n_cell * rank / n_rank, n = n_cell * (rank + 1) / n_rank - first;
    scs_csr x = formula_matrix(value, first, first + n, n_gene);

    s->x = packed_away(&x);
    s->part[0] = (scs_cells){&s->x, n / 3, n - n / 3};
    s->part[1] = (scs_cells){&s->x, 0, n / 3};
}

/* One cell has a value that is far from all others: 1e6 is the largest variance, and below it the
 * others' are found as well. The value's square, times its cells, is 2^37. */
static float with_an_outlier(int64_t cell, int32_t gene)
{
    return cell == 3 && gene == 5 ? 2e4F : formula_value(cell, gene);
}

/* Without the covariance: LAPACK's, and to the last bit what one rank finds with all cells. */
static void compare_products(formula_fn formula)
{
    enum { N_CELL = 400, N_GENE = 300, TOP = 12 };
    double *c = dense_covariance(formula, N_CELL, N_GENE), value[N_GENE], all = 0;
    scs_comm *world = open_world(), *alone = NULL, *comm[2];
    scs_pca *pca[2];
    bool found;

    CHECK_OK(scs_comm_create(MPI_COMM_SELF, &alone));
    comm[0] = world;
    comm[1] = alone;
    for (int i = 0; i < 2; i++) {
        share s;

        take_share(&s, formula, comm[i], N_CELL, N_GENE);
        CHECK_OK(scs_pca_create(N_GENE, TOP, &pca[i]));
        CHECK_OK(scs_cell_product_components(comm[i], s.part, 2, N_CELL, 4, pca[i], &found));
        CU_ASSERT_FALSE(found);
        CHECK_OK(scs_cell_product_components(comm[i], s.part, 2, N_CELL, 500, pca[i], &found));
        CU_ASSERT_TRUE(found);
        scs_packed_clear(&s.x);
    }
    CU_ASSERT_EQUAL(memcmp(pca[0]->loading, pca[1]->loading, N_GENE * TOP * sizeof(double)), 0);
    CU_ASSERT_EQUAL(memcmp(pca[0]->variance, pca[1]->variance, TOP * sizeof(double)), 0);
    CU_ASSERT_EQUAL(memcmp(pca[0]->center, pca[1]->center, N_GENE * sizeof(double)), 0);
    CU_ASSERT_EQUAL(pca[0]->total_variance, pca[1]->total_variance);
    CU_ASSERT_EQUAL(pca[0]->n_cell, N_CELL);
    reference(c, N_GENE, value);
    for (int k = 0; k < N_GENE; k++)
        all += value[k];
    CU_ASSERT_DOUBLE_EQUAL(pca[0]->total_variance, all, fmax(1e-9, 1e-13 * all));
    check_vectors(pca[0]->variance, pca[0]->loading, N_GENE, TOP, c, value);
    scs_pca_destroy(&pca[0]);
    scs_pca_destroy(&pca[1]);
    scs_comm_destroy(&alone);
    scs_comm_destroy(&world);
    free(c);
}

static void products_give_the_same_bits_as_one_rank(void)
{
    compare_products(formula_value);
}

static void products_of_cells_with_an_outlier(void)
{
    compare_products(with_an_outlier);
}

/* Every index belongs to one process, and comes back from its local number. */
static void indices_are_dealt_once(void)
{
    for (int64_t n = 0; n < 70; n += 23)
        for (int p = 1; p < 5; p++) {
            int64_t all = 0;

            for (int at = 0; at < p; at++) {
                int64_t mine = scs_pca_fit_mesh_count(n, 8, at, p);

                all += mine;
                for (int64_t i = 0; i < mine; i++) {
                    int64_t g = scs_pca_fit_mesh_global(i, 8, at, p);

                    CU_ASSERT(g >= 0 && g < n);
                    CU_ASSERT_EQUAL(scs_pca_fit_mesh_local(g, 8, at, p), i);
                    CU_ASSERT(p == 1 || scs_pca_fit_mesh_local(g, 8, (at + 1) % p, p) == -1);
                }
            }
            CU_ASSERT_EQUAL(all, n);
        }
}

/* Blocks that would make ScaLAPACK give wrong eigenvectors are refused. */
static void blocks_must_fit(void)
{
    double value[12], vector[12 * 300];
    scs_comm *comm = open_world();
    scs_gram gram;

    if (scs_comm_size(comm) == 1) {
        CU_ASSERT(scs_pca_fit_block(300, 12, 1) < 64);
        CHECK_OK(scs_pca_fit_open(comm, 300, 64, &gram));
        add_cells(&gram, 20);
        CHECK_FAILS(scs_pca_fit_eigen(&gram, 12, value, vector), SCS_EINTERNAL, "too large");
        scs_pca_fit_close(&gram);
    }
    scs_comm_destroy(&comm);
}

/* ScaLAPACK 2.2.1's own answers (pdsyevr, block 64, the top 50), and where its integers wrap: from
 * 46,269 genes on one rank it answers 4,958,977. */
static void more_genes_than_it_can_index_need_ranks(void)
{
    scs_comm *comm = open_world();
    scs_gram gram;

    CU_ASSERT_EQUAL(scs_pca_fit_workspace(1000, 1), 1145068);
    CU_ASSERT_EQUAL(scs_pca_fit_workspace(1001, 2), 1147214);
    CU_ASSERT_EQUAL(scs_pca_fit_workspace(1001, 4), 326214);
    CU_ASSERT_EQUAL(scs_pca_fit_workspace(46268, 1), 2147436752);
    CU_ASSERT(scs_pca_fit_workspace(46269, 2) > INT32_MAX);
    CU_ASSERT_EQUAL(scs_pca_fit_workspace(90000, 4), 2031750068);
    CU_ASSERT(scs_pca_fit_workspace(92532, 4) <= INT32_MAX);
    CU_ASSERT(scs_pca_fit_workspace(92533, 4) > INT32_MAX);
    if (scs_comm_size(comm) <= 3) {
        CHECK_FAILS(scs_pca_fit_open(comm, 46269, 64, &gram), SCS_EARG, "use more ranks (4 take");
        CU_ASSERT_PTR_NULL(gram.a);
        scs_pca_fit_close(&gram);
    }
    scs_comm_destroy(&comm);
}

static void one_cell_is_too_few(void)
{
    scs_comm *comm = open_world();
    scs_gram gram;

    CHECK_OK(scs_pca_fit_open(comm, 5, 8, &gram));
    add_cells(&gram, 1);
    CHECK_FAILS(scs_pca_fit_center(&gram), SCS_EDATA, "two cells");
    scs_pca_fit_close(&gram);
    scs_comm_destroy(&comm);
}

static float without_spread(int64_t cell, int32_t gene)
{
    (void)cell;
    return 0.1F * (float)(gene % 7);
}

static float of_two_kinds(int64_t cell, int32_t gene)
{
    return cell % 2 ? 0.1F * (float)(gene % 7) : 0.3F * (float)(gene % 5);
}

static scs_status fit(scs_comm *comm, formula_fn value, int32_t n_gene, int32_t n_top,
                      scs_pca **pca)
{
    share s;
    scs_status st;

    take_share(&s, value, comm, 131, n_gene);
    st = scs_pca_fit(comm, s.part, 2, n_gene, n_top, pca);
    scs_packed_clear(&s.x);
    return st;
}

/* Whether the covariance is made or applied: rounding is not taken for variance. */
static void cells_that_are_alike_have_no_components(void)
{
    static const int32_t n_gene[] = {20, 1100};
    scs_comm *comm = open_world();

    for (int i = 0; i < 2; i++) {
        scs_pca *pca;

        CU_ASSERT_EQUAL(scs_pca_fit_is_direct(n_gene[i], 20), i == 0);
        CHECK_FAILS(fit(comm, without_spread, n_gene[i], 20, &pca), SCS_EDATA,
                    "131 cells are alike");
        CU_ASSERT_PTR_NULL(pca);
        CHECK_OK(fit(comm, of_two_kinds, n_gene[i], 20, &pca));
        CU_ASSERT_DOUBLE_EQUAL(pca->variance[0] / pca->total_variance, 1, 1e-12);
        for (int c = 1; c < 20; c++)
            CU_ASSERT(pca->variance[c] >= 0 && pca->variance[c] < 1e-12 * pca->variance[0]);
        scs_pca_destroy(&pca);
    }
    scs_comm_destroy(&comm);
}

static const scs_test tests[] = {
    {"indices are dealt once", indices_are_dealt_once},
    {"LAPACK's components to 1e-6 on any process grid", as_lapack_on_any_grid},
    {"products give the same bits as one rank", products_give_the_same_bits_as_one_rank},
    {"products of cells with an outlier", products_of_cells_with_an_outlier},
    {"blocks must fit", blocks_must_fit},
    {"more genes than it can index", more_genes_than_it_can_index_need_ranks},
    {"one cell is too few", one_cell_is_too_few},
    {"cells that are alike have no components", cells_that_are_alike_have_no_components},
};

int main(int argc, char **argv)
{
    return run_mpi_suite("gram", tests, sizeof tests / sizeof *tests, &argc, &argv);
}
