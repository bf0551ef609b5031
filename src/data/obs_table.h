/** obs of a file with all of its columns, for results that keep the cells of an input as they are.
 *
 *  What a run looks at of obs is read as labels and numbers (h5ad.h); this is the rest, which is
 *  not looked at and only handed on. scs_h5ad_probe_obs reads it. All functions are Local.
 */
#ifndef SCS_OBS_TABLE_H
#define SCS_OBS_TABLE_H

#include "src/base/bytes.h"

#include <hdf5.h>

/** What a column holds, and is written as. */
typedef enum scs_obs_kind {
    SCS_OBS_LABELS,  /**< a categorical */
    SCS_OBS_TEXT,    /**< texts */
    SCS_OBS_INTEGER, /**< int64 */
    SCS_OBS_BOOLEAN, /**< booleans */
    SCS_OBS_NUMBER,  /**< double; NaN: missing */
    SCS_N_OBS_KIND
} scs_obs_kind;

/** A column. Owned; of the arrays only those of its kind are there. */
typedef struct scs_obs_column {
    char *name;
    int kind;         /**< scs_obs_kind */
    scs_names text;   /**< categories, each once, or [n] texts */
    int32_t *code;    /**< [n] into the categories; -1: missing */
    int64_t *integer; /**< [n] of INTEGER and BOOLEAN */
    double *number;   /**< [n] */
} scs_obs_column;

/** obs of a file. Zeroed: no rows. */
typedef struct scs_obs_table {
    scs_names index; /**< [n] names of the cells; n of all columns */
    int32_t n_column;
    scs_obs_column *column; /**< [n_column] in the file's order */
} scs_obs_table;

/** Free all; zeroed is let through. */
void scs_obs_table_clear(scs_obs_table *table);
/** Free what a column owns. */
void scs_obs_table_clear_column(scs_obs_column *column);
/** Take out the rows whose `keep` is 0. @param keep [table->index.n]; NULL: all stay */
void scs_obs_table_keep(scs_obs_table *table, const uint8_t *keep);
/** Position of a column, or -1. */
int32_t scs_obs_table_find(const scs_obs_table *table, const char *name);

/** The table as bytes, and back. SCS_ENOMEM; get: SCS_EDATA where lengths or codes cannot be.
 *  @param[out] table zeroed before; the caller clears it, also after an error */
SCS_MUST_USE scs_status scs_obs_table_put(const scs_obs_table *table, scs_bytes *out);
/** See put. */
SCS_MUST_USE scs_status scs_obs_table_get(scs_bytes *in, scs_obs_table *table);

/** Write obs of a new file: the rows of all tables, one after the other, with the columns that all
 *  tables have and that hold the same in all, in the first one's order, as anndata.concat joins
 *  them; then further ones. SCS_ECREATE, SCS_EIO, SCS_ENOMEM.
 *  @param index  names of all rows
 *  @param more   [n_more] of all rows; those whose name a column has already are left out */
SCS_MUST_USE scs_status scs_obs_table_write(hid_t file, const scs_names *index,
                                            const scs_obs_table *table, int32_t n_table,
                                            const scs_obs_column *more, int32_t n_more);

#endif
