/* Cells dealt to V virtual shards, and their order in an epoch.
 *
 * V is a power of two that is fixed when training starts and stored with the model: results
 * depend on V and never on the number of ranks P <= V, of which each owns a contiguous range of
 * shards. Training, validation and held-out cells are dealt apart, round-robin in the order of
 * random keys, so that shards of one role differ by one cell at most and a step can take batch /
 * V cells from each. A cell's place depends on seed and global id alone (counter-based keys), not
 * on which rank reads it or on cells of other roles.
 *
 * O(n log n) for n cells, once a job; every rank does it for itself, which costs no message. All
 * functions are Local.
 */
#include "src/base/random.h"
#include "scscreen/shard.h"

#include <stdlib.h>

enum { N_ROLE = SCS_ROLE_HELD_OUT + 1 }; /* unused cells are not dealt */

/* ---- how many shards, and whose ---- */

/* One bit is set. */
static bool is_power_of_two(int64_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

/* The smallest power of two >= n. */
static int64_t power_from(int64_t n)
{
    int64_t power = 1;

    while (power < n)
        power *= 2;
    return power;
}

/* More shards than ranks is allowed, fewer is not: a rank without a shard would have nothing to
 * do in any step. */
scs_status scs_shard_count(int64_t configured, int32_t n_rank, int32_t *n_shard)
{
    int64_t n = configured == 0 ? power_from(n_rank) : configured;

    SCS_REQUIRE(is_power_of_two(n) && n <= INT32_MAX, SCS_EARG,
                "train.shards is %lld; expected auto or a power of two", (long long)n);
    SCS_REQUIRE(n >= n_rank, SCS_EARG,
                "train.shards is %lld, fewer than the %d ranks; use at most %lld ranks or at least "
                "%lld shards",
                (long long)n, n_rank, (long long)n, (long long)power_from(n_rank));
    *n_shard = (int32_t)n;
    return SCS_OK;
}

/* Floor, in 64 bits: ranges of ranks differ by one shard at most, and all ranks know all of them.
 */
int32_t scs_shard_first(int32_t n_shard, int32_t n_rank, int32_t rank)
{
    return (int32_t)((int64_t)rank * n_shard / n_rank);
}

/* ---- dealing ---- */

/* Cells of one role that a shard gets when n are dealt round-robin from shard 0 on. */
static int64_t share(int64_t n, int32_t n_shard, int32_t shard)
{
    return n / n_shard + (shard < n % n_shard);
}

/* @param n_used cells that have a role other than unused */
static scs_status allocate(const scs_dataset *dataset, int64_t n_used, scs_deal *deal)
{
    SCS_TRY(SCS_ALLOC(deal->first, (int64_t)deal->n_shard + 1));
    SCS_TRY(SCS_ALLOC(deal->cell, n_used));
    SCS_TRY(SCS_ALLOC(deal->n_train, deal->n_shard));
    SCS_TRY(SCS_ALLOC(deal->n_valid, deal->n_shard));
    return SCS_ALLOC(deal->shard_of_cell, dataset->n_cell);
}

/* @param n [roles] cells of each role */
static void count_shares(const int64_t *n, scs_deal *deal)
{
    for (int32_t s = 0; s < deal->n_shard; s++) {
        deal->n_train[s] = share(n[SCS_ROLE_TRAIN], deal->n_shard, s);
        deal->n_valid[s] = share(n[SCS_ROLE_VALID], deal->n_shard, s);
        deal->first[s + 1] = deal->first[s] + deal->n_train[s] + deal->n_valid[s] +
                             share(n[SCS_ROLE_HELD_OUT], deal->n_shard, s);
    }
}

/* Where a shard's cells of one role begin in deal->cell: training, then validation, then held
 * out. */
static int64_t role_begin(const scs_deal *deal, int32_t shard, int role)
{
    return deal->first[shard] + (role > SCS_ROLE_TRAIN ? deal->n_train[shard] : 0) +
           (role > SCS_ROLE_VALID ? deal->n_valid[shard] : 0);
}

/* Cell k in random order goes to shard k mod V, place k / V of its role. */
static scs_status deal_role(const scs_dataset *dataset, int64_t seed, int role, int64_t n,
                            scs_deal *deal)
{
    scs_stream stream = {.seed = (uint64_t)seed, .purpose = SCS_RANDOM_DEAL};
    int64_t *cell = NULL, *order = NULL, found = 0;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(cell, n));
    SCS_GO(st, SCS_ALLOC(order, n));
    for (int64_t c = 0; c < dataset->n_cell; c++)
        if (dataset->role[c] == role)
            cell[found++] = c;
    SCS_GO(st, scs_random_order_cells(&stream, cell, n, order));
    for (int64_t k = 0; k < n; k++) {
        /* Round-robin: shards of a role differ by one cell at most. */
        int32_t shard = (int32_t)(k % deal->n_shard);

        deal->cell[role_begin(deal, shard, role) + k / deal->n_shard] = cell[order[k]];
        deal->shard_of_cell[cell[order[k]]] = shard;
    }
done:
    free(cell);
    free(order);
    return st;
}

/* Unused cells are dealt to no shard (-1): no rank keeps them. */
static scs_status fill(const scs_dataset *dataset, int64_t seed, scs_deal *deal)
{
    int64_t n[N_ROLE + 1] = {0};

    for (int64_t c = 0; c < dataset->n_cell; c++)
        n[dataset->role[c]]++;
    SCS_TRY(allocate(dataset, dataset->n_cell - n[SCS_ROLE_UNUSED], deal));
    count_shares(n, deal);
    for (int64_t c = 0; c < dataset->n_cell; c++)
        deal->shard_of_cell[c] = -1;
    for (int role = 0; role < N_ROLE; role++)
        SCS_TRY(deal_role(dataset, seed, role, n[role], deal));
    return SCS_OK;
}

scs_status scs_shard_deal_create(const scs_dataset *dataset, int64_t seed, int32_t n_shard,
                                 scs_deal **deal)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*deal, 1));
    (*deal)->n_shard = n_shard;
    st = fill(dataset, seed, *deal);
    if (st != SCS_OK)
        scs_shard_deal_destroy(deal);
    return st;
}

void scs_shard_deal_destroy(scs_deal **deal)
{
    if (!*deal)
        return;
    free((*deal)->first);
    free((*deal)->cell);
    free((*deal)->n_train);
    free((*deal)->n_valid);
    free((*deal)->shard_of_cell);
    free(*deal);
    *deal = NULL;
}

/* ---- order of an epoch ---- */

/* Validation and held-out rows stand behind the training rows and are never permuted. A cell's
 * key does not depend on its shard, so that an epoch's order within a shard is the same however
 * cells were read. */
scs_status scs_shard_epoch_order(const scs_shard *shard, int64_t seed, int64_t epoch, int64_t *rows)
{
    scs_stream stream = {
        .seed = (uint64_t)seed, .purpose = SCS_RANDOM_ORDER, .epoch = (uint32_t)epoch};

    return scs_random_order_cells(&stream, shard->cell, shard->n_train, rows);
}
