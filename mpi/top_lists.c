#include "mpi/top_lists.h"

#include "mpi/comm_state.h"

#include <stdlib.h>
#include <string.h>

enum { LISTS = 16 }; /* groups handled between two collectives */

/* A group's control, or -1 where there is nothing to compare. */
static int32_t control_of(const scs_atlas *atlas, int32_t group)
{
    const scs_group *g = &atlas->group[group];

    if (g->condition == atlas->control)
        return -1;
    return scs_atlas_group(atlas, g->species, g->cell_type, atlas->control);
}

/* A rank's own genes, and scratch. */
typedef struct ranking {
    scs_ranked_slice slice;
    int32_t gene0;
    double *z;           /* [gene1 - gene0] */
    scs_top_list *lists; /* [n_rank, LISTS] */
    int32_t *at;         /* [n_rank + 1] */
} ranking;

static scs_status list_own_genes(ranking *r, int32_t group, scs_top_list *list)
{
    int32_t control = control_of(r->slice.atlas, group);

    if (control < 0)
        return scs_top_genes(r->z, 0, 0, SCS_N_DEG, list->gene, list->score);
    scs_ranked_wilcoxon(&r->slice, group, control, r->z);
    return scs_top_genes(r->z, r->slice.n_gene, r->gene0, SCS_N_DEG, list->gene, list->score);
}

/* The best of the list so far and of all ranks' lists of one group. A tie goes to the former, then
 * to the lower rank, which have the lower genes.
 * @param lists [n_rank, stride], of which the first column is wanted  @param at [n_rank + 1]
 * scratch
 */
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

/* Groups [g0, g0 + n). */
static scs_status rank_groups(scs_comm *comm, ranking *r, int32_t g0, int32_t n, scs_top_list *best)
{
    scs_top_list *mine = r->lists + (int64_t)comm->rank * n;
    scs_status st = SCS_OK;

    for (int32_t g = 0; g < n && st == SCS_OK; g++)
        st = list_own_genes(r, g0 + g, &mine[g]);
    SCS_TRY(scs_agree(comm, st));
    for (int32_t i = 0; i <= comm->size; i++)
        comm->first[i] = (int64_t)i * n * (int64_t)sizeof *r->lists;
    SCS_TRY(scs_allgather(comm, r->lists, comm->first));
    for (int32_t g = 0; g < n; g++)
        merge(r->lists + g, comm->size, n, r->at, &best[g0 + g]);
    return SCS_OK;
}

static scs_status open_ranking(const scs_comm *comm, const scs_atlas *atlas,
                               const scs_dataset *dataset, const scs_gene_slice *slice, ranking *r)
{
    *r = (ranking){.gene0 = slice->gene0};
    SCS_TRY(scs_ranked_slice_create(atlas, dataset, slice, &r->slice));
    SCS_TRY(SCS_ALLOC(r->lists, (int64_t)comm->size * LISTS));
    SCS_TRY(SCS_ALLOC(r->at, comm->size + 1));
    return SCS_ALLOC(r->z, slice->gene1 - slice->gene0);
}

scs_status scs_top_lists(scs_comm *comm, const scs_atlas *atlas, const scs_dataset *dataset,
                         const scs_gene_slice *slice, scs_top_list *best)
{
    ranking r = {0};
    scs_status st;

    SCS_GO(st, scs_agree(comm, open_ranking(comm, atlas, dataset, slice, &r)));
    for (int32_t g = 0; g < atlas->n_group; g += LISTS) {
        int32_t left = atlas->n_group - g;

        SCS_GO(st, rank_groups(comm, &r, g, left < LISTS ? left : LISTS, best));
    }
done:
    scs_ranked_slice_clear(&r.slice);
    free(r.lists);
    free(r.at);
    free(r.z);
    return st;
}
