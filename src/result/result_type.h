/** Inside the result: how its numbers are stored, its genes. */
#ifndef SCS_RESULT_TYPE_H
#define SCS_RESULT_TYPE_H

#include "scscreen/result.h"

#include <hdf5.h>

/** The HDF5 type of a value, in memory and in the file; the caller closes it. @param type
 * scs_value_type */
hid_t scs_result_type(int type);
/** var with the inputs' own names of its genes; uns["genes"] and uns["gene_sets"]. */
SCS_MUST_USE scs_status scs_result_genes(hid_t file, const scs_result_head *head);

#endif
