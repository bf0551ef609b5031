/** The HDF5 filters that files may use, guarded: HDF5 1.10 believes that a chunk is as long as its
 * dataset says, and reads beyond what a damaged stream decodes to. All functions are Local. */
#ifndef SCS_H5READ_H
#define SCS_H5READ_H

#include "src/base/names.h"
#include "scscreen/status.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The LZF compression of h5py, reading only. Local. */

/** Decode a whole LZF stream.
 *  @return bytes written, or -1 when the stream is damaged or needs more than `room` */
int64_t scs_h5_lzf_decode(const uint8_t *in, size_t size, uint8_t *out, size_t room);

/* Paths within an HDF5 file. Local. */

/** A malloc'ed path, printed. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_h5_path(char **path, const char *format, ...) SCS_PRINTF(2, 3);

/* The one safe entry to HDF5 files that were not written by this process.
 *
 *  Paths are walked part by part over hard links only; external storage, virtual datasets and
 * unknown filters are refused; plugins are off; sizes go through checked products against a memory
 * budget; a dataset that declares more than 1000 times what it stores (and more than 64 MiB) is
 * refused. HDF5's own error printing is silenced. Every message names the file and the path within
 * it, escaped. */

typedef struct scs_h5 {
    hid_t file;
    char *path;
    int64_t memory; /**< bytes that one dataset may need */
} scs_h5;

/** Shape and type of a numeric dataset. */
typedef struct scs_h5_shape {
    int rank; /**< 0, 1 or 2 */
    int64_t dim[2];
    H5T_class_t
        type;    /**< H5T_INTEGER, H5T_FLOAT, H5T_STRING, H5T_COMPOUND, H5T_ENUM (booleans), ... */
    size_t size; /**< bytes of one element */
    bool is_signed;
    bool variable_length; /**< strings only */
    int64_t chunk0;       /**< rows of a chunk, 0 if not chunked */
} scs_h5_shape;

/** Open read-only. SCS_EDATA: missing, not HDF5, truncated (one line each, saying what to do).
 * memory 0 = 16 GiB. */
SCS_MUST_USE scs_status scs_h5_open(const char *path, int64_t memory, scs_h5 *h5);
void scs_h5_close(scs_h5 *h5);

/** Walk a path part by part. *found says whether an object stands there; SCS_EDATA names a soft or
 * external link. */
SCS_MUST_USE scs_status scs_h5_look(const scs_h5 *h5, const char *path, bool *found);
bool scs_h5_exists(const scs_h5 *h5, const char *path); /**< a hard-linked object stands there */
bool scs_h5_is_group(const scs_h5 *h5, const char *path);
/** Names of a group's members, in name order; refuses more than 1,000,000. */
SCS_MUST_USE scs_status scs_h5_members(const scs_h5 *h5, const char *path, scs_names *names);
/** Checked shape of a dataset (all the rules apply here). */
SCS_MUST_USE scs_status scs_h5_shape_of(const scs_h5 *h5, const char *path, scs_h5_shape *shape);

/** Elements [first, first + n) of a 1-d dataset, converted; integers only from integer or bool
 * types. */
SCS_MUST_USE scs_status scs_h5_read_int64(const scs_h5 *h5, const char *path, int64_t first,
                                          int64_t n, int64_t *out);
/** The same; what does not fit is clipped to INT32_MIN or INT32_MAX. */
SCS_MUST_USE scs_status scs_h5_read_int32(const scs_h5 *h5, const char *path, int64_t first,
                                          int64_t n, int32_t *out);
SCS_MUST_USE scs_status scs_h5_read_float(const scs_h5 *h5, const char *path, int64_t first,
                                          int64_t n, float *out);
SCS_MUST_USE scs_status scs_h5_read_double(const scs_h5 *h5, const char *path, int64_t first,
                                           int64_t n, double *out);
/** Rows [row0, row0 + n) of a 2-d dataset. @param[out] out [n, dim[1]] */
SCS_MUST_USE scs_status scs_h5_read_rows(const scs_h5 *h5, const char *path, int64_t row0,
                                         int64_t n, float *out);
SCS_MUST_USE scs_status scs_h5_read_rows_double(const scs_h5 *h5, const char *path, int64_t row0,
                                                int64_t n, double *out);
SCS_MUST_USE scs_status scs_h5_read_rows_int64(const scs_h5 *h5, const char *path, int64_t row0,
                                               int64_t n, int64_t *out);

/* Inside h5safe: objects opened under its rules, for the files that read them. All functions are
 * Local. */

/** Any group or dataset that is reached over hard links. The caller drops it. */
SCS_MUST_USE scs_status scs_h5_open_object(const scs_h5 *h5, const char *path, hid_t *object);
/** A dataset that keeps all the rules. The caller drops it. */
SCS_MUST_USE scs_status scs_h5_open_dataset(const scs_h5 *h5, const char *path, hid_t *dataset,
                                            scs_h5_shape *shape);
/** Give back an id of any kind; a negative one is ignored. */
void scs_h5_drop(hid_t id);
/** n x size within the memory budget of one dataset. */
SCS_MUST_USE scs_status scs_h5_budget(const scs_h5 *h5, const char *path, int64_t n, size_t size,
                                      int64_t *bytes);

/** How text is to lie in memory: [n] char * or [n] fixed strings of `size` bytes. */
typedef struct scs_h5_text {
    hid_t type; /**< memory type, borrowed: a string, or a compound with one */
    int64_t n;
    size_t size;
    bool variable_length, space_padded;
} scs_h5_text;

#endif
