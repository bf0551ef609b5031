/** Principal components over the cells of all ranks, exact, from sparse rows that are never
 * densified.
 *
 *  The genes' covariance, n x n doubles, is block-cyclic over a process grid: each rank has about
 *  n^2 / n_rank of it. Memory over all ranks is about 45 bytes x n^2 (16 of them covariance and
 *  eigenvectors, the rest the workspace of pdsyevr), time grows with n^3 (doc/performance.md).
 *  Results on different grids agree to rounding; they are no part of the promise of the same bits
 *  on any number of ranks, but checked against the cells (scs_pca_fit).
 *
 *  In the order of use, each Collective but center:
 *      scs_pca_fit_open     grid, zeros
 *      scs_pca_fit_add      X'X and X'1, any number of times
 *      scs_pca_fit_center   covariance and means
 *      scs_pca_fit_trace    total variance
 *      scs_pca_fit_eigen    components; the covariance is gone afterwards
 *      scs_pca_fit_close    always
 *  scs_pca_fit does all of it.
 *
 *  Errors are the same on all ranks. SCS_ENOMEM and SCS_EIO besides those named.
 */
#ifndef SCS_PCA_FIT_H
#define SCS_PCA_FIT_H

#include "mpi/pca/cell_product.h"
#include "mpi/pca/scalapack.h"
#include "src/model/pca.h"

/** The sum of products of genes over cells, X'X, and what becomes of it. Opened, added to, centred,
 * solved: in this order, once. */
typedef struct scs_gram {
    scs_mesh mesh;
    int32_t n;            /**< genes */
    int64_t n_row, n_col; /**< of the part that is here */
    double *a; /**< [n_col, n_row] (column-major) that part; only the lower triangle of the whole is
                  filled */
    double *sum;    /**< [n] sum over cells, then their mean; on every rank */
    int64_t n_cell; /**< added so far, by all ranks */
} scs_gram;

/** Numbers of workspace that pdsyevr takes on each rank, as ScaLAPACK 2.2.1 counts them: the 5 n of
 * its own and what pdsyntrd wants, which grows with the square of n / floor(sqrt(n_rank)). Beyond
 * INT32_MAX its integers wrap, and it answers less with info 0: on one rank from 46,269 genes on.
 * Local. */
int64_t scs_pca_fit_workspace(int32_t n_gene, int32_t n_rank);
/** The largest block that scs_pca_fit_eigen can use for n_top eigenvectors, from 4 to 64: larger is
 * faster, and too large makes ScaLAPACK's vectors wrong (pca_fit.c). Local, alike on all ranks. */
int scs_pca_fit_block(int32_t n_gene, int32_t n_top, int32_t n_rank);
/** A grid of all ranks and a zero matrix. SCS_EARG where a rank's part has more elements than
 * ScaLAPACK can index: more ranks are needed. Collective; close it even after a failure.
 *  @param block rows and columns of a block */
SCS_MUST_USE scs_status scs_pca_fit_open(scs_comm *comm, int32_t n_gene, int block, scs_gram *gram);
/** Free it, and the grid. Also after a failed open. Collective. */
void scs_pca_fit_close(scs_gram *gram); /**< Collective. */
/** Add all ranks' cells, rank after rank and part after part: every element's sum has the same
 * order, and the same bits, on any number of ranks that have the cells in the same order. Each
 * cell is broadcast once, 8 bytes a stored value. Collective.
 *  @param part [n] this rank's; borrowed
 */
SCS_MUST_USE scs_status scs_pca_fit_add(scs_gram *gram, const scs_cells *part, int32_t n);
/** From sums of products to covariances (ddof 1), and from sums to means. SCS_EDATA below two
 * cells. Local. */
SCS_MUST_USE scs_status scs_pca_fit_center(scs_gram *gram);

/** The n_top largest eigenvalues, falling, and their eigenvectors, on every rank; destroys gram->a.
 * SCS_ENUMERIC where they are not found. Collective.
 *  @param[out] value [n_top]
 *  @param[out] vector [n, n_top] row-major
 */
SCS_MUST_USE scs_status scs_pca_fit_eigen(scs_gram *gram, int32_t n_top, double *value,
                                          double *vector);
/** Sum of all eigenvalues: the total variance. Before scs_pca_fit_eigen, which destroys the matrix.
 * Collective. */
SCS_MUST_USE scs_status scs_pca_fit_trace(const scs_gram *gram, double *trace);

/* Principal components over the cells of all ranks. */

enum { SCS_PCA_FIT_DIRECT = 1000 };

/** Whether the covariance is made, rather than applied. Local. */
bool scs_pca_fit_is_direct(int32_t n_gene, int32_t n_component);
/** The first n_component components of the genes' covariance, oriented (scs_pca_orient); the same
 * on every rank of a run; on any number of ranks the same bits, or where the covariance is made up
 * to about 1e-10. SCS_EARG when there are fewer genes, or not more cells, than components;
 * SCS_EDATA when the cells are alike; SCS_ENUMERIC when the cells' variance along a component is
 * not its eigenvalue. Collective.
 *  @param part [n] this rank's cells; borrowed
 *  @param[out] pca owned by the caller; NULL after a failure
 */
SCS_MUST_USE scs_status scs_pca_fit(scs_comm *comm, const scs_cells *part, int32_t n,
                                    int32_t n_gene, int32_t n_component, scs_pca **pca);

#endif
