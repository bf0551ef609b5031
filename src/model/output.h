/** The output layer with its loss: x_hat = h W' + b (ReLU in the paper's profile), squared error
 *  against sparse cells.
 *
 *  Two forms, the same numbers up to rounding. Dense: genes are walked in tiles of fixed size, and
 *  predicted, compared and propagated back while a tile is in the cache (output_dense.h). Factored:
 *  gradients and loss from H'H, X'H and W'W (output_factored.h); no prediction is ever formed.
 *  Neither has a [cells, n_gene] array. Given a split, each rank makes the gradient of its own
 *  genes from all cells; without one, that of all genes from its own cells.
 */
#ifndef SCS_OUTPUT_H
#define SCS_OUTPUT_H

#include "src/kernels/nonzeros.h"
#include "src/model/gene_split.h"
#include "src/model/layout.h"
#include "scscreen/model.h"

/** Is the factored form cheaper? Multiply-adds of both, a sparse one at its measured price; never
 *  with an output ReLU. From what all ranks know alike, never from their number. Local.
 *  @param n_global cells of a batch over all shards  @param density non-zeros per cell and gene */
bool scs_output_factors(const scs_arch *arch, double n_global, double density);
/** Is it cheaper that cells' activations travel to the ranks that have the genes, than the
 *  gradients of the layers that touch genes? Activations grow with the batch, gradients with the
 *  genes: where the batch has at most half as many cells as there are genes. Local. */
bool scs_output_splits(const scs_arch *arch, int64_t n_global);

/** One shard's part of a batch. All borrowed. */
typedef struct scs_output_part {
    int32_t n;
    const scs_real *hidden; /**< [n, n_hidden] last hidden activations */
    const scs_nonzeros *x;  /**< the part's cells, by gene without a split alone; factored only */
    scs_real *grad_hidden;  /**< [n, n_hidden] out */
    scs_real
        *grad; /**< flat gradient. Split: part 0's gets the whole batch's rows of this rank's
                  genes; others are not touched. Else the part's rows of W and b are overwritten
                  (of no cells: zeroed by the caller, and what is the whole batch's added) */
    double
        squared_error; /**< out: the part's share of the sum of (x_hat - x)^2 over cells and genes
                        */
} scs_output_part;

/** Loss and gradients for n_part parts of at most max_rows cells; workspaces come with prepare. */
typedef struct scs_output scs_output;

/** @param n_part local shards  @param max_rows cells of a part, at most
 *  @param[out] output caller destroys; NULL after an error  @return SCS_OK or SCS_ENOMEM. Local. */
SCS_MUST_USE scs_status scs_output_create(const scs_arch *arch, int32_t n_part, int32_t max_rows,
                                          scs_output **output);
/** Sets *output to NULL; it may be NULL. Local. */
void scs_output_destroy(scs_output **output);
/** Choose the form of the following steps, of at most n_row cells of all shards, and make room for
 *  it. Local.
 *  @return SCS_EARG for factored with an output ReLU, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_output_prepare(scs_output *output, bool factored, const scs_team *team,
                                           int64_t n_row);
/** Loss and gradients of scale * 0.5 * squared error. Collective.
 *  @param param all parameters  @param scale 1 / cells of the batch, for a mean
 *  @param split the batch, its rows are overwritten; NULL: factored only
 *  @param hooks dense only: the gradient of W goes to its `update`, and param is written by it;
 *               NULL: to the parts
 *  @param part  [n_part] as created */
SCS_MUST_USE scs_status scs_output_step(scs_output *output, scs_real *param, double scale,
                                        const scs_team *team, scs_gene_split *split,
                                        const scs_step_hooks *hooks, scs_output_part *part);
/** The sums of n cells: objective = 0.5 squared error + kl_factor kl_weight KL. */
scs_loss scs_output_loss(const scs_arch *arch, double squared_error, double kl, int32_t n);
/** The prediction itself. @param hidden [n, n_hidden]  @param[out] x [n, n_gene]  Local. */
void scs_output_decode(const scs_arch *arch, const scs_real *param, const scs_real *hidden,
                       int32_t n, scs_real *x);

#endif
