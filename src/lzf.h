/** The LZF compression of h5py, reading only. Local. */
#ifndef SCS_LZF_H
#define SCS_LZF_H

#include <stddef.h>
#include <stdint.h>

/** Decode a whole LZF stream.
 *  @return bytes written, or -1 when the stream is damaged or needs more than `room` */
int64_t scs_lzf_decode(const uint8_t *in, size_t size, uint8_t *out, size_t room);

#endif
