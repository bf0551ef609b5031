/** Virtual shards: cells dealt by a seeded permutation to V shards, V a power of two that ranks do
 *  not change.
 *
 *  All that is summed over cells is summed shard by shard and then in the order of one binary tree
 *  over the shards, so that results have the same bits on 1 to V ranks. Functions are Local and
 *  give the same on every rank; the team's hooks say which are Collective.
 */
#ifndef SCSCREEN_SHARD_H
#define SCSCREEN_SHARD_H

#include "scscreen/dataset.h"

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

/** Cells x genes, each row in as few bytes as hold it exactly (src/data/packed.h). */
typedef struct scs_packed {
    int64_t n_row;
    int32_t n_col;
    int64_t *first;   /**< [n_row + 1] first word of each row; [n_row]: words in all */
    int32_t *length;  /**< [n_row] words of each row, where rows stand in any order, 0: not there
                         yet; NULL: they follow one another */
    uint8_t *word;    /**< [first[n_row], 4] */
    int64_t capacity; /**< words that there is room for */
} scs_packed;

/** One shard's cells, on the rank that owns it. */
typedef struct scs_shard {
    int32_t id;
    int64_t n_train, n_valid, n_held_out;
    const int64_t
        *cell;    /**< [n_row] global ids, borrowed from the deal; train, valid, held-out in turn */
    scs_packed x; /**< [n_row, n_gene] owned, normalised */
} scs_shard;

/** Deal the cells: each role's cells in the order of f(seed, cell id), round-robin over shards.
 *  @param[out] deal caller destroys; NULL after an error  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_shard_deal_create(const scs_dataset *dataset, int64_t seed,
                                              int32_t n_shard, scs_deal **deal);
/** Sets *deal to NULL; it may be NULL. */
void scs_shard_deal_destroy(scs_deal **deal);
/** V: train.shards, or for 0 (auto) the next power of two >= n_rank.
 *  @return SCS_EARG where it is not a power of two or < n_rank */
SCS_MUST_USE scs_status scs_shard_count(int64_t configured, int32_t n_rank, int32_t *n_shard);
/** First shard of rank r: floor(r * n_shard / n_rank). */
int32_t scs_shard_first(int32_t n_shard, int32_t n_rank, int32_t rank);
/** Training order of one shard for one epoch: rows [0, n_train) permuted by f(seed, epoch, global
 *  cell id).
 *  @param[out] rows [n_train]  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_shard_epoch_order(const scs_shard *shard, int64_t seed, int64_t epoch,
                                              int64_t *rows);

/* ---- ranks ---- */

/** How the shards are spread over ranks and how their parts are added: the hooks that mpi/
 * installs.
 *
 *  src/ knows no MPI; scs_team_alone is the team of one process. A rank owns shards [first, last)
 * of n_shard and, of values that are cut into a slice a shard, the slices of these shards. Such a
 * cut is given as bound [n_shard + 1]: shard v's slice is values [bound[v], bound[v + 1]).
 */
typedef struct scs_team {
    int32_t n_shard, first, last;
    int32_t n_rank, rank;
    void *ctx;
    /** total = tree sum over all V shards of the local parts; the same bits on every rank.
     * Collective.
     *  @param parts [last - first, len], destroyed  @param[out] total [len] */
    scs_status (*sum)(void *ctx, double *parts, int64_t len, double *total);
    /** slice = tree sum over all shards of their values [bound[first], bound[last]). Collective.
     *  @param part [last - first] pointers to bound[n_shard] values; those from bound[0] on are
     * destroyed  @param open whether they are what open_parts gave  @param[out] slice may lie in
     * part[0], and costs no copy at part[0] + bound[first] */
    scs_status (*reduce_slice)(void *ctx, scs_real *const *part, const int64_t *bound, bool open,
                               scs_real *slice);
    /** The same in two calls with the same arguments, between which messages travel: parts stay as
     * they are until it ends, and no other begins before. Collective. */
    scs_status (*reduce_begin)(void *ctx, scs_real *const *part, const int64_t *bound, bool open);
    scs_status (*reduce_end)(void *ctx, scs_real *const *part, const int64_t *bound, bool open,
                             scs_real *slice);
    /** Zeroed memory for the gradients that reduce_slice adds up, so that ranks of one node need no
     * messages: it reads them until the next collective call. One set at a time. Collective.
     *  @param[out] part [last - first] pointers to n values */
    scs_status (*open_parts)(void *ctx, int64_t n, scs_real **part);
    /** Gives the memory back. Local. */
    void (*close_parts)(void *ctx, scs_real **part);
    /** Let the ranks of a node have one copy of n values that are alike on all, until unshare. A
     * rank then writes its own slice alone, between a collective call after which no rank reads
     * it any more and gather_begin. Collective.
     *  @param[in,out] values where they are; what was there may lose its content */
    scs_status (*share_values)(void *ctx, int64_t n, scs_real **values);
    /** Each rank has its own again, where they were. Local, after gather_end. */
    void (*unshare_values)(void *ctx, int64_t n, scs_real **values);
    /** Every rank's own slice of values reaches all ranks. Collective.
     *  @param values [bound[n_shard]] */
    scs_status (*gather_slices)(void *ctx, scs_real *values, const int64_t *bound);
    /** The same in two calls, between which messages travel; several may begin before all of them
     * end. Until then no rank reads these slices, or writes them. Collective. */
    scs_status (*gather_begin)(void *ctx, scs_real *values, const int64_t *bound);
    scs_status (*gather_end)(void *ctx);
    /** Each rank's bytes for every other rank reach it; those for itself stay where they are.
     * Collective. @param out, in [n_rank]  @param n_out, n_in [n_rank] bytes */
    scs_status (*exchange)(void *ctx, const void *const *out, const int64_t *n_out, void *const *in,
                           const int64_t *n_in);
    /** All ranks return the same: SCS_OK, or the lowest failing rank's status and message.
     * Collective. */
    scs_status (*agree)(void *ctx, scs_status mine);
    /** Rank 0's bytes reach all ranks. Collective. */
    scs_status (*share)(void *ctx, void *bytes, int64_t size);
} scs_team;

/** The team of one process that owns all n_shard shards. Nothing to free. */
scs_team scs_team_alone(int32_t n_shard);

#endif
