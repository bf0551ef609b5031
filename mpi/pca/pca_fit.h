/** The genes' covariance over cells of all ranks, block-cyclic over a process grid, from sparse
 * rows that are never densified. */
#ifndef SCS_PCA_FIT_H
#define SCS_PCA_FIT_H

#include "mpi/pca/scalapack.h"
#include "src/model/pca.h"

typedef struct scs_gram {
    scs_mesh mesh;
    int32_t n;            /**< genes */
    int64_t n_row, n_col; /**< local part */
    double *a;            /**< [n_col, n_row] (column-major); the lower triangle */
    double *sum;          /**< [n] sum over cells, then their mean; on every rank */
    int64_t n_cell;
} scs_gram;

/** Rows [first, first + n) of x. */
typedef struct scs_cells {
    const scs_packed *x;
    int64_t first, n;
} scs_cells;

/** The largest block that scs_pca_fit_eigen can use. Local. */
int scs_pca_fit_block(int32_t n_gene, int32_t n_top, int32_t n_rank);
/** Zero. @param block rows and columns of a block. Collective; clear it even after a failure. */
SCS_MUST_USE scs_status scs_pca_fit_open(scs_comm *comm, int32_t n_gene, int block, scs_gram *gram);
void scs_pca_fit_close(scs_gram *gram); /**< Collective. */
/** Add all ranks' cells, rank after rank and part after part: an element's sum has the same order,
 * and the same bits, on any number of ranks that have the cells in the same order.
 *  @param part [n] this rank's. Collective. */
SCS_MUST_USE scs_status scs_pca_fit_add(scs_gram *gram, const scs_cells *part, int32_t n);
/** From sums of products to covariances (ddof 1). SCS_EDATA below two cells. Local. */
SCS_MUST_USE scs_status scs_pca_fit_center(scs_gram *gram);

/** The n_top largest eigenvalues, falling, and their eigenvectors, on every rank; destroys gram->a.
 *  @param[out] value [n_top]  @param[out] vector [n, n_top]. Collective. */
SCS_MUST_USE scs_status scs_pca_fit_eigen(scs_gram *gram, int32_t n_top, double *value,
                                          double *vector);
/** Sum of all eigenvalues: the total variance. Collective; before scs_pca_fit_eigen. */
SCS_MUST_USE scs_status scs_pca_fit_trace(const scs_gram *gram, double *trace);

/* Principal components over the cells of all ranks. */

/** The first n_component components of the genes' covariance; the same on every rank. Different
 * process grids agree to about 1e-10.
 *  @param part [n] this rank's cells
 *  SCS_EARG when there are fewer genes, or not more cells, than components. Collective. */
SCS_MUST_USE scs_status scs_pca_fit(scs_comm *comm, const scs_cells *part, int32_t n,
                                    int32_t n_gene, int32_t n_component, scs_pca **pca);

#endif
