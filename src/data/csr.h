/** Cells x genes, compressed sparse rows: the form in which a file's rows are read.
 *
 *  8 bytes an entry, and one block of rows at a time: a rank keeps its cells packed (packed.h).
 *  Never densified. All functions are Local.
 */
#ifndef SCS_CSR_H
#define SCS_CSR_H

#include "scscreen/status.h"

#include <stdbool.h>

/** Columns ascend strictly within each row once a matrix has left the reader. Arrays are owned;
 *  zeroed is an empty matrix. */
typedef struct scs_csr {
    int64_t n_row;
    int32_t n_col;
    int64_t *indptr;  /**< [n_row + 1], indptr[0] = 0 */
    int32_t *indices; /**< [nnz] column (gene) of each value; without a value not NULL either */
    float *values;    /**< [nnz] */
} scs_csr;

/** Room for n_row rows and nnz values, zeroed.
 *  @param[out] x caller clears; empty after an error
 *  @return SCS_EINTERNAL for negative sizes, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_csr_alloc(int64_t n_row, int32_t n_col, int64_t nnz, scs_csr *x);
/** Free the arrays; the matrix is empty then. */
void scs_csr_clear(scs_csr *x);
/** Sum of each row's values (a cell's total counts), added up in double in the row's order.
 *  @param[out] sums [n_row] */
void scs_csr_row_sums(const scs_csr *x, double *sums);
/** Drop rows, in place. @param keep [x->n_row] 0: the row is dropped */
void scs_csr_keep_rows(scs_csr *x, const uint8_t *keep);
/** Keep and rename columns: column j becomes gene[j] (-1: dropped), rows re-sorted, in place.
 *  @param gene [x->n_col]; values in [-1, n_gene); one-to-one
 *  @return SCS_EINTERNAL for a value out of range, SCS_EDATA where two columns became one gene,
 *          SCS_ENOMEM */
SCS_MUST_USE scs_status scs_csr_map_columns(scs_csr *x, const int32_t *gene, int32_t n_gene);
/** Whether scs_csr_map_columns would leave rows that ascend as they are, which is usual: one input,
 * all of its genes. @param gene [n_column] */
bool scs_csr_keeps_columns(const int32_t *gene, int32_t n_column, int32_t n_gene);
/** The same where several columns may become one gene: its value is their sum, added up in double
 *  in ascending order of value, and rounded once (exact for counts below 2^24).
 *  @return SCS_EINTERNAL as above, SCS_EDATA where a column stands twice in a row, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_csr_sum_columns(scs_csr *x, const int32_t *gene, int32_t n_gene);
/** Sort the columns within each row, in place.
 *  @return SCS_EDATA where a column stands twice in a row (the message names row and column);
 *          SCS_ENOMEM */
SCS_MUST_USE scs_status scs_csr_sort_rows(scs_csr *x);

#endif
