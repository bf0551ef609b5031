/** The one safe entry to HDF5 files that were not written by this process.
 *
 *  A file from outside may be damaged or hostile, and HDF5 1.10 is no shield: it follows links
 *  into other files, loads plugins, takes sizes as they stand, and reads beyond what a damaged
 *  chunk decodes to. So every object is opened here, under these rules:
 *
 *  - A path is walked component by component over hard links; soft and external links are
 *    refused by name.
 *  - Storage is compact, contiguous or chunked, within the file; virtual datasets and external
 *    files are refused.
 *  - Filters are deflate, shuffle, fletcher32 and those of src/hdf5/h5filter.h; any other is
 *    refused, with how to rewrite the file. Plugins are off.
 *  - Sizes go through checked products against a memory budget. A dataset that declares more
 *    than 1000 times what it stores, and more than 64 MiB, is refused.
 *  - Chunks of numbers are checked to decode to their full length before HDF5 reads them. That
 *    means that deflated chunks are inflated twice; others are decoded by filters of our own, which
 *    check it. The matrix's own lists are read by src/hdf5/h5stream.h, which decodes once.
 *
 *  What these rules cannot catch is variable-length text, whose heap HDF5 reads unchecked:
 *  src/hdf5/h5text.h, only within src/base/sandbox.h.
 *
 *  A violation is SCS_EDATA, one line with the file, the path within it, escaped, what is wrong
 *  and what to do. HDF5's own printing is silenced. SCS_ENOMEM for memory, SCS_EINTERNAL if the
 *  library does not start.
 *
 *  All functions are Local. HDF5 is used by one thread at a time.
 */
#ifndef SCS_H5READ_H
#define SCS_H5READ_H

#include "src/base/names.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- files ---- */

/** A file that is open for reading. */
typedef struct scs_h5 {
    hid_t file;
    hid_t group;         /**< that paths start from, once scs_h5_enter has been called; else 0 */
    char *path;          /**< for messages (scs_file_known_length); owned */
    int64_t memory;      /**< bytes that one dataset may need */
    const char **plugin; /**< is set to the filter that a dataset was met with which h5py reads only
                            with hdf5plugin; constant text. NULL: not wanted; borrowed */
} scs_h5;

/** Open read-only; of a path that names a part (scs_file_split_part) the file. SCS_EDATA: missing,
 * no regular file, empty, not HDF5, cut short, damaged (one line each, saying what to do).
 *  @param memory bytes that one dataset may need; 0: 16 GiB */
SCS_MUST_USE scs_status scs_h5_open(const char *path, int64_t memory, scs_h5 *h5);
/** Let all paths start from a group of the file: that of a modality (MuData) or a genome (10x).
 * SCS_EDATA where there is no such group. */
SCS_MUST_USE scs_status scs_h5_enter(scs_h5 *h5, const char *group);
/** Close; objects that are still open are closed with it. A zeroed struct may be closed too. */
void scs_h5_close(scs_h5 *h5);

/* ---- paths and groups ---- */

/** A malloc'ed path, printed. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_h5_path(char **path, const char *format, ...) SCS_PRINTF(2, 3);
/** Walk a path component by component. SCS_EDATA names a link that is not followed.
 *  @param[out] found whether an object stands there */
SCS_MUST_USE scs_status scs_h5_look(const scs_h5 *h5, const char *path, bool *found);
/** Whether an object stands there that would be opened; false for links that are refused. */
bool scs_h5_exists(const scs_h5 *h5, const char *path);
/** Whether it is a group. */
bool scs_h5_is_group(const scs_h5 *h5, const char *path);
/** Whether it is a dataset without a space: how anndata and anndataR write nothing (None, NULL). */
bool scs_h5_is_null(const scs_h5 *h5, const char *path);
/** Add the names of a group's members, in strcmp's order; refuses more than 1,000,000. */
SCS_MUST_USE scs_status scs_h5_members(const scs_h5 *h5, const char *path, scs_names *names);

/* ---- datasets ---- */

/** Shape and type of a dataset. */
typedef struct scs_h5_shape {
    int rank;             /**< 0, 1 or 2 */
    int64_t dim[2];       /**< [rank], then 1 */
    H5T_class_t type;     /**< H5T_INTEGER, H5T_FLOAT, H5T_STRING, H5T_ENUM (booleans), ... */
    size_t size;          /**< bytes of one element */
    bool is_signed;       /**< integers only */
    bool variable_length; /**< strings only */
    int64_t chunk[2];     /**< of a chunk, as dim; 0 if not chunked */
} scs_h5_shape;

/** Shape of a dataset that keeps the rules. */
SCS_MUST_USE scs_status scs_h5_shape_of(const scs_h5 *h5, const char *path, scs_h5_shape *shape);

/** The members of a dataset's enumeration: booleans, and factors of R as hdf5r writes them.
 *  SCS_EDATA where there is none, or more than a million.
 *  @param[out] names appended  @param[out] value malloc'ed, [names->n] */
SCS_MUST_USE scs_status scs_h5_enum_members(const scs_h5 *h5, const char *path, scs_names *names,
                                            int64_t **value);
/** Elements [first, first + n) of a 1-d dataset; a scalar counts as one element. SCS_EDATA also
 * where it ends before, or holds something other than integers or booleans. @param[out] out [n] */
SCS_MUST_USE scs_status scs_h5_read_int64(const scs_h5 *h5, const char *path, int64_t first,
                                          int64_t n, int64_t *out);
/** The same; what does not fit is clipped to INT32_MIN or INT32_MAX. */
SCS_MUST_USE scs_status scs_h5_read_int32(const scs_h5 *h5, const char *path, int64_t first,
                                          int64_t n, int32_t *out);
/** Of element `at` of such a dataset, read as `value`, the number that the file holds, for a
 * message that names it: what was clipped is read again. */
int64_t scs_h5_unclipped(const scs_h5 *h5, const char *path, int64_t at, int32_t value);
/** The same of numbers of any type, rounded to float. */
SCS_MUST_USE scs_status scs_h5_read_float(const scs_h5 *h5, const char *path, int64_t first,
                                          int64_t n, float *out);
/** The same, as double. */
SCS_MUST_USE scs_status scs_h5_read_double(const scs_h5 *h5, const char *path, int64_t first,
                                           int64_t n, double *out);
/** Rows [row0, row0 + n) of a 2-d dataset of numbers. @param[out] out [n, dim[1]] */
SCS_MUST_USE scs_status scs_h5_read_rows(const scs_h5 *h5, const char *path, int64_t row0,
                                         int64_t n, float *out);
/** Columns [column0, column0 + n) of one. @param[out] out [dim[0], n] */
SCS_MUST_USE scs_status scs_h5_read_columns(const scs_h5 *h5, const char *path, int64_t column0,
                                            int64_t n, float *out);
/** Rows, as double. */
SCS_MUST_USE scs_status scs_h5_read_rows_double(const scs_h5 *h5, const char *path, int64_t row0,
                                                int64_t n, double *out);
/** The same of integers or booleans. */
SCS_MUST_USE scs_status scs_h5_read_rows_int64(const scs_h5 *h5, const char *path, int64_t row0,
                                               int64_t n, int64_t *out);

/* ---- for src/hdf5/h5text.c, which reads what is not numbers under the same rules ---- */

/** Refuse what HDF5 just could not open or read: as written for a newer HDF5 where its error stack
 * says so of a file in a late format, else with these words ("is damaged"). Call it before any
 * other call of HDF5. @return SCS_EDATA */
SCS_MUST_USE scs_status scs_h5_refuse(const scs_h5 *h5, const char *path, const char *words);
/** Any group or dataset that is reached over hard links. @param[out] object to be dropped */
SCS_MUST_USE scs_status scs_h5_open_object(const scs_h5 *h5, const char *path, hid_t *object);
/** A dataset that keeps the rules. @param[out] dataset to be dropped; invalid after a failure */
SCS_MUST_USE scs_status scs_h5_open_dataset(const scs_h5 *h5, const char *path, hid_t *dataset,
                                            scs_h5_shape *shape);
/** Give back an id of any kind; a negative one is ignored. */
void scs_h5_drop(hid_t id);
/** n x size within the memory budget of one dataset. @param[out] bytes the product */
SCS_MUST_USE scs_status scs_h5_budget(const scs_h5 *h5, const char *path, int64_t n, size_t size,
                                      int64_t *bytes);

#endif
