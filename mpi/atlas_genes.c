/* The gene-space half of the atlas: each rank its genes of every group, then all ranks everything.
 */
#include "mpi/atlas_genes.h"

#include "mpi/comm_state.h"
#include "mpi/top_lists.h"
#include "src/collective.h"
#include "src/packed.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_BYTES = 64 << 20, /* gathered at once */
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

/* One rank's genes of n groups between the matrix and the block. */
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
 * become whole. */
static scs_status gather_block(scs_comm *comm, const int64_t *gene0, int32_t n_gene, int64_t n,
                               float *matrix)
{
    float *block = comm->work;

    block_layout(comm, gene0, n);
    copy_columns(comm, gene0, n_gene, n, matrix, comm->rank, true);
    SCS_TRY(scs_allgather(comm, block, comm->first));
    for (int32_t r = 0; r < comm->size; r++)
        copy_columns(comm, gene0, n_gene, n, matrix, r, false);
    return SCS_OK;
}

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

    SCS_TRY(scs_agree(comm, SCS_ALLOC(*gene0, comm->size + 1)));
    SCS_MPI(MPI_Allgather(&mine, 1, MPI_INT64_T, *gene0, 1, MPI_INT64_T, comm->mpi));
    (*gene0)[comm->size] = end;
    return SCS_OK;
}

/* What a slice of genes [.., end) has to say. */
static scs_status add_slice(scs_comm *comm, scs_atlas *atlas, const scs_dataset *dataset,
                            const scs_gene_slice *slice, int32_t end, scs_top_list *best)
{
    int64_t *gene0 = NULL;
    scs_status st;

    SCS_GO(st, scs_agree(comm, scs_atlas_gene_moments(atlas, dataset, slice)));
    SCS_GO(st, all_slices(comm, slice, end, &gene0));
    SCS_GO(st, gather_columns(comm, atlas, gene0, atlas->gene_mean));
    SCS_GO(st, gather_columns(comm, atlas, gene0, atlas->gene_variance));
    SCS_GO(st, scs_top_lists(comm, atlas, dataset, slice, best));
done:
    free(gene0);
    return st;
}

static scs_status add_part(scs_comm *comm, scs_atlas *atlas, const scs_dataset *dataset,
                           const scs_shard *shard, const scs_team *team, int32_t gene0,
                           int32_t gene1, scs_top_list *best)
{
    scs_gene_slice slice = {0};
    scs_status st;

    if (gene0 == gene1)
        return scs_collective_ok();
    SCS_GO(st, scs_transpose(comm, shard, team, gene0, gene1, &slice));
    SCS_GO(st, add_slice(comm, atlas, dataset, &slice, gene1, best));
done:
    scs_gene_slice_clear(&slice);
    return st;
}

static scs_status open_lists(const scs_atlas *atlas, scs_top_list **best)
{
    SCS_TRY(SCS_ALLOC(*best, atlas->n_group));
    for (int32_t g = 0; g < atlas->n_group; g++)
        for (int i = 0; i < SCS_N_DEG; i++)
            (*best)[g].gene[i] = -1;
    return SCS_OK;
}

scs_status scs_atlas_genes_in_parts(scs_comm *comm, scs_atlas *atlas, const scs_dataset *dataset,
                                    const scs_shard *shard, const scs_team *team, int32_t n_part)
{
    int64_t n_gene = atlas->n_gene;
    scs_top_list *best = NULL;
    scs_status st;

    SCS_GO(st, scs_agree(comm, open_lists(atlas, &best)));
    for (int32_t p = 0; p < n_part; p++)
        SCS_GO(st, add_part(comm, atlas, dataset, shard, team, (int32_t)(n_gene * p / n_part),
                            (int32_t)(n_gene * (p + 1) / n_part), best));
    for (int32_t g = 0; g < atlas->n_group; g++)
        memcpy(atlas->deg + (int64_t)g * SCS_N_DEG, best[g].gene, sizeof best[g].gene);
done:
    free(best);
    return st;
}

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
