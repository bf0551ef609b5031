/* The atlas' gene-space half: each rank makes its genes of every group, then all ranks get
 * everything.
 *
 *  Statistics of a gene need all cells, so the cells' entries change owner: from shards (some
 *  cells, all genes) to gene slices (all cells, some genes; mpi/data/gene_columns.h). The genes
 *  go through this in parts, so that the cells never stand in memory twice. A slice is summed in
 *  the order of cells, so no bit depends on the number of ranks or parts.
 *
 *  For each part of the genes, all of it Collective:
 *      scs_gene_columns_next        entries to their genes' ranks
 *      scs_gene_moments             this rank's columns of gene_mean and gene_variance
 *      add_lists                    Wilcoxon z of this rank's genes, the best of each group
 *      gather_columns               everyone's columns
 *  and at the end
 *      merge_lists                  the best genes of all ranks
 *
 *  What travels: each stored value once, 6 bytes, and 4 a cell and rank; then means and variances,
 *  8 bytes a group and gene, in blocks of at most 64 MiB; and the best genes of every group, by
 *  merging the ranks' lists (100 entries of 12 bytes a group and rank). */
#include "mpi/data/atlas_genes.h"

#include "mpi/comm/collectives.h"
#include "mpi/data/gene_columns.h"
#include "src/atlas/atlas.h"
#include "src/base/collective.h"
#include "src/data/packed.h"
#include "scscreen/comm.h"

#include <stdlib.h>
#include <string.h>

/* The best genes of one group, |z| descending, of equal ones the lower gene first. */
typedef struct scs_top_list {
    double score[SCS_N_DEG];
    int32_t gene[SCS_N_DEG];
} scs_top_list;

/* Groups whose lists are merged in one collective: 20 KB from each rank. */
enum { LISTS = 16 };

/* What goes from part to part of the genes. */
typedef struct top_genes {
    int32_t *control;    /* [n_group] control group of each, -1: none */
    scs_top_list *best;  /* [n_group] of this rank's genes so far */
    scs_top_list *lists; /* [n_rank, LISTS] gathered */
    int32_t *at;         /* [n_rank] places in the lists that are merged */
} top_genes;

/* A group's control group, or -1 where there is nothing to compare it with. */
static int32_t control_of(const scs_atlas *atlas, int32_t group)
{
    const scs_group *g = &atlas->group[group];

    if (g->condition == atlas->control)
        return -1;
    return scs_atlas_group(atlas, g->species, g->cell_type, atlas->control);
}

/* No gene yet. */
static scs_status open_lists(const scs_comm *comm, const scs_atlas *atlas, top_genes *top)
{
    SCS_TRY(SCS_ALLOC(top->control, atlas->n_group));
    SCS_TRY(SCS_ALLOC(top->best, atlas->n_group));
    SCS_TRY(SCS_ALLOC(top->lists, (int64_t)comm->size * LISTS));
    SCS_TRY(SCS_ALLOC(top->at, comm->size));
    for (int32_t g = 0; g < atlas->n_group; g++) {
        top->control[g] = control_of(atlas, g);
        for (int i = 0; i < SCS_N_DEG; i++) {
            top->best[g].gene[i] = -1;
            top->best[g].score[i] = -1;
        }
    }
    return SCS_OK;
}

static void close_lists(top_genes *top)
{
    free(top->control);
    free(top->best);
    free(top->lists);
    free(top->at);
}

/* This rank's genes of a part, which are higher than those of the parts before. Local. */
static scs_status add_lists(const scs_atlas *atlas, const scs_gene_slice *slice, top_genes *top)
{
    int32_t n = slice->gene1 - slice->gene0;
    double *z; /* [n_group, n] */
    scs_status st;

    SCS_TRY(SCS_ALLOC(z, (int64_t)atlas->n_group * n));
    SCS_GO(st, scs_deg_wilcoxon(atlas, slice, top->control, z));
#pragma omp parallel for schedule(static)
    for (int32_t g = 0; g < atlas->n_group; g++)
        if (top->control[g] >= 0)
            scs_deg_add_genes(z + (int64_t)g * n, n, slice->gene0, SCS_N_DEG, top->best[g].gene,
                              top->best[g].score);
done:
    free(z);
    return st;
}

/* Whether list a's next gene comes before list b's. */
static bool comes_before(const scs_top_list *a, int32_t i, const scs_top_list *b, int32_t k)
{
    if (a->score[i] != b->score[k])
        return a->score[i] > b->score[k];
    return a->gene[i] < b->gene[k];
}

/* The best of all ranks' lists of one group: what one rank would find that has all genes.
 *  @param lists [n_rank, stride], of which the first column is wanted
 *  @param at [n_rank] scratch
 *  @param[out] gene [SCS_N_DEG] */
static void merge(const scs_top_list *lists, int32_t n_rank, int32_t stride, int32_t *at,
                  int32_t *gene)
{
    memset(at, 0, (size_t)n_rank * sizeof *at);
    for (int i = 0; i < SCS_N_DEG; i++) {
        int32_t best = -1;

        for (int32_t r = 0; r < n_rank; r++) {
            const scs_top_list *list = lists + (int64_t)r * stride;

            if (at[r] < SCS_N_DEG && list->gene[at[r]] >= 0 &&
                (best < 0 || comes_before(list, at[r], lists + (int64_t)best * stride, at[best])))
                best = r;
        }
        gene[i] = best < 0 ? -1 : lists[(int64_t)best * stride].gene[at[best]++];
    }
}

/* All ranks' lists become one, a few groups at a time. Collective. */
static scs_status merge_lists(scs_comm *comm, scs_atlas *atlas, top_genes *top)
{
    for (int32_t g = 0; g < atlas->n_group; g += LISTS) {
        int32_t n = atlas->n_group - g < LISTS ? atlas->n_group - g : LISTS;

        memcpy(top->lists + (int64_t)comm->rank * n, top->best + g, (size_t)n * sizeof *top->best);
        for (int32_t r = 0; r <= comm->size; r++)
            comm->first[r] = (int64_t)r * n * (int64_t)sizeof *top->lists;
        SCS_TRY(scs_comm_allgather(comm, top->lists, comm->first));
        for (int32_t k = 0; k < n; k++)
            merge(top->lists + k, comm->size, n, top->at,
                  atlas->deg + (int64_t)(g + k) * SCS_N_DEG);
    }
    return scs_collective_ok();
}

enum {
    BLOCK_BYTES = 64 << 20, /* of means or variances, gathered at once */
    /* A value takes at most 12 bytes while it changes from rows to genes, a group 16 for each gene:
     * that many of a rank's at once. Each part goes through all cells, so that a rank's run of
     * genes has some width. */
    PART_VALUES = 2 << 20,
    PART_GROUPS = 1 << 21, /* groups x genes */
    LEAST_WIDTH = 16,
    MOST_WIDTH = 1 << 16 /* of a part: genes are sent as 16 bits */
};

/* Where each rank's genes of n groups lie in a gathered block, in bytes.
 * @param gene0 [n_rank + 1] first gene of each rank */
static void block_layout(scs_comm *comm, const int64_t *gene0, int64_t n)
{
    for (int32_t r = 0; r <= comm->size; r++)
        comm->first[r] = (gene0[r] - gene0[0]) * n * (int64_t)sizeof(float);
}

/* One rank's genes of n groups between the matrix and the block.
 *  @param out from the matrix to the block; else back */
static void copy_columns(scs_comm *comm, const int64_t *gene0, int32_t n_gene, int64_t n,
                         float *matrix, int32_t r, bool out)
{
    int64_t width = gene0[r + 1] - gene0[r];
    float *columns = (float *)comm->work + (gene0[r] - gene0[0]) * n; /* [n, width] */

    for (int64_t g = 0; g < n; g++) {
        float *row = matrix + g * n_gene + gene0[r], *part = columns + g * width;

        memcpy(out ? part : row, out ? row : part, (size_t)width * sizeof *row);
    }
}

/* Rows [0, n) of a [n, n_gene] matrix: columns [gene0[0], gene0[n_rank]) are spread over ranks and
 * become whole. Columns are not contiguous in the matrix, so they are sent from a block, [genes of
 * the rank, n] after one another. Collective. */
static scs_status gather_block(scs_comm *comm, const int64_t *gene0, int32_t n_gene, int64_t n,
                               float *matrix)
{
    float *block = comm->work;

    block_layout(comm, gene0, n);
    copy_columns(comm, gene0, n_gene, n, matrix, comm->rank, true);
    SCS_TRY(scs_comm_allgather(comm, block, comm->first));
    for (int32_t r = 0; r < comm->size; r++)
        copy_columns(comm, gene0, n_gene, n, matrix, r, false);
    return SCS_OK;
}

/* All groups' rows of a matrix, as many at a time as fit the block. Collective. */
static scs_status gather_columns(scs_comm *comm, const scs_atlas *atlas, const int64_t *gene0,
                                 float *matrix)
{
    int64_t row = (gene0[comm->size] - gene0[0]) * (int64_t)sizeof *matrix;
    int64_t step = BLOCK_BYTES / row + 1;

    step = step < atlas->n_group ? step : atlas->n_group;
    SCS_TRY(scs_comm_reserve(comm, step * row));
    for (int64_t g = 0; g < atlas->n_group; g += step) {
        int64_t left = atlas->n_group - g;

        SCS_TRY(gather_block(comm, gene0, atlas->n_gene, left < step ? left : step,
                             matrix + g * atlas->n_gene));
    }
    return SCS_OK;
}

/* @param mine first gene of this rank  @param[out] gene0 [n_rank + 1] of each; malloc'ed */
static scs_status all_slices(scs_comm *comm, int64_t mine, int32_t end, int64_t **gene0)
{
    SCS_TRY(scs_comm_agree(comm, SCS_ALLOC(*gene0, comm->size + 1)));
    SCS_MPI(MPI_Allgather(&mine, 1, MPI_INT64_T, *gene0, 1, MPI_INT64_T, comm->mpi));
    (*gene0)[comm->size] = end;
    return SCS_OK;
}

/* Moments and lists of this rank's genes. Local. */
static scs_status add_genes(scs_atlas *atlas, const scs_gene_slice *slice, top_genes *top)
{
    SCS_TRY(scs_gene_moments(atlas, slice));
    return add_lists(atlas, slice, top);
}

/* Moments of the genes [first of rank 0, end), of which each rank has made its own, to all ranks.
 * Collective. @param mine this rank's first gene  @param local how they were made */
static scs_status gather_genes(scs_comm *comm, scs_atlas *atlas, scs_status local, int32_t mine,
                               int32_t end)
{
    int64_t *gene0 = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, local));
    SCS_GO(st, all_slices(comm, mine, end, &gene0));
    SCS_GO(st, gather_columns(comm, atlas, gene0, atlas->gene_mean));
    SCS_GO(st, gather_columns(comm, atlas, gene0, atlas->gene_variance));
done:
    free(gene0);
    return st;
}

/* The next genes of all cells, up to `end`: transpose, and what follows from it. Parts may be empty
 * where there are fewer genes than parts; that is alike on all ranks. Collective. */
static scs_status add_part(scs_comm *comm, scs_atlas *atlas, scs_gene_columns *columns, int32_t end,
                           top_genes *top)
{
    scs_gene_slice slice = {0};
    scs_status st;

    if (columns->end == end)
        return scs_collective_ok();
    SCS_GO(st, scs_gene_columns_next(columns, end, &slice));
    SCS_GO(st, gather_genes(comm, atlas, add_genes(atlas, &slice, top), slice.gene0, end));
done:
    scs_gene_moments_slice_clear(&slice);
    return st;
}

/* Parts that are narrow enough. */
static int32_t at_least(int32_t n_part, int64_t n_gene)
{
    return n_gene / MOST_WIDTH < n_part ? n_part : (int32_t)(n_gene / MOST_WIDTH + 1);
}

/* Each rank's lists grow with its genes, and are merged at the end. Collective. */
scs_status scs_atlas_genes_in_parts(scs_comm *comm, scs_atlas *atlas, const scs_dataset *dataset,
                                    const scs_deal *deal, const scs_shard *shard,
                                    const scs_team *team, int32_t n_part)
{
    int64_t n_gene = atlas->n_gene;
    scs_gene_columns columns = {0};
    top_genes top = {0};
    scs_status st;

    n_part = at_least(n_part, n_gene);
    SCS_GO(st, scs_comm_agree(comm, open_lists(comm, atlas, &top)));
    SCS_GO(st, scs_gene_columns_open(comm, atlas, dataset, deal, shard, team, &columns));
    for (int32_t p = 0; p < n_part; p++)
        SCS_GO(st, add_part(comm, atlas, &columns, (int32_t)(n_gene * (p + 1) / n_part), &top));
    SCS_GO(st, merge_lists(comm, atlas, &top));
done:
    scs_gene_columns_close(&columns);
    close_lists(&top);
    return st;
}

/* As many parts as a rank's memory wants, from the stored values of all ranks: the same number on
 * each of them, though not on any number of ranks. */
scs_status scs_atlas_genes(scs_comm *comm, scs_atlas *atlas, const scs_dataset *dataset,
                           const scs_deal *deal, const scs_shard *shard, const scs_team *team)
{
    int64_t nnz = 0, parts, most = atlas->n_gene / comm->size / LEAST_WIDTH + 1;
    int64_t groups = (int64_t)atlas->n_group * atlas->n_gene;

    for (int32_t s = 0; s < team->last - team->first; s++)
        nnz += scs_packed_nnz(&shard[s].x);
    SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, &nnz, 1, MPI_INT64_T, MPI_SUM, comm->mpi));
    parts = nnz / comm->size / PART_VALUES + groups / comm->size / PART_GROUPS + 1;
    return scs_atlas_genes_in_parts(comm, atlas, dataset, deal, shard, team,
                                    (int32_t)(parts < most ? parts : most));
}

/* ---- of cells that come window by window ---- */

/* The genes of a part in one window after the other. Cells of later windows have higher numbers, so
 * that a group's values of a gene follow one another from window to window as they would in one. */
typedef struct window_slices {
    scs_cell_stream *stream;
    const int32_t *group; /* [n_cell] of each cell */
    scs_shard *shard;     /* [n_local] views of the window's rows */
    scs_feed_rows *rows;  /* [n_local] */
    scs_gene_slice *of;   /* [n_window] this rank's genes of the part */
    int32_t n;            /* windows so far */
} window_slices;

/* The window in memory. Collective. */
static scs_status take_window(window_slices *w, const scs_atlas *atlas, int32_t gene0,
                              int32_t gene1)
{
    scs_cell_stream *s = w->stream;
    scs_gene_columns columns = {0};
    int64_t cell0, cell1;
    scs_status st;

    scs_cell_stream_range(s, &cell0, &cell1);
    for (int32_t i = 0; i < s->team->last - s->team->first; i++)
        w->shard[i] = (scs_shard){.cell = w->rows[i].cell, .x = *w->rows[i].x};
    SCS_GO(st, scs_gene_columns_open_range(s->comm, atlas->n_group, w->group, cell0, cell1, s->deal,
                                           w->shard, s->team, gene0, &columns));
    SCS_GO(st, scs_gene_columns_next(&columns, gene1, &w->of[w->n]));
    w->n++;
done:
    scs_gene_columns_close(&columns);
    return st;
}

/* All windows, of the genes [gene0, gene1). Collective. */
static scs_status take_windows(window_slices *w, const scs_atlas *atlas, int32_t gene0,
                               int32_t gene1)
{
    scs_feed feed = scs_cell_stream_feed(w->stream);
    bool more;

    SCS_TRY(feed.begin(feed.ctx, SCS_FEED_ALL, 0, 0));
    for (;;) {
        SCS_TRY(feed.next(feed.ctx, w->rows, &more));
        if (!more)
            return feed.end(feed.ctx);
        SCS_TRY(take_window(w, atlas, gene0, gene1));
    }
}

/* Where the values of a gene and a group are in a slice. @return how many */
static int64_t values_of(const scs_gene_slice *slice, int32_t j, int32_t g, const float **value)
{
    const int64_t *first = slice->first + (int64_t)j * slice->n_group + g;

    *value = slice->value + first[0];
    return first[1] - first[0];
}

/* Genes [j0, j1) of all windows as one slice. @param[out] tile caller clears */
static scs_status join_windows(const window_slices *w, int32_t j0, int32_t j1, scs_gene_slice *tile)
{
    int32_t n_group = w->of[0].n_group;
    const float *value;
    int64_t n = 0;

    *tile = (scs_gene_slice){
        .gene0 = w->of[0].gene0 + j0, .gene1 = w->of[0].gene0 + j1, .n_group = n_group};
    for (int32_t k = 0; k < w->n; k++)
        n += w->of[k].first[(int64_t)j1 * n_group] - w->of[k].first[(int64_t)j0 * n_group];
    SCS_TRY(SCS_ALLOC(tile->first, (int64_t)(j1 - j0) * n_group + 1));
    SCS_TRY(SCS_ALLOC(tile->value, n));
    n = 0;
    for (int32_t j = j0; j < j1; j++)
        for (int32_t g = 0; g < n_group; g++) {
            for (int32_t k = 0; k < w->n; k++) {
                int64_t some = values_of(&w->of[k], j, g, &value);

                memcpy(tile->value + n, value, (size_t)some * sizeof *value);
                n += some;
            }
            tile->first[(int64_t)(j - j0) * n_group + g + 1] = n;
        }
    return SCS_OK;
}

/* What follows from this rank's genes of a part, some at a time. Local. */
static scs_status add_windows(const window_slices *w, scs_atlas *atlas, top_genes *top)
{
    enum { GENES = 64 };
    int32_t width = w->n > 0 ? w->of[0].gene1 - w->of[0].gene0 : 0;
    scs_gene_slice tile = {0};
    scs_status st = SCS_OK;

    for (int32_t j = 0; j < width; j += GENES) {
        SCS_GO(st, join_windows(w, j, width - j < GENES ? width : j + GENES, &tile));
        SCS_GO(st, add_genes(atlas, &tile, top));
        scs_gene_moments_slice_clear(&tile);
    }
done:
    scs_gene_moments_slice_clear(&tile);
    return st;
}

/* Genes [gene0, gene1) of all cells. Collective. */
static scs_status stream_part(window_slices *w, scs_atlas *atlas, int32_t gene0, int32_t gene1,
                              top_genes *top)
{
    scs_status st;

    if (gene0 == gene1)
        return scs_collective_ok();
    SCS_GO(st, take_windows(w, atlas, gene0, gene1));
    SCS_GO(st,
           gather_genes(w->stream->comm, atlas, add_windows(w, atlas, top), w->of[0].gene0, gene1));
done:
    for (int32_t k = 0; k < w->stream->windows.n_window; k++)
        scs_gene_moments_slice_clear(&w->of[k]);
    w->n = 0;
    return st;
}

/* Local. @param[out] group [n_cell] malloc'ed */
static scs_status open_windows(window_slices *w, const scs_atlas *atlas, int32_t **group)
{
    scs_cell_stream *s = w->stream;
    int32_t n = s->team->last - s->team->first;

    SCS_TRY(scs_atlas_cell_groups(atlas, s->dataset, group));
    w->group = *group;
    SCS_TRY(SCS_ALLOC(w->shard, n));
    SCS_TRY(SCS_ALLOC(w->rows, n));
    return SCS_ALLOC(w->of, s->windows.n_window);
}

scs_status scs_atlas_genes_streamed(scs_cell_stream *stream, scs_atlas *atlas, int32_t n_part)
{
    window_slices w = {.stream = stream};
    int32_t *group = NULL;
    int64_t n_gene = atlas->n_gene;
    top_genes top = {0};
    scs_comm *comm = stream->comm;
    scs_status st;

    n_part = at_least(n_part, n_gene);
    SCS_GO(st, scs_comm_agree(comm, open_lists(comm, atlas, &top)));
    SCS_GO(st, scs_comm_agree(comm, open_windows(&w, atlas, &group)));
    for (int64_t p = 0; p < n_part; p++)
        SCS_GO(st, stream_part(&w, atlas, (int32_t)(n_gene * p / n_part),
                               (int32_t)(n_gene * (p + 1) / n_part), &top));
    SCS_GO(st, merge_lists(comm, atlas, &top));
done:
    free(group);
    free(w.shard);
    free(w.rows);
    free(w.of);
    close_lists(&top);
    return st;
}
