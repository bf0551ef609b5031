#include "src/decoder.h"

scs_status scs_decoder_moments(const scs_decoder *decoder, const scs_real *z, int64_t n,
                               const double *delta, double *mean, double *variance)
{
    if (decoder->pca)
        return scs_pca_decoded_moments(decoder->pca, z, n, delta, mean, variance);
    return scs_decoded_moments(decoder->model, z, n, delta, mean, variance);
}
