/** Principal components over the cells of all ranks. */
#ifndef SCS_FIT_PCA_H
#define SCS_FIT_PCA_H

#include "mpi/gram.h"
#include "src/pca.h"

/** The first n_component components of the genes' covariance; the same on every rank. Different
 * process grids agree to about 1e-10.
 *  @param part [n] this rank's cells
 *  SCS_EARG when there are fewer genes, or not more cells, than components. Collective. */
SCS_MUST_USE scs_status scs_pca_fit(scs_comm *comm, const scs_cells *part, int32_t n,
                                    int32_t n_gene, int32_t n_component, scs_pca **pca);

#endif
