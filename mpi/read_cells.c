/* Each rank reads its own contiguous part of all inputs' cells. Parts ascend with the rank, so the
 * lowest failing rank's message is about the first bad cell, on any number of ranks. */
#include "scscreen/comm.h"

#include <stdlib.h>
#include <string.h>

/* Room for `n` values of 4 bytes with the old ones in front. */
static scs_status grow(void *old, int64_t n, void **bigger)
{
    *bigger = realloc(old, (size_t)n * 4 + 1);
    SCS_REQUIRE(*bigger, SCS_ENOMEM, "out of memory: %lld values of a matrix", (long long)n);
    return SCS_OK;
}

/* Rows [row, row + part->n_row) of x take over part's content. Rows before them are there already.
 */
static scs_status append(scs_csr *x, int64_t row, const scs_csr *part)
{
    int64_t old = x->indptr[row], more = part->indptr[part->n_row];
    void *bigger;

    SCS_TRY(grow(x->indices, old + more, &bigger));
    x->indices = bigger;
    SCS_TRY(grow(x->values, old + more, &bigger));
    x->values = bigger;
    memcpy(x->indices + old, part->indices, (size_t)more * sizeof *x->indices);
    memcpy(x->values + old, part->values, (size_t)more * sizeof *x->values);
    for (int64_t i = 1; i <= part->n_row; i++)
        x->indptr[row + i] = old + part->indptr[i];
    return SCS_OK;
}

/* A file's rows with the reference genes. @param[out] totals [row1 - row0] over all the file's
 * genes */
static scs_status read_rows(const scs_dataset *dataset, const scs_h5ad *const *metas, int32_t input,
                            int64_t row0, int64_t row1, scs_csr *part, double *totals)
{
    SCS_TRY(scs_h5ad_read_rows(metas[input], row0, row1, part));
    scs_csr_row_sums(part, totals);
    return scs_csr_map_columns(part, dataset->gene_of_column[input], dataset->n_gene);
}

/* What cells [cell0, cell1) have in this input is appended to x. */
static scs_status read_input(const scs_dataset *dataset, const scs_h5ad *const *metas,
                             int32_t input, int64_t cell0, int64_t cell1, scs_csr *x,
                             double *totals)
{
    int64_t base = dataset->first_cell[input], end = dataset->first_cell[input + 1];
    int64_t lo = cell0 > base ? cell0 : base, hi = cell1 < end ? cell1 : end;
    scs_csr part = {0};
    scs_status st;

    if (lo >= hi)
        return SCS_OK;
    SCS_GO(st,
           read_rows(dataset, metas, input, lo - base, hi - base, &part, totals + (lo - cell0)));
    SCS_GO(st, append(x, lo - cell0, &part));
done:
    scs_csr_clear(&part);
    return st;
}

static scs_status read_range(const scs_dataset *dataset, const scs_h5ad *const *metas,
                             int64_t cell0, int64_t cell1, scs_csr *x, double **totals)
{
    SCS_TRY(scs_csr_alloc(cell1 - cell0, dataset->n_gene, 0, x));
    SCS_TRY(SCS_ALLOC(*totals, cell1 - cell0));
    for (int32_t i = 0; i < dataset->n_input; i++)
        SCS_TRY(read_input(dataset, metas, i, cell0, cell1, x, *totals));
    return SCS_OK;
}

scs_status scs_read_cells(scs_comm *comm, const scs_dataset *dataset, const scs_h5ad *const *metas,
                          int64_t *first_cell, scs_csr *x, double **totals)
{
    int64_t rank = scs_comm_rank(comm), n_rank = scs_comm_size(comm);
    int64_t end = dataset->n_cell * (rank + 1) / n_rank;
    scs_status st;

    *x = (scs_csr){0};
    *totals = NULL;
    *first_cell = dataset->n_cell * rank / n_rank;
    SCS_GO(st, scs_agree(comm, read_range(dataset, metas, *first_cell, end, x, totals)));
done:
    if (st != SCS_OK) {
        scs_csr_clear(x);
        free(*totals);
        *totals = NULL;
    }
    return st;
}
