/** The seal of a file of ours: its first 512 bytes hold the SHA-256 of all others, so that a
 * flipped bit anywhere is noticed before HDF5 looks at the file. HDF5 leaves these bytes to us (its
 * user block) and every reader of HDF5 skips them. All functions are Local. */
#ifndef SCS_SEAL_H
#define SCS_SEAL_H

#include "scscreen/status.h"

#include <stdbool.h>

enum { SCS_SEAL_BYTES = 512 };

/** Seal a complete file whose first SCS_SEAL_BYTES are free. SCS_EIO. */
SCS_MUST_USE scs_status scs_seal_write(const char *path);
/** Whether the file is as it was sealed. SCS_EDATA: damaged, unreadable, or not sealed though
 * `required`. @param required false: a plain HDF5 file, which has no seal, passes */
SCS_MUST_USE scs_status scs_seal_check(const char *path, bool required);

#endif
