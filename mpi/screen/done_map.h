/** What of a screen is done, in a file beside it, so that a stopped or killed job can go on.
 *
 *  The file begins with a key: what the screen is made of. Then there is a slot for each block of
 *  rows (a sum of the bytes that were written) and for each unit of permutations (its counts, and
 *  their sum). Slots have fixed places, so all ranks write into the file without messages, each
 *  slot by one rank. Every slot carries a checksum of itself with its number: one that was torn,
 *  lost or overwritten counts as not done, and its work is done again. So nothing here has to be
 *  synced in order with the rows: rows that did not reach the disk do not have the sum that the
 *  slot says.
 *
 *  Rank 0 creates the file, or probes an older one and compares keys; then every rank opens it,
 *  puts what it has done, and at the start reads what earlier jobs have. Slots of blocks that are
 *  being written by other ranks are not read.
 *
 *  All functions are Local; failures to read or write are SCS_EIO with the path.
 */
#ifndef SCS_DONE_MAP_H
#define SCS_DONE_MAP_H

#include "src/base/hash64.h"

#include <stdbool.h>

/** What a screen is made of: a stopped screen goes on only where all of it is the same. Texts are
 * owned; scs_done_map_key_clear frees them. */
typedef struct scs_done_key {
    char *config;            /**< the keys that affect results, as results carry them */
    char *data;              /**< checksum of inputs, labels, roles and genes */
    char *program;           /**< version and commit */
    uint64_t weights;        /**< sum of the model and of its latent atlas */
    uint64_t head;           /**< sum of the names and settings of its rows (scs_result_head_sum) */
    uint64_t skeleton;       /**< sum of the bytes of the file but for its rows */
    int64_t n_block, n_unit; /**< slots of each kind */
    int64_t n_shard;         /**< 0: the file does not say it */
    int32_t n_range;
    int64_t range[SCS_HASH64_RANGES][2]; /**< bytes of the file that hold rows */
} scs_done_key;

/** Free the texts; the key is empty afterwards. */
void scs_done_map_key_clear(scs_done_key *key);

/** An open map. */
typedef struct scs_done_map scs_done_map;

/** A new file with empty slots, on the disk when this returns; an older one is replaced.
 * SCS_ECREATE where there is no room. Rank 0 alone.
 *  @param unit_first [n_unit + 1] counts of all units before each; borrowed, as in open */
SCS_MUST_USE scs_status scs_done_map_create(const char *path, const scs_done_key *key,
                                            const int64_t *unit_first);
/** Read the key of a file. SCS_EDATA where it is damaged or not there.
 *  @param[out] key cleared by the caller, also after a failure */
SCS_MUST_USE scs_status scs_done_map_probe(const char *path, scs_done_key *key);
/** Any rank, to read and write slots; unit_first as it was made with. */
SCS_MUST_USE scs_status scs_done_map_open(const char *path, const int64_t *unit_first,
                                          scs_done_map **map);
/** SCS_EIO where the system could not store what was put. *map is NULL afterwards; NULL is let
 * through. */
SCS_MUST_USE scs_status scs_done_map_close(scs_done_map **map);

/** Note a block as done. @param sum of the bytes of its rows, not 0 */
SCS_MUST_USE scs_status scs_done_map_put_block(scs_done_map *map, int64_t block, uint64_t sum);
/** All blocks' sums. @param[out] sum [n_block], 0: not done */
SCS_MUST_USE scs_status scs_done_map_blocks(scs_done_map *map, uint64_t *sum);
/** Keep a unit's counts. @param count [unit_first[unit + 1] - unit_first[unit]] */
SCS_MUST_USE scs_status scs_done_map_put_unit(scs_done_map *map, int64_t unit,
                                              const int32_t *count);
/** A unit's counts, if they are there. @param count [as in put]  @param[out] done whether count
 * holds what was put */
SCS_MUST_USE scs_status scs_done_map_unit(scs_done_map *map, int64_t unit, int32_t *count,
                                          bool *done);

#endif
