/* Each rank reads its own contiguous part of all inputs' cells, and normalises it.
 *
 *  The parts are equal in cells. They ascend with the rank, so the lowest failing rank's message is
 *  about the first bad cell, on any number of ranks. Rows are read a block at a time, mapped to the
 *  reference genes and packed at once (src/data/packed.h): at no time does a rank hold more than
 *  one block that is not packed. They stay where they were read (scs_read_cells), or go to their
 *  shards meanwhile (scs_read_cells_to_shards): then inputs that are stored by columns are read by
 *  all ranks together, each its columns, one such input after the other (read_columns.h).
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
#include "mpi/data/read_columns.h"
#include "src/data/h5ad_matrix.h"
#include "src/base/collective.h"
#include "src/base/vector.h"
#include "src/data/csr.h"
#include "src/data/h5ad.h"
#include "src/data/packed.h"
#include "src/data/scale.h"
#include "scscreen/comm.h"

#include <stdlib.h>
#include <string.h>

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

/* 8 bytes a used cell to rank 0, and one double back. Collective.
 *  @param local how `used` came to be  @param used [n_used] */
static scs_status median_total(scs_comm *comm, scs_status local, const double *used, int64_t n_used,
                               double *target)
{
    median_counts count = {0};
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, local));
    SCS_GO(st, count_totals(comm, &count, n_used));
    SCS_GO(st, gather_median(comm, &count, used, target));
done:
    free(count.to);
    free(count.from);
    return st;
}

/* Where a rank is in its part: the dataset's cells up to `cell` have been read. */
typedef struct reading {
    const scs_dataset *dataset;
    const scs_h5ad *const *metas;
    scs_scale *scale;          /* [n_input] or NULL */
    int64_t cell, end;         /* the next cell, and the first that is another rank's */
    int32_t input;             /* that the cell is in */
    int32_t next_input;        /* the first that is not begun, where they are read in phases */
    scs_h5ad_reader *file;     /* of that input; NULL: not open */
    int64_t row, last, step;   /* the file's next row, its first of another rank, rows of a block */
    scs_read_columns *columns; /* of an input that all ranks read by columns together, or NULL */
    int64_t *split;            /* [n_rank + 1] its rows, by the ranks whose cells they are */
    int64_t limit;             /* bytes that they may take meanwhile; 0: any */
    scs_csr *part;             /* the block at hand, the file's; NULL: none */
    int64_t packed;            /* its rows that are on their way to shards */
    scs_packed block;          /* of some of them */
    int32_t looked_at;         /* the input, counted from 1, of which `keeps` is known; 0: none */
    bool keeps;                /* its columns are the reference's genes as they stand */
    double *total;             /* [n_total] their totals */
    int64_t n_total;
} reading;

static void close_reading(reading *r)
{
    scs_h5ad_matrix_close(&r->file);
    scs_read_columns_close(&r->columns);
    free(r->split);
    scs_packed_clear(&r->block);
    free(r->total);
}

/* The input that r->cell is in. */
static scs_status open_input(reading *r)
{
    const scs_dataset *d = r->dataset;
    const scs_h5ad *meta;
    int64_t base, last;

    while (d->first_cell[r->input + 1] <= r->cell)
        r->input++;
    meta = r->metas[r->input];
    base = d->first_cell[r->input];
    last = d->first_cell[r->input + 1] < r->end ? d->first_cell[r->input + 1] : r->end;
    r->row = scs_h5ad_row(meta, r->cell - base);
    r->last = scs_h5ad_row(meta, last - 1 - base) + 1;
    r->step = scs_h5ad_matrix_block_rows(meta);
    return scs_h5ad_matrix_open(meta, &r->file);
}

/* What values look like is noted. */
static void note_block(reading *r, const scs_csr *x)
{
    if (r->scale)
        scs_scale_add(&r->scale[r->input], x, r->cell - r->dataset->first_cell[r->input],
                      r->metas[r->input]->n_obs);
}

/* The same of an input that is read by columns, of what has come. */
static scs_status read_columns(reading *r, scs_csr **x)
{
    const scs_h5ad *meta = r->metas[r->input];
    int64_t row0;

    SCS_TRY(scs_read_columns_rows(r->columns, &row0, x));
    if (!*x)
        return SCS_OK;
    if (meta->keep)
        scs_csr_keep_rows(*x, meta->keep + row0);
    note_block(r, *x);
    return SCS_OK;
}

/* The next block of the rank's rows, as they stand in the file.
 *  @param[out] x the reader's, until the next call; NULL: all are read */
static scs_status read_block(reading *r, scs_csr **x)
{
    int64_t row1;

    *x = NULL;
    if (r->columns)
        return read_columns(r, x);
    if (r->cell >= r->end)
        return SCS_OK;
    if (r->file && r->row == r->last)
        scs_h5ad_matrix_close(&r->file); /* with its last block, which has been used by now */
    if (!r->file)
        SCS_TRY(open_input(r));
    row1 = r->last - r->row < r->step ? r->last : r->row + r->step;
    SCS_TRY(scs_h5ad_matrix_rows(r->file, r->row, row1, x));
    r->row = row1;
    note_block(r, *x);
    return SCS_OK;
}

/* The block's columns become the reference's genes; then it has been read. */
static scs_status map_block(reading *r, scs_csr *x)
{
    const int32_t *gene = r->dataset->gene_of_column[r->input];
    int32_t n_gene = r->dataset->n_gene;
    bool sums = r->dataset->sums && r->dataset->sums[r->input];

    if (r->looked_at != r->input + 1)
        r->keeps = !sums && scs_csr_keeps_columns(gene, x->n_col, n_gene);
    r->looked_at = r->input + 1;
    if (!r->keeps)
        SCS_TRY((sums ? scs_csr_sum_columns : scs_csr_map_columns)(x, gene, n_gene));
    r->cell += x->n_row;
    return SCS_OK;
}

/* The same, with the totals of its cells, before genes are dropped. */
static scs_status take_block(reading *r, scs_csr *x, double *total)
{
    scs_csr_row_sums(x, total);
    return map_block(r, x);
}

/* x grows as rows are appended and is trimmed to its size at the end. */
static scs_status read_range(reading *r, scs_packed *x, double **totals)
{
    int64_t first = r->cell;
    scs_csr *part;

    SCS_TRY(scs_packed_alloc(r->end - first, r->dataset->n_gene, 0, x));
    SCS_TRY(SCS_ALLOC(*totals, r->end - first));
    for (;;) {
        int64_t row = r->cell - first;

        SCS_TRY(read_block(r, &part));
        if (!part)
            return scs_packed_trim(x);
        SCS_TRY(take_block(r, part, *totals + row));
        SCS_TRY(scs_packed_append(x, row, part));
    }
}

/* The next block that has cells becomes r->part; NULL: there is none. Its totals are made. */
static scs_status next_part(reading *r)
{
    do {
        SCS_TRY(read_block(r, &r->part));
        if (!r->part)
            return SCS_OK;
        if (r->part->n_row > r->n_total) {
            free(r->total);
            r->n_total = 0;
            SCS_TRY(SCS_ALLOC(r->total, r->part->n_row));
            r->n_total = r->part->n_row;
        }
        SCS_TRY(take_block(r, r->part, r->total));
    } while (r->part->n_row == 0);
    r->packed = 0;
    return SCS_OK;
}

/* A row source: the next rows of a block, packed; few, since a block may have all of the rank's
 * rows, and packed ones are on their way only. */
static scs_status next_rows(void *ctx, scs_row_batch *batch)
{
    enum { ROWS = 64 };
    reading *r = ctx;
    scs_csr some;

    *batch = (scs_row_batch){.x = &r->block};
    if (!r->part || r->packed == r->part->n_row)
        SCS_TRY(next_part(r));
    if (!r->part)
        return SCS_OK;
    some = *r->part; /* a view */
    some.indptr += r->packed;
    some.n_row = some.n_row - r->packed < ROWS ? some.n_row - r->packed : ROWS;
    SCS_TRY(scs_packed_restart(&r->block, some.n_row));
    SCS_TRY(scs_packed_append(&r->block, 0, &some));
    batch->total = r->total + r->packed;
    batch->n = some.n_row;
    batch->cell = r->cell - r->part->n_row + r->packed;
    r->packed += some.n_row;
    return SCS_OK;
}

/* From each rank's part to the whole, in two small reductions an input. Collective. */
scs_status scs_read_cells_unite(scs_comm *comm, scs_scale *scale, int32_t n_input)
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

/* About as many words as a cell takes: 3 bytes a value where few differ, as counts do, and some for
 * the levels. */
double scs_read_cells_words(const scs_dataset *dataset, const scs_h5ad *const *metas)
{
    double values = 0, rows = 1;

    for (int32_t i = 0; i < dataset->n_input; i++) {
        double share = metas[i]->layout == SCS_LAYOUT_DENSE ? 0.1 : 1; /* that is not 0, a guess */

        values += share * (double)metas[i]->nnz;
        rows += (double)metas[i]->n_row;
    }
    return 0.78 * values / rows + 48;
}

/* ---- inputs that are read by columns ---- */

/* The inputs from `first` on that are read together: one that is stored by columns, or all up to
 * the next of these. @return the first that is not one of them */
static int32_t phase_end(const scs_dataset *dataset, const scs_h5ad *const *metas, int32_t first)
{
    int32_t last = first + 1;

    while (metas[first]->layout != SCS_LAYOUT_CSC && last < dataset->n_input &&
           metas[last]->layout != SCS_LAYOUT_CSC)
        last++;
    return last;
}

/* Rows of the input by the ranks whose cells they are; what is not taken goes along.
 *  @param[out] split [n_rank + 1] */
static scs_status split_rows(const scs_h5ad *meta, int32_t n_rank, int64_t **split)
{
    free(*split);
    SCS_TRY(SCS_ALLOC(*split, n_rank + 1));
    for (int32_t r = 1; r <= n_rank; r++) {
        int64_t cell = meta->n_obs * r / n_rank;

        (*split)[r] = cell < meta->n_obs ? scs_h5ad_row(meta, cell) : meta->n_row;
    }
    return SCS_OK;
}

/* Collective. */
static scs_status open_columns(scs_comm *comm, reading *r)
{
    const scs_h5ad *meta = r->metas[r->input];

    SCS_TRY(scs_comm_agree(comm, split_rows(meta, scs_comm_size(comm), &r->split)));
    return scs_read_columns_open(comm, meta, r->split, r->limit, &r->columns);
}

/* This rank's part of the next inputs, of which nothing is read yet. Collective. */
static scs_status next_inputs(scs_comm *comm, reading *r)
{
    const scs_dataset *d = r->dataset;
    int64_t rank = scs_comm_rank(comm), n_rank = scs_comm_size(comm), first, cells;
    int32_t input = r->next_input;

    r->next_input = phase_end(d, r->metas, input);
    first = d->first_cell[input];
    cells = d->first_cell[r->next_input] - first;
    r->input = input;
    r->cell = first + cells * rank / n_rank;
    r->end = first + cells * (rank + 1) / n_rank;
    scs_h5ad_matrix_close(&r->file);
    return r->metas[input]->layout == SCS_LAYOUT_CSC ? open_columns(comm, r) : scs_collective_ok();
}

/* The next part of the rows: of an input that is read by columns, those that come next. Collective.
 *  @param[out] more false: there are no more */
static scs_status next_phase(void *ctx, scs_comm *comm, bool *more)
{
    reading *r = ctx;

    r->part = NULL;
    for (;;) {
        *more = true;
        if (r->columns)
            SCS_TRY(scs_read_columns_next(r->columns, more));
        if (r->columns && *more)
            return scs_collective_ok();
        scs_read_columns_close(&r->columns);
        *more = r->next_input < r->dataset->n_input;
        if (!*more)
            return scs_collective_ok();
        SCS_TRY(next_inputs(comm, r));
        if (!r->columns)
            return scs_collective_ok();
    }
}

/* This rank's part, of which nothing is read yet. Parts may be empty where there are fewer cells
 * than ranks. */
static reading start(scs_comm *comm, const scs_dataset *dataset, const scs_h5ad *const *metas,
                     scs_scale *scale)
{
    int64_t rank = scs_comm_rank(comm), n_rank = scs_comm_size(comm);

    for (int32_t i = 0; scale && i < dataset->n_input; i++)
        scs_scale_clear(&scale[i]);
    return (reading){.dataset = dataset,
                     .metas = metas,
                     .scale = scale,
                     .cell = dataset->n_cell * rank / n_rank,
                     .end = dataset->n_cell * (rank + 1) / n_rank};
}

scs_status scs_read_cells(scs_comm *comm, const scs_dataset *dataset, const scs_h5ad *const *metas,
                          int64_t *first_cell, scs_packed *x, double **totals, scs_scale *scale)
{
    reading r = start(comm, dataset, metas, scale);
    scs_status st;

    *x = (scs_packed){0};
    *totals = NULL;
    *first_cell = r.cell;
    SCS_GO(st, scs_comm_agree(comm, read_range(&r, x, totals)));
    if (scale)
        SCS_GO(st, scs_read_cells_unite(comm, scale, dataset->n_input));
done:
    close_reading(&r);
    if (st != SCS_OK) {
        scs_packed_clear(x);
        free(*totals);
        *totals = NULL;
    }
    return st;
}

scs_status scs_read_cells_to_shards(scs_comm *comm, const scs_dataset *dataset,
                                    const scs_h5ad *const *metas, const scs_deal *deal,
                                    const scs_team *team, int64_t limit, scs_shard **shard,
                                    double **total, scs_scale *scale)
{
    reading r = start(comm, dataset, metas, scale);
    scs_row_source source = {.ctx = &r,
                             .begin = next_phase,
                             .next = next_rows,
                             .words = scs_read_cells_words(dataset, metas),
                             .limit = limit};
    scs_status st;

    *shard = NULL;
    *total = NULL;
    r.limit = limit;
    SCS_GO(st, scs_comm_agree(comm, scs_packed_alloc(0, dataset->n_gene, 0, &r.block)));
    SCS_GO(st, scs_redistribute_rows(comm, deal, team, dataset->n_gene, &source, shard, total));
    SCS_GO(st, scs_read_cells_unite(comm, scale, dataset->n_input));
done:
    close_reading(&r);
    if (st != SCS_OK) {
        scs_redistribute_clear(shard, team->last - team->first);
        free(*total);
        *total = NULL;
    }
    return st;
}

/* ---- counting ---- */

static int64_t values_above_0(const scs_csr *x, int64_t row)
{
    int64_t n = 0;

    for (int64_t k = x->indptr[row]; k < x->indptr[row + 1]; k++)
        n += x->values[k] > 0;
    return n;
}

/* The whole file's genes decide on a cell, the dataset's are counted. Local.
 *  @param[in,out] keep of the rank's cells, 0 before  @param[in,out] n 0 before */
static scs_status count_range(reading *r, int64_t least, const uint8_t *counted, uint8_t *keep,
                              int64_t *n)
{
    for (;;) {
        int64_t first = r->cell;
        scs_csr *x;

        SCS_TRY(read_block(r, &x));
        if (!x)
            return SCS_OK;
        for (int64_t i = 0; i < x->n_row; i++)
            keep[first + i] = values_above_0(x, i) >= least;
        SCS_TRY(map_block(r, x));
        for (int64_t i = 0; i < x->n_row; i++)
            for (int64_t k = x->indptr[i];
                 keep[first + i] && counted[first + i] && k < x->indptr[i + 1]; k++)
                n[x->indices[k]] += x->values[k] > 0;
    }
}

/* Each cell's byte is 1 on at most one rank. Counts of MPI are int. */
static scs_status unite_counts(scs_comm *comm, const scs_dataset *dataset, uint8_t *keep,
                               int64_t *n)
{
    enum { AT_ONCE = 1 << 28 };

    for (int64_t c = 0; c < dataset->n_cell; c += AT_ONCE) {
        int64_t some = dataset->n_cell - c < AT_ONCE ? dataset->n_cell - c : AT_ONCE;

        SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, keep + c, (int)some, MPI_UINT8_T, MPI_MAX,
                              scs_comm_mpi(comm)));
    }
    SCS_MPI(
        MPI_Allreduce(MPI_IN_PLACE, n, dataset->n_gene, MPI_INT64_T, MPI_SUM, scs_comm_mpi(comm)));
    return scs_collective_ok();
}

scs_status scs_read_cells_count(scs_comm *comm, const scs_dataset *dataset,
                                const scs_h5ad *const *metas, int64_t least, const uint8_t *counted,
                                uint8_t *keep, int64_t *n)
{
    reading r = start(comm, dataset, metas, NULL);
    scs_status st;

    memset(keep, 0, (size_t)dataset->n_cell);
    memset(n, 0, (size_t)dataset->n_gene * sizeof *n);
    SCS_GO(st, scs_comm_agree(comm, count_range(&r, least, counted, keep, n)));
    SCS_GO(st, unite_counts(comm, dataset, keep, n));
done:
    close_reading(&r);
    return st;
}

/* ---- normalising ---- */

/* The target, for which something is sent only where the config gives none; 0 where nothing is
 * normalised. All counts 0 is SCS_EDATA on every rank, as the target is the same. Collective.
 *  @param local, used, n_used as median_total has them */
static scs_status find_target(scs_comm *comm, const scs_config *config, scs_status local,
                              const double *used, int64_t n_used, double *target)
{
    *target = config->data.target_sum;
    if (*target > 0)
        return scs_comm_agree(comm, local);
    SCS_TRY(median_total(comm, local, used, n_used, target));
    SCS_REQUIRE(*target > 0, SCS_EDATA,
                "data.normalize: every cell's counts are 0, so there is nothing to normalise; "
                "check data.matrix");
    return SCS_OK;
}

/* Cells without counts have no say in the median, as in scanpy. */
scs_status scs_read_cells_normalize(scs_comm *comm, const scs_config *config,
                                    const scs_dataset *dataset, bool controls,
                                    const scs_cell_part *part, int32_t n_part, const double *total,
                                    double *target)
{
    double *used = NULL;
    int64_t n = 0, rows = 0, at = 0;
    scs_status st;

    *target = 0;
    if (config->data.normalize != SCS_NORMALIZE_LOG1P)
        return scs_collective_ok();
    for (int32_t p = 0; p < n_part; p++)
        rows += part[p].x->n_row;
    st = SCS_ALLOC(used, rows);
    for (int32_t p = 0; st == SCS_OK && p < n_part; at += part[p++].x->n_row)
        for (int64_t i = 0; i < part[p].x->n_row; i++)
            if (total[at + i] > 0 &&
                scs_roles_has_say(dataset, controls, scs_cell_part_cell(&part[p], i)))
                used[n++] = total[at + i];
    st = find_target(comm, config, st, used, n, target);
    at = 0;
    for (int32_t p = 0; st == SCS_OK && p < n_part; at += part[p++].x->n_row)
        scs_packed_log_normalize(part[p].x, total + at, *target);
    free(used);
    return st;
}
