/** What the stored values of a matrix may be, and how one that may not is refused: for the files
 * that read a matrix (h5ad_matrix.c, h5ad_csc.c). All functions are Local.
 */
#ifndef SCS_H5AD_VALUE_H
#define SCS_H5AD_VALUE_H

#include "src/data/h5ad.h"

#include <stdbool.h>

/** SCS_EDATA for a value that is no count or logarithm of one: negative, NaN, infinite; not where
 * the row is left out (meta->keep). @param row, column in the file */
SCS_MUST_USE scs_status scs_h5ad_value_check(const scs_h5ad *meta, int64_t row, int32_t column,
                                             float value);
/** Refuse a gene that stands twice in a row. @return SCS_EDATA */
SCS_MUST_USE scs_status scs_h5ad_value_twice(const scs_h5ad *meta, int64_t row, int32_t column);

/** Whether numbers ascend, each once, within [0, most). @param number [n] */
bool scs_h5ad_value_ascend(const int32_t *number, int64_t n, int32_t most);
/** Whether a row or column is as anndata writes it: its numbers ascend and its values are above 0
 * and finite. @param gene, value [n] */
bool scs_h5ad_value_are_plain(const int32_t *gene, const float *value, int64_t n, int32_t n_col);

#endif
