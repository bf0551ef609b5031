/** Writing HDF5: every call and every close is checked, and no file is left half-written.
 *
 *  What was measured on HDF5 1.10.8 with a full disk decides how files are written here (all of
 *  it serial; rows that all ranks write are in mpi/screen/writer.c):
 *
 *  - A deflated dataset can lose data without any call failing but its close, so nothing is
 *    compressed, and closes are checked.
 *  - A dataset is contiguous, allocated early and never filled, so that its place in the file is
 *    fixed when it is made; variable-length text alone needs its fill value.
 *  - H5Fclose returns 0 after a dataset's write and close have failed, and HDF5 crashes at exit
 * over a file that it could not flush: so space for the flush is reserved first (posix_fallocate),
 * and what HDF5 still holds after a failure is discarded into memory instead of the full disk.
 *  - The format is that of 1.10 and earlier: newer ones cannot be read by it. Times of objects
 *    are not tracked: the same content has the same bytes.
 *
 *  A failure names the file, the path within it and the system's reason: SCS_ECREATE for a full
 *  disk or a limit, with what to do about it, else SCS_EIO. AnnData's own encodings are in
 *  src/hdf5/h5anndata.h.
 *
 *  All functions are Local. HDF5 is used by one thread at a time.
 */
#ifndef SCS_H5WRITE_H
#define SCS_H5WRITE_H

#include "src/base/file.h"
#include "src/base/names.h"
#include "src/hdf5/h5anndata.h"

#include <hdf5.h>
#include <stdbool.h>

/* ---- closing, and failures ---- */

/** Close a file, for reading or writing: every close goes through here, so that none that fails is
 * missed.
 *  @return whether the file closed */
bool scs_h5_shut(hid_t file);
/** Whether a file did not close: HDF5 1.10 would crash over it when the program ends, so the
 * program should end without HDF5's (and MPI's) last steps. */
bool scs_h5_is_unusable(void);
/** The failure of the HDF5 call just made; before HDF5 is called again, which clears its error
 * stack.
 *  @param what "write", "create", "close": the message is "FILE: cannot WHAT PATH: REASON; HINT" */
scs_status scs_h5_failed(hid_t file, const char *what, const char *path);

/* ---- groups, datasets and types; groups on the way to a path are made ---- */

/** An empty group. */
SCS_MUST_USE scs_status scs_h5_group(hid_t file, const char *path);
/** A dataset whose data may be written later; contiguous, its bytes not set until then.
 *  @param rank 0, 1 or 2  @param dims [rank]  @param type in memory and in the file */
SCS_MUST_USE scs_status scs_h5_reserve(hid_t file, const char *path, hid_t type, int rank,
                                       const int64_t *dims);
/** An empty 1-d dataset that grows with scs_h5_append, for data whose number is not known before.
 *  @param chunk elements; datasets that grow are chunked, the only ones that are */
SCS_MUST_USE scs_status scs_h5_growing(hid_t file, const char *path, hid_t type, int64_t chunk);
/** The same for a dataset that all ranks of a job write: its chunks get their place in the file
 * when it grows, and are not filled. */
SCS_MUST_USE scs_status scs_h5_growing_early(hid_t file, const char *path, hid_t type,
                                             int64_t chunk);
/** A dataset with its data, [dims[0], ...]. */
SCS_MUST_USE scs_status scs_h5_write(hid_t file, const char *path, hid_t type, int rank,
                                     const int64_t *dims, const void *data);
/** Rows [first, first + n) of a 1-d or 2-d dataset that is there. @param data [n] or [n, dim[1]] */
SCS_MUST_USE scs_status scs_h5_write_part(hid_t file, const char *path, hid_t type, int64_t first,
                                          int64_t n, const void *data);
/** A second name of a dataset that is there: the same bytes under both. */
SCS_MUST_USE scs_status scs_h5_share(hid_t file, const char *path, const char *as);
/** n more elements at the end of a growing dataset. */
SCS_MUST_USE scs_status scs_h5_append(hid_t file, const char *path, hid_t type, int64_t n,
                                      const void *data);

/** A new type for variable-length UTF-8 text (data: char *), to be closed; < 0 on failure. */
hid_t scs_h5_text_type(void);
/** A new type for booleans as AnnData has them (int8 enum FALSE, TRUE), to be closed; < 0 on
 * failure. */
hid_t scs_h5_bool_type(void);

/* ---- attributes of an object that is there ("/" is the root) and has none of that name ---- */

/** One text, variable length, UTF-8. */
SCS_MUST_USE scs_status scs_h5_attr_write_text(hid_t file, const char *path, const char *attr,
                                               const char *text);
/** A 1-d attribute of texts; n may be 0. */
SCS_MUST_USE scs_status scs_h5_attr_write_names(hid_t file, const char *path, const char *attr,
                                                const scs_names *names);
/** One boolean, as the enum of scs_h5_bool_type. */
SCS_MUST_USE scs_status scs_h5_attr_write_bool(hid_t file, const char *path, const char *attr,
                                               bool value);
/** Integers, as `shape` of a sparse matrix. @param values [n]  @param scalar no dimension; then
 * only values[0] */
SCS_MUST_USE scs_status scs_h5_attr_write_int64(hid_t file, const char *path, const char *attr,
                                                const int64_t *values, int n, bool scalar);

/* ---- a file at exactly its path, for what is renamed by others ---- */

/** A new, empty file (O_EXCL). SCS_ECREATE. @param[out] file invalid after a failure */
SCS_MUST_USE scs_status scs_h5_create(const char *path, hid_t *file);
/** Flush, sync, close, and open once more read-only, which notices a file that is cut short. The
 * file is closed also after a failure, and stays. @param path for messages */
SCS_MUST_USE scs_status scs_h5_finish(hid_t file, const char *path);
/** Close a file whose content is not wanted, without touching the disk again; for after a failure.
 * The file itself stays. */
void scs_h5_discard(hid_t file);

/* ---- a file that appears under its path when it is complete ---- */

/** A file being written under a temporary name in the same folder. */
typedef struct scs_h5_out {
    hid_t file;        /**< to write to; invalid once finished */
    char *temp, *path; /**< owned */
    bool checked; /**< its first bytes will hold a checksum of the others (src/base/checksum.h) */
} scs_h5_out;

/** Create PATH.tmp.PID with O_EXCL (stale ones are removed). SCS_ECREATE names folder and reason;
 * nothing is left then. */
SCS_MUST_USE scs_status scs_h5_out_create(const char *path, scs_h5_out *out);
/** The same for a file that gets a checksum of itself when it is committed. */
SCS_MUST_USE scs_status scs_h5_out_create_checked(const char *path, scs_h5_out *out);
/** Flush and close; the temporary file is complete and may be read back. */
SCS_MUST_USE scs_status scs_h5_out_finish(scs_h5_out *out);
/** Finish unless that was done, write the checksum, fsync, rename to path, fsync the folder. On
 * failure the temporary file is removed and an older file stays. */
SCS_MUST_USE scs_status scs_h5_out_commit(scs_h5_out *out);
/** Drop it: close and remove. Does nothing after commit, or to a zeroed struct. */
void scs_h5_out_abandon(scs_h5_out *out);

#endif
