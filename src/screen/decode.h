/** Whatever turns latent cells into expression: the network, or principal components. All
 *  functions are Local. */
#ifndef SCS_DECODE_H
#define SCS_DECODE_H

#include "src/model/pca.h"
#include "src/screen/confidence.h"

/** Exactly one of the two is set; borrowed. */
struct scs_decoder {
    const scs_model *model;
    const scs_pca *pca;
};

/** Mean and variance (ddof 0) over cells of what latent cells z + delta decode to, by either.
 *  @param z [n, n_latent] borrowed, n > 0 (SCS_EARG)  @param delta [n_latent] or NULL
 *  @param[out] mean, variance [n_gene] of the caller; variance may be NULL
 *  @return SCS_OK, SCS_EARG or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_decode_moments(const scs_decoder *decoder, const scs_real *z, int64_t n,
                                           const double *delta, double *mean, double *variance);

#endif
