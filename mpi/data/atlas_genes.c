/* The atlas' gene-space half: each rank makes its genes of every group, then all ranks get
 * everything.
 *
 *  Statistics of a gene need all cells, so the cells' entries change owner: from shards (some
 *  cells, all genes) to gene slices (all cells, some genes; scs_redistribute_transpose). The genes
 *  go through this in parts, so that the cells never stand in memory twice. A slice is summed in
 *  the order of cells, so no bit depends on the number of ranks or parts.
 *
 *  For each part of the genes, all of it Collective:
 *      scs_redistribute_transpose   entries to their genes' ranks
 *      scs_gene_moments             this rank's columns of gene_mean and gene_variance
 *      gather_columns               everyone's columns
 *      top_lists                    Wilcoxon z of this rank's genes, the best of all
 *
 *  What travels: each stored value once, 8 bytes and a part of 24 for its row; then means and
 *  variances, 8 bytes a group and gene, in blocks of at most 64 MiB; and the best genes of every
 *  group, by merging the ranks' lists (100 entries of 12 bytes a group and rank). */
#include "mpi/data/atlas_genes.h"

#include "mpi/comm/collectives.h"
#include "src/base/collective.h"
#include "src/data/packed.h"
#include "scscreen/comm.h"

#include <stdlib.h>
#include <string.h>

/* The best genes of one group, as scs_deg_top_genes gives them. */
typedef struct scs_top_list {
    double score[SCS_N_DEG];
    int32_t gene[SCS_N_DEG];
} scs_top_list;

/* Groups whose lists are merged in one collective: 20 KB from each rank. */
enum { LISTS = 16 }; /* groups handled between two collectives */

/* A group's control group, or -1 where there is nothing to compare it with. */
static int32_t control_of(const scs_atlas *atlas, int32_t group)
{
    const scs_group *g = &atlas->group[group];

    if (g->condition == atlas->control)
        return -1;
    return scs_atlas_group(atlas, g->species, g->cell_type, atlas->control);
}

/* A rank's own genes in ranked order of their values, and scratch for one group at a time. */
typedef struct ranking {
    scs_ranked_slice slice;
    int32_t gene0;
    double *z;           /* [slice.n_gene] Wilcoxon z of a group against its controls */
    scs_top_list *lists; /* [n_rank, LISTS] gathered */
    int32_t *at;         /* [n_rank + 1] places in the lists that are merged */
} ranking;

/* The best of this rank's genes for a group; an empty list where it has no control. Local. */
static scs_status list_own_genes(ranking *r, int32_t group, scs_top_list *list)
{
    int32_t control = control_of(r->slice.atlas, group);

    if (control < 0)
        return scs_deg_top_genes(r->z, 0, 0, SCS_N_DEG, list->gene, list->score);
    scs_deg_wilcoxon_ranked(&r->slice, group, control, r->z);
    return scs_deg_top_genes(r->z, r->slice.n_gene, r->gene0, SCS_N_DEG, list->gene, list->score);
}

/* The best of the list so far and of all ranks' lists of one group. A tie goes to the former, then
 * to the lower rank, which have the lower genes: so the outcome is that of one rank with all
 * genes.
 *  @param lists [n_rank, stride], of which the first column is wanted
 *  @param at [n_rank + 1] scratch
 *  @param[in,out] best before, and after this part of the genes */
static void merge(const scs_top_list *lists, int32_t n_rank, int32_t stride, int32_t *at,
                  scs_top_list *best)
{
    const scs_top_list before = *best;

    memset(at, 0, (size_t)(n_rank + 1) * sizeof *at);
    for (int i = 0; i < SCS_N_DEG; i++) {
        const scs_top_list *from = NULL;
        int32_t which = 0;

        best->gene[i] = -1;
        best->score[i] = -1;
        for (int32_t r = 0; r <= n_rank; r++) {
            const scs_top_list *list = r == 0 ? &before : lists + (int64_t)(r - 1) * stride;

            if (at[r] < SCS_N_DEG && list->gene[at[r]] >= 0 &&
                list->score[at[r]] > best->score[i]) {
                best->score[i] = list->score[at[r]];
                from = list;
                which = r;
            }
        }
        if (from)
            best->gene[i] = from->gene[at[which]++];
    }
}

/* Groups [g0, g0 + n): one agreement and one gathering for all of them. Collective. */
static scs_status rank_groups(scs_comm *comm, ranking *r, int32_t g0, int32_t n, scs_top_list *best)
{
    scs_top_list *mine = r->lists + (int64_t)comm->rank * n;
    scs_status st = SCS_OK;

    for (int32_t g = 0; g < n && st == SCS_OK; g++)
        st = list_own_genes(r, g0 + g, &mine[g]);
    SCS_TRY(scs_comm_agree(comm, st));
    for (int32_t i = 0; i <= comm->size; i++)
        comm->first[i] = (int64_t)i * n * (int64_t)sizeof *r->lists;
    SCS_TRY(scs_comm_allgather(comm, r->lists, comm->first));
    for (int32_t g = 0; g < n; g++)
        merge(r->lists + g, comm->size, n, r->at, &best[g0 + g]);
    return SCS_OK;
}

/* Ranks all values of this rank's genes once; each group's test then reads ranks only. */
static scs_status open_ranking(const scs_comm *comm, const scs_atlas *atlas,
                               const scs_dataset *dataset, const scs_gene_slice *slice, ranking *r)
{
    *r = (ranking){.gene0 = slice->gene0};
    SCS_TRY(scs_deg_slice_create(atlas, dataset, slice, &r->slice));
    SCS_TRY(SCS_ALLOC(r->lists, (int64_t)comm->size * LISTS));
    SCS_TRY(SCS_ALLOC(r->at, comm->size + 1));
    return SCS_ALLOC(r->z, slice->gene1 - slice->gene0);
}

/* Each rank ranks its own genes, the best of all ranks' and of those before are kept (|z|
 * descending, then gene ascending: what one rank would find that has all genes).
 *  @param slice its genes lie behind those of the slices before, and ranks' ascend
 *  @param[in,out] best [atlas->n_group] genes -1 at first; alike on all ranks. Collective. */
static scs_status top_lists(scs_comm *comm, const scs_atlas *atlas, const scs_dataset *dataset,
                            const scs_gene_slice *slice, scs_top_list *best)
{
    ranking r = {0};
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, open_ranking(comm, atlas, dataset, slice, &r)));
    for (int32_t g = 0; g < atlas->n_group; g += LISTS) {
        int32_t left = atlas->n_group - g;

        SCS_GO(st, rank_groups(comm, &r, g, left < LISTS ? left : LISTS, best));
    }
done:
    scs_deg_slice_clear(&r.slice);
    free(r.lists);
    free(r.at);
    free(r.z);
    return st;
}

enum {
    BLOCK_BYTES = 64 << 20, /* of means or variances, gathered at once */
    /* A value takes 23 bytes while it is gene-major: that many of a rank's at once, but each part
     * goes through all cells. */
    PART_VALUES = 4 << 20,
    MOST_PARTS = 8
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

/* @param[out] gene0 [n_rank + 1] where each rank's genes begin; malloc'ed */
static scs_status all_slices(scs_comm *comm, const scs_gene_slice *slice, int32_t end,
                             int64_t **gene0)
{
    int64_t mine = slice->gene0;

    SCS_TRY(scs_comm_agree(comm, SCS_ALLOC(*gene0, comm->size + 1)));
    SCS_MPI(MPI_Allgather(&mine, 1, MPI_INT64_T, *gene0, 1, MPI_INT64_T, comm->mpi));
    (*gene0)[comm->size] = end;
    return SCS_OK;
}

/* Moments and lists of the genes [slice->gene0 of rank 0, end). Collective. */
static scs_status add_slice(scs_comm *comm, scs_atlas *atlas, const scs_dataset *dataset,
                            const scs_gene_slice *slice, int32_t end, scs_top_list *best)
{
    int64_t *gene0 = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, scs_gene_moments(atlas, dataset, slice)));
    SCS_GO(st, all_slices(comm, slice, end, &gene0));
    SCS_GO(st, gather_columns(comm, atlas, gene0, atlas->gene_mean));
    SCS_GO(st, gather_columns(comm, atlas, gene0, atlas->gene_variance));
    SCS_GO(st, top_lists(comm, atlas, dataset, slice, best));
done:
    free(gene0);
    return st;
}

/* Genes [gene0, gene1) of all cells: transpose, and what follows from it. Parts may be empty where
 * there are fewer genes than parts; that is alike on all ranks. Collective. */
static scs_status add_part(scs_comm *comm, scs_atlas *atlas, const scs_dataset *dataset,
                           const scs_shard *shard, const scs_team *team, int32_t gene0,
                           int32_t gene1, scs_top_list *best)
{
    scs_gene_slice slice = {0};
    scs_status st;

    if (gene0 == gene1)
        return scs_collective_ok();
    SCS_GO(st, scs_redistribute_transpose(comm, shard, team, gene0, gene1, &slice));
    SCS_GO(st, add_slice(comm, atlas, dataset, &slice, gene1, best));
done:
    scs_gene_moments_slice_clear(&slice);
    return st;
}

/* No gene yet. */
static scs_status open_lists(const scs_atlas *atlas, scs_top_list **best)
{
    SCS_TRY(SCS_ALLOC(*best, atlas->n_group));
    for (int32_t g = 0; g < atlas->n_group; g++)
        for (int i = 0; i < SCS_N_DEG; i++)
            (*best)[g].gene[i] = -1;
    return SCS_OK;
}

/* The parts' lists are merged as they come, in ascending genes; the atlas gets the final ones.
 * Collective. */
scs_status scs_atlas_genes_in_parts(scs_comm *comm, scs_atlas *atlas, const scs_dataset *dataset,
                                    const scs_shard *shard, const scs_team *team, int32_t n_part)
{
    int64_t n_gene = atlas->n_gene;
    scs_top_list *best = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, open_lists(atlas, &best)));
    for (int32_t p = 0; p < n_part; p++)
        SCS_GO(st, add_part(comm, atlas, dataset, shard, team, (int32_t)(n_gene * p / n_part),
                            (int32_t)(n_gene * (p + 1) / n_part), best));
    for (int32_t g = 0; g < atlas->n_group; g++)
        memcpy(atlas->deg + (int64_t)g * SCS_N_DEG, best[g].gene, sizeof best[g].gene);
done:
    free(best);
    return st;
}

/* As many parts as a rank's memory wants, from the stored values of all ranks: the same number on
 * each of them, though not on any number of ranks. */
scs_status scs_atlas_genes(scs_comm *comm, scs_atlas *atlas, const scs_dataset *dataset,
                           const scs_shard *shard, const scs_team *team)
{
    int64_t nnz = 0, parts;

    for (int32_t s = 0; s < team->last - team->first; s++)
        nnz += scs_packed_nnz(&shard[s].x);
    SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, &nnz, 1, MPI_INT64_T, MPI_SUM, comm->mpi));
    parts = nnz / comm->size / PART_VALUES + 1;
    return scs_atlas_genes_in_parts(comm, atlas, dataset, shard, team,
                                    parts < MOST_PARTS ? (int32_t)parts : MOST_PARTS);
}
