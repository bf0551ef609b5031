/** How the result's numbers are stored: for the skeleton (result.c) and those who write rows into
 *  it. */
#ifndef SCS_RESULT_TYPE_H
#define SCS_RESULT_TYPE_H

#include "scscreen/result.h"

#include <hdf5.h>

/** The HDF5 type of a value, in memory and in the file alike; the caller closes it (H5Tclose).
 *  @param type scs_value_type. Local. */
hid_t scs_result_type(int type);

#endif
