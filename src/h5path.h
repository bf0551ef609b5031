/** Paths within an HDF5 file. Local. */
#ifndef SCS_H5PATH_H
#define SCS_H5PATH_H

#include "scscreen/status.h"

/** A malloc'ed path, printed. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_h5_path(char **path, const char *format, ...) SCS_PRINTF(2, 3);

#endif
