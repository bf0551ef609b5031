/** The output layer tile by tile: O(cells n_gene n_hidden), exact for any output activation.
 *
 *  A rank goes through the tiles of its own genes for the cells of all shards (gene_split.h). All
 *  functions are Local.
 */
#ifndef SCS_OUTPUT_DENSE_H
#define SCS_OUTPUT_DENSE_H

#include "src/model/gene_split.h"
#include "src/model/layout.h"

typedef struct scs_output_dense scs_output_dense;

/** @param n_slice slices of the genes that this rank has of n_shard
 *  @param max_rows cells of all shards, at most
 *  @param[out] o caller destroys; NULL after an error  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_output_dense_create(const scs_arch *arch, int32_t n_shard,
                                                int32_t n_slice, int64_t max_rows,
                                                scs_output_dense **o);
/** Sets *o to NULL; it may be NULL. */
void scs_output_dense_destroy(scs_output_dense **o);
/** Loss and gradients of scale * 0.5 * squared error.
 *  @param param all parameters
 *  @param split the batch, of at most max_rows cells; rows: the last hidden activations
 *  @param hooks the gradient of W goes to its `update`, some rows at a time, and param is written
 *               by it; NULL: it stays in grad
 *  @param grad flat gradient: the whole batch's of this rank's genes' rows of W (with hooks:
 * scratch) and of b is overwritten; NULL: the loss alone */
void scs_output_dense_step(scs_output_dense *o, scs_real *param, double scale,
                           const scs_gene_split *split, const scs_step_hooks *hooks,
                           scs_real *grad);
/** What a slice's genes add to dH, [cells of all shards, n_hidden]; borrowed until the next step,
 * and may be changed. */
scs_real *scs_output_dense_share(const scs_output_dense *o, int32_t slice);
/** The squared error of a slice's genes over all cells. */
double scs_output_dense_error(const scs_output_dense *o, int32_t slice);

#endif
