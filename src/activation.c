#include "src/activation.h"

#include "src/simd.h"

scs_dropout scs_dropout_of(double probability)
{
    uint32_t threshold = (uint32_t)(probability * 65536.0 + 0.5);

    if (threshold > 65535)
        threshold = 65535;
    return (scs_dropout){threshold, (scs_real)(65536.0 / (65536.0 - threshold))};
}

void scs_dropout_draw(scs_dropout dropout, const scs_stream *stream, int32_t n, uint8_t *keep)
{
    uint32_t word[4];

    for (int32_t j = 0; j < n; j++) {
        if (j % 8 == 0)
            scs_random_block(stream, (uint32_t)(j / 8), word);
        keep[j] = (word[j % 8 / 2] >> (j % 2 * 16) & 0xffff) >= dropout.threshold;
    }
}

SCS_VECTOR void scs_activation_forward(double slope, scs_dropout dropout, const uint8_t *keep,
                                       int32_t n, const scs_real *in, scs_real *out)
{
    scs_real low = (scs_real)slope;

#pragma omp simd
    for (int32_t j = 0; j < n; j++)
        out[j] = in[j] > 0 ? in[j] : low * in[j];
    if (!keep)
        return;
#pragma omp simd
    for (int32_t j = 0; j < n; j++)
        out[j] = keep[j] ? out[j] * dropout.scale : 0;
}

SCS_VECTOR void scs_activation_backward(double slope, scs_dropout dropout, const uint8_t *keep,
                                        int32_t n, const scs_real *in, const scs_real *grad_out,
                                        scs_real *grad_in)
{
    scs_real low = (scs_real)slope;

#pragma omp simd
    for (int32_t j = 0; j < n; j++)
        grad_in[j] = in[j] > 0 ? grad_out[j] : low * grad_out[j];
    if (!keep)
        return;
#pragma omp simd
    for (int32_t j = 0; j < n; j++)
        grad_in[j] = keep[j] ? grad_in[j] * dropout.scale : 0;
}
