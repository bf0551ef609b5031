/** Whatever turns latent cells into expression: the network, or principal components. Local. */
#ifndef SCS_DECODE_H
#define SCS_DECODE_H

#include "src/model/pca.h"
#include "src/screen/confidence.h"

/** One of the two; borrowed. */
struct scs_decoder {
    const scs_model *model;
    const scs_pca *pca;
};

/** scs_decode_model_moments by either. */
SCS_MUST_USE scs_status scs_decode_moments(const scs_decoder *decoder, const scs_real *z, int64_t n,
                                           const double *delta, double *mean, double *variance);

#endif
