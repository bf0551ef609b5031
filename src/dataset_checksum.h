/** Whether two runs see the same data. All functions are Local. */
#ifndef SCS_DATASET_CHECKSUM_H
#define SCS_DATASET_CHECKSUM_H

#include "scscreen/dataset.h"

/** One checksum of the input files, the labels and roles of all cells and the joined genes; paths
 * do not count.
 *  @param metas, checksums [n_input]  @param[out] out [SCS_CHECKSUM_MAX] */
SCS_MUST_USE scs_status scs_dataset_checksum(const scs_dataset *dataset,
                                             const scs_h5ad *const *metas, char *const *checksums,
                                             char *out);

#endif
