/** Leaky ReLU and dropout, row by row. All functions are Local. */
#ifndef SCS_ACTIVATION_H
#define SCS_ACTIVATION_H

#include "src/random.h"
#include "scscreen/status.h"

/** A unit is dropped when its 16-bit random word is below the threshold; kept units are scaled by
 *  the inverse of the probability that this really gives. */
typedef struct scs_dropout {
    uint32_t threshold; /**< 0: no dropout */
    scs_real scale;
} scs_dropout;

/** @param probability in [0, 1) */
scs_dropout scs_dropout_of(double probability);
/** Which of a cell's n units stay: unit j from 16 bits of block j / 8. @param[out] keep [n] 0 or 1
 */
void scs_dropout_draw(scs_dropout dropout, const scs_stream *stream, int32_t n, uint8_t *keep);
/** out = dropout(leaky(in)). @param keep [n], or NULL: no dropout */
void scs_activation_forward(double slope, scs_dropout dropout, const uint8_t *keep, int32_t n,
                            const scs_real *in, scs_real *out);
/** grad_in from grad_out; in as in the forward pass. */
void scs_activation_backward(double slope, scs_dropout dropout, const uint8_t *keep, int32_t n,
                             const scs_real *in, const scs_real *grad_out, scs_real *grad_in);

#endif
