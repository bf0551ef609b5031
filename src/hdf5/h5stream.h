/** Numbers of one list, read in ascending pieces: each chunk of the file is read and decoded once.
 *
 *  src/hdf5/h5read.c opens a dataset anew for every read, has HDF5 decode its chunks, and before
 *  that decodes them once itself, since HDF5 1.10 does not check how long they are. Here the
 *  dataset stays open under the same rules; a chunk comes as it is stored, is decoded by code that
 *  checks every byte it writes, and has to come out at its full length. Whatever is not plainly
 *  right or not common (a filter that was skipped, fletcher32, a chunk that is missing, damage) is
 *  left to h5read.c, which reads or refuses it.
 *
 *  All functions are Local; a stream is used by one thread.
 */
#ifndef SCS_H5STREAM_H
#define SCS_H5STREAM_H

#include "src/hdf5/h5read.h"

typedef struct scs_h5stream scs_h5stream;

/** What the numbers become in memory, by the conversions of scs_h5_read_int32 and others. */
typedef enum scs_h5stream_type { SCS_H5_INT32, SCS_H5_INT64, SCS_H5_FLOAT } scs_h5stream_type;

/** A list of numbers; integers or booleans where they become integers. SCS_EDATA, SCS_ENOMEM.
 *  @param h5, path borrowed until it is closed  @param[out] stream NULL after an error */
SCS_MUST_USE scs_status scs_h5stream_open(const scs_h5 *h5, const char *path,
                                          scs_h5stream_type type, scs_h5stream **stream);
/** Elements [first, first + n). SCS_EDATA also where it ends before. @param[out] out [n] */
SCS_MUST_USE scs_status scs_h5stream_read(scs_h5stream *stream, int64_t first, int64_t n,
                                          void *out);
/** NULL is let through. */
void scs_h5stream_close(scs_h5stream **stream);

#endif
