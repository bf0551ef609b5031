/** The non-zeros of a few cells, by cell and by gene, in the form that sparse products walk
 *  along (src/kernels/entries.h).
 *
 *  Cells are kept packed (src/data/packed.h, about 3 bytes an entry) and a batch of them is
 *  unpacked here, once a step: X by cell for X W, and the same entries by gene for X'A. The
 *  second is the transpose of the first, at the price of two more passes over the entries.
 *
 *  All functions are Local; SCS_ENOMEM is the only failure.
 */
#ifndef SCS_NONZEROS_H
#define SCS_NONZEROS_H

#include "src/data/packed.h"
#include "src/kernels/entries.h"

#include <stdbool.h>

/** A zeroed struct has no room yet. */
typedef struct scs_nonzeros {
    scs_entries by_cell; /**< [n, n_gene] */
    scs_entries by_gene; /**< [n_gene, n]; empty unless asked for */
} scs_nonzeros;

/** Free both. */
void scs_nonzeros_clear(scs_nonzeros *x);
/** Room for the non-zeros of n rows of x. What was there is lost. May allocate, so not within a
 * parallel loop, where filling may run.
 *  @param rows [n] which rows; NULL: row0 .. row0 + n - 1
 *  @param both by gene as well */
SCS_MUST_USE scs_status scs_nonzeros_reserve(scs_nonzeros *to, const scs_packed *x,
                                             const int64_t *rows, int64_t row0, int32_t n,
                                             bool both);
/** Fill in the rows that room was reserved for, with the same arguments. */
void scs_nonzeros_fill(scs_nonzeros *to, const scs_packed *x, const int64_t *rows, int64_t row0,
                       bool both);

#endif
