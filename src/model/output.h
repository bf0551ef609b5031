/** The output layer with its loss: x_hat = h W' + b (ReLU in the paper's profile), squared error
 *  against sparse cells.
 *
 *  Two ways to the same numbers. Dense: genes are walked in tiles of fixed size, and predicted,
 * compared and propagated back while a tile is in the cache (src/output_dense.h). Factored:
 * gradients and loss from H'H, X'H and W'W (src/output_factored.h); no prediction is ever formed.
 * Neither has a [cells, n_gene] array. Given a split, each rank makes the gradient of its own genes
 * from all cells; without one, that of all genes from its own cells.
 */
#ifndef SCS_OUTPUT_H
#define SCS_OUTPUT_H

#include "src/kernels/nonzeros.h"
#include "src/model/gene_split.h"
#include "src/model/layout.h"
#include "scscreen/model.h"

/* Which way through the output layer is the cheaper one. Local. */

/** Is the factored way cheaper? From what all ranks know alike, never from their number.
 *  @param n_global cells of a batch over all shards  @param density non-zeros per cell and gene */
bool scs_output_factors(const scs_arch *arch, double n_global, double density);
/** Is it cheaper that cells' activations travel to the ranks that have the genes, than the
 * gradients of the layers that touch genes? Activations grow with the batch, gradients with the
 * genes. */
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

SCS_MUST_USE scs_status scs_output_create(const scs_arch *arch, int32_t n_part, int32_t max_rows,
                                          scs_output **output);
void scs_output_destroy(scs_output **output);
/** Choose the way of the following steps, of at most n_row cells of all shards. Local. SCS_EARG:
 * factored with an output ReLU. */
SCS_MUST_USE scs_status scs_output_prepare(scs_output *output, bool factored, const scs_team *team,
                                           int64_t n_row);
/** Loss and gradients of scale * 0.5 * squared error. Collective.
 *  @param split the batch, its rows are overwritten; NULL: factored only  @param part [n_part] as
 * created */
SCS_MUST_USE scs_status scs_output_step(scs_output *output, const scs_real *param, double scale,
                                        const scs_team *team, scs_gene_split *split,
                                        scs_output_part *part);
/** The sums of some cells: objective = 0.5 squared error + kl_factor kl_weight KL. */
scs_loss scs_output_loss(const scs_arch *arch, double squared_error, double kl, int32_t n);
/** The prediction itself. @param hidden [n, n_hidden]  @param[out] x [n, n_gene]  Local. */
void scs_output_decode(const scs_arch *arch, const scs_real *param, const scs_real *hidden,
                       int32_t n, scs_real *x);

#endif
