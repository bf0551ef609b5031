/** The non-zeros of a few cells by gene: what the first layer's products and the loss walk along.
 *  Local. */
#ifndef SCS_GENE_INDEX_H
#define SCS_GENE_INDEX_H

#include "scscreen/csr.h"
#include "scscreen/real.h"

typedef struct scs_gene_index {
    int32_t n_gene;
    int64_t *first;   /**< [n_gene + 1] owned: gene g's entries are [first[g], first[g + 1]) */
    int32_t *row;     /**< [first[n_gene]] owned: rows of the part, ascending within a gene */
    scs_real *value;  /**< [first[n_gene]] owned */
    int64_t capacity; /**< of row and value */
} scs_gene_index;

SCS_MUST_USE scs_status scs_gene_index_create(int32_t n_gene, scs_gene_index *index);
void scs_gene_index_clear(scs_gene_index *index);
/** Room for the non-zeros of these rows of x: rows[0..n), or rows row0 .. row0 + n where rows is
 *  NULL. */
SCS_MUST_USE scs_status scs_gene_index_reserve(scs_gene_index *index, const scs_csr *x,
                                               const int64_t *rows, int64_t row0, int32_t n);
/** Fill it with the rows that room was reserved for. */
void scs_gene_index_fill(scs_gene_index *index, const scs_csr *x, const int64_t *rows, int64_t row0,
                         int32_t n);

#endif
