#include "mpi/gram.h"

#include "src/packed.h"

#include <omp.h>
#include <stdlib.h>

/* The analyzer cannot know that ranks which agree on success have no failure among them. */
#pragma GCC diagnostic ignored "-Wanalyzer-null-dereference"

enum { CHUNK = 2048 }; /* cells sent at once */

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

scs_status scs_gram_open(scs_comm *comm, int32_t n_gene, int block, scs_gram *gram)
{
    const scs_mesh *m = &gram->mesh;
    int64_t size;
    scs_status st;

    *gram = (scs_gram){.n = n_gene};
    SCS_TRY(scs_agree(comm, scs_mesh_open(comm, block, &gram->mesh)));
    gram->n_row = scs_mesh_count(n_gene, block, m->row, m->n_row);
    gram->n_col = scs_mesh_count(n_gene, block, m->col, m->n_col);
    size = gram->n_row * gram->n_col;
    st = size <= INT32_MAX ? SCS_ALLOC(gram->a, size)
                           : SCS_FAIL(SCS_EARG,
                                      "%d genes: one rank's part of their covariance has %lld "
                                      "elements, more than ScaLAPACK can index; use more ranks",
                                      n_gene, (long long)size);
    if (st == SCS_OK)
        st = SCS_ALLOC(gram->sum, n_gene);
    return scs_agree(comm, st);
}

void scs_gram_close(scs_gram *gram)
{
    free(gram->a);
    free(gram->sum);
    scs_mesh_close(&gram->mesh);
    *gram = (scs_gram){0};
}

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

static scs_status share(scs_comm *comm, int32_t root, chunk *c)
{
    MPI_Comm mpi = scs_comm_mpi(comm);

    SCS_MPI(MPI_Bcast(c->first, (int)(c->n_row + 1), MPI_INT64_T, root, mpi));
    SCS_MPI(MPI_Bcast(c->gene, (int)c->nnz, MPI_INT32_T, root, mpi));
    SCS_MPI(MPI_Bcast(c->value, (int)c->nnz, MPI_FLOAT, root, mpi));
    return SCS_OK;
}

static void place(const scs_gram *gram, const chunk *c, axis *a)
{
    const scs_mesh *m = &gram->mesh;

    for (int64_t k = 0; k < c->nnz; k++) {
        a->row[k] = (int32_t)scs_mesh_local(c->gene[k], m->block, m->row, m->n_row);
        a->col[k] = (int32_t)scs_mesh_local(c->gene[k], m->block, m->col, m->n_col);
    }
}

/* Products of one cell's genes: column k with rows from k on, which are the lower triangle. */
static void add_column(scs_gram *gram, const chunk *c, const axis *a, int64_t k, int64_t end)
{
    double *column = gram->a + a->col[k] * gram->n_row, value = c->value[k];

    for (int64_t i = k; i < end; i++)
        if (a->row[i] >= 0)
            column[a->row[i]] += value * c->value[i];
}

/* A thread has every n_thread-th column: one element belongs to one thread. */
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

/* The root announces what comes; no rows: it is done. */
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
    SCS_GO(st, scs_agree(comm, allocate(&c, &a)));
    if (from)
        take_chunk(from, at, &c);
    SCS_GO(st, share(comm, root, &c));
    place(gram, &c, &a);
    add_products(gram, &c, &a);
done:
    clear(&c, &a);
    return st;
}

static scs_status add_own(scs_gram *gram, const scs_cells *part, int32_t n)
{
    int32_t me = scs_comm_rank(gram->mesh.comm);
    bool any;

    for (int32_t p = 0; p < n; p++)
        for (int64_t at = 0; at < part[p].n; at += CHUNK)
            SCS_TRY(add_chunk(gram, me, &part[p], at, &any));
    return add_chunk(gram, me, NULL, 0, &any);
}

scs_status scs_gram_add(scs_gram *gram, const scs_cells *part, int32_t n)
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

scs_status scs_gram_center(scs_gram *gram)
{
    const scs_mesh *m = &gram->mesh;
    double n = (double)gram->n_cell;

    SCS_REQUIRE(gram->n_cell > 1, SCS_EDATA, "a covariance needs two cells at least, there %s %lld",
                gram->n_cell == 1 ? "is" : "are", (long long)gram->n_cell);
    for (int32_t g = 0; g < gram->n; g++)
        gram->sum[g] /= n;
    for (int64_t j = 0; j < gram->n_col; j++) {
        int64_t col = scs_mesh_global(j, m->block, m->col, m->n_col);
        double *column = gram->a + j * gram->n_row;

        for (int64_t i = 0; i < gram->n_row; i++) {
            int64_t row = scs_mesh_global(i, m->block, m->row, m->n_row);

            column[i] = (column[i] - n * gram->sum[row] * gram->sum[col]) / (n - 1);
        }
    }
    return SCS_OK;
}

scs_status scs_gram_trace(const scs_gram *gram, double *trace)
{
    const scs_mesh *m = &gram->mesh;
    double mine = 0;

    for (int64_t j = 0; j < gram->n_col; j++) {
        int64_t col = scs_mesh_global(j, m->block, m->col, m->n_col);
        int64_t i = scs_mesh_local(col, m->block, m->row, m->n_row);

        if (i >= 0)
            mine += gram->a[j * gram->n_row + i];
    }
    SCS_MPI(MPI_Allreduce(&mine, trace, 1, MPI_DOUBLE, MPI_SUM, scs_comm_mpi(m->comm)));
    return SCS_OK;
}
