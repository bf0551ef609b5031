#include "mpi/runs.h"

#include <stdlib.h>
#include <string.h>

/* @param[out] rank [n_shard] who owns each shard; malloc'ed */
static scs_status owners(const scs_team *team, int32_t **rank)
{
    SCS_TRY(SCS_ALLOC(*rank, team->n_shard));
    for (int32_t r = 0; r < team->n_rank; r++)
        for (int32_t s = scs_shard_first(team->n_shard, team->n_rank, r);
             s < scs_shard_first(team->n_shard, team->n_rank, r + 1); s++)
            (*rank)[s] = r;
    return SCS_OK;
}

static scs_status list_rows_for(int32_t to, const scs_deal *deal, const int32_t *owner,
                                int64_t first_cell, const scs_csr *x, scs_runs *runs)
{
    for (int64_t i = 0; i < x->n_row; i++) {
        int32_t s = deal->shard_of_cell[first_cell + i];

        if (s < 0 || owner[s] != to)
            continue;
        SCS_TRY(scs_runs_add(runs, to,
                             (scs_run){.cell = first_cell + i,
                                       .at = x->indptr[i],
                                       .count = (int32_t)(x->indptr[i + 1] - x->indptr[i])}));
    }
    return SCS_OK;
}

static scs_status list_rows(const scs_deal *deal, const scs_team *team, int64_t first_cell,
                            const scs_csr *x, scs_runs *runs)
{
    int32_t *owner = NULL;
    scs_status st;

    SCS_GO(st, owners(team, &owner));
    for (int32_t r = 0; r < team->n_rank; r++)
        SCS_GO(st, list_rows_for(r, deal, owner, first_cell, x, runs));
done:
    free(owner);
    return st;
}

/* Row starts of a shard from what was announced; values come later. */
static scs_status make_shard(const scs_deal *deal, int32_t id, int32_t n_gene, const scs_runs *runs,
                             scs_shard *shard)
{
    int64_t n_row = deal->first[id + 1] - deal->first[id];

    *shard = (scs_shard){.id = id,
                         .n_train = deal->n_train[id],
                         .n_valid = deal->n_valid[id],
                         .n_held_out = n_row - deal->n_train[id] - deal->n_valid[id],
                         .cell = deal->cell + deal->first[id]};
    SCS_TRY(scs_csr_alloc(n_row, n_gene, 0, &shard->x));
    for (int64_t i = 0; i < n_row; i++) {
        const scs_run *run = scs_runs_find(runs, shard->cell[i]);

        SCS_REQUIRE(run, SCS_EINTERNAL, "cell %lld never reached its shard",
                    (long long)shard->cell[i]);
        shard->x.indptr[i + 1] = shard->x.indptr[i] + run->count;
    }
    return SCS_OK;
}

static scs_status make_shards(const scs_deal *deal, const scs_team *team, int32_t n_gene,
                              const scs_runs *runs, scs_shard **shard)
{
    SCS_TRY(SCS_ALLOC(*shard, team->last - team->first));
    for (int32_t s = team->first; s < team->last; s++)
        SCS_TRY(make_shard(deal, s, n_gene, runs, &(*shard)[s - team->first]));
    return SCS_OK;
}

/* The matrix gives its array away. */
static void *take_plane(scs_csr *x, bool is_values)
{
    void *plane = is_values ? (void *)x->values : (void *)x->indices;

    if (is_values)
        x->values = NULL;
    else
        x->indices = NULL;
    return plane;
}

/* Arrived values, cell after cell, into a shard's order. @param[out] plane [nnz], malloc'ed */
static scs_status sort_plane(const scs_runs *runs, const scs_shard *shard, const uint32_t *arrived,
                             void **plane)
{
    uint32_t *value;

    SCS_TRY(SCS_ALLOC(value, shard->x.indptr[shard->x.n_row]));
    *plane = value;
    for (int64_t i = 0; i < shard->x.n_row; i++) {
        const scs_run *run = scs_runs_find(runs, shard->cell[i]);

        memcpy(value + shard->x.indptr[i], arrived + run->at, (size_t)run->count * sizeof *value);
    }
    return SCS_OK;
}

static scs_status fill_shards(const scs_runs *runs, const uint32_t *arrived, bool is_values,
                              scs_shard *shard, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        void *plane = NULL;

        SCS_TRY(sort_plane(runs, &shard[i], arrived, &plane));
        free(take_plane(&shard[i].x, is_values));
        if (is_values)
            shard[i].x.values = plane;
        else
            shard[i].x.indices = plane;
    }
    return SCS_OK;
}

/* One of the two arrays of x to the shards' own; unless it is to be kept, it is freed as soon as it
 * is packed. */
static scs_status move_plane(scs_runs *runs, scs_csr *x, bool is_values, bool keep,
                             scs_shard *shard, int32_t n)
{
    void *arrived = NULL;
    scs_status st;

    runs->plane[0] = !keep ? take_plane(x, is_values) : is_values ? (void *)x->values : x->indices;
    SCS_GO(st, scs_runs_send(runs, !keep, &arrived));
    SCS_GO(st, scs_agree(runs->comm, fill_shards(runs, arrived, is_values, shard, n)));
done:
    free(arrived);
    return st;
}

static scs_status distribute(scs_comm *comm, const scs_deal *deal, const scs_team *team,
                             int64_t first_cell, scs_csr *x, bool keep, scs_shard **shard)
{
    int32_t n_local = team->last - team->first;
    scs_runs runs = {0};
    scs_status st;

    *shard = NULL;
    st = scs_runs_create(comm, 1, &runs);
    if (st == SCS_OK)
        st = list_rows(deal, team, first_cell, x, &runs);
    SCS_GO(st, scs_runs_announce(&runs, st));
    SCS_GO(st, scs_agree(comm, make_shards(deal, team, x->n_col, &runs, shard)));
    SCS_GO(st, move_plane(&runs, x, false, keep, *shard, n_local));
    SCS_GO(st, move_plane(&runs, x, true, keep, *shard, n_local));
done:
    scs_runs_clear(&runs);
    if (st != SCS_OK)
        scs_shards_clear(shard, n_local);
    return st;
}

scs_status scs_distribute(scs_comm *comm, const scs_deal *deal, const scs_team *team,
                          int64_t first_cell, scs_csr *x, scs_shard **shard)
{
    scs_status st = distribute(comm, deal, team, first_cell, x, false, shard);

    scs_csr_clear(x);
    return st;
}

scs_status scs_distribute_copy(scs_comm *comm, const scs_deal *deal, const scs_team *team,
                               int64_t first_cell, const scs_csr *x, scs_shard **shard)
{
    scs_csr view = *x;

    return distribute(comm, deal, team, first_cell, &view, true, shard);
}

void scs_shards_clear(scs_shard **shard, int32_t n)
{
    for (int32_t i = 0; *shard && i < n; i++)
        scs_csr_clear(&(*shard)[i].x);
    free(*shard);
    *shard = NULL;
}
