/* Each group reads all cells, its ranks a contiguous part each. Groups that have joined hold every
 * cell as often as there were groups: of each part, every rank that has it deals out a share. So
 * nothing is read again, and what is sent is what dealing among as many ranks sends anyway. */
#include "mpi/crossval/crossval_groups.h"

#include "mpi/job/session.h"
#include "src/base/collective.h"
#include "scscreen/shard.h"

#include <stdlib.h>

/* Ranks of a group, all but the last. */
static int32_t group_size(const scs_validation *v)
{
    int64_t n = v->session->config->validate.group_size;
    int32_t size = scs_comm_size(v->world);

    return n < size ? (int32_t)n : size;
}

/* @param color MPI_UNDEFINED: this rank is in no group. Collective over world. */
static scs_status make_group(scs_validation *v, int color)
{
    MPI_Comm part;
    scs_status st;

    SCS_MPI(MPI_Comm_split(scs_comm_mpi(v->world), color, scs_comm_rank(v->world), &part));
    if (part == MPI_COMM_NULL)
        return scs_collective_ok();
    st = scs_comm_create(part, &v->group);
    MPI_Comm_free(&part);
    return st;
}

scs_status scs_crossval_groups_split(scs_validation *v)
{
    int32_t n = group_size(v);

    v->n_group = (scs_comm_size(v->world) + n - 1) / n;
    v->index = scs_comm_rank(v->world) / n;
    v->n_share = 1;
    return make_group(v, v->index);
}

/* Of whole groups, so that each has all cells; the smaller last one is never among them. */
int32_t scs_crossval_groups_joined(const scs_validation *v, int64_t n)
{
    int64_t most = n > 0 ? scs_comm_size(v->world) / n : 0, group = group_size(v);
    int64_t shards = v->session->config->train.shards;

    most = (most < shards ? most : shards) / group;
    return most > 1 ? (int32_t)(most * group) : 0;
}

/* What a repeat would score is the same in all groups, but a group that has made no model has not
 * asked for it. Collective over the group. */
static scs_status keep_replicate(scs_validation *v)
{
    int mine = v->replicate != NULL, all;

    SCS_MPI(MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MIN, scs_comm_mpi(v->group)));
    if (all)
        return scs_collective_ok();
    free(v->replicate);
    v->replicate = NULL;
    return scs_crossval_groups_deal(v);
}

/* Counts are in the ranks' old parts: who asks for them again reads them again. */
scs_status scs_crossval_groups_join(scs_validation *v, int64_t n, int32_t n_rank)
{
    int32_t rank = scs_comm_rank(v->world), before = group_size(v);

    scs_session_forget(v->session);
    v->session->comm = v->world;
    scs_comm_destroy(&v->group);
    if (v->counts)
        scs_counts_clear(v->counts);
    free(v->counts);
    v->counts = NULL;
    v->index = rank / n_rank;
    v->share = rank % n_rank / before;
    v->n_share = n_rank / before;
    SCS_TRY(make_group(v, v->index < n ? v->index : MPI_UNDEFINED));
    if (!v->group)
        return scs_collective_ok();
    v->session->comm = v->group;
    return keep_replicate(v);
}

scs_status scs_crossval_groups_deal(scs_validation *v)
{
    scs_session *s = v->session;
    int64_t first = v->x.n_row * v->share / v->n_share;
    int64_t end = v->x.n_row * (v->share + 1) / v->n_share;
    scs_packed x = v->x;

    scs_session_forget(s);
    SCS_TRY(scs_comm_agree(v->group, scs_session_make_deal(s)));
    x.n_row = end - first;
    if (x.first)
        x.first += first;
    return scs_redistribute_copy(v->group, s->deal, &s->team, v->first_cell + first, &x, &s->shard);
}
