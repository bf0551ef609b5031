/** Reading .h5ad: metadata in a forked, limited child; numeric rows directly. All functions are
 * Local.
 *
 *  Everything goes through src/h5safe.c, which refuses links, external storage, virtual datasets,
 * unknown filters, shape bombs and damaged structure by name.
 */
#ifndef SCS_H5AD_H
#define SCS_H5AD_H

#include "src/data/csr.h"
#include "scscreen/dataset.h"

typedef enum scs_h5ad_layout { SCS_LAYOUT_CSR, SCS_LAYOUT_CSC, SCS_LAYOUT_DENSE } scs_h5ad_layout;

/** A categorical (or string) obs column. */
typedef struct scs_labels {
    char *column;         /**< its name, NULL if the column was not asked for */
    scs_names categories; /**< unused categories are kept */
    int32_t *codes;       /**< [n_obs] in [-1, categories.n); -1 = missing */
} scs_labels;

/** What one file holds, as far as a run needs it: a plain validated struct. */
struct scs_h5ad {
    char *path;
    char *matrix;   /**< what was asked for: "X", "raw", "layers/NAME" */
    int64_t memory; /**< bytes that one declared dataset may need, as requested */
    int64_t n_obs;
    int32_t n_var;
    int layout;                    /**< scs_h5ad_layout */
    int64_t nnz;                   /**< stored values; n_obs * n_var when dense */
    int64_t chunk;                 /**< stored values that are read at once at least; or 0 */
    char *data, *indices, *indptr; /**< HDF5 paths (dense: only data) */
    scs_names genes;               /**< [n_var] var index (raw/var when matrix is raw) */
    scs_names obs_columns;         /**< for messages */
    int64_t n_duplicate_obs_names;
    scs_labels cell_type, condition, species;
    char *dose_column; /**< NULL if it was not asked for */
    double *dose;      /**< [n_obs] as it stands in the file; NaN: missing */
};

/** One flat block of bytes that holds the struct, and back; unpack checks every length and code.
 * Caller frees blob. */
SCS_MUST_USE scs_status scs_h5ad_pack(const scs_h5ad *meta, uint8_t **blob, int64_t *size);
SCS_MUST_USE scs_status scs_h5ad_unpack(const uint8_t *blob, int64_t size, scs_h5ad **meta);

#endif
