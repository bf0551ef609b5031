/* The gene-space half of the atlas: each rank its genes of every group, then all ranks everything.
 */
#include "mpi/comm_state.h"
#include "mpi/top_lists.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 << 20 }; /* gathered at once */

/* Where each rank's genes of n groups lie in a gathered block, in bytes.
 * @param gene0 [n_rank + 1] first gene of each rank */
static void block_layout(scs_comm *comm, const int64_t *gene0, int64_t n)
{
    for (int32_t r = 0; r <= comm->size; r++)
        comm->first[r] = gene0[r] * n * (int64_t)sizeof(float);
}

/* One rank's genes of n groups between the matrix and the block. @param columns [n, width] in the
 * block */
static void copy_columns(float *matrix, int32_t n_gene, int64_t n, float *columns, int64_t width,
                         bool out)
{
    for (int64_t g = 0; g < n; g++) {
        float *row = matrix + g * n_gene, *part = columns + g * width;

        memcpy(out ? part : row, out ? row : part, (size_t)width * sizeof *row);
    }
}

/* Rows [0, n) of a [n, n_gene] matrix whose columns are spread over ranks become whole. */
static scs_status gather_block(scs_comm *comm, const int64_t *gene0, int32_t n_gene, int64_t n,
                               float *matrix)
{
    float *block = comm->work;
    int32_t me = comm->rank;

    block_layout(comm, gene0, n);
    copy_columns(matrix + gene0[me], n_gene, n, block + gene0[me] * n, gene0[me + 1] - gene0[me],
                 true);
    SCS_TRY(scs_allgather(comm, block, comm->first));
    for (int32_t r = 0; r < comm->size; r++)
        copy_columns(matrix + gene0[r], n_gene, n, block + gene0[r] * n, gene0[r + 1] - gene0[r],
                     false);
    return SCS_OK;
}

static scs_status gather_columns(scs_comm *comm, const scs_atlas *atlas, const int64_t *gene0,
                                 float *matrix)
{
    int64_t row = atlas->n_gene * (int64_t)sizeof *matrix, step = BLOCK_BYTES / row + 1;

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
static scs_status all_slices(scs_comm *comm, const scs_gene_slice *slice, int32_t n_gene,
                             int64_t **gene0)
{
    int64_t mine = slice->gene0;

    SCS_TRY(scs_agree(comm, SCS_ALLOC(*gene0, comm->size + 1)));
    SCS_MPI(MPI_Allgather(&mine, 1, MPI_INT64_T, *gene0, 1, MPI_INT64_T, comm->mpi));
    (*gene0)[comm->size] = n_gene;
    return SCS_OK;
}

scs_status scs_atlas_genes(scs_comm *comm, scs_atlas *atlas, const scs_dataset *dataset,
                           const scs_gene_slice *slice)
{
    int64_t *gene0 = NULL;
    scs_status st;

    SCS_GO(st, scs_agree(comm, scs_atlas_gene_moments(atlas, dataset, slice)));
    SCS_GO(st, all_slices(comm, slice, atlas->n_gene, &gene0));
    SCS_GO(st, gather_columns(comm, atlas, gene0, atlas->gene_mean));
    SCS_GO(st, gather_columns(comm, atlas, gene0, atlas->gene_variance));
    SCS_GO(st, scs_top_lists(comm, atlas, dataset, slice));
done:
    free(gene0);
    return st;
}
