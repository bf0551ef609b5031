/** Compression of HDF5's chunks: what is decoded, and how.
 *
 *  Deflate and LZF are always read, shuffled or not. Zstandard (filter 32015), LZ4 (32004) and
 * Blosc (32001) are read where their own libraries were there when this was built (HAVE_ZSTD,
 * HAVE_LZ4, HAVE_BLOSC). HDF5's plugins are never loaded: which of them a machine has, and what
 * they do with a damaged chunk, is not ours to know.
 *
 *  Nothing is written beyond the room that is given, whatever a chunk says of itself. All functions
 *  are Local.
 */
#ifndef SCS_H5FILTER_H
#define SCS_H5FILTER_H

#include "scscreen/status.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Whether datasets with this filter are read. */
bool scs_h5filter_is_known(H5Z_filter_t id);
/** Whether it is one of those that change a chunk's length, and read. */
bool scs_h5filter_compresses(H5Z_filter_t id);
/** The library whose presence at build time decides whether it is read; NULL: none does. */
const char *scs_h5filter_library(H5Z_filter_t id);
/** What it is called, where h5py reads it only with the package hdf5plugin and this program does
 * too; else NULL. */
const char *scs_h5filter_plugin(H5Z_filter_t id);

/* ---- chunks as they are stored ---- */

/** What decodes chunks of one filter, with its working memory. */
typedef struct scs_h5filter_decoder scs_h5filter_decoder;

/** SCS_ENOMEM. @param id that compresses  @param[out] decoder NULL after an error */
SCS_MUST_USE scs_status scs_h5filter_open(H5Z_filter_t id, scs_h5filter_decoder **decoder);
/** NULL is let through. */
void scs_h5filter_close(scs_h5filter_decoder **decoder);
/** Decode a chunk. @param in [size]  @param[out] out [room]
 *  @return whether that gives exactly `room` bytes */
bool scs_h5filter_decode(scs_h5filter_decoder *decoder, const uint8_t *in, size_t size,
                         uint8_t *out, size_t room);
/** Whether HDF5's own filter inflates a chunk to at least `chunk` bytes, or the library has none.
 *  @param stored [size] from H5allocate_memory; freed here */
bool scs_h5filter_inflates_to(void *stored, size_t size, size_t chunk);
/** Decode a whole LZF stream, h5py's `compression="lzf"`.
 *  @param in [size]  @param[out] out [room]
 *  @return bytes written, or -1 when the stream is damaged or needs more than `room` */
int64_t scs_h5filter_lzf(const uint8_t *in, size_t size, uint8_t *out, size_t room);

/* ---- chunks that HDF5 reads ---- */

/** Tell HDF5 about those of them that are not its own, again for each file: harmless, and no state
 * is kept. SCS_EINTERNAL. */
SCS_MUST_USE scs_status scs_h5filter_register(void);
/** Note the bytes that chunks of the dataset have to decode to which this thread reads next; 0:
 * any.
 */
void scs_h5filter_expect(int64_t bytes);

#endif
