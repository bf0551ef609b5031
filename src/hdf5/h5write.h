/** Writing HDF5: every call and every close is checked. All functions are Local.
 *
 *  Object times are not tracked, so the same content has the same bytes. A failure names the file,
 * the path within it and the system's reason (SCS_ECREATE for a full disk, else SCS_EIO). AnnData's
 * own encodings are in src/h5anndata.h. */
#ifndef SCS_H5WRITE_H
#define SCS_H5WRITE_H

#include "src/base/file.h"
#include "src/base/names.h"
#include "src/hdf5/h5anndata.h"

#include <hdf5.h>
#include <stdbool.h>

/* Closing HDF5 files: the one place that remembers when it failed. */

/** @return whether the file closed */
bool scs_h5_shut(hid_t file);
/** A file did not close: HDF5 1.10 would crash over it when the program ends, so the program should
 * end without HDF5's (and MPI's) last steps. */
bool scs_h5_is_unusable(void);

/** A file being written under a temporary name in the same directory. */
typedef struct scs_h5_out {
    hid_t file;
    char *temp, *path;
    bool checked; /**< its first bytes will hold a checksum of the others (src/base/checksum.h) */
} scs_h5_out;

/** A new, empty file at exactly this path (O_EXCL), in the format of HDF5 1.10 and earlier.
 * SCS_ECREATE. */
SCS_MUST_USE scs_status scs_h5_create(const char *path, hid_t *file);
/** Flush, close, and open once more read-only, which notices a truncated file. `path` is for
 * messages. */
SCS_MUST_USE scs_status scs_h5_finish(hid_t file, const char *path);

/** Close a file whose content is not wanted, without touching the disk again; for after a failure.
 * The file itself stays. */
void scs_h5_discard(hid_t file);

/** Create PATH.tmp.PID with O_EXCL (stale ones of ours are removed). SCS_ECREATE names folder and
 * reason. */
SCS_MUST_USE scs_status scs_h5_out_create(const char *path, scs_h5_out *out);
/** The same for a file that gets a checksum of itself when it is committed. */
SCS_MUST_USE scs_status scs_h5_out_create_checked(const char *path, scs_h5_out *out);
/** Flush and close; the temporary file is complete and may be read back. */
SCS_MUST_USE scs_status scs_h5_out_finish(scs_h5_out *out);
/** Finish unless that was done, write the checksum, fsync, rename to path, fsync the folder. On
 * failure the temporary file is removed, an older file stays. */
SCS_MUST_USE scs_status scs_h5_out_commit(scs_h5_out *out);
/** Drop it: close and remove. Safe after commit. */
void scs_h5_out_abandon(scs_h5_out *out);

/** The failure of the HDF5 call just made; call at once, before HDF5 is called again.
 *  @param what  "write", "create", "close": the message says "FILE: cannot WHAT PATH: REASON" */
scs_status scs_h5_failed(hid_t file, const char *what, const char *path);

/** Intermediate groups are made; "a/b/c". Type is the memory and file type. dims [rank]. */
SCS_MUST_USE scs_status scs_h5_write(hid_t file, const char *path, hid_t type, int rank,
                                     const int64_t *dims, const void *data);
/** An empty dataset, contiguous, early allocation, never filled; data may be written later. */
SCS_MUST_USE scs_status scs_h5_reserve(hid_t file, const char *path, hid_t type, int rank,
                                       const int64_t *dims);
/** An empty 1-d dataset that grows with scs_h5_append (chunked, uncompressed). */
SCS_MUST_USE scs_status scs_h5_growing(hid_t file, const char *path, hid_t type, int64_t chunk);
/** Rows [first, first + n) of a 1-d or 2-d dataset. @param data [n] or [n, dim[1]] */
SCS_MUST_USE scs_status scs_h5_write_part(hid_t file, const char *path, hid_t type, int64_t first,
                                          int64_t n, const void *data);
/** n more elements at the end of a growing dataset. */
SCS_MUST_USE scs_status scs_h5_append(hid_t file, const char *path, hid_t type, int64_t n,
                                      const void *data);

/** A new type, to be closed: variable-length UTF-8 text; AnnData's bool (int8 enum FALSE, TRUE). <
 * 0 on failure. */
hid_t scs_h5_text_type(void);
hid_t scs_h5_bool_type(void);

/** Groups and attributes. "/" is the root. */
SCS_MUST_USE scs_status scs_h5_group(hid_t file, const char *path);
SCS_MUST_USE scs_status scs_h5_attr_write_text(hid_t file, const char *path, const char *attr,
                                               const char *text);
/** A 1-d attribute of texts; n may be 0. */
SCS_MUST_USE scs_status scs_h5_attr_write_names(hid_t file, const char *path, const char *attr,
                                                const scs_names *names);
SCS_MUST_USE scs_status scs_h5_attr_write_bool(hid_t file, const char *path, const char *attr,
                                               bool value);
SCS_MUST_USE scs_status scs_h5_attr_write_int64(hid_t file, const char *path, const char *attr,
                                                const int64_t *values, int n, bool scalar);

#endif
