/* Cells are gone through twice: for the covariance of the real ones, and for the coordinates of
 * all. A block of them is laid out by genes, so that what each rank has of it is one piece, which
 * the others get as it stands.
 *
 * Ranks hold genes, not cells, as the rest of the score does: each fills its rows of a block, and
 * the block goes round, 8 x 2,000 x 1,024 bytes (16 MiB) at most, once for each 1,024 cells. Then
 * all ranks have the same block and share out what is made of it: squares of the covariance, parts
 * of the cells. What a rank has not made is zero with it, so that a sum over ranks puts the pieces
 * together without rounding. Every rank ends with all coordinates: n k doubles. */
#include "mpi/score/coordinates.h"

#include "mpi/comm/collectives.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = SCS_CELL_SPACE_BLOCK, PIECE = 1 << 24 }; /* numbers that are summed at a time */

typedef struct work {
    const scs_coordinates_input *in;
    scs_cell_space *space;
    int32_t rank, n_rank;
    int32_t *row;   /* [genes of this rank] the gene's row of a block, or -1 */
    int32_t *row0;  /* [n_rank + 1] first row of each rank */
    int64_t *bytes; /* [n_rank + 1] where a rank's rows begin */
    int64_t *cell;  /* [n] cells that are gone through */
    int64_t n;
    double *block; /* [space->n_gene, BLOCK] */
    double *product, *sum;
} work;

static void clear(work *w)
{
    free(w->row);
    free(w->row0);
    free(w->bytes);
    free(w->cell);
    free(w->block);
    free(w->product);
    free(w->sum);
}

/* ---- genes ---- */

/* Over all real cells of the panel, from their groups' means and variances (law of total variance,
 * without another pass over cells): mean_j = sum_g p_g m_gj, and the variance is sum_g p_g (v_gj +
 * m_gj^2) - mean_j^2. A difference within rounding of the square is none. Local. */
static void find_variance(const scs_coordinates_input *in, double *variance)
{
    const int64_t *count = in->real->count[SCS_REAL];
    double n = 0;

    for (int32_t g = 0; g <= in->real->n; g++)
        n += (double)count[g];
    for (int32_t j = 0; j < in->stats->n_gene; j++) {
        double mean = 0, square = 0;

        for (int32_t g = 0; g <= in->real->n; g++) {
            double m = scs_gene_stats_row(in->stats, SCS_REAL, SCS_STAT_MEAN, g)[j];
            double v = scs_gene_stats_row(in->stats, SCS_REAL, SCS_STAT_VARIANCE, g)[j];

            mean += (double)count[g] / n * m;
            square += (double)count[g] / n * (v + m * m);
        }
        variance[j] = square - mean * mean > 1e-12 * square ? square - mean * mean : 0;
    }
}

/* Variances go round, 8 bytes a gene; then each rank chooses for itself, and the same. Collective.
 */
static scs_status choose_genes(work *w)
{
    const scs_coordinates_input *in = w->in;
    int64_t n_gene = in->gene0[w->n_rank];
    double *variance = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(in->comm, SCS_ALLOC(variance, n_gene)));
    find_variance(in, variance + in->gene0[w->rank]);
    for (int32_t r = 0; r <= w->n_rank; r++)
        in->comm->first[r] = in->gene0[r] * (int64_t)sizeof *variance;
    SCS_GO(st, scs_comm_allgather(in->comm, variance, in->comm->first));
    SCS_GO(st,
           scs_comm_agree(in->comm, scs_cell_space_choose(variance, (int32_t)n_gene, w->space)));
done:
    free(variance);
    return st;
}

/* Which genes are where: rows of a block are the chosen genes, ascending, and as ranks hold runs of
 * genes, a rank's rows are one run too. Room is made for all that is needed until the end. Local.
 */
static scs_status lay_out(work *w)
{
    const int64_t *gene0 = w->in->gene0;

    SCS_TRY(SCS_ALLOC(w->row, gene0[w->rank + 1] - gene0[w->rank]));
    SCS_TRY(SCS_ALLOC(w->row0, w->n_rank + 1));
    SCS_TRY(SCS_ALLOC(w->bytes, w->n_rank + 1));
    SCS_TRY(SCS_ALLOC(w->cell, w->in->panel->n_cell));
    SCS_TRY(SCS_ALLOC(w->block, (int64_t)w->space->n_gene * BLOCK));
    SCS_TRY(SCS_ALLOC(w->product, (int64_t)w->space->n_gene * w->space->n_gene));
    SCS_TRY(SCS_ALLOC(w->sum, w->space->n_gene));
    for (int64_t j = gene0[w->rank]; j < gene0[w->rank + 1]; j++)
        w->row[j - gene0[w->rank]] = -1;
    for (int32_t i = 0, r = 0; i < w->space->n_gene; i++) {
        while (w->space->gene[i] >= gene0[r + 1])
            w->row0[++r] = i;
        if (r == w->rank)
            w->row[w->space->gene[i] - gene0[r]] = i;
        for (int32_t k = r + 1; k <= w->n_rank; k++)
            w->row0[k] = i + 1;
    }
    return SCS_OK;
}

/* ---- cells ---- */

/* The real cells, at most SCS_CELL_SPACE_FITTED, evenly spread: the list is thinned in place, as
 * k n / fitted >= k. */
static void list_fitted(work *w)
{
    const scs_panel *panel = w->in->panel;
    int64_t n = 0;

    for (int64_t i = panel->n_predicted; i < panel->n_cell; i++)
        if (panel->group[i] >= 0)
            w->cell[n++] = i;
    w->space->n_real = n;
    w->n = n < SCS_CELL_SPACE_FITTED ? n : SCS_CELL_SPACE_FITTED;
    w->space->n_fitted = w->n;
    for (int64_t k = 0; k < w->n; k++)
        w->cell[k] = w->cell[k * n / w->n];
}

/* Predicted and real cells that are of a group that is compared. */
static void list_all(work *w)
{
    w->n = 0;
    for (int64_t i = 0; i < w->in->panel->n_cell; i++)
        if (w->in->panel->group[i] >= 0)
            w->cell[w->n++] = i;
}

/* This rank's rows of a block: cells [first, first + n) of those gone through. */
static void fill(work *w, int64_t first, int32_t n)
{
#pragma omp parallel for
    for (int32_t j = w->row0[w->rank]; j < w->row0[w->rank + 1]; j++)
        memset(w->block + (int64_t)j * n, 0, (size_t)n * sizeof *w->block);
#pragma omp parallel for
    for (int32_t i = 0; i < n; i++) {
        int64_t cell = w->cell[first + i];
        scs_row row = scs_packed_row(w->in->share, cell);

        for (int64_t k = 0; k < row.n; k++) {
            int32_t j = w->row[scs_row_gene(&row, k)];

            if (j >= 0)
                w->block[(int64_t)j * n + i] =
                    scs_levels_find(w->in->levels, cell, scs_row_value(&row, k))->log10k;
        }
    }
}

/* The whole block, on all ranks. Collective. @param[out] n cells of it */
static scs_status make_block(work *w, int64_t first, int32_t *n)
{
    *n = (int32_t)(w->n - first < BLOCK ? w->n - first : BLOCK);
    fill(w, first, *n);
    for (int32_t r = 0; r <= w->n_rank; r++)
        w->bytes[r] = (int64_t)w->row0[r] * *n * (int64_t)sizeof *w->block;
    return scs_comm_allgather(w->in->comm, w->block, w->bytes);
}

/* ---- components and coordinates ---- */

/* Every other rank has zeros there: the sum is the one number, to the bit. Collective. */
static scs_status sum_up(scs_comm *comm, double *value, int64_t n)
{
    for (int64_t at = 0; at < n; at += PIECE) {
        int count = (int)(n - at < PIECE ? n - at : PIECE);

        SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, value + at, count, MPI_DOUBLE, MPI_SUM,
                              scs_comm_mpi(comm)));
    }
    return SCS_OK;
}

/* Rank 0 finds them, all have them. Collective. */
static scs_status share_components(work *w, int32_t wanted)
{
    scs_comm *comm = w->in->comm;
    scs_cell_space *space = w->space;
    scs_status st = w->rank == 0 ? scs_cell_space_solve(w->product, w->sum, wanted, space) : SCS_OK;
    int32_t k;

    SCS_TRY(scs_comm_agree(comm, st));
    k = w->rank == 0 ? space->pca->n_component : 0;
    SCS_TRY(scs_comm_broadcast(comm, &k, sizeof k));
    if (w->rank > 0)
        st = scs_pca_create(space->n_gene, k, &space->pca);
    SCS_TRY(scs_comm_agree(comm, st));
    space->pca->n_cell = space->n_fitted;
    SCS_TRY(scs_comm_broadcast(comm, space->pca->center, (int64_t)space->n_gene * 8));
    SCS_TRY(scs_comm_broadcast(comm, space->pca->loading, (int64_t)space->n_gene * k * 8));
    SCS_TRY(scs_comm_broadcast(comm, space->pca->variance, (int64_t)k * 8));
    return scs_comm_broadcast(comm, &space->pca->total_variance, 8);
}

/* Products of all blocks on their ranks, put together on every one, and solved on rank 0.
 * Collective. */
static scs_status fit(work *w, int32_t wanted)
{
    int32_t n_gene = w->space->n_gene, n;

    for (int64_t first = 0; first < w->n; first += BLOCK) {
        SCS_TRY(make_block(w, first, &n));
        scs_cell_space_add(w->block, n_gene, n, w->rank, w->n_rank, w->product, w->sum);
    }
    SCS_TRY(sum_up(w->in->comm, w->product, (int64_t)n_gene * n_gene));
    return share_components(w, wanted);
}

/* Parts of a block that other ranks have placed are zero here. Collective. @param at [n_cell, k]
 * zeroed */
static scs_status place(work *w, double *at)
{
    int32_t k = w->space->pca->n_component, n;
    double *z = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(w->in->comm, SCS_ALLOC(z, (int64_t)BLOCK * k)));
    for (int64_t first = 0; first < w->n; first += BLOCK) {
        SCS_GO(st, make_block(w, first, &n));
        memset(z, 0, (size_t)BLOCK * (size_t)k * sizeof *z);
        SCS_GO(st, scs_comm_agree(w->in->comm, scs_cell_space_place(w->space, w->block, n, w->rank,
                                                                    w->n_rank, z)));
        for (int32_t i = 0; i < n; i++)
            memcpy(at + w->cell[first + i] * k, z + (int64_t)i * k, (size_t)k * sizeof *z);
    }
    SCS_GO(st, sum_up(w->in->comm, at, w->in->panel->n_cell * k));
done:
    free(z);
    return st;
}

scs_status scs_coordinates_make(const scs_coordinates_input *input, int32_t wanted,
                                scs_cell_space *space, double **at)
{
    work w = {.in = input,
              .space = space,
              .rank = scs_comm_rank(input->comm),
              .n_rank = scs_comm_size(input->comm)};
    scs_status st;

    *at = NULL;
    SCS_GO(st, choose_genes(&w));
    SCS_GO(st, scs_comm_agree(input->comm, lay_out(&w)));
    list_fitted(&w);
    if (space->n_gene == 0 || space->n_fitted < 3)
        goto done;
    SCS_GO(st, fit(&w, wanted));
    SCS_GO(st, scs_comm_agree(input->comm,
                              SCS_ALLOC(*at, input->panel->n_cell * space->pca->n_component)));
    list_all(&w);
    SCS_GO(st, place(&w, *at));
done:
    clear(&w);
    return st;
}
