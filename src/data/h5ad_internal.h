/** What the files of the reader share: h5ad.c asks, h5ad_obs.c reads obs and var, h5ad_matrix.c
 *  finds the matrix, and loom.c and its like do so in files of other formats.
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
#include "src/data/obs_table.h"
#include "src/hdf5/h5read.h"

/** A format: what its own file finds. All calls but `is` and `root` are made with paths that start
 *  from the root. */
typedef struct scs_h5ad_format {
    int kind; /**< scs_h5ad_kind */
    /** where labels of cells stand, a member of the group for each; NULL: there are none */
    const char *frame;
    /** whether an open file is of this format, by its groups */
    bool (*is)(const scs_h5 *h5);
    /** The group that the wanted cells stand in; NULL: there is one set of them in such a file, at
     *  its root. @param part what the path names, or NULL  @param[out] root malloc'ed, or NULL */
    scs_status (*root)(const scs_h5 *h5, const char *part, char **root);
    /** Fill matrix and genes, from what the request and meta->matrix name. */
    scs_status (*locate)(const scs_h5 *h5, const scs_h5ad_request *want, scs_h5ad *meta);
    /** Names of all cells. @param[out] names appended */
    scs_status (*cells)(const scs_h5 *h5, scs_names *names);
} scs_h5ad_format;

/** The formats that have a file of their own. */
extern const scs_h5ad_format scs_loom_format, scs_tenx_h5_format;

/** The index of a frame, which names its rows: cells of obs, genes of var or raw/var.
 *  @param[in]  frame path of the frame, a group (anndata 0.7 on) or a compound dataset (before)
 *  @param[out] names [rows] appended; numbers as Python prints them
 *  @return SCS_EDATA also where the index holds floating-point numbers */
SCS_MUST_USE scs_status scs_h5ad_obs_index(const scs_h5 *h5, const char *frame, scs_names *names);
/** A column of a frame as names of its rows. SCS_EDATA as above. */
SCS_MUST_USE scs_status scs_h5ad_obs_names(const scs_h5 *h5, const char *frame, const char *column,
                                           scs_names *names);
/** The column of var that data.gene_column names: the same, and SCS_EDATA also where the frame
 * lacks it, or it has no name for some row. */
SCS_MUST_USE scs_status scs_h5ad_obs_gene_names(const scs_h5 *h5, const char *frame,
                                                const char *column, scs_names *names);
/** The frame's columns, the index left out, in the file's order. */
SCS_MUST_USE scs_status scs_h5ad_obs_columns(const scs_h5 *h5, const char *frame, scs_names *names);

/** An obs column as labels: categories and a code for each cell.
 *  @param[in]  frame   "obs", or where the format keeps what is known of cells
 *  @param[in]  column  NULL or "": none is wanted, and labels stay as they are
 *  @param[in]  columns those that obs has; a wrong name is refused with the list and the nearest
 *  @param[out] labels  zeroed before */
SCS_MUST_USE scs_status scs_h5ad_obs_labels(const scs_h5 *h5, const char *frame, const char *column,
                                            int64_t n_obs, const scs_names *columns,
                                            scs_labels *labels);

/** An obs column as numbers (doses, in the column's own unit): numbers of any type, or labels that
 *  read as numbers.
 *  @param      what  "dose", for messages
 *  @param[out] value [n_obs] malloc'ed, NaN where one is missing; caller frees, also after an error
 *  @return SCS_EDATA names the first cell whose text is no number */
SCS_MUST_USE scs_status scs_h5ad_obs_numbers(const scs_h5 *h5, const char *frame,
                                             const char *column, const char *what, int64_t n_obs,
                                             const scs_names *columns, double **value);

/** An obs column as it stands: a categorical as labels, texts, integers, booleans, or numbers. Of
 *  values with a mask, integers become numbers and texts and booleans labels where one is missing.
 *  @param[out] column zeroed before; the caller clears it, also after an error
 *  @return SCS_EDATA where it is none of these, or has another length than obs */
SCS_MUST_USE scs_status scs_h5ad_obs_column(const scs_h5 *h5, const char *frame, const char *name,
                                            int64_t n_obs, const scs_names *columns,
                                            scs_obs_column *column);

/** Find the matrix that meta->matrix names: fills n_row, n_obs, n_var, layout, nnz, chunk and the
 * paths of its arrays, whose lengths and types are checked; indptr is checked element by element.
 *  @param[out] var path of the frame that names its genes: a constant
 *  @return SCS_EARG where the name is none of X, raw, layers/NAME; SCS_EDATA lists what there is */
SCS_MUST_USE scs_status scs_h5ad_matrix_locate(const scs_h5 *h5, scs_h5ad *meta, const char **var);

/** The same of a table that stands at `path`. @param by_gene it is genes x cells */
SCS_MUST_USE scs_status scs_h5ad_matrix_locate_dense(const scs_h5 *h5, const char *path,
                                                     bool by_gene, scs_h5ad *meta);

/** The same of rows that stand in three lists, data, indices and indptr (CSR).
 *  @param base path before their names, "" or with a slash at its end
 *  @param[in,out] meta n_var is set to n_column */
SCS_MUST_USE scs_status scs_h5ad_matrix_locate_rows(const scs_h5 *h5, const char *base,
                                                    int64_t n_row, int64_t n_column,
                                                    scs_h5ad *meta);

/** Fill meta->others, of AnnData or loom: the names alone, nothing is read. */
SCS_MUST_USE scs_status scs_h5ad_matrix_others(const scs_h5 *h5, scs_h5ad *meta);
/** Fill meta->filled, where the matrix that meta->matrix names begins without a value above 0:
 * those others that do not. Looks at some thousand values of each. */
SCS_MUST_USE scs_status scs_h5ad_matrix_filled(const scs_h5 *h5, scs_h5ad *meta);

#endif
