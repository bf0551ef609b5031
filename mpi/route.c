#include "mpi/runs.h"
#include "src/cell_groups.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(scs_real) == sizeof(float), "latent rows travel as values of 4 bytes");

/* Which groups the rows [first, last) of the plan need. @param[out] needed [n_group] */
static void mark_groups(const scs_plan *plan, bool observed, int64_t first, int64_t last,
                        uint8_t *needed)
{
    for (int64_t i = first; i < last; i++) {
        if (plan->item[i].control_group >= 0)
            needed[plan->item[i].control_group] = 1;
        if (observed && plan->item[i].observed_group >= 0)
            needed[plan->item[i].observed_group] = 1;
    }
}

/* Latent rows of the cells here that rank `to` needs. */
static scs_status list_cells_for(int32_t to, const int32_t *group_of_cell, const uint8_t *needed,
                                 int32_t n_latent, const scs_shard *shard, int32_t n_local,
                                 scs_runs *runs)
{
    for (int32_t s = 0; s < n_local; s++)
        for (int64_t i = 0; i < shard[s].x.n_row; i++) {
            int32_t group = group_of_cell[shard[s].cell[i]];

            if (group >= 0 && needed[group])
                SCS_TRY(scs_runs_add(runs, to,
                                     (scs_run){.cell = shard[s].cell[i],
                                               .at = i * n_latent,
                                               .plane = s,
                                               .count = n_latent}));
        }
    return SCS_OK;
}

static scs_status list_cells(const int32_t *group_of_cell, const scs_atlas *atlas,
                             const uint8_t *needed, const scs_shard *shard, const scs_team *team,
                             scs_runs *runs)
{
    for (int32_t r = 0; r < team->n_rank; r++)
        SCS_TRY(list_cells_for(r, group_of_cell, needed + (int64_t)r * atlas->n_group,
                               atlas->n_latent, shard, team->last - team->first, runs));
    return SCS_OK;
}

/* Arrived rows into their groups; runs ascend by cell, so cells ascend within each group.
 * @param filled [n_group] zeroed scratch */
static scs_status fill_groups(const scs_runs *runs, const scs_real *arrived,
                              const int32_t *group_of_cell, const scs_atlas *atlas, int64_t *filled,
                              scs_real **group_z)
{
    int32_t d = atlas->n_latent;

    for (int64_t i = 0; i < runs->n_in; i++) {
        int32_t g = group_of_cell[runs->in[i].cell];

        if (!group_z[g])
            SCS_TRY(SCS_ALLOC(group_z[g], atlas->group[g].count * d));
        SCS_REQUIRE(filled[g] < atlas->group[g].count, SCS_EINTERNAL,
                    "more cells than group %d has", g);
        memcpy(group_z[g] + filled[g]++ * d, arrived + runs->in[i].at, (size_t)d * sizeof *arrived);
    }
    for (int32_t g = 0; g < atlas->n_group; g++)
        SCS_REQUIRE(!group_z[g] || filled[g] == atlas->group[g].count, SCS_EINTERNAL,
                    "cells of group %d are missing", g);
    return SCS_OK;
}

static scs_status group_rows(const scs_runs *runs, const scs_real *arrived,
                             const int32_t *group_of_cell, const scs_atlas *atlas,
                             scs_real **group_z)
{
    int64_t *filled;
    scs_status st;

    SCS_TRY(SCS_ALLOC(filled, atlas->n_group));
    st = fill_groups(runs, arrived, group_of_cell, atlas, filled, group_z);
    free(filled);
    return st;
}

static void clear_groups(scs_real **group_z, int32_t n_group)
{
    for (int32_t g = 0; g < n_group; g++) {
        free(group_z[g]);
        group_z[g] = NULL;
    }
}

scs_status scs_route_groups(scs_comm *comm, const scs_dataset *dataset, const scs_atlas *atlas,
                            const uint8_t *needed, const scs_shard *shard, const scs_team *team,
                            scs_real *const *z, scs_real **group_z)
{
    int32_t *group_of_cell = NULL;
    void *arrived = NULL;
    scs_runs runs = {0};
    scs_status st;

    memset(group_z, 0, (size_t)atlas->n_group * sizeof *group_z);
    st = scs_runs_create(comm, team->last - team->first, &runs);
    if (st == SCS_OK)
        st = scs_cell_groups(atlas, dataset, &group_of_cell);
    if (st == SCS_OK)
        st = list_cells(group_of_cell, atlas, needed, shard, team, &runs);
    SCS_GO(st, scs_runs_announce(&runs, st));
    for (int32_t s = 0; s < runs.n_plane; s++)
        runs.plane[s] = z[s];
    SCS_GO(st, scs_runs_send(&runs, false, &arrived));
    SCS_GO(st, scs_agree(comm, group_rows(&runs, arrived, group_of_cell, atlas, group_z)));
done:
    free(arrived);
    free(group_of_cell);
    scs_runs_clear(&runs);
    if (st != SCS_OK)
        clear_groups(group_z, atlas->n_group);
    return st;
}

scs_status scs_route_cells(scs_comm *comm, const scs_dataset *dataset, const scs_atlas *atlas,
                           const scs_plan *plan, bool observed, const int64_t *first,
                           const scs_shard *shard, const scs_team *team, scs_real *const *z,
                           scs_real **group_z)
{
    uint8_t *needed;
    scs_status st;

    SCS_TRY(scs_agree(comm, SCS_ALLOC(needed, (int64_t)team->n_rank * atlas->n_group)));
    for (int32_t r = 0; r < team->n_rank; r++)
        mark_groups(plan, observed, first[r], first[r + 1], needed + (int64_t)r * atlas->n_group);
    st = scs_route_groups(comm, dataset, atlas, needed, shard, team, z, group_z);
    free(needed);
    return st;
}
