/* Each rank reads its own contiguous part of all inputs' cells, and normalises it.
 *
 *  The parts are equal in cells. They ascend with the rank, so the lowest failing rank's message is
 *  about the first bad cell, on any number of ranks. Rows are read a block at a time, mapped to the
 *  reference genes and packed at once (src/data/packed.h): at no time does a rank hold more than
 *  one block that is not packed. Nothing is sent while files are read; the ranks agree once, at the
 *  end.
 *
 *  While values are read, what they look like is noted for each input (src/data/scale.h): counts
 * are added up and extremes compared over ranks, both exact in any order, so that all ranks judge
 * the values alike.
 *
 *  Errors of a file (SCS_EDATA with its name and row, SCS_EIO) are those of src/data/h5ad_matrix.c;
 *  the lowest failing rank's reaches all. Nothing of a failed reading is kept.
 *
 *  Normalisation is cell by cell, but for its target: the median of the learning cells' totals (as
 *  scanpy's normalize_total), for which 8 bytes a cell go to rank 0. Totals are over all of a
 *  file's genes, not only those that the reference has. */
#include "src/data/h5ad_matrix.h"
#include "src/base/collective.h"
#include "src/base/vector.h"
#include "src/data/csr.h"
#include "src/data/h5ad.h"
#include "src/data/packed.h"
#include "src/data/scale.h"
#include "scscreen/comm.h"

#include <stdlib.h>

/* Totals of this rank's cells for training or validation that have any counts; the others have no
 * say in the median, as in scanpy, nor have cells that are held out. */
static scs_status used_totals(const scs_dataset *dataset, int64_t first_cell, int64_t n,
                              const double *totals, double **used, int64_t *n_used)
{
    *n_used = 0;
    SCS_TRY(SCS_ALLOC(*used, n));
    for (int64_t i = 0; i < n; i++)
        if (dataset->role[first_cell + i] < SCS_ROLE_HELD_OUT && totals[i] > 0)
            (*used)[(*n_used)++] = totals[i];
    return SCS_OK;
}

typedef struct median_counts {
    int64_t *to, *from; /* [n_rank] bytes that go to and come from each rank */
} median_counts;

/* Who sends how much; only rank 0 receives. Collective. */
static scs_status count_totals(scs_comm *comm, median_counts *count, int64_t n_used)
{
    scs_status st = SCS_ALLOC(count->to, scs_comm_size(comm));

    if (st == SCS_OK)
        st = SCS_ALLOC(count->from, scs_comm_size(comm));
    SCS_TRY(scs_comm_agree(comm, st));
    count->to[0] = n_used * (int64_t)sizeof(double);
    return scs_comm_exchange_counts(comm, count->to, count->from);
}

/* All ranks' totals go to rank 0, which alone holds them, and the median to all. Its order of
 * cells does not matter for the median's bits. Collective. */
static scs_status gather_median(scs_comm *comm, const median_counts *count, const double *used,
                                double *target)
{
    int64_t n = 0;
    double *all = NULL;
    scs_status st;

    for (int32_t r = 0; r < scs_comm_size(comm); r++)
        n += count->from[r] / (int64_t)sizeof *all;
    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(all, n)));
    SCS_GO(st, scs_comm_alltoallv(comm, used, count->to, all, count->from));
    *target = n > 0 ? scs_vector_median(all, n) : 0;
    SCS_GO(st, scs_comm_broadcast(comm, target, sizeof *target));
done:
    free(all);
    return st;
}

/* 8 bytes a used cell to rank 0, and one double back. Collective. */
static scs_status median_total(scs_comm *comm, const scs_dataset *dataset, int64_t first_cell,
                               int64_t n, const double *totals, double *target)
{
    median_counts count = {0};
    double *used = NULL;
    int64_t n_used;
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, used_totals(dataset, first_cell, n, totals, &used, &n_used)));
    SCS_GO(st, count_totals(comm, &count, n_used));
    SCS_GO(st, gather_median(comm, &count, used, target));
done:
    free(count.to);
    free(count.from);
    free(used);
    return st;
}

/* Where a rank is in its part: the dataset's cells [cell0, cell) have been read. */
typedef struct reading {
    const scs_dataset *dataset;
    int64_t cell0, cell;
    scs_packed *x;    /* rows of cells from cell0 on */
    double *totals;   /* of each of them, over all the file's genes */
    scs_scale *scale; /* [n_input] or NULL */
} reading;

/* Rows [row0, row1) of an input's file: the cells among them, with the reference genes, become the
 * next rows of x. */
static scs_status read_block(reading *r, scs_h5ad_reader *file, const scs_h5ad *meta, int32_t input,
                             int64_t row0, int64_t row1)
{
    const scs_dataset *d = r->dataset;
    scs_csr *part;

    SCS_TRY(scs_h5ad_matrix_rows(file, row0, row1, &part));
    scs_csr_row_sums(part, r->totals + (r->cell - r->cell0));
    if (r->scale)
        scs_scale_add(&r->scale[input], part, r->cell - d->first_cell[input], meta->n_obs);
    SCS_TRY(scs_csr_map_columns(part, d->gene_of_column[input], d->n_gene));
    SCS_TRY(scs_packed_append(r->x, r->cell - r->cell0, part));
    r->cell += part->n_row;
    return SCS_OK;
}

/* The cells of [r->cell, end) that lie in this input, block by block of the file's rows. */
static scs_status read_input(reading *r, const scs_h5ad *meta, int32_t input, int64_t end)
{
    int64_t base = r->dataset->first_cell[input], last = r->dataset->first_cell[input + 1];
    int64_t step = scs_h5ad_matrix_block_rows(meta), row;
    scs_h5ad_reader *file;
    scs_status st = SCS_OK;

    last = last < end ? last : end;
    if (r->cell >= last)
        return SCS_OK;
    SCS_TRY(scs_h5ad_matrix_open(meta, &file));
    row = scs_h5ad_row(meta, r->cell - base);
    last = scs_h5ad_row(meta, last - 1 - base) + 1;
    for (; row < last; row += step)
        SCS_GO(st, read_block(r, file, meta, input, row, last - row < step ? last : row + step));
done:
    scs_h5ad_matrix_close(&file);
    return st;
}

/* x grows as rows are appended and is trimmed to its size at the end. */
static scs_status read_range(const scs_dataset *dataset, const scs_h5ad *const *metas,
                             int64_t cell0, int64_t cell1, scs_packed *x, double **totals,
                             scs_scale *scale)
{
    reading r = {.dataset = dataset, .cell0 = cell0, .cell = cell0, .x = x, .scale = scale};

    SCS_TRY(scs_packed_alloc(cell1 - cell0, dataset->n_gene, 0, x));
    SCS_TRY(SCS_ALLOC(*totals, cell1 - cell0));
    for (int32_t i = 0; scale && i < dataset->n_input; i++)
        scs_scale_clear(&scale[i]);
    r.totals = *totals;
    for (int32_t i = 0; i < dataset->n_input; i++)
        SCS_TRY(read_input(&r, metas[i], i, cell1));
    return scs_packed_trim(x);
}

/* From each rank's part to the whole, in two small reductions an input. Collective. */
static scs_status unite_scales(scs_comm *comm, scs_scale *scale, int32_t n_input)
{
    MPI_Comm all = scs_comm_mpi(comm);

    for (int32_t i = 0; i < n_input; i++) {
        SCS_MPI(
            MPI_Allreduce(MPI_IN_PLACE, scale[i].sum, SCS_N_SCALE_SUM, MPI_INT64_T, MPI_SUM, all));
        SCS_MPI(
            MPI_Allreduce(MPI_IN_PLACE, scale[i].most, SCS_N_SCALE_MOST, MPI_DOUBLE, MPI_MAX, all));
    }
    return scs_collective_ok();
}

/* Parts may be empty where there are fewer cells than ranks. */
scs_status scs_read_cells(scs_comm *comm, const scs_dataset *dataset, const scs_h5ad *const *metas,
                          int64_t *first_cell, scs_packed *x, double **totals, scs_scale *scale)
{
    int64_t rank = scs_comm_rank(comm), n_rank = scs_comm_size(comm);
    int64_t end = dataset->n_cell * (rank + 1) / n_rank;
    scs_status st;

    *x = (scs_packed){0};
    *totals = NULL;
    *first_cell = dataset->n_cell * rank / n_rank;
    SCS_GO(st,
           scs_comm_agree(comm, read_range(dataset, metas, *first_cell, end, x, totals, scale)));
    if (scale)
        SCS_GO(st, unite_scales(comm, scale, dataset->n_input));
done:
    if (st != SCS_OK) {
        scs_packed_clear(x);
        free(*totals);
        *totals = NULL;
    }
    return st;
}

/* Where the config gives a target nothing is sent. All counts 0 is SCS_EDATA on every rank, as the
 * target is the same. */
scs_status scs_read_cells_normalize(scs_comm *comm, const scs_config *config,
                                    const scs_dataset *dataset, int64_t first_cell, scs_packed *x,
                                    const double *totals, double *target)
{
    *target = 0;
    if (config->data.normalize != SCS_NORMALIZE_LOG1P)
        return scs_collective_ok();
    *target = config->data.target_sum;
    if (*target <= 0)
        SCS_TRY(median_total(comm, dataset, first_cell, x->n_row, totals, target));
    SCS_REQUIRE(*target > 0, SCS_EDATA,
                "data.normalize: every cell's counts are 0, so there is nothing to normalise; "
                "check data.matrix");
    scs_packed_log_normalize(x, totals, *target);
    return scs_collective_ok();
}
