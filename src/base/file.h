/** Folders, temporary files and their commit: how no output is ever half-written. All functions are
 * Local. */
#ifndef SCS_FILE_H
#define SCS_FILE_H

#include "scscreen/status.h"

#include <stdio.h>

/** A path by printf's rules. @param[out] path malloc'ed. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_file_path_print(char **path, const char *format, ...) SCS_PRINTF(2, 3)
    __attribute__((nonnull));
/** Make a folder and its parents. SCS_ECREATE. */
SCS_MUST_USE scs_status scs_file_make_folder(const char *path);
/** Remove PATH.tmp.PID of processes that are gone. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_file_remove_stale(const char *path);
/** PATH.tmp.PID in the same folder; files of that form whose process is gone are removed.
 * @param[out] temp malloc'ed */
SCS_MUST_USE scs_status scs_file_temp_name(const char *path, char **temp);
/** An empty file that was not there before (O_EXCL). SCS_ECREATE names the path, the reason and a
 * way out. */
SCS_MUST_USE scs_status scs_file_create(const char *path);
/** Space on disk for the file's full present size (posix_fallocate). SCS_ECREATE on a full disk. */
SCS_MUST_USE scs_status scs_file_reserve(const char *path);
/** Remove a file; it need not be there. SCS_EIO. */
SCS_MUST_USE scs_status scs_file_remove(const char *path);
/** Write all bytes at an offset of an open file. SCS_EIO names the path. */
SCS_MUST_USE scs_status scs_file_write_at(int fd, const char *path, const void *bytes, int64_t size,
                                          int64_t at);
/** Read bytes at an offset of an open file, up to its end. SCS_EIO names the path.
 *  @param[out] got how many there were */
SCS_MUST_USE scs_status scs_file_read_at(int fd, const char *path, void *bytes, int64_t size,
                                         int64_t at, int64_t *got);
/** Rename with fsync of file and folder. On failure an older file at `path` stays and `temp` is
 * still there. */
SCS_MUST_USE scs_status scs_file_commit(const char *temp, const char *path);
/** A whole text file or none. @param write puts the text into `out` */
SCS_MUST_USE scs_status scs_file_write(const char *path, scs_status (*write)(void *ctx, FILE *out),
                                       void *ctx);
/** SCS_ECREATE for a creation that ended with this errno: "PATH: cannot be created: REASON; what to
 * do". */
scs_status scs_file_creation_failed(const char *path, int error);
/** What a user can do about an errno of creating or writing. @return a constant text */
const char *scs_file_creation_hint(int error);

#endif
