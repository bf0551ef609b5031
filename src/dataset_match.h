/** Fitting a dataset to a model that was trained elsewhere. Local. */
#ifndef SCS_DATASET_MATCH_H
#define SCS_DATASET_MATCH_H

#include "scscreen/dataset.h"

/** Reorder and restrict the dataset's genes to the model's. SCS_EDATA when the data lack one of
 * them.
 *  @param genes the model's genes; copied  @param where the model file, for the message */
SCS_MUST_USE scs_status scs_dataset_match_genes(scs_dataset *dataset, const scs_names *genes,
                                                const scs_h5ad *const *metas, const char *where);

#endif
