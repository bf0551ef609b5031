/** What of a screen is done, in a file beside it, so that a stopped or killed job can go on.
 *
 *  The file begins with what the screen is made of. Then there is a slot for each block of rows
 *  (sum of its bytes) and for each unit of permutations (its counts, and their sum). Every slot
 *  vouches for itself: one that was torn, lost or overwritten counts as not done. */
#ifndef SCS_DONE_MAP_H
#define SCS_DONE_MAP_H

#include "src/base/hash64.h"

#include <stdbool.h>

/** What a screen is made of. Texts are owned by whoever filled it. */
typedef struct scs_done_key {
    char *config;      /**< as results carry it */
    char *data;        /**< checksum of inputs, labels, roles and genes */
    char *program;     /**< version and commit */
    uint64_t weights;  /**< sum of the model and of its latent atlas */
    uint64_t head;     /**< sum of what the result says of its rows */
    uint64_t skeleton; /**< sum of the bytes of the file but for its rows */
    int64_t n_block, n_unit;
    int32_t n_range;
    int64_t range[SCS_HASH64_RANGES][2]; /**< bytes of the file that hold rows */
} scs_done_key;

void scs_done_map_key_clear(scs_done_key *key);

typedef struct scs_done_map scs_done_map;

/** A new file (an older one is replaced). Rank 0 alone. Local.
 *  @param unit_first [n_unit + 1] counts of all units before each; borrowed, as in open */
SCS_MUST_USE scs_status scs_done_map_create(const char *path, const scs_done_key *key,
                                            const int64_t *unit_first);
/** Read the key of a file. Local. SCS_EDATA where it is damaged. @param[out] key cleared by the
 * caller */
SCS_MUST_USE scs_status scs_done_map_probe(const char *path, scs_done_key *key);
/** Any rank, to read and write slots. Local. */
SCS_MUST_USE scs_status scs_done_map_open(const char *path, const int64_t *unit_first,
                                          scs_done_map **map);
/** SCS_EIO where the system could not store what was put. Local. */
SCS_MUST_USE scs_status scs_done_map_close(scs_done_map **map);

SCS_MUST_USE scs_status scs_done_map_put_block(scs_done_map *map, int64_t block, uint64_t sum);
/** @param[out] sum [n_block], 0: not done */
SCS_MUST_USE scs_status scs_done_map_blocks(scs_done_map *map, uint64_t *sum);
/** @param count [unit_first[unit + 1] - unit_first[unit]] */
SCS_MUST_USE scs_status scs_done_map_put_unit(scs_done_map *map, int64_t unit,
                                              const int32_t *count);
/** @param[out] done whether count holds what was put */
SCS_MUST_USE scs_status scs_done_map_unit(scs_done_map *map, int64_t unit, int32_t *count,
                                          bool *done);

#endif
