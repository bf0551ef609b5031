/** The non-zeros of a few cells, by cell and by gene, in blocks that sparse products walk along
 * (src/sparse.h). Local. */
#ifndef SCS_NONZEROS_H
#define SCS_NONZEROS_H

#include "scscreen/packed.h"
#include "scscreen/real.h"

#include <stdbool.h>

/** Columns of a block; a column's place within its block fits a byte. */
enum { SCS_BLOCK = 128 };

/** A sparse matrix [n_out, n_in], cut along its columns into blocks; ascending within a row. */
typedef struct scs_entries {
    int32_t n_out, n_in;
    int64_t *first;  /**< [blocks * n_out + 1] owned: row i of block b is entries [first[b n_out +
                        i], first[b n_out + i + 1]) */
    uint8_t *column; /**< owned: within the block */
    scs_real *value; /**< owned */
    int64_t capacity, first_capacity;
} scs_entries;

typedef struct scs_nonzeros {
    scs_entries by_cell; /**< [n, n_gene] */
    scs_entries by_gene; /**< [n_gene, n]; empty unless asked for */
} scs_nonzeros;

int32_t scs_blocks(int32_t n_in);
void scs_nonzeros_clear(scs_nonzeros *x);
/** Room for the non-zeros of these rows of x: rows[0..n), or rows row0 .. row0 + n where rows is
 * NULL. @param both by gene as well */
SCS_MUST_USE scs_status scs_nonzeros_reserve(scs_nonzeros *to, const scs_packed *x,
                                             const int64_t *rows, int64_t row0, int32_t n,
                                             bool both);
/** Fill in the rows that room was reserved for, the same way. */
void scs_nonzeros_fill(scs_nonzeros *to, const scs_packed *x, const int64_t *rows, int64_t row0,
                       bool both);

#endif
