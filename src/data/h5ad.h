/** One input file: what it holds, as a plain validated struct, and the struct as bytes.
 *
 *  Most are .h5ad; other formats fill the same struct (h5ad_internal.h), and what reads cells does
 *  not see a difference.
 *
 *  The metadata is read in a forked child with limits (scs_h5ad_probe), because HDF5 crashes or
 *  hangs on damaged files; it reaches the parent, and the other ranks, as one block of bytes. Rows
 *  of the matrix are read directly (h5ad_matrix.h). Everything goes through src/hdf5/h5read.c,
 *  which refuses links, external storage, virtual datasets, unknown filters, shape bombs and
 *  damaged structure by name. All functions are Local.
 */
#ifndef SCS_H5AD_H
#define SCS_H5AD_H

#include "src/data/csr.h"
#include "src/data/obs_table.h"
#include "scscreen/dataset.h"

/** What kind of file it is. */
typedef enum scs_h5ad_kind {
    SCS_FILE_H5AD,
    SCS_FILE_H5MU,
    SCS_FILE_LOOM,
    SCS_FILE_10X_H5,
    SCS_FILE_10X_MTX,
    SCS_N_FILE
} scs_h5ad_kind;
/** ".h5ad", ".h5mu", ...: for people. */
const char *scs_h5ad_kind_name(int kind);

/** How the matrix is stored: by rows, by columns, or every element; in the last case cells x genes
 *  or genes x cells; or as a text (tenx_mtx.h). */
typedef enum scs_h5ad_layout {
    SCS_LAYOUT_CSR,
    SCS_LAYOUT_CSC,
    SCS_LAYOUT_DENSE,
    SCS_LAYOUT_DENSE_BY_GENE,
    SCS_LAYOUT_MTX,
    SCS_N_LAYOUT
} scs_h5ad_layout;

/** A categorical obs column, or a plain one made into one. Owned. */
typedef struct scs_labels {
    char *column;         /**< its name, NULL if the column was not asked for */
    scs_names categories; /**< each once; unused ones are kept */
    int32_t *codes;       /**< [n_obs] in [-1, categories.n); -1 = missing */
} scs_labels;

/** An obs column as numbers. Owned. */
typedef struct scs_numbers {
    char *column;
    double *value; /**< [n_obs]; NaN: missing */
} scs_numbers;

/** What one file holds, as far as a run needs it. Made by scs_h5ad_probe or scs_h5ad_unpack; all
 *  pointers are owned. */
struct scs_h5ad {
    char *path;
    char *matrix;   /**< what was asked for: "X", "raw", "layers/NAME" */
    char *root;     /**< HDF5 group that paths start from; NULL: the file's */
    int kind;       /**< scs_h5ad_kind */
    int64_t memory; /**< bytes that one declared dataset may need, as requested */
    int64_t n_row;  /**< rows of the matrix in the file */
    int64_t n_obs;  /**< cells: the rows that are taken, in their order */
    uint8_t *keep;  /**< [n_row] 1: the row is taken; NULL: all are (filter.h) */
    int64_t n_few;  /**< rows that data.min_genes leaves out: not packed */
    int32_t n_var;  /**< genes of the matrix */
    int layout;     /**< scs_h5ad_layout */
    int64_t nnz;    /**< stored values; n_row * n_var when dense */
    int64_t chunk;  /**< stored values that are read at once at least; or 0 */
    /** HDF5 paths below root (dense: only data); data of a text is the file's path */
    char *data, *indices, *indptr;
    scs_names genes;  /**< [n_var] var index (raw/var when matrix is raw) */
    int32_t n_column; /**< columns of the matrix in the file, where gene is given */
    int32_t *gene;    /**< [n_column] gene of each, or -1: not taken; NULL: column j is gene j */
    int64_t *start;   /**< [n_row + 1] of a text: the byte where the cell's entries begin, and where
                           they end; NULL: they do not stand cell by cell */
    char *note;       /**< what else is to be said of the file, or NULL */
    char *plugin;     /**< filter of its chunks that h5py reads only with hdf5plugin, or NULL */
    scs_names obs_columns; /**< for messages */
    scs_names filled;      /**< matrices that hold values, where this one seems to hold none */
    scs_names others;      /**< all matrices but this one, as data.matrix names them */
    int64_t n_duplicate_obs_names; /**< cells whose name another cell has */
    scs_labels cell_type, condition, species;
    char *dose_column; /**< NULL if it was not asked for */
    double *dose;      /**< [n_obs] as it stands in the file; NaN: missing */
    int32_t n_label, n_number;
    scs_labels *label;   /**< [n_label] further columns, as scs_h5ad_request.labels */
    scs_numbers *number; /**< [n_number] as scs_h5ad_request.numbers */
};

/** The file's row of cell k, 0 <= k < n_obs. O(n_row). */
int64_t scs_h5ad_row(const scs_h5ad *meta, int64_t k);
/** The further column of labels with this name, NULL: not asked for. */
const scs_labels *scs_h5ad_label(const scs_h5ad *meta, const char *column);
/** The same of numbers. */
const scs_numbers *scs_h5ad_number(const scs_h5ad *meta, const char *column);
/** Add the categories that some cell has to a list, in their order. SCS_ENOMEM.
 *  @param labels of this file */
SCS_MUST_USE scs_status scs_h5ad_used_labels(const scs_h5ad *meta, const scs_labels *labels,
                                             scs_names *used);

/** Free what it says of each cell, its labels and numbers, once a dataset has them. */
void scs_h5ad_forget_labels(scs_h5ad *meta);
/** Free what it owns; it is not to be used again. */
void scs_h5ad_obs_labels_clear(scs_labels *labels);
/** A label as a number; NaN where it stands for a missing value ("", NA, NaN). "1 uM" is neither:
 * units are not guessed.  @return whether it is a number or missing */
bool scs_h5ad_obs_parse_number(const char *label, double *value);

/** The column that has a name once data.rename has been applied to a file or table.
 *  @param columns what there is  @param where the file, for the message
 *  @param[out] column borrowed from columns; NULL where none has the name
 *  @return SCS_EDATA where two have it */
SCS_MUST_USE scs_status scs_h5ad_column_named(const scs_names *columns,
                                              const scs_column_name *rename, int32_t n_rename,
                                              const char *name, const char *where,
                                              const char **column);

/** The files of an input, without a look into them: the file, whole where `path` names a part of it
 *  (scs_file_split_part), or the three of a 10x folder, the matrix first (scs_tenx_mtx_files).
 *  @param files appended; at least one  @return SCS_EDATA where one of a folder is missing */
SCS_MUST_USE scs_status scs_h5ad_files(const char *path, scs_names *files);

/** Names of all cells (obs), read in a forked child as scs_h5ad_probe does: before MPI_Init.
 *  @param memory as scs_h5ad_request has it  @param[out] names added; [n_obs]
 *  @return SCS_EDATA as scs_h5ad_probe */
SCS_MUST_USE scs_status scs_h5ad_probe_cells(const char *path, int64_t memory, scs_names *names);

/** All of obs likewise: names of the cells, and every column as it stands. Columns that are none of
 *  scs_obs_kind are left out.
 *  @param[out] table zeroed before; the caller clears it, also after an error
 *  @param[out] left names of the columns that are left out, appended */
SCS_MUST_USE scs_status scs_h5ad_probe_obs(const char *path, int64_t memory, scs_obs_table *table,
                                           scs_names *left);

/** The struct as one flat block of bytes, for a pipe or a broadcast between ranks of one job.
 *  @param[out] blob [size] malloc'ed, caller frees
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_h5ad_pack(const scs_h5ad *meta, uint8_t **blob, int64_t *size);
/** And back. The bytes may come from a process that was overrun: every length, code and path is
 *  checked.
 *  @param      blob [size] borrowed
 *  @param[out] meta caller destroys; NULL after an error
 *  @return SCS_EDATA where the bytes do not describe a file, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_h5ad_unpack(const uint8_t *blob, int64_t size, scs_h5ad **meta);

#endif
