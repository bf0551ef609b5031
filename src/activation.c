#include "src/activation.h"

#include "src/simd.h"

#include <stdbool.h>
#include <string.h>

scs_dropout scs_dropout_of(double probability)
{
    uint32_t threshold = (uint32_t)(probability * 65536.0 + 0.5);

    if (threshold > 65535)
        threshold = 65535;
    return (scs_dropout){threshold, (scs_real)(65536.0 / (65536.0 - threshold))};
}

/* Units that one call of the generator decides upon: eight a block. */
enum { UNITS = 8 * SCS_RANDOM_BLOCKS };

/* Block by block, the halves of its words, low ones first. */
SCS_VECTOR static void compare_words(uint32_t word[4][SCS_RANDOM_BLOCKS], uint32_t threshold,
                                     uint8_t *keep)
{
    for (int i = 0; i < SCS_RANDOM_BLOCKS; i++)
        for (int k = 0; k < 4; k++) {
            keep[8 * i + 2 * k] = (word[k][i] & 0xffff) >= threshold;
            keep[8 * i + 2 * k + 1] = (word[k][i] >> 16) >= threshold;
        }
}

void scs_dropout_draw(scs_dropout dropout, const scs_stream *stream, int32_t n, uint8_t *keep)
{
    uint32_t word[4][SCS_RANDOM_BLOCKS];
    uint8_t some[UNITS] = {0};

    for (int32_t j = 0; j < n; j += UNITS) {
        bool whole = n - j >= UNITS;

        scs_random_blocks(stream, (uint32_t)(j / 8), word);
        compare_words(word, dropout.threshold, whole ? keep + j : some);
        if (!whole)
            memcpy(keep + j, some, (size_t)(n - j));
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
