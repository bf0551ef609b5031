/** The steps of scs_dataset_create. All functions are Local. */
#ifndef SCS_DATASET_INTERNAL_H
#define SCS_DATASET_INTERNAL_H

#include "scscreen/dataset.h"

/** genes, gene_of_column and n_dropped_genes. */
SCS_MUST_USE scs_status scs_genes_join(const scs_config *config, const scs_h5ad *const *metas,
                                       scs_dataset *d);
/** first_cell, the label lists, control and each cell's labels. */
SCS_MUST_USE scs_status scs_dataset_unite_labels(const scs_config *config,
                                                 const scs_h5ad *const *metas, scs_dataset *d);
/** With data.dose: conditions become one for each perturbation and dose. SCS_EDATA names the file,
 * column and row of a dose that cannot be. */
SCS_MUST_USE scs_status scs_dataset_split_doses(const scs_config *config,
                                                const scs_h5ad *const *metas, scs_dataset *d);
/** role and n_unused; refuses what leaves nothing to train on or to predict from. */
SCS_MUST_USE scs_status scs_roles_assign(const scs_config *config, scs_dataset *d);

#endif
