/** One column of obs or var as it stands in a file: text, integers, booleans or floats. All
 * functions are Local. */
#ifndef SCS_H5AD_OBS_H
#define SCS_H5AD_OBS_H

#include "src/data/h5ad.h"
#include "src/hdf5/h5read.h"

typedef struct scs_column {
    int64_t n;
    int kind;        /**< scs_column_kind */
    scs_names text;  /**< [n] if TEXT */
    int64_t *number; /**< [n] if INTEGER or BOOLEAN */
    double *real;    /**< [n] if FLOAT */
    int64_t *mask;   /**< [n] not 0 = missing; NULL = none is missing */
} scs_column;

#endif
