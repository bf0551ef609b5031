/** What the last step left in a network, for the parity tests; the program has no use for it. */
#ifndef SCS_NETWORK_PEEK_H
#define SCS_NETWORK_PEEK_H

#include "src/model/network.h"

/** An activation or its gradient of a shard: "encoder.0.linear", "encoder.0.norm", "encoder.0.out",
 * ..., "q_mean", "q_var", "z", "decoder.0.linear", ...; gradients with "grad." before. NULL if
 * unknown. Local.
 *  @param[out] cols its columns; rows are the shard's cells */
const scs_real *scs_network_peek(const scs_network *net, int32_t local_shard, const char *name,
                                 int32_t *cols);

#endif
