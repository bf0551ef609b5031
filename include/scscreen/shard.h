/** Virtual shards: cells dealt by a seeded permutation to V shards, V a power of two that ranks do
 * not change. All functions are Local and give the same on every rank. */
#ifndef SCSCREEN_SHARD_H
#define SCSCREEN_SHARD_H

#include "scscreen/dataset.h"
#include "scscreen/packed.h"

/** Who gets which cell. Within a shard: training cells, then validation, then held-out, each in
 * dealt order. */
typedef struct scs_deal {
    int32_t n_shard;
    int64_t *first;         /**< [n_shard + 1] into cell */
    int64_t *cell;          /**< [number of used cells] global cell ids */
    int64_t *n_train;       /**< [n_shard] */
    int64_t *n_valid;       /**< [n_shard] */
    int32_t *shard_of_cell; /**< [n_cell], -1 = unused */
} scs_deal;

/** One shard's cells. */
typedef struct scs_shard {
    int32_t id;
    int64_t n_train, n_valid, n_held_out;
    const int64_t
        *cell;    /**< [n_row] global ids, borrowed from the deal; train, valid, held-out in turn */
    scs_packed x; /**< [n_row, n_gene] owned, normalised */
} scs_shard;

/** Deal the cells: each role's cells in the order of f(seed, cell id), round-robin over shards. */
SCS_MUST_USE scs_status scs_deal_create(const scs_dataset *dataset, int64_t seed, int32_t n_shard,
                                        scs_deal **deal);
void scs_deal_destroy(scs_deal **deal);
/** train.shards, or for 0 (auto) the next power of two >= n_rank; SCS_EARG when not a power of two
 * or < n_rank. */
SCS_MUST_USE scs_status scs_shard_count(int64_t configured, int32_t n_rank, int32_t *n_shard);
/** First shard of rank r: floor(r * n_shard / n_rank). */
int32_t scs_shard_first(int32_t n_shard, int32_t n_rank, int32_t rank);
/** Training order of one shard for one epoch: rows [0, n_train) permuted by f(seed, epoch, global
 * cell id). */
SCS_MUST_USE scs_status scs_shard_epoch_order(const scs_shard *shard, int64_t seed, int64_t epoch,
                                              int64_t *rows);

#endif
