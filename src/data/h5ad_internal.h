/** What the files of the .h5ad reader share: h5ad.c asks, h5ad_obs.c reads obs and var,
 *  h5ad_matrix.c finds the matrix.
 *
 *  All of it runs in the sandbox, on a file of which nothing is known to be right: every function
 *  refuses what it cannot take with SCS_EDATA and a line that names the file and the HDF5 path.
 *  All functions are Local. Names and labels that they fill are the caller's to clear, in case of
 *  an error too.
 */
#ifndef SCS_H5AD_INTERNAL_H
#define SCS_H5AD_INTERNAL_H

#include "src/base/names.h"
#include "src/data/h5ad.h"
#include "src/hdf5/h5read.h"

/** The index of a frame, which names its rows: cells of obs, genes of var or raw/var.
 *  @param[in]  frame path of the frame, a group (anndata 0.7 on) or a compound dataset (before)
 *  @param[out] names [rows] appended; numbers as Python prints them
 *  @return SCS_EDATA also where the index holds floating-point numbers */
SCS_MUST_USE scs_status scs_h5ad_obs_index(const scs_h5 *h5, const char *frame, scs_names *names);
/** The frame's columns, the index left out, in the file's order. */
SCS_MUST_USE scs_status scs_h5ad_obs_columns(const scs_h5 *h5, const char *frame, scs_names *names);

/** An obs column as labels: categories and a code for each cell.
 *  @param[in]  column  NULL or "": none is wanted, and labels stay as they are
 *  @param[in]  columns those that obs has; a wrong name is refused with the list and the nearest
 *  @param[out] labels  zeroed before */
SCS_MUST_USE scs_status scs_h5ad_obs_labels(const scs_h5 *h5, const char *column, int64_t n_obs,
                                            const scs_names *columns, scs_labels *labels);
/** An obs column as numbers (doses, in the column's own unit): numbers of any type, or labels that
 *  read as numbers.
 *  @param      what  "dose", for messages
 *  @param[out] value [n_obs] malloc'ed, NaN where one is missing; caller frees, also after an error
 *  @return SCS_EDATA names the first cell whose text is no number */
SCS_MUST_USE scs_status scs_h5ad_obs_numbers(const scs_h5 *h5, const char *column, const char *what,
                                             int64_t n_obs, const scs_names *columns,
                                             double **value);

/** Find the matrix that meta->matrix names: fills n_row, n_obs, n_var, layout, nnz, chunk and the
 * paths of its arrays, whose lengths and types are checked; indptr is checked element by element.
 *  @param[out] var path of the frame that names its genes: a constant
 *  @return SCS_EARG where the name is none of X, raw, layers/NAME; SCS_EDATA lists what there is */
SCS_MUST_USE scs_status scs_h5ad_matrix_locate(const scs_h5 *h5, scs_h5ad *meta, const char **var);

/** Fill meta->filled, where the matrix that meta->matrix names begins without a value above 0:
 * those others that do not. Looks at some thousand values of each. */
SCS_MUST_USE scs_status scs_h5ad_matrix_filled(const scs_h5 *h5, scs_h5ad *meta);

#endif
