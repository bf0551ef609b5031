#include "mpi/runs.h"
#include "src/packed.h"

#include <stdlib.h>

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
                                int64_t first_cell, const scs_packed *x, scs_runs *runs)
{
    for (int64_t i = 0; i < x->n_row; i++) {
        int32_t s = deal->shard_of_cell[first_cell + i];

        if (s < 0 || owner[s] != to)
            continue;
        SCS_TRY(scs_runs_add(runs, to,
                             (scs_run){.cell = first_cell + i,
                                       .at = x->first[i],
                                       .count = (int32_t)(x->first[i + 1] - x->first[i])}));
    }
    return SCS_OK;
}

static scs_status list_rows(const scs_deal *deal, const scs_team *team, int64_t first_cell,
                            const scs_packed *x, scs_runs *runs)
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

/* Words of a shard's rows. */
static scs_status count_words(const scs_runs *runs, const int64_t *cell, int64_t n_row,
                              int64_t *n_word)
{
    *n_word = 0;
    for (int64_t i = 0; i < n_row; i++) {
        const scs_run *run = scs_runs_find(runs, cell[i]);

        SCS_REQUIRE(run, SCS_EINTERNAL, "cell %lld never reached its shard", (long long)cell[i]);
        *n_word += run->count;
    }
    return SCS_OK;
}

static scs_status make_shard(const scs_deal *deal, int32_t id, int32_t n_gene, const scs_runs *runs,
                             const uint32_t *arrived, scs_shard *shard)
{
    int64_t n_row = deal->first[id + 1] - deal->first[id], n_word;

    *shard = (scs_shard){.id = id,
                         .n_train = deal->n_train[id],
                         .n_valid = deal->n_valid[id],
                         .n_held_out = n_row - deal->n_train[id] - deal->n_valid[id],
                         .cell = deal->cell + deal->first[id]};
    SCS_TRY(count_words(runs, shard->cell, n_row, &n_word));
    SCS_TRY(scs_packed_alloc(n_row, n_gene, n_word, &shard->x));
    for (int64_t i = 0; i < n_row; i++) {
        const scs_run *run = scs_runs_find(runs, shard->cell[i]);

        scs_packed_put(&shard->x, i, arrived + run->at, run->count);
    }
    return SCS_OK;
}

static scs_status make_shards(const scs_deal *deal, const scs_team *team, int32_t n_gene,
                              const scs_runs *runs, const uint32_t *arrived, scs_shard **shard)
{
    SCS_TRY(SCS_ALLOC(*shard, team->last - team->first));
    for (int32_t s = team->first; s < team->last; s++)
        SCS_TRY(make_shard(deal, s, n_gene, runs, arrived, &(*shard)[s - team->first]));
    return SCS_OK;
}

/* Rows travel packed. Unless x is to be kept, its rows are freed as soon as they are in the
 * outgoing message. */
static scs_status distribute(scs_comm *comm, const scs_deal *deal, const scs_team *team,
                             int64_t first_cell, scs_packed *x, bool keep, scs_shard **shard)
{
    scs_runs runs = {0};
    void *arrived = NULL;
    scs_status st;

    *shard = NULL;
    st = scs_runs_create(comm, 1, &runs);
    if (st == SCS_OK)
        st = list_rows(deal, team, first_cell, x, &runs);
    SCS_GO(st, scs_runs_announce(&runs, st));
    runs.plane[0] = x->word;
    if (!keep)
        x->word = NULL;
    SCS_GO(st, scs_runs_send(&runs, !keep, &arrived));
    SCS_GO(st, scs_agree(comm, make_shards(deal, team, x->n_col, &runs, arrived, shard)));
done:
    free(arrived);
    scs_runs_clear(&runs);
    if (st != SCS_OK)
        scs_shards_clear(shard, team->last - team->first);
    return st;
}

scs_status scs_distribute(scs_comm *comm, const scs_deal *deal, const scs_team *team,
                          int64_t first_cell, scs_packed *x, scs_shard **shard)
{
    scs_status st = distribute(comm, deal, team, first_cell, x, false, shard);

    scs_packed_clear(x);
    return st;
}

scs_status scs_distribute_copy(scs_comm *comm, const scs_deal *deal, const scs_team *team,
                               int64_t first_cell, const scs_packed *x, scs_shard **shard)
{
    scs_packed view = *x;

    return distribute(comm, deal, team, first_cell, &view, true, shard);
}

void scs_shards_clear(scs_shard **shard, int32_t n)
{
    for (int32_t i = 0; *shard && i < n; i++)
        scs_packed_clear(&(*shard)[i].x);
    free(*shard);
    *shard = NULL;
}
