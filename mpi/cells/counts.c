/* Ranks hold contiguous cells that ascend with the rank, so that parts laid one after the other are
 * in ascending order. Rows travel packed, as the words that they are. Libraries of groups are sums
 * of whole numbers, exact in any order.
 *
 * A rank keeps its own cells packed, about 3 bytes an entry, and beside them the group that it was
 * asked for: never all of them. Gathering a group costs its bytes once to every rank. */
#include "mpi/cells/counts.h"

#include "mpi/data/packed_gather.h"
#include "mpi/job/session.h"
#include "src/atlas/atlas.h"
#include "src/base/collective.h"
#include "src/data/h5ad.h"
#include "src/data/scale.h"
#include "scscreen/comm.h"

#include <math.h>
#include <stdlib.h>

/* Bytes of what a message says of the values; parts of a count per million that are summed. */
enum { EVIDENCE = 300, UNIT = 1024 };

static const char advice[] =
    "predicted cells are made from counts: set %s to the matrix that holds "
    "them, such as layers/counts or raw";

/* @param key that chooses the matrix  @return out */
static const char *advise(const char *key, char *out, size_t size)
{
    snprintf(out, size, advice, key);
    return out;
}

/* Before any cell is read: normalize: none, or auto that has found logarithms. */
scs_status scs_counts_check(const scs_session *session)
{
    char what[EVIDENCE];

    SCS_REQUIRE(!session->streams, SCS_EARG,
                "%s: train.data: stream keeps cells on disk, and predicted cells are made from "
                "counts in memory: --set train.data=memory",
                session->config->file);
    SCS_REQUIRE(session->config->data.normalize == SCS_NORMALIZE_LOG1P, SCS_EDATA,
                "%s: %s holds no counts (%s); %s", session->meta[0]->path, session->meta[0]->matrix,
                session->dataset->values, advise("data.matrix", what, sizeof what));
    return SCS_OK;
}

/* By the values themselves; what is unclear is refused as well, for a cell that is made from
 * logarithms as if they were counts looks sound. */
scs_status scs_counts_judge(const scs_h5ad *file, const scs_scale *scale, const char *key)
{
    char found[EVIDENCE], what[EVIDENCE];

    SCS_REQUIRE(scs_scale_judge(scale, file->n_var) == SCS_SCALE_COUNTS, SCS_EDATA,
                "%s: %s holds %s; %s", file->path, file->matrix,
                scs_scale_describe(scale, file->n_var, found, sizeof found),
                advise(key, what, sizeof what));
    return SCS_OK;
}

/* normalize: log1p is the user's word; this asks the values that were read. */
static scs_status check_scales(const scs_session *s, const scs_scale *scale)
{
    for (int32_t i = 0; i < s->dataset->n_input; i++)
        SCS_TRY(scs_counts_judge(s->meta[i], &scale[i], "data.matrix"));
    return SCS_OK;
}

/* This rank's part of each group's sum. Local. */
static scs_status sum_libraries(scs_counts *c)
{
    int32_t n_group = c->session->atlas->n_group;

    SCS_TRY(SCS_ALLOC(c->library, n_group));
    SCS_TRY(scs_atlas_cell_groups(c->session->atlas, c->session->dataset, &c->group_of_cell));
    for (int64_t i = 0; i < c->x.n_row; i++) {
        int32_t group = c->group_of_cell[c->first + i];

        if (group >= 0)
            c->library[group] += scs_packed_row_sum(&c->x, i);
    }
    return SCS_OK;
}

/* The inputs are read a second time: normalising overwrote the counts of the first. */
scs_status scs_counts_read(const scs_session *session, scs_counts *counts)
{
    scs_comm *comm = session->comm;
    const scs_atlas *a = session->atlas;
    double *totals = NULL;
    scs_scale *scale = NULL;
    scs_status st;

    *counts = (scs_counts){.session = session, .n_cell = session->dataset->n_cell};
    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(scale, session->dataset->n_input)));
    SCS_GO(st, scs_read_cells(comm, session->dataset, (const scs_h5ad *const *)session->meta,
                              &counts->first, &counts->x, &totals, scale));
    SCS_GO(st, scs_comm_agree(comm, check_scales(session, scale)));
    SCS_GO(st, scs_comm_agree(comm, sum_libraries(counts)));
    SCS_GO(st, scs_comm_mpi_status(MPI_Allreduce(MPI_IN_PLACE, counts->library, a->n_group,
                                                 MPI_DOUBLE, MPI_SUM, scs_comm_mpi(comm)),
                                   "MPI_Allreduce"));
    for (int32_t g = 0; g < a->n_group; g++)
        counts->library[g] /= (double)a->group[g].count;
done:
    free(scale);
    free(totals);
    return st;
}

/* The session is borrowed and stays. */
void scs_counts_clear(scs_counts *counts)
{
    scs_packed_clear(&counts->x);
    free(counts->group_of_cell);
    free(counts->library);
    *counts = (scs_counts){0};
}

/* This rank's rows of a group. Local. @param[out] own caller clears, also after a failure */
static scs_status take_own(const scs_counts *c, int32_t group, scs_packed *own)
{
    int64_t rows = 0, words = 0, row = 0;

    for (int64_t i = 0; i < c->x.n_row; i++)
        if (c->group_of_cell[c->first + i] == group) {
            rows++;
            words += scs_packed_row_words(&c->x, i);
        }
    SCS_TRY(scs_packed_alloc(rows, c->x.n_col, words, own));
    for (int64_t i = 0; i < c->x.n_row; i++)
        if (c->group_of_cell[c->first + i] == group)
            scs_packed_copy(own, row++, &c->x, i);
    return SCS_OK;
}

/* Cells end up in ascending order on every rank, which is sent about 3 bytes an entry. */
scs_status scs_counts_gather(const scs_counts *counts, int32_t group, scs_count_group *to)
{
    scs_comm *comm = counts->session->comm;
    scs_packed own = {0}, all = {0};
    scs_status st;

    *to = (scs_count_group){.group = -1};
    SCS_GO(st, scs_comm_agree(comm, take_own(counts, group, &own)));
    SCS_GO(st, scs_packed_gather(comm, &own, &all));
    SCS_GO(st, scs_comm_agree(comm, scs_count_group_make(group, &all, to)));
done:
    scs_packed_clear(&own);
    scs_packed_clear(&all);
    return st;
}

/* In units of 2^-10: whole numbers, whose sum is the same in any order. Local.
 *  @param[in,out] sum [n_gene] */
static void add_cpm(const scs_counts *c, int32_t group, int64_t *sum)
{
    for (int64_t i = 0; i < c->x.n_row; i++) {
        double library;
        scs_row row;

        if (c->group_of_cell[c->first + i] != group)
            continue;
        row = scs_packed_row(&c->x, i);
        library = scs_packed_row_sum(&c->x, i);
        for (int32_t k = 0; k < row.n; k++)
            sum[scs_row_gene(&row, k)] +=
                llround(UNIT * 1e6 * (double)scs_row_value(&row, k) / library);
    }
}

/* cpm_g = 10^6 sum_i count_ig / library_i / n, rounded to 2^-10 a cell: an error of at most 5e-4 of
 * a count per million, for a sum whose bits do not depend on ranks. */
scs_status scs_counts_cpm(const scs_counts *counts, int32_t group, double *cpm)
{
    scs_comm *comm = counts->session->comm;
    int32_t n_gene = counts->x.n_col;
    double n = (double)counts->session->atlas->group[group].count;
    int64_t *sum = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, SCS_ALLOC(sum, n_gene)));
    add_cpm(counts, group, sum);
    SCS_GO(st, scs_comm_mpi_status(MPI_Allreduce(MPI_IN_PLACE, sum, n_gene, MPI_INT64_T, MPI_SUM,
                                                 scs_comm_mpi(comm)),
                                   "MPI_Allreduce"));
    for (int32_t g = 0; g < n_gene; g++)
        cpm[g] = (double)sum[g] / UNIT / n;
done:
    free(sum);
    return st;
}

/* From the labels, which every rank has: no message. O(cells). */
scs_status scs_counts_cells(const scs_counts *counts, int32_t group, int64_t **cell, int64_t *n)
{
    *n = 0;
    for (int64_t i = 0; i < counts->n_cell; i++)
        *n += counts->group_of_cell[i] == group;
    SCS_TRY(SCS_ALLOC(*cell, *n));
    *n = 0;
    for (int64_t i = 0; i < counts->n_cell; i++)
        if (counts->group_of_cell[i] == group)
            (*cell)[(*n)++] = i;
    return SCS_OK;
}
