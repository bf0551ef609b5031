/* Principal components by the eigenvectors of the genes' covariance. What follows is about the
 * covariance that is made; where it is not, see mpi/pca/cell_product.c.
 *
 *    C = (X'X - n m m') / (n - 1),   m = X'1 / n
 *
 *  X'X is a sum over cells of outer products of sparse rows, O(sum of nnz^2) in all, divided over
 *  the ranks by element: each rank goes through all cells and adds what falls into its part of C.
 *  So the cells travel (each once, broadcast in chunks of 2,048 rows) and C does not, whose n^2
 *  doubles are the larger of the two. Sums of products are in double, where centring afterwards
 *  loses nothing that matters for log1p values.
 *
 *  Message sizes: a chunk is 8 bytes a cell and 8 a stored value, broadcast; with r ranks each cell
 *  is sent once and received r - 1 times, whatever the grid. Eigenvectors come together by one sum
 *  of n n_top doubles over ranks.
 *
 *  Memory of a rank: its part of C, of the vectors and of pdsyevr's workspace, about 45 n^2 /
 *  n_rank bytes in all, beside one chunk and [n, n_top] doubles.
 *
 *  pdsyevr: of all drivers of ScaLAPACK the one that makes only the vectors that are wanted. It has
 *  faults that are met here: a workspace that its own query gets wrong for large blocks, so blocks
 *  are chosen small enough (fits); and wrong vectors with info 0, so the result is checked against
 *  the cells (compare_variance): the variance along each component must be its eigenvalue, which
 *  holds for eigenvectors alone. */
#include "mpi/pca/pca_fit.h"

#include "mpi/pca/scalapack.h"
#include "src/data/packed.h"
#include "src/model/pca.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* All ranks as a rectangle: the largest divisor of their number not above its root is the number
 * of rows. A prime number of ranks gives one row. */
static int mesh_rows(int n_rank)
{
    int n_row = 1;

    for (int r = 1; r * r <= n_rank; r++)
        n_row = n_rank % r == 0 ? r : n_row;
    return n_row;
}

/* Grid in row-major order of ranks. Collective. */
static scs_status mesh_open(scs_comm *comm, int block, scs_mesh *mesh)
{
    int n = scs_comm_size(comm), n_row = mesh_rows(n);

    *mesh = (scs_mesh){.comm = comm, .block = block};
    mesh->handle = mesh->context = Csys2blacs_handle(scs_comm_mpi(comm));
    Cblacs_gridinit(&mesh->context, "R", n_row, n / n_row);
    Cblacs_gridinfo(mesh->context, &mesh->n_row, &mesh->n_col, &mesh->row, &mesh->col);
    SCS_REQUIRE(mesh->n_row == n_row && mesh->row >= 0, SCS_EINTERNAL,
                "BLACS made no grid of %d x %d processes", n_row, n / n_row);
    return SCS_OK;
}

/* Also after a failed mesh_open. */
static void mesh_close(scs_mesh *mesh)
{
    if (!mesh->comm)
        return;
    if (mesh->row >= 0)
        Cblacs_gridexit(mesh->context);
    Cfree_blacs_system_handle(mesh->handle);
    *mesh = (scs_mesh){0};
}

/* ---- Block-cyclic indices ---- */

/* Whole rounds of blocks are everyone's; the blocks that are left go to the first processes, and
 * the last one may be short. */
int64_t scs_pca_fit_mesh_count(int64_t n, int block, int at, int n_process)
{
    int64_t blocks = n / block, mine = blocks / n_process * block, rest = blocks % n_process;

    return mine + (at < rest ? block : at == rest ? n % block : 0);
}

/* Round of the block, place in it. */
int64_t scs_pca_fit_mesh_global(int64_t local, int block, int at, int n_process)
{
    return (local / block * n_process + at) * block + local % block;
}

/* The inverse, on the one process that has the block. */
int64_t scs_pca_fit_mesh_local(int64_t global, int block, int at, int n_process)
{
    int64_t of = global / block;

    return of % n_process == at ? of / n_process * block + global % block : -1;
}

/* The analyzer cannot know that ranks which agree on success have no failure among them. */
#pragma GCC diagnostic ignored "-Wanalyzer-null-dereference"

/* ---- Sums of products ---- */

enum { ON_FOUR_RANKS = 92532 }; /* most genes whose workspace 4 ranks can index */

enum { CHUNK = 2048 }; /* cells sent at once: few MB, so that neither memory nor latency matters */

/* Cells of one rank as all ranks get them. */
typedef struct chunk {
    int64_t n_row, nnz;
    int64_t *first; /* [n_row + 1] */
    int32_t *gene;  /* [nnz], ascending within a cell */
    float *value;   /* [nnz] */
} chunk;

/* The genes of one axis that this process has, per non-zero of a chunk: local index, or -1. */
typedef struct axis {
    int32_t *row, *col; /* [nnz] */
} axis;

/* ScaLAPACK indexes with int: a rank's part of the covariance, and the workspace of its solver.
 * SCS_EARG before any work. */
static scs_status check_sizes(const scs_gram *gram, int32_t n_rank)
{
    int64_t size = gram->n_row * gram->n_col, work = scs_pca_fit_workspace(gram->n, n_rank);

    SCS_REQUIRE(size <= INT32_MAX, SCS_EARG,
                "%d genes: one rank's part of their covariance has %lld elements, more than "
                "ScaLAPACK can index; use more ranks",
                gram->n, (long long)size);
    SCS_REQUIRE(work <= INT32_MAX, SCS_EARG,
                "%d genes: the workspace for their eigenvectors has %lld elements on each of %d "
                "ranks, more than ScaLAPACK can index; use more ranks (4 take %d genes)",
                gram->n, (long long)work, n_rank, ON_FOUR_RANKS);
    return SCS_OK;
}

/* Sizes are checked before anything is allocated; all ranks agree, as the largest part decides. */
scs_status scs_pca_fit_open(scs_comm *comm, int32_t n_gene, int block, scs_gram *gram)
{
    const scs_mesh *m = &gram->mesh;
    scs_status st;

    *gram = (scs_gram){.n = n_gene};
    SCS_TRY(scs_comm_agree(comm, mesh_open(comm, block, &gram->mesh)));
    gram->n_row = scs_pca_fit_mesh_count(n_gene, block, m->row, m->n_row);
    gram->n_col = scs_pca_fit_mesh_count(n_gene, block, m->col, m->n_col);
    st = check_sizes(gram, scs_comm_size(comm));
    if (st == SCS_OK)
        st = SCS_ALLOC(gram->a, gram->n_row * gram->n_col);
    if (st == SCS_OK)
        st = SCS_ALLOC(gram->sum, n_gene);
    return scs_comm_agree(comm, st);
}

void scs_pca_fit_close(scs_gram *gram)
{
    free(gram->a);
    free(gram->sum);
    mesh_close(&gram->mesh);
    *gram = (scs_gram){0};
}

/* Rows [at, at + c->n_row) of `from`, unpacked. */
static void take_chunk(const scs_cells *from, int64_t at, chunk *c)
{
    int64_t k = 0;

    for (int64_t i = 0; i < c->n_row; i++) {
        scs_row cell = scs_packed_row(from->x, from->first + at + i);

        for (int64_t j = 0; j < cell.n; j++, k++) {
            c->gene[k] = scs_row_gene(&cell, j);
            c->value[k] = scs_row_value(&cell, j);
        }
        c->first[i + 1] = k;
    }
}

/* On every rank, of the size that the root announced. SCS_ENOMEM. */
static scs_status allocate(chunk *c, axis *a)
{
    SCS_TRY(SCS_ALLOC(c->first, c->n_row + 1));
    SCS_TRY(SCS_ALLOC(c->gene, c->nnz));
    SCS_TRY(SCS_ALLOC(c->value, c->nnz));
    SCS_TRY(SCS_ALLOC(a->row, c->nnz));
    return SCS_ALLOC(a->col, c->nnz);
}

static void clear(chunk *c, axis *a)
{
    free(c->first);
    free(c->gene);
    free(c->value);
    free(a->row);
    free(a->col);
    *c = (chunk){0};
    *a = (axis){0};
}

/* The root's chunk on all ranks: three broadcasts. Counts fit an int, as a chunk has 2,048 rows at
 * most. */
static scs_status share(scs_comm *comm, int32_t root, chunk *c)
{
    MPI_Comm mpi = scs_comm_mpi(comm);

    SCS_MPI(MPI_Bcast(c->first, (int)(c->n_row + 1), MPI_INT64_T, root, mpi));
    SCS_MPI(MPI_Bcast(c->gene, (int)c->nnz, MPI_INT32_T, root, mpi));
    SCS_MPI(MPI_Bcast(c->value, (int)c->nnz, MPI_FLOAT, root, mpi));
    return SCS_OK;
}

/* Local indices of each entry's gene on both axes of the grid. */
static void place(const scs_gram *gram, const chunk *c, axis *a)
{
    const scs_mesh *m = &gram->mesh;

    for (int64_t k = 0; k < c->nnz; k++) {
        a->row[k] = (int32_t)scs_pca_fit_mesh_local(c->gene[k], m->block, m->row, m->n_row);
        a->col[k] = (int32_t)scs_pca_fit_mesh_local(c->gene[k], m->block, m->col, m->n_col);
    }
}

/* Products of one cell's genes: column k with rows from k on, which are the lower triangle as
 * genes ascend. */
static void add_column(scs_gram *gram, const chunk *c, const axis *a, int64_t k, int64_t end)
{
    double *column = gram->a + a->col[k] * gram->n_row, value = c->value[k];

    for (int64_t i = k; i < end; i++)
        if (a->row[i] >= 0)
            column[a->row[i]] += value * c->value[i];
}

/* A thread has every n_thread-th column: one element belongs to one thread, so its sum has one
 * order for any number of threads. */
static void add_products(scs_gram *gram, const chunk *c, const axis *a)
{
#pragma omp parallel
    {
        int n_thread = omp_get_num_threads(), me = omp_get_thread_num();

        for (int64_t i = 0; i < c->n_row; i++)
            for (int64_t k = c->first[i]; k < c->first[i + 1]; k++)
                if (a->col[k] >= 0 && a->col[k] % n_thread == me)
                    add_column(gram, c, a, k, c->first[i + 1]);
    }
    for (int64_t k = 0; k < c->nnz; k++)
        gram->sum[c->gene[k]] += c->value[k];
    gram->n_cell += c->n_row;
}

/* One chunk of the root's cells, on all ranks. The root announces rows and values; no rows: it is
 * done. Collective.
 *  @param from the root's cells, NULL on the other ranks
 *  @param[out] any whether there was something */
static scs_status add_chunk(scs_gram *gram, int32_t root, const scs_cells *from, int64_t at,
                            bool *any)
{
    scs_comm *comm = gram->mesh.comm;
    int64_t size[2] = {0, 0};
    chunk c = {0};
    axis a = {0};
    scs_status st;

    if (from) {
        int64_t left = from->n - at;

        size[0] = left < CHUNK ? left : CHUNK;
        for (int64_t i = 0; i < size[0]; i++)
            size[1] += scs_packed_row(from->x, from->first + at + i).n;
    }
    SCS_MPI(MPI_Bcast(size, 2, MPI_INT64_T, root, scs_comm_mpi(comm)));
    *any = size[0] > 0;
    if (!*any)
        return SCS_OK;
    c.n_row = size[0];
    c.nnz = size[1];
    SCS_GO(st, scs_comm_agree(comm, allocate(&c, &a)));
    if (from)
        take_chunk(from, at, &c);
    SCS_GO(st, share(comm, root, &c));
    place(gram, &c, &a);
    add_products(gram, &c, &a);
done:
    clear(&c, &a);
    return st;
}

/* The root's side: all its parts, then the announcement that there are no more. */
static scs_status add_own(scs_gram *gram, const scs_cells *part, int32_t n)
{
    int32_t me = scs_comm_rank(gram->mesh.comm);
    bool any;

    for (int32_t p = 0; p < n; p++)
        for (int64_t at = 0; at < part[p].n; at += CHUNK)
            SCS_TRY(add_chunk(gram, me, &part[p], at, &any));
    return add_chunk(gram, me, NULL, 0, &any);
}

/* Ranks take turns as root, in ascending order, so the order of cells is that of the ranks' parts.
 */
scs_status scs_pca_fit_add(scs_gram *gram, const scs_cells *part, int32_t n)
{
    scs_comm *comm = gram->mesh.comm;

    for (int32_t root = 0; root < scs_comm_size(comm); root++) {
        bool any = true;

        if (root == scs_comm_rank(comm))
            SCS_TRY(add_own(gram, part, n));
        else
            while (any)
                SCS_TRY(add_chunk(gram, root, NULL, 0, &any));
    }
    return SCS_OK;
}

/* ---- Covariance ---- */

/* x'x - n m m', elements that are here; means replace the sums. Local, alike on all ranks but for
 * the elements. */
scs_status scs_pca_fit_center(scs_gram *gram)
{
    const scs_mesh *m = &gram->mesh;
    double n = (double)gram->n_cell;

    SCS_REQUIRE(gram->n_cell > 1, SCS_EDATA, "a covariance needs two cells at least, there %s %lld",
                gram->n_cell == 1 ? "is" : "are", (long long)gram->n_cell);
    for (int32_t g = 0; g < gram->n; g++)
        gram->sum[g] /= n;
    for (int64_t j = 0; j < gram->n_col; j++) {
        int64_t col = scs_pca_fit_mesh_global(j, m->block, m->col, m->n_col);
        double *column = gram->a + j * gram->n_row;

        for (int64_t i = 0; i < gram->n_row; i++) {
            int64_t row = scs_pca_fit_mesh_global(i, m->block, m->row, m->n_row);

            column[i] = (column[i] - n * gram->sum[row] * gram->sum[col]) / (n - 1);
        }
    }
    return SCS_OK;
}

/* Diagonal elements that are here, then a sum over ranks. */
scs_status scs_pca_fit_trace(const scs_gram *gram, double *trace)
{
    const scs_mesh *m = &gram->mesh;
    double mine = 0;

    for (int64_t j = 0; j < gram->n_col; j++) {
        int64_t col = scs_pca_fit_mesh_global(j, m->block, m->col, m->n_col);
        int64_t i = scs_pca_fit_mesh_local(col, m->block, m->row, m->n_row);

        if (i >= 0)
            mine += gram->a[j * gram->n_row + i];
    }
    SCS_MPI(MPI_Allreduce(&mine, trace, 1, MPI_DOUBLE, MPI_SUM, scs_comm_mpi(m->comm)));
    return SCS_OK;
}

/* ---- Eigenvectors ---- */

enum { LARGEST_BLOCK = 64, SMALLEST_BLOCK = 4 }; /* powers of two, tried from above */

/* Whether pdsyevr can do with its own workspace. That of ScaLAPACK 2.2.1 hands pdormtr a part of it
 * that does not grow with lwork. If it is too small, pdormtr only complains, the eigenvectors are
 * wrong and info is 0. */
static bool fits(int32_t n, int32_t n_top, int block, int n_row, int n_col)
{
    int64_t rows = scs_pca_fit_mesh_count(n, block, 0, n_row),
            cols = scs_pca_fit_mesh_count(n_top, block, 0, n_col);
    int64_t some = 18 * (int64_t)n, more = rows * cols + 2 * block * block;

    return (rows + cols + block) * block <= (some > more ? some : more);
}

/* Halved until ScaLAPACK's workspace is large enough, or 4: then scs_pca_fit_eigen refuses what
 * does not fit. */
int scs_pca_fit_block(int32_t n_gene, int32_t n_top, int32_t n_rank)
{
    int n_row = mesh_rows(n_rank), block = LARGEST_BLOCK;

    while (block > SMALLEST_BLOCK && !fits(n_gene, n_top, block, n_row, n_rank / n_row))
        block /= 2;
    return block;
}

/* Everything that pdsyevr takes. Owned arrays. */
typedef struct solver {
    int n, lowest, highest; /* eigenvalues wanted, numbered from 1, ascending */
    int desc[9], found, n_vector, info;
    double *value;  /* [n] ascending */
    double *vector; /* local part of [n, n] */
    double *work;
    int *iwork, lwork, liwork;
} solver;

/* Fortran by reference. info is looked at by the caller.
 *  @param query only ask how much workspace it wants. Collective. */
static void solve(scs_gram *gram, solver *s, bool query)
{
    static const int one = 1, ask = -1;
    static const double unused = 0;
    double work[3] = {0};
    int iwork[3] = {0};

    pdsyevr_("V", "I", "L", &s->n, gram->a, &one, &one, s->desc, &unused, &unused, &s->lowest,
             &s->highest, &s->found, &s->n_vector, s->value, s->vector, &one, &one, s->desc,
             query ? work : s->work, query ? &ask : &s->lwork, query ? iwork : s->iwork,
             query ? &ask : &s->liwork, &s->info);
    if (query) {
        s->lwork = (int)work[0];
        s->liwork = iwork[0];
    }
}

/* Local, as all that fails before a Collective call. Only the top n_top vectors are wanted, but z
 * has the shape of a. */
static scs_status describe(const scs_gram *gram, int32_t n_top, solver *s)
{
    static const int zero = 0;
    int lld = gram->n_row > 0 ? (int)gram->n_row : 1, info;
    const scs_mesh *m = &gram->mesh;

    *s = (solver){.n = gram->n, .lowest = gram->n - n_top + 1, .highest = gram->n};
    SCS_REQUIRE(fits(gram->n, n_top, m->block, m->n_row, m->n_col), SCS_EINTERNAL,
                "blocks of %d are too large for %d eigenvectors of %d genes", m->block, n_top,
                gram->n);
    descinit_(s->desc, &s->n, &s->n, &m->block, &m->block, &zero, &zero, &m->context, &lld, &info);
    SCS_REQUIRE(info == 0, SCS_EINTERNAL, "descinit: info %d", info);
    SCS_TRY(SCS_ALLOC(s->value, gram->n));
    return SCS_ALLOC(s->vector, gram->n_row * gram->n_col);
}

/* What pdsyntrd wants is 2 (nb + 1) (4 nps + 2) + (nps + 4) nps numbers: n dealt to the root of the
 * ranks, nb PJLAENV's block. */
static int64_t workspace(int64_t n, int32_t n_rank, int64_t nb)
{
    int64_t side = (int64_t)sqrt((double)n_rank), nps = (n + side - 1) / side;

    return 5 * n + 2 * (nb + 1) * (4 * nps + 2) + (nps + 4) * nps;
}

/* Before ScaLAPACK can be asked, as its own answer wraps where it does not fit an int; 16
 * stands for PJLAENV's block. */
int64_t scs_pca_fit_workspace(int32_t n_gene, int32_t n_rank)
{
    return workspace(n_gene, n_rank, 16);
}

/* A query that wrapped answers less than pdsyntrd takes whatever its block. */
static scs_status allocate_work(solver *s, int32_t n_rank)
{
    SCS_REQUIRE(s->info == 0, SCS_EINTERNAL, "pdsyevr: workspace query, info %d", s->info);
    SCS_REQUIRE(s->lwork >= workspace(s->n, n_rank, 0), SCS_EARG,
                "%d genes: ScaLAPACK asks for a workspace of %d elements for their eigenvectors, "
                "where it takes %lld; use more ranks",
                s->n, s->lwork, (long long)workspace(s->n, n_rank, 0));
    SCS_TRY(SCS_ALLOC(s->work, s->lwork));
    return SCS_ALLOC(s->iwork, s->liwork);
}

/* All or none: fewer than n_top vectors are of no use. */
static scs_status check(const solver *s, int32_t n_top)
{
    SCS_REQUIRE(s->info == 0 && s->found == n_top && s->n_vector == n_top, SCS_ENUMERIC,
                "the eigenvalues of the genes' covariance were not found (pdsyevr: info %d, %d of "
                "%d)",
                s->info, s->found, n_top);
    return SCS_OK;
}

/* The local columns into [n, n_top], largest eigenvalue first; all else is 0. ScaLAPACK has them
 * ascending in the first n_top columns. */
static void place_vectors(const scs_gram *gram, const solver *s, int32_t n_top, double *vector)
{
    const scs_mesh *m = &gram->mesh;

    memset(vector, 0, (size_t)gram->n * (size_t)n_top * sizeof *vector);
    for (int64_t j = 0; j < gram->n_col; j++) {
        int64_t col = scs_pca_fit_mesh_global(j, m->block, m->col, m->n_col);

        for (int64_t i = 0; i < gram->n_row && col < n_top; i++)
            vector[scs_pca_fit_mesh_global(i, m->block, m->row, m->n_row) * n_top + n_top - 1 -
                   col] = s->vector[j * gram->n_row + i];
    }
}

/* Each element is one rank's and the others have 0 there, so that the sum is exact in any order.
 * In pieces whose count fits an int. */
static scs_status gather(const scs_gram *gram, int32_t n_top, double *vector)
{
    const int64_t piece = 1 << 24;
    int64_t n = (int64_t)gram->n * n_top;

    for (int64_t at = 0; at < n; at += piece)
        SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, vector + at, (int)(n - at < piece ? n - at : piece),
                              MPI_DOUBLE, MPI_SUM, scs_comm_mpi(gram->mesh.comm)));
    return SCS_OK;
}

/* Agreement before each call of ScaLAPACK: a rank that is missing there would hang the others. */
static scs_status find(scs_gram *gram, int32_t n_top, solver *s)
{
    scs_comm *comm = gram->mesh.comm;

    SCS_TRY(scs_comm_agree(comm, describe(gram, n_top, s)));
    solve(gram, s, true);
    SCS_TRY(scs_comm_agree(comm, allocate_work(s, scs_comm_size(comm))));
    solve(gram, s, false);
    return scs_comm_agree(comm, check(s, n_top));
}

/* value and vector turned round: pdsyevr ascends, components fall. */
scs_status scs_pca_fit_eigen(scs_gram *gram, int32_t n_top, double *value, double *vector)
{
    solver s = {0};
    scs_status st;

    SCS_GO(st, find(gram, n_top, &s));
    for (int32_t i = 0; i < n_top; i++)
        value[i] = s.value[n_top - 1 - i];
    place_vectors(gram, &s, n_top, vector);
    SCS_GO(st, gather(gram, n_top, vector));
done:
    free(s.value);
    free(s.vector);
    free(s.work);
    free(s.iwork);
    return st;
}

/* ---- Fit, and check against the cells ---- */

/* Products after which the search gives up and the covariance is made: of data sets that were tried
 * none took 110. */
enum { MOST_PRODUCTS = 2000 };

/* Before anything large is made, and known to all ranks: SCS_EARG. */
static scs_status check_size(int32_t n_gene, int64_t n_cell, int32_t n_component)
{
    SCS_REQUIRE(n_component <= n_gene && n_component < n_cell, SCS_EARG,
                "model.latent: %d components need as many genes and more cells; there are %d genes "
                "and %lld cells",
                n_component, n_gene, (long long)n_cell);
    return SCS_OK;
}

/* Cells that differ by less than a millionth of their values have no components: float32 has not
 * much more digits, and sums of many such products have an error of that size (as a share of the
 * squared mean). */
#define ALIKE 1e-12

/* Local, alike on all ranks: SCS_EDATA. Variances that are 0 but for rounding are not below it. */
static scs_status check_spread(scs_pca *pca)
{
    double square = 0;

    for (int32_t g = 0; g < pca->n_gene; g++)
        square += pca->center[g] * pca->center[g];
    SCS_REQUIRE(pca->total_variance > ALIKE * square, SCS_EDATA,
                "all %lld cells are alike but for rounding, so that they have no principal "
                "components; see data.matrix and data.normalize for which values are read",
                (long long)pca->n_cell);
    for (int32_t c = 0; c < pca->n_component; c++)
        pca->variance[c] = fmax(0, pca->variance[c]);
    return SCS_OK;
}

/* Sum of squares of each component over some cells, added to `square`. */
static scs_status add_squares(const scs_pca *pca, const scs_cells *part, double *square)
{
    int64_t k = pca->n_component;
    scs_real *z;
    scs_status st;

    SCS_TRY(SCS_ALLOC(z, part->n * k));
    st = scs_pca_encode(pca, part->x, part->first, part->n, z);
    for (int64_t i = 0; st == SCS_OK && i < part->n; i++)
        for (int64_t c = 0; c < k; c++)
            square[c] += (double)z[i * k + c] * z[i * k + c];
    free(z);
    return st;
}

/* The cells' variance along orthogonal directions equals the falling eigenvalues only where these
 * are the eigenvectors. The tolerance is relative to the largest: encoding is in float. */
static scs_status compare_variance(const scs_pca *pca, const double *square)
{
    for (int32_t c = 0; c < pca->n_component; c++) {
        double found = square[c] / (double)(pca->n_cell - 1);

        SCS_REQUIRE(fabs(found - pca->variance[c]) <= 1e-4 * pca->variance[0], SCS_ENUMERIC,
                    "component %d: the cells vary by %g along it, its eigenvalue is %g: the "
                    "eigenvectors are wrong; try another number of ranks",
                    c + 1, found, pca->variance[c]);
    }
    return SCS_OK;
}

/* Each rank encodes its own cells; n_component sums of squares are added up over ranks.
 * Collective. */
static scs_status check_components(scs_comm *comm, const scs_pca *pca, const scs_cells *part,
                                   int32_t n)
{
    double *square = NULL;
    scs_status st = SCS_ALLOC(square, pca->n_component);

    for (int32_t p = 0; p < n && st == SCS_OK; p++)
        st = add_squares(pca, &part[p], square);
    SCS_GO(st, scs_comm_agree(comm, st));
    SCS_GO(st, scs_comm_mpi_status(MPI_Allreduce(MPI_IN_PLACE, square, pca->n_component, MPI_DOUBLE,
                                                 MPI_SUM, scs_comm_mpi(comm)),
                                   "MPI_Allreduce"));
    SCS_GO(st, scs_comm_agree(comm, compare_variance(pca, square)));
done:
    free(square);
    return st;
}

/* Gram, means, trace, vectors: in this order, as the vectors destroy the matrix. Collective. */
static scs_status solve_gram(scs_gram *gram, const scs_cells *part, int32_t n, scs_pca *pca)
{
    SCS_TRY(scs_pca_fit_add(gram, part, n));
    SCS_TRY(scs_comm_agree(gram->mesh.comm, scs_pca_fit_center(gram)));
    SCS_TRY(scs_pca_fit_trace(gram, &pca->total_variance));
    SCS_TRY(scs_pca_fit_eigen(gram, pca->n_component, pca->variance, pca->loading));
    memcpy(pca->center, gram->sum, (size_t)gram->n * sizeof *pca->center);
    pca->n_cell = gram->n_cell;
    return SCS_OK;
}

/* The grid is closed on all ranks whatever happened, as BLACS' exit is Collective. */
static scs_status fit_direct(scs_comm *comm, const scs_cells *part, int32_t n, scs_pca *pca)
{
    int block = scs_pca_fit_block(pca->n_gene, pca->n_component, scs_comm_size(comm));
    scs_gram gram;
    scs_status st = scs_pca_fit_open(comm, pca->n_gene, block, &gram);

    if (st == SCS_OK)
        st = solve_gram(&gram, part, n, pca);
    scs_pca_fit_close(&gram);
    return st;
}

/* A search among vectors pays where there are many more of them than are wanted. */
bool scs_pca_fit_is_direct(int32_t n_gene, int32_t n_component)
{
    return n_gene <= SCS_PCA_FIT_DIRECT || n_component > n_gene / 8;
}

/* Collective. */
static scs_status fit(scs_comm *comm, const scs_cells *part, int32_t n, int64_t n_cell,
                      scs_pca *pca)
{
    bool found = false;

    if (!scs_pca_fit_is_direct(pca->n_gene, pca->n_component))
        SCS_TRY(scs_cell_product_components(comm, part, n, n_cell, MOST_PRODUCTS, pca, &found));
    if (!found)
        SCS_TRY(fit_direct(comm, part, n, pca));
    SCS_TRY(scs_comm_agree(comm, check_spread(pca)));
    scs_pca_orient(pca);
    return check_components(comm, pca, part, n);
}

scs_status scs_pca_fit(scs_comm *comm, const scs_cells *part, int32_t n, int32_t n_gene,
                       int32_t n_component, scs_pca **pca)
{
    int64_t n_cell = 0;
    scs_status st;

    *pca = NULL;
    for (int32_t p = 0; p < n; p++)
        n_cell += part[p].n;
    SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, &n_cell, 1, MPI_INT64_T, MPI_SUM, scs_comm_mpi(comm)));
    SCS_TRY(check_size(n_gene, n_cell, n_component));
    st = scs_comm_agree(comm, scs_pca_create(n_gene, n_component, pca));
    if (st == SCS_OK)
        st = fit(comm, part, n, n_cell, *pca);
    if (st != SCS_OK)
        scs_pca_destroy(pca);
    return st;
}
