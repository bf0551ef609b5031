/** Inside the .h5ad reader: what its files share. All functions are Local. */
#ifndef SCS_H5AD_INTERNAL_H
#define SCS_H5AD_INTERNAL_H

#include "src/base/bytes.h"
#include "src/data/h5ad.h"
#include "src/data/h5ad_obs.h"
#include "src/hdf5/h5read.h"

/** Names of the rows of obs, var or raw/var (its index), in any of the layouts. */
SCS_MUST_USE scs_status scs_h5ad_obs_index(const scs_h5 *h5, const char *frame, scs_names *names);
/** Names of its other columns. */
SCS_MUST_USE scs_status scs_h5ad_obs_columns(const scs_h5 *h5, const char *frame, scs_names *names);

/** The obs column as labels. @param columns those there are, for the message */
SCS_MUST_USE scs_status scs_h5ad_obs_labels(const scs_h5 *h5, const char *column, int64_t n_obs,
                                            const scs_names *columns, scs_labels *labels);

/** The obs column as numbers, of any kind that holds them: meta->dose_column and dose. SCS_EDATA
 * names the first cell whose text is no number. */
SCS_MUST_USE scs_status scs_h5ad_obs_doses(const scs_h5 *h5, const char *column,
                                           const scs_names *columns, scs_h5ad *meta);
/** An obs column that holds its values itself: *plain false, and nothing read, if it is
 * categorical. */
SCS_MUST_USE scs_status scs_obs_column(const scs_h5 *h5, const char *name, bool *plain,
                                       scs_column *column);
/** SCS_EDATA unless an obs column holds a value for each cell. */
SCS_MUST_USE scs_status scs_obs_check_length(const scs_h5 *h5, const char *column, int64_t n,
                                             int64_t n_obs);
void scs_h5ad_obs_labels_clear(scs_labels *labels);
/** SCS_EDATA unless obs has the column: names those there are. */
SCS_MUST_USE scs_status scs_obs_require(const scs_h5 *h5, const char *column,
                                        const scs_names *columns);

/** Where the matrix that meta->matrix names stands, and its shape: sets n_obs, n_var, layout, nnz
 * and paths.
 *  @param[out] var frame of its genes: a constant */
SCS_MUST_USE scs_status scs_h5ad_matrix_locate(const scs_h5 *h5, scs_h5ad *meta, const char **var);

SCS_MUST_USE scs_status scs_h5ad_put(const scs_h5ad *meta, scs_bytes *out);

/** SCS_EDATA unless the value is finite and not negative. row and column count in the file. */
SCS_MUST_USE scs_status scs_h5ad_check_value(const scs_h5ad *meta, int64_t row, int32_t column,
                                             float value);
/** SCS_EDATA: the gene stands twice in the cell's row. */
scs_status scs_h5ad_duplicate(const scs_h5ad *meta, int64_t row, int32_t column);
/** Rows of a CSC matrix: streamed twice through bounded blocks, first to count, then to fill. */
SCS_MUST_USE scs_status scs_h5ad_read_csc(const scs_h5 *h5, const scs_h5ad *meta, int64_t row0,
                                          int64_t row1, scs_csr *x);
SCS_MUST_USE scs_status scs_h5ad_read_dense(const scs_h5 *h5, const scs_h5ad *meta, int64_t row0,
                                            int64_t row1, scs_csr *x);

#endif
