/** The encoder in evaluation mode, up to its two heads. Local. */
#ifndef SCS_ENCODE_H
#define SCS_ENCODE_H

#include "src/nonzeros.h"

#include "scscreen/model.h"

/** @param x the cells, by cell  @param n cells > 0
 *  @param[out] mean, head [n, n_latent]; head: variance = exp(head) + floor; NULL: not wanted */
SCS_MUST_USE scs_status scs_encode_heads(const scs_model *model, const scs_nonzeros *x, int32_t n,
                                         scs_real *mean, scs_real *head);

#endif
