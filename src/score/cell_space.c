/* Squares of the covariance are products by BLAS of one shape, whoever makes them. Centring comes
 * afterwards: (X'X - n m m') / (n - 1), in double, which logarithms of counts leave room for.
 *
 * Cost, with G <= 2,000 genes, F <= 5,000 cells that are fitted, n cells and k components: G^2 F
 * flops for the products and G^3 for the eigenvectors, once; 2 n G k for coordinates. Memory: the
 * products, 8 G^2 bytes (31 MiB) on every rank; LAPACK's workspace on rank 0 only.
 *
 * The bits: a square is summed over blocks in the order of cells, by one thread of one rank, in a
 * product whose shape does not depend on how many there are; BLAS itself runs on one thread here.
 * The eigenvectors are made once, on rank 0, and oriented (scs_pca_orient), as their signs are the
 * library's choice. */
#include "src/score/cell_space.h"

#include "src/base/parallel.h"
#include "src/kernels/blas.h"
#include "src/kernels/lapack.h"

#include <stdlib.h>
#include <string.h>

enum { SQUARE = 128, ROWS = 64 }; /* genes of a square, cells that are placed together */

void scs_cell_space_clear(scs_cell_space *space)
{
    free(space->gene);
    scs_pca_destroy(&space->pca);
    *space = (scs_cell_space){0};
}

/* ---- genes ---- */

typedef struct varying {
    double variance;
    int32_t gene;
} varying;

/* Falling; of equal ones the first, so that the choice does not depend on qsort. */
static int by_variance(const void *a, const void *b)
{
    const varying *x = a, *y = b;

    if (x->variance != y->variance)
        return x->variance > y->variance ? -1 : 1;
    return x->gene < y->gene ? -1 : x->gene > y->gene;
}

/* Back into the order of the file, in which rows of a block are laid out over ranks. */
static int by_gene(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* O(genes log genes). A gene that no cell varies in has no place in any component. */
scs_status scs_cell_space_choose(const double *variance, int32_t n_gene, scs_cell_space *space)
{
    varying *all;

    SCS_TRY(SCS_ALLOC(all, n_gene));
    space->n_gene = 0;
    for (int32_t g = 0; g < n_gene; g++)
        if (variance[g] > 0)
            all[space->n_gene++] = (varying){variance[g], g};
    qsort(all, (size_t)space->n_gene, sizeof *all, by_variance);
    if (space->n_gene > SCS_CELL_SPACE_GENES)
        space->n_gene = SCS_CELL_SPACE_GENES;
    space->gene = malloc((size_t)(space->n_gene + 1) * sizeof *space->gene);
    for (int32_t i = 0; space->gene && i < space->n_gene; i++)
        space->gene[i] = all[i].gene;
    free(all);
    SCS_REQUIRE(space->gene, SCS_ENOMEM, "out of memory: %d genes that vary", space->n_gene);
    qsort(space->gene, (size_t)space->n_gene, sizeof *space->gene, by_gene);
    return SCS_OK;
}

/* ---- covariance ---- */

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* Squares are numbered row after row of the lower triangle. */
static void find_square(int32_t square, int32_t *row, int32_t *column)
{
    *row = 0;
    while (square > *row)
        square -= ++*row;
    *column = square;
}

/* product[row.., column..] += block[row..] block[column..]'. The squares on the diagonal are made
 * whole: half of it is not read, and BLAS has no product of one shape for a triangle. */
static void add_square(const double *block, int32_t n_gene, int32_t n_cell, int32_t square,
                       double *product)
{
    int32_t row, column;

    find_square(square, &row, &column);
    row *= SQUARE;
    column *= SQUARE;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, least(SQUARE, n_gene - row),
                least(SQUARE, n_gene - column), n_cell, 1, block + (int64_t)row * n_cell, n_cell,
                block + (int64_t)column * n_cell, n_cell, 1,
                product + (int64_t)row * n_gene + column, n_gene);
}

/* Squares are dealt out one by one; which rank has which is of no matter for the bits, as each is a
 * sum of its own. Sums of genes cost nothing beside them, and rank 0 alone makes them. */
void scs_cell_space_add(const double *block, int32_t n_gene, int32_t n_cell, int32_t rank,
                        int32_t n_rank, double *product, double *sum)
{
    int32_t side = (n_gene + SQUARE - 1) / SQUARE, n = side * (side + 1) / 2;

#pragma omp parallel for schedule(dynamic)
    for (int32_t s = rank; s < n; s += n_rank)
        add_square(block, n_gene, n_cell, s, product);
    for (int32_t g = 0; rank == 0 && g < n_gene; g++)
        for (int32_t i = 0; i < n_cell; i++)
            sum[g] += block[(int64_t)g * n_cell + i];
}

/* ---- components ---- */

/* The k largest eigenvalues, falling, and their vectors as columns of the loading.
 * @param covariance [n, n] lower triangle by rows, which is LAPACK's upper one; destroyed */
static scs_status find_components(double *covariance, scs_pca *pca)
{
    int n = pca->n_gene, k = pca->n_component, first = n - k + 1, found = 0, info = 0;
    int n_work = -1, n_integer = -1, integer_size = 0;
    double zero = 0, size = 0, *value = NULL, *vector = NULL, *work = NULL;
    int *support = NULL, *integer = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(value, n));
    SCS_GO(st, SCS_ALLOC(vector, (int64_t)n * k));
    SCS_GO(st, SCS_ALLOC(support, 2 * (int64_t)k));
    dsyevr_("V", "I", "U", &n, covariance, &n, &zero, &zero, &first, &n, &zero, &found, value,
            vector, &n, support, &size, &n_work, &integer_size, &n_integer, &info);
    n_work = (int)size;
    n_integer = integer_size;
    SCS_GO(st, SCS_ALLOC(work, n_work));
    SCS_GO(st, SCS_ALLOC(integer, n_integer));
    dsyevr_("V", "I", "U", &n, covariance, &n, &zero, &zero, &first, &n, &zero, &found, value,
            vector, &n, support, work, &n_work, integer, &n_integer, &info);
    if (info != 0 || found != k)
        SCS_GO(st, SCS_FAIL(SCS_ENUMERIC, "%d of %d principal components of the real cells found",
                            info == 0 ? found : 0, k));
    for (int c = 0; c < k; c++) {
        pca->variance[c] = value[k - 1 - c];
        for (int g = 0; g < n; g++)
            pca->loading[(int64_t)g * k + c] = vector[(int64_t)(k - 1 - c) * n + g];
    }
done:
    free(value);
    free(vector);
    free(work);
    free(support);
    free(integer);
    return st;
}

/* At most F - 1 directions have a variance: the mean has taken one. total_variance is the trace, of
 * all directions, so that shares of variance are of the whole. */
scs_status scs_cell_space_solve(double *product, const double *sum, int32_t wanted,
                                scs_cell_space *space)
{
    int32_t n = space->n_gene, k = least(wanted, n);
    double cells = (double)space->n_fitted;
    scs_status st;

    if (k > space->n_fitted - 1)
        k = (int32_t)space->n_fitted - 1;
    SCS_TRY(scs_pca_create(n, k, &space->pca));
    space->pca->n_cell = space->n_fitted;
    for (int32_t g = 0; g < n; g++)
        space->pca->center[g] = sum[g] / cells;
    for (int64_t g = 0; g < n; g++)
        for (int64_t h = 0; h <= g; h++)
            product[g * n + h] =
                (product[g * n + h] - sum[g] * space->pca->center[h]) / (cells - 1);
    for (int64_t g = 0; g < n; g++)
        space->pca->total_variance += product[g * n + g];
    st = find_components(product, space->pca);
    if (st != SCS_OK) {
        scs_pca_destroy(&space->pca);
        return st;
    }
    scs_pca_orient(space->pca);
    return SCS_OK;
}

/* ---- coordinates ---- */

/* z = X'L - m'L: the mean is subtracted in k dimensions rather than in G, where a block is mostly
 * zeros.  @param origin [k] coordinates of zero, m'L  @param z [n, k] scratch */
static void place(const scs_pca *pca, const double *block, int32_t n_cell, int32_t first, int32_t n,
                  const double *origin, double *z, double *at)
{
    int32_t k = pca->n_component;

    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, k, pca->n_gene, 1, block + first,
                n_cell, pca->loading, k, 0, z, k);
    for (int32_t i = 0; i < n; i++)
        for (int32_t c = 0; c < k; c++)
            at[(int64_t)(first + i) * k + c] = z[(int64_t)i * k + c] - origin[c];
}

/* In parts of ROWS cells, whichever rank and thread makes one: BLAS may sum in another order where
 * a product has another shape. */
scs_status scs_cell_space_place(const scs_cell_space *space, const double *block, int32_t n_cell,
                                int32_t rank, int32_t n_rank, double *at)
{
    const scs_pca *pca = space->pca;
    int32_t k = pca->n_component, n_part = (n_cell + ROWS - 1) / ROWS;
    scs_parallel_error error = {0};
    double *origin;

    SCS_TRY(SCS_ALLOC(origin, k));
    for (int32_t g = 0; g < pca->n_gene; g++)
        for (int32_t c = 0; c < k; c++)
            origin[c] += pca->center[g] * pca->loading[(int64_t)g * k + c];
#pragma omp parallel for schedule(dynamic)
    for (int32_t p = rank; p < n_part; p += n_rank) {
        int32_t n = least(ROWS, n_cell - p * ROWS);
        double *z;
        scs_status st = SCS_ALLOC(z, (int64_t)n * k);

        if (st == SCS_OK)
            place(pca, block, n_cell, p * ROWS, n, origin, z, at);
        scs_parallel_error_note(&error, p, st);
        free(z);
    }
    free(origin);
    return scs_parallel_error_raise(&error);
}
