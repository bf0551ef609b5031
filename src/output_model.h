/** Which way through the output layer is the cheaper one. Local. */
#ifndef SCS_OUTPUT_MODEL_H
#define SCS_OUTPUT_MODEL_H

#include "scscreen/model.h"

/** Is the factored way cheaper? From what all ranks know alike, never from their number.
 *  @param n_global cells of a batch over all shards  @param density non-zeros per cell and gene */
bool scs_output_factors(const scs_arch *arch, double n_global, double density);

#endif
