/** The LZF filter of h5py (HDF5 filter 32000), reading only. All functions are Local. */
#ifndef SCS_LZF_H
#define SCS_LZF_H

#include "scscreen/status.h"

#include <stddef.h>

enum { SCS_LZF_FILTER = 32000 };

/** Decode a whole LZF stream.
 *  @return bytes written, or -1 when the stream is damaged or needs more than `room` */
int64_t scs_lzf_decode(const uint8_t *in, size_t size, uint8_t *out, size_t room);

/** Tell HDF5 about the filter. SCS_EINTERNAL. */
SCS_MUST_USE scs_status scs_lzf_register(void);

#endif
