/** One column of obs or var as it stands in a file: text, integers, booleans or floats. All
 * functions are Local. */
#ifndef SCS_COLUMN_H
#define SCS_COLUMN_H

#include "src/h5ad.h"
#include "src/h5safe.h"

typedef enum scs_column_kind {
    SCS_COLUMN_TEXT,
    SCS_COLUMN_INTEGER,
    SCS_COLUMN_BOOLEAN,
    SCS_COLUMN_FLOAT
} scs_column_kind;

typedef struct scs_column {
    int64_t n;
    int kind;        /**< scs_column_kind */
    scs_names text;  /**< [n] if TEXT */
    int64_t *number; /**< [n] if INTEGER or BOOLEAN */
    double *real;    /**< [n] if FLOAT */
    int64_t *mask;   /**< [n] not 0 = missing; NULL = none is missing */
} scs_column;

/** A 1-d dataset, or a nullable column (group of values and mask). SCS_EDATA for any other type. */
SCS_MUST_USE scs_status scs_column_read(const scs_h5 *h5, const char *path, scs_column *column);
/** A member of a compound dataset. */
SCS_MUST_USE scs_status scs_column_read_member(const scs_h5 *h5, const char *path,
                                               const char *member, scs_column *column);
void scs_column_clear(scs_column *column);
/** Every value as text, the way Python prints it ("3", "True", "0.5"). */
SCS_MUST_USE scs_status scs_column_names(const scs_column *column, scs_names *names);
/** The distinct values in order (text by bytes, integers by size, False before True) and each
 * element's code, as pandas makes a categorical. SCS_EDATA for floats. @param[out] codes [n], -1 =
 * missing */
SCS_MUST_USE scs_status scs_column_factorize(const scs_column *column, scs_names *categories,
                                             int32_t *codes);

#endif
