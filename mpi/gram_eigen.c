#include "mpi/gram.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_BLOCK = 64, SMALLEST_BLOCK = 4 };

/* pdsyevr of ScaLAPACK 2.2.1 hands pdormtr a part of its workspace that does not grow with lwork.
 * If it is too small, pdormtr only complains, the eigenvectors are wrong and info is 0. */
static bool fits(int32_t n, int32_t n_top, int block, int n_row, int n_col)
{
    int64_t rows = scs_mesh_count(n, block, 0, n_row),
            cols = scs_mesh_count(n_top, block, 0, n_col);
    int64_t some = 18 * (int64_t)n, more = rows * cols + 2 * block * block;

    return (rows + cols + block) * block <= (some > more ? some : more);
}

int scs_gram_block(int32_t n_gene, int32_t n_top, int32_t n_rank)
{
    int n_row = scs_mesh_rows(n_rank), block = LARGEST_BLOCK;

    while (block > SMALLEST_BLOCK && !fits(n_gene, n_top, block, n_row, n_rank / n_row))
        block /= 2;
    return block;
}

/* Everything that pdsyevr takes. */
typedef struct solver {
    int n, lowest, highest; /* eigenvalues wanted, numbered from 1, ascending */
    int desc[9], found, n_vector, info;
    double *value;  /* [n] ascending */
    double *vector; /* local part of [n, n] */
    double *work;
    int *iwork, lwork, liwork;
} solver;

/* @param query: only ask how much workspace it wants. Collective. */
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

static scs_status allocate_work(solver *s)
{
    SCS_REQUIRE(s->info == 0, SCS_EINTERNAL, "pdsyevr: workspace query, info %d", s->info);
    SCS_TRY(SCS_ALLOC(s->work, s->lwork));
    return SCS_ALLOC(s->iwork, s->liwork);
}

static scs_status check(const solver *s, int32_t n_top)
{
    SCS_REQUIRE(s->info == 0 && s->found == n_top && s->n_vector == n_top, SCS_ENUMERIC,
                "the eigenvalues of the genes' covariance were not found (pdsyevr: info %d, %d of "
                "%d)",
                s->info, s->found, n_top);
    return SCS_OK;
}

/* The local columns into [n, n_top], largest eigenvalue first; all else is 0. */
static void place(const scs_gram *gram, const solver *s, int32_t n_top, double *vector)
{
    const scs_mesh *m = &gram->mesh;

    memset(vector, 0, (size_t)gram->n * (size_t)n_top * sizeof *vector);
    for (int64_t j = 0; j < gram->n_col; j++) {
        int64_t col = scs_mesh_global(j, m->block, m->col, m->n_col);

        for (int64_t i = 0; i < gram->n_row && col < n_top; i++)
            vector[scs_mesh_global(i, m->block, m->row, m->n_row) * n_top + n_top - 1 - col] =
                s->vector[j * gram->n_row + i];
    }
}

/* Each element is one rank's; the others have 0 there. */
static scs_status gather(const scs_gram *gram, int32_t n_top, double *vector)
{
    const int64_t piece = 1 << 24;
    int64_t n = (int64_t)gram->n * n_top;

    for (int64_t at = 0; at < n; at += piece)
        SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, vector + at, (int)(n - at < piece ? n - at : piece),
                              MPI_DOUBLE, MPI_SUM, scs_comm_mpi(gram->mesh.comm)));
    return SCS_OK;
}

static scs_status find(scs_gram *gram, int32_t n_top, solver *s)
{
    scs_comm *comm = gram->mesh.comm;

    SCS_TRY(scs_agree(comm, describe(gram, n_top, s)));
    solve(gram, s, true);
    SCS_TRY(scs_agree(comm, allocate_work(s)));
    solve(gram, s, false);
    return scs_agree(comm, check(s, n_top));
}

scs_status scs_gram_eigen(scs_gram *gram, int32_t n_top, double *value, double *vector)
{
    solver s = {0};
    scs_status st;

    SCS_GO(st, find(gram, n_top, &s));
    for (int32_t i = 0; i < n_top; i++)
        value[i] = s.value[n_top - 1 - i];
    place(gram, &s, n_top, vector);
    SCS_GO(st, gather(gram, n_top, vector));
done:
    free(s.value);
    free(s.vector);
    free(s.work);
    free(s.iwork);
    return st;
}
