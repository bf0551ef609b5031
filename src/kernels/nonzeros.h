/** The non-zeros of a few cells, by cell and by gene, in blocks that sparse products walk along
 * (src/sparse.h). Local. */
#ifndef SCS_NONZEROS_H
#define SCS_NONZEROS_H

#include "src/data/packed.h"
#include "src/kernels/entries.h"

#include <stdbool.h>

typedef struct scs_nonzeros {
    scs_entries by_cell; /**< [n, n_gene] */
    scs_entries by_gene; /**< [n_gene, n]; empty unless asked for */
} scs_nonzeros;

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
