/** A sparse matrix in blocks of columns, the form that sparse products walk along (src/sparse.h).
 * Local. */
#ifndef SCS_ENTRIES_H
#define SCS_ENTRIES_H

#include "scscreen/status.h"

/** Columns of a block; a column's place within its block fits a byte. */
enum { SCS_BLOCK = 128 };

/** [n_out, n_in], cut along its columns into blocks; ascending within a row. */
typedef struct scs_entries {
    int32_t n_out, n_in;
    int64_t *first;  /**< [blocks * n_out + 1] owned: row i of block b is entries [first[b n_out +
                        i], first[b n_out + i + 1]) */
    uint8_t *column; /**< owned: within the block */
    scs_real *value; /**< owned */
    int64_t capacity, first_capacity;
} scs_entries;

/** Blocks of n_in columns. */
int32_t scs_entries_blocks(int32_t n_in);
/** Room for nnz entries; what was there is lost. */
SCS_MUST_USE scs_status scs_entries_reserve(scs_entries *entries, int32_t n_out, int32_t n_in,
                                            int64_t nnz);
void scs_entries_clear(scs_entries *entries);
/** How many entries there are. */
int64_t scs_entries_count(const scs_entries *entries);
/** first[0, n) are counts and become beginnings; first[n] is where the last ends. */
void scs_entries_add_up(int64_t *first, int64_t n);
/** The transpose of some matrices put below one another.
 *  @param part [n_part] of the same n_in  @param[out] to [n_in, sum of n_out] room is reserved */
void scs_entries_transpose(const scs_entries *part, int32_t n_part, scs_entries *to);

#endif
