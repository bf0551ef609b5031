/** Principal components as a linear model: z = loading' (x - center), x = center + loading z.
 *
 *  What arithmetic on components is worth beside the network: model.kind pca screens with these.
 *  All functions are Local.
 */
#ifndef SCS_PCA_H
#define SCS_PCA_H

#include "src/data/packed.h"
#include "scscreen/status.h"

/** Arrays are owned. */
typedef struct scs_pca {
    int32_t n_gene, n_component;
    int64_t n_cell;   /**< that it was made from */
    double *center;   /**< [n_gene] mean over these cells */
    double *loading;  /**< [n_gene, n_component] columns of unit length, by falling variance; the
                         largest |element| of each is positive */
    double *variance; /**< [n_component] of the cells along each (ddof 1) */
    double total_variance; /**< over all genes */
} scs_pca;

/** Zeroed. @param[out] pca caller destroys; NULL after an error  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_pca_create(int32_t n_gene, int32_t n_component, scs_pca **pca);
/** Sets *pca to NULL; it may be NULL. */
void scs_pca_destroy(scs_pca **pca);
/** Turn each component so that its largest |element| (the lowest gene of equal ones) is positive.
 */
void scs_pca_orient(scs_pca *pca);
/** Share of the total variance that the components hold. */
double scs_pca_share(const scs_pca *pca);
/** Components of rows [row0, row0 + n) of x, O(nnz n_component).
 *  @param[out] z [n, n_component]  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_pca_encode(const scs_pca *pca, const scs_packed *x, int64_t row0,
                                       int64_t n, scs_real *z);
/** Mean and variance (ddof 0) over cells of center + loading (z + delta).
 *  @param z [n, n_component], n > 0  @param delta [n_component] or NULL
 *  @param[out] mean, variance [n_gene]; variance may be NULL
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_pca_decoded_moments(const scs_pca *pca, const scs_real *z, int64_t n,
                                                const double *delta, double *mean,
                                                double *variance);

#endif
