/** SHA-256 of texts and files (libmd). All functions are Local. */
#ifndef SCS_CHECKSUM_H
#define SCS_CHECKSUM_H

#include "scscreen/status.h"

#include <stdbool.h>

enum { SCS_CHECKSUM_MAX = 96 };

/** "sha256:HEX" of `size` bytes. @param[out] out [SCS_CHECKSUM_MAX] */
void scs_checksum_bytes(const void *bytes, int64_t size, char *out);

/** "sha256:HEX" of a whole file; for one above 2 GiB "sha256-ends:HEX" of its size and its first
 * and last 64 MiB.
 *  @param[out] out [SCS_CHECKSUM_MAX]  @return SCS_OK, or SCS_EDATA when it cannot be read */
SCS_MUST_USE scs_status scs_checksum_file(const char *path, char *out);

/* The seal of a file of ours: its first 512 bytes hold the SHA-256 of all others, so that a
 * flipped bit anywhere is noticed before HDF5 looks at the file. HDF5 leaves these bytes to us (its
 * user block) and every reader of HDF5 skips them. */

enum { SCS_SEAL_BYTES = 512 };

/** Seal a complete file whose first SCS_SEAL_BYTES are free. SCS_EIO. */
SCS_MUST_USE scs_status scs_checksum_file_write(const char *path);
/** Whether the file is as it was sealed. SCS_EDATA: damaged, unreadable, or not sealed though
 * `required`. @param required false: a plain HDF5 file, which has no seal, passes */
SCS_MUST_USE scs_status scs_checksum_file_check(const char *path, bool required);

#endif
