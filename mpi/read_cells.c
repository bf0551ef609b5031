/* Each rank reads its own contiguous part of all inputs' cells. Parts ascend with the rank, so the
 * lowest failing rank's message is about the first bad cell, on any number of ranks. */
#include "scscreen/comm.h"
#include "src/csr.h"
#include "src/h5ad.h"
#include "src/packed.h"

#include <stdlib.h>

/* Some of a file's rows with the reference genes, packed as rows [at, at + row1 - row0) of x.
 * @param[out] totals [row1 - row0] over all the file's genes */
static scs_status read_block(const scs_dataset *dataset, const scs_h5ad *meta, int32_t input,
                             int64_t row0, int64_t row1, scs_packed *x, int64_t at, double *totals)
{
    scs_csr part = {0};
    scs_status st;

    SCS_GO(st, scs_h5ad_read_rows(meta, row0, row1, &part));
    scs_csr_row_sums(&part, totals);
    SCS_GO(st, scs_csr_map_columns(&part, dataset->gene_of_column[input], dataset->n_gene));
    SCS_GO(st, scs_packed_append(x, at, &part));
done:
    scs_csr_clear(&part);
    return st;
}

/* What cells [cell0, cell1) have in this input is appended to x, block by block: there is never
 * more than a block that is not packed. */
static scs_status read_input(const scs_dataset *dataset, const scs_h5ad *meta, int32_t input,
                             int64_t cell0, int64_t cell1, scs_packed *x, double *totals)
{
    int64_t base = dataset->first_cell[input], end = dataset->first_cell[input + 1];
    int64_t lo = cell0 > base ? cell0 : base, hi = cell1 < end ? cell1 : end;
    int64_t step = scs_h5ad_block_rows(meta);

    for (int64_t c = lo; c < hi; c += step) {
        int64_t last = hi - c < step ? hi : c + step;

        SCS_TRY(read_block(dataset, meta, input, c - base, last - base, x, c - cell0,
                           totals + (c - cell0)));
    }
    return SCS_OK;
}

static scs_status read_range(const scs_dataset *dataset, const scs_h5ad *const *metas,
                             int64_t cell0, int64_t cell1, scs_packed *x, double **totals)
{
    SCS_TRY(scs_packed_alloc(cell1 - cell0, dataset->n_gene, 0, x));
    SCS_TRY(SCS_ALLOC(*totals, cell1 - cell0));
    for (int32_t i = 0; i < dataset->n_input; i++)
        SCS_TRY(read_input(dataset, metas[i], i, cell0, cell1, x, *totals));
    return scs_packed_trim(x);
}

scs_status scs_read_cells(scs_comm *comm, const scs_dataset *dataset, const scs_h5ad *const *metas,
                          int64_t *first_cell, scs_packed *x, double **totals)
{
    int64_t rank = scs_comm_rank(comm), n_rank = scs_comm_size(comm);
    int64_t end = dataset->n_cell * (rank + 1) / n_rank;
    scs_status st;

    *x = (scs_packed){0};
    *totals = NULL;
    *first_cell = dataset->n_cell * rank / n_rank;
    SCS_GO(st, scs_agree(comm, read_range(dataset, metas, *first_cell, end, x, totals)));
done:
    if (st != SCS_OK) {
        scs_packed_clear(x);
        free(*totals);
        *totals = NULL;
    }
    return st;
}
