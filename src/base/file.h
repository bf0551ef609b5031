/** Folders, temporary files and their commit: how no output is ever half-written.
 *
 *  A file is written under PATH.tmp.PID in the same folder (so that the rename stays within one
 *  file system), created with O_EXCL, checked, synced, renamed over PATH, and the folder is
 *  synced: at any moment PATH is the old file, the new one, or absent, whatever is killed and
 *  whichever disk fills up. A PATH.tmp.PID of a process that is gone is removed by the next
 *  writer of PATH.
 *
 *      scs_file_temp_name -> scs_file_create -> write -> scs_file_commit
 *
 *  scs_file_write does all of it for a text.
 *
 *  All functions are Local: on several ranks one calls them, and the status is agreed on. Unless
 *  said otherwise SCS_ECREATE means that a file or folder cannot be made (no permission, no
 *  space, a limit on sizes), with what the user can do about it; SCS_EIO that reading or writing
 *  failed.
 */
#ifndef SCS_FILE_H
#define SCS_FILE_H

#include "scscreen/status.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- paths and folders ---- */

/** A path by printf's rules, of any length. @param[out] path malloc'ed. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_file_path_print(char **path, const char *format, ...) SCS_PRINTF(2, 3)
    __attribute__((nonnull));
/** What a file of data is, and how its cells can be read where it is not HDF5. */
typedef struct scs_file_format {
    const char *what, *advice; /* "a zip file", "unpack it" */
} scs_file_format;
/** By the first bytes of a file; NULL: something else, or it cannot be read. */
const scs_file_format *scs_file_format_of(const char *path) __attribute__((nonnull));
/** Where a path names a part of an HDF5 file, as `x.h5mu:prot` does: split it at that colon, the
 * last one, if .h5mu, .h5 or .hdf5 stands before it. Nothing is looked at on disk. SCS_ENOMEM.
 *  @param[out] file malloc'ed  @param[out] part points into `path`; NULL: it names a file alone */
SCS_MUST_USE scs_status scs_file_split_part(const char *path, char **file, const char **part);
/** Whether nothing was written to a file between two looks at it: device, inode, size and time of
 * change are the same. */
bool scs_file_is_unchanged(const struct stat *was, const struct stat *now);
/** How much of a path a message shows, as "%.*s": all, but of the PATH.tmp.PID that this process
 * is writing PATH alone, the name that the user knows. */
int scs_file_known_length(const char *path);
/** The same of a file that is being written, which may also be the NAME.h5ad.part that all ranks
 * write NAME.h5ad as. */
int scs_file_written_length(const char *path);
/** What a user can do about an errno of creating or writing: "free some space there or choose
 * another folder". @return a constant text */
const char *scs_file_creation_hint(int error);
/** Fail with SCS_ECREATE for a creation that ended with this errno: "PATH: cannot be created:
 * REASON; WHAT TO DO". */
scs_status scs_file_creation_failed(const char *path, int error);
/** Make a folder and its parents; one that is there is fine, also where another process makes it at
 * the same moment. SCS_ECREATE, SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_file_make_folder(const char *path);
/** Whether scs_file_make_folder would succeed, as far as can be told without making anything; fails
 * as it would. */
SCS_MUST_USE scs_status scs_file_could_make_folder(const char *path);

/* ---- temporary files ---- */

/** Remove PATH.tmp.PID of processes that are gone; what cannot be removed is left to whoever
 * creates it anew. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_file_remove_stale(const char *path);
/** PATH.tmp.PID in the same folder, after removing stale ones. @param[out] temp malloc'ed.
 * SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_file_temp_name(const char *path, char **temp);
/** An empty file that was not there before (O_EXCL): nothing of others is overwritten, no link is
 * followed. SCS_ECREATE names the path, the reason and a way out. */
SCS_MUST_USE scs_status scs_file_create(const char *path);
/** Space on disk for the file's present size (posix_fallocate), so that writes within it cannot
 * meet a full disk. SCS_ECREATE. */
SCS_MUST_USE scs_status scs_file_reserve(const char *path);
/** Remove a file; it need not be there. SCS_EIO. */
SCS_MUST_USE scs_status scs_file_remove(const char *path);

/* ---- content ---- */

/** Write all bytes at an offset of an open file; goes on after short writes and signals. SCS_EIO
 * names the path. @param path for messages */
SCS_MUST_USE scs_status scs_file_write_at(int fd, const char *path, const void *bytes, int64_t size,
                                          int64_t at);
/** Read bytes at an offset of an open file, up to its end. SCS_EIO names the path.
 *  @param[out] got how many there were; fewer than `size` only at the end of the file */
SCS_MUST_USE scs_status scs_file_read_at(int fd, const char *path, void *bytes, int64_t size,
                                         int64_t at, int64_t *got);
/** fsync `temp`, rename it to `path`, fsync the folder. SCS_EIO or SCS_ECREATE; then an older file
 * at `path` stays and `temp` is still there, but for the last step: the file is saved,
 * but a power cut may still undo the rename. */
SCS_MUST_USE scs_status scs_file_commit(const char *temp, const char *path);
/** A whole text file or none: its temporary name, `write`, commit.
 *  @param write puts the text into `out`; need not check `out` for errors
 *  @return SCS_ECREATE (also for a disk that fills up meanwhile), SCS_EIO, or what `write` returned
 */
SCS_MUST_USE scs_status scs_file_write(const char *path, scs_status (*write)(void *ctx, FILE *out),
                                       void *ctx);

#endif
