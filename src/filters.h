/** The HDF5 filters that files may use, guarded: HDF5 1.10 believes that a chunk is as long as its
 * dataset says, and reads beyond what a damaged stream decodes to. All functions are Local. */
#ifndef SCS_FILTERS_H
#define SCS_FILTERS_H

#include "scscreen/status.h"

#include <hdf5.h>
#include <stdbool.h>

/** Tell HDF5 about LZF, guarded. SCS_EINTERNAL. */
SCS_MUST_USE scs_status scs_filters_register(void);
/** Deflate, shuffle, fletcher32 and LZF. */
bool scs_filter_is_known(H5Z_filter_t id);
/** Whether the filter changes the length (deflate, LZF). */
bool scs_filter_compresses(H5Z_filter_t id);
/** Bytes that LZF chunks which this thread reads from now on must decode to, at least. */
void scs_filters_expect(int64_t chunk);
/** Whether a deflated chunk holds at least `chunk` bytes. @param stored [size], from
 * H5allocate_memory; freed here */
bool scs_filter_inflates_to(void *stored, size_t size, size_t chunk);

#endif
