/** A sparse matrix in blocks of columns, the form that sparse products walk along
 *  (src/kernels/sparse.h).
 *
 *  [n_out, n_in], cut along its columns into blocks of 128. Within a block entries lie row after
 *  row, ascending: a product goes through all rows of a block while the block's 128 rows of the
 *  dense factor stay in the cache. A column's place within its block fits a byte, so an entry
 *  takes 5 bytes.
 *
 *      row i of block b:  entries [first[b n_out + i], first[b n_out + i + 1])
 *
 *  It is made for a batch of cells and made again for the next, in the same memory.
 *
 *  All functions are Local; SCS_ENOMEM is the only failure.
 */
#ifndef SCS_ENTRIES_H
#define SCS_ENTRIES_H

#include "scscreen/status.h"

/** Columns of a block. Slices of the genes that ranks share are cut between blocks. */
enum { SCS_BLOCK = 128 };

/** A zeroed struct is an empty matrix without room. */
typedef struct scs_entries {
    int32_t n_out, n_in;
    int64_t *first;                   /**< [blocks x n_out + 1] owned */
    uint8_t *column;                  /**< [entries] owned: within the block, 0 .. SCS_BLOCK - 1 */
    scs_real *value;                  /**< [entries] owned */
    int64_t capacity, first_capacity; /**< elements that there is room for */
} scs_entries;

/** Blocks of n_in columns. */
int32_t scs_entries_blocks(int32_t n_in);
/** Free everything and leave an empty matrix. */
void scs_entries_clear(scs_entries *entries);
/** Set the shape and make room for nnz entries, a quarter more than asked for where it must grow:
 * sizes of batches differ little. What was there is lost, also after a failure. */
SCS_MUST_USE scs_status scs_entries_reserve(scs_entries *entries, int32_t n_out, int32_t n_in,
                                            int64_t nnz);
/** How many entries there are. */
int64_t scs_entries_count(const scs_entries *entries);
/** Counts to places: first[0 .. n) become where each begins, first[n] where the last ends.
 *  @param[in,out] first [n + 1] */
void scs_entries_add_up(int64_t *first, int64_t n);
/** The transpose of some matrices put below one another: cells by shard become genes by cell.
 *
 *  Two passes over the entries, counting and copying; a block of columns of `from` is rows of `to`
 *  that no other block touches, so blocks run in parallel and the result is the same for any number
 *  of threads.
 *  @param from    [n_from] of the same n_in
 *  @param[out] to [n_in, sum of n_out], room reserved for that shape and all entries */
void scs_entries_transpose(const scs_entries *from, int32_t n_from, scs_entries *to);

#endif
