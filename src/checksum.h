/** SHA-256 of texts and files (libmd). All functions are Local. */
#ifndef SCS_CHECKSUM_H
#define SCS_CHECKSUM_H

#include "scscreen/status.h"

enum { SCS_CHECKSUM_MAX = 96 };

/** "sha256:HEX" of `size` bytes. @param[out] out [SCS_CHECKSUM_MAX] */
void scs_checksum_bytes(const void *bytes, int64_t size, char *out);

/** "sha256:HEX" of a whole file; for one above 2 GiB "sha256-ends:HEX" of its size and its first
 * and last 64 MiB.
 *  @param[out] out [SCS_CHECKSUM_MAX]  @return SCS_OK, or SCS_EDATA when it cannot be read */
SCS_MUST_USE scs_status scs_checksum_file(const char *path, char *out);

/** "sha256:HEX" of bytes [first, last) of an open file. @param[out] out [SCS_CHECKSUM_MAX]
 *  @return SCS_OK, SCS_EDATA with the reason, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_checksum_part(int fd, int64_t first, int64_t last, char *out);

#endif
