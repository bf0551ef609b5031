/** Which way through the output layer is the cheaper one. Local. */
#ifndef SCS_OUTPUT_MODEL_H
#define SCS_OUTPUT_MODEL_H

#include "scscreen/model.h"

/** Is the factored way cheaper? From what all ranks know alike, never from their number.
 *  @param n_global cells of a batch over all shards  @param density non-zeros per cell and gene */
bool scs_output_factors(const scs_arch *arch, double n_global, double density);
/** Is it cheaper that cells' activations travel to the ranks that have the genes, than the
 * gradients of the layers that touch genes? Activations grow with the batch, gradients with the
 * genes. */
bool scs_output_splits(const scs_arch *arch, int64_t n_global);

#endif
