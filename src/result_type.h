/** How a result's numbers are stored. */
#ifndef SCS_RESULT_TYPE_H
#define SCS_RESULT_TYPE_H

#include "scscreen/result.h"

#include <hdf5.h>

/** The HDF5 type of a value, in memory and in the file; the caller closes it. @param type
 * scs_value_type */
hid_t scs_result_type(int type);

#endif
