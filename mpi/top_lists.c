#include "mpi/top_lists.h"

#include "mpi/comm_state.h"

#include <stdlib.h>
#include <string.h>

enum { LISTS = 16 }; /* groups handled between two collectives */

/* A rank's best genes of one group, as scs_top_genes gives them. */
typedef struct top_list {
    double score[SCS_N_DEG];
    int32_t gene[SCS_N_DEG];
} top_list;

/* A group's control, or -1 where there is nothing to compare. */
static int32_t control_of(const scs_atlas *atlas, int32_t group)
{
    const scs_group *g = &atlas->group[group];

    if (g->condition == atlas->control)
        return -1;
    return scs_atlas_group(atlas, g->species, g->cell_type, atlas->control);
}

/* @param z [gene1 - gene0] scratch */
static scs_status list_own_genes(scs_ranked_slice *ranked, int32_t gene0, int32_t group, double *z,
                                 top_list *list)
{
    int32_t control = control_of(ranked->atlas, group);

    if (control < 0)
        return scs_top_genes(z, 0, 0, SCS_N_DEG, list->gene, list->score);
    scs_ranked_wilcoxon(ranked, group, control, z);
    return scs_top_genes(z, ranked->n_gene, gene0, SCS_N_DEG, list->gene, list->score);
}

/* The best of all ranks' lists of one group. A tie goes to the lower rank, which has the lower
 * genes.
 * @param lists [n_rank, stride], of which the first column is wanted  @param at [n_rank] scratch */
static void merge(const top_list *lists, int32_t n_rank, int32_t stride, int32_t *at, int32_t *deg)
{
    memset(at, 0, (size_t)n_rank * sizeof *at);
    for (int i = 0; i < SCS_N_DEG; i++) {
        int32_t best = -1;
        double score = -1;

        for (int32_t r = 0; r < n_rank; r++) {
            const top_list *list = lists + (int64_t)r * stride;

            if (at[r] < SCS_N_DEG && list->gene[at[r]] >= 0 && list->score[at[r]] > score) {
                score = list->score[at[r]];
                best = r;
            }
        }
        deg[i] = best < 0 ? -1 : lists[(int64_t)best * stride].gene[at[best]++];
    }
}

/* Groups [g0, g0 + n). @param lists [n_rank, n] */
static scs_status rank_groups(scs_comm *comm, scs_atlas *atlas, scs_ranked_slice *ranked,
                              int32_t gene0, int32_t g0, int32_t n, double *z, top_list *lists)
{
    top_list *mine = lists + (int64_t)comm->rank * n;
    scs_status st = SCS_OK;

    for (int32_t g = 0; g < n && st == SCS_OK; g++)
        st = list_own_genes(ranked, gene0, g0 + g, z, &mine[g]);
    SCS_TRY(scs_agree(comm, st));
    for (int32_t r = 0; r <= comm->size; r++)
        comm->first[r] = (int64_t)r * n * (int64_t)sizeof *lists;
    SCS_TRY(scs_allgather(comm, lists, comm->first));
    for (int32_t g = 0; g < n; g++)
        merge(lists + g, comm->size, n, comm->count, atlas->deg + (int64_t)(g0 + g) * SCS_N_DEG);
    return SCS_OK;
}

scs_status scs_top_lists(scs_comm *comm, scs_atlas *atlas, const scs_dataset *dataset,
                         const scs_gene_slice *slice)
{
    scs_ranked_slice ranked;
    top_list *lists = NULL;
    double *z = NULL;
    scs_status st = scs_ranked_slice_create(atlas, dataset, slice, &ranked);

    if (st == SCS_OK)
        st = SCS_ALLOC(lists, (int64_t)comm->size * LISTS);
    if (st == SCS_OK)
        st = SCS_ALLOC(z, slice->gene1 - slice->gene0);
    SCS_GO(st, scs_agree(comm, st));
    for (int32_t g = 0; g < atlas->n_group; g += LISTS) {
        int32_t left = atlas->n_group - g;

        SCS_GO(st, rank_groups(comm, atlas, &ranked, slice->gene0, g, left < LISTS ? left : LISTS,
                               z, lists));
    }
done:
    scs_ranked_slice_clear(&ranked);
    free(lists);
    free(z);
    return st;
}
