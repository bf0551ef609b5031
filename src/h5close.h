/** Closing HDF5 files: the one place that remembers when it failed. All functions are Local. */
#ifndef SCS_H5CLOSE_H
#define SCS_H5CLOSE_H

#include <hdf5.h>
#include <stdbool.h>

/** @return whether the file closed */
bool scs_h5_shut(hid_t file);
/** A file did not close: HDF5 1.10 would crash over it when the program ends, so the program should
 * end without HDF5's (and MPI's) last steps. */
bool scs_h5_is_unusable(void);

#endif
