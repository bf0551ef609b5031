/** The output layer with its loss: x_hat = h W' + b (ReLU in the paper's profile), squared error
 *  against sparse cells.
 *
 *  Genes are walked in tiles of fixed size, and predicted, compared and propagated back while a
 *  tile is in the cache; no [cells, n_gene] array exists. All functions are Local.
 */
#ifndef SCS_OUTPUT_H
#define SCS_OUTPUT_H

#include "src/gene_index.h"
#include "src/layout.h"

/** One shard's part of a batch. All borrowed. */
typedef struct scs_output_part {
    int32_t n;
    const scs_real *hidden;      /**< [n, n_hidden] last hidden activations */
    const scs_gene_index *genes; /**< the part's cells */
    scs_real *grad_hidden;       /**< [n, n_hidden] out; not touched where grad is NULL */
    scs_real *grad; /**< flat gradient: rows of W and b are overwritten; NULL: the loss alone */
    scs_real *px;   /**< [n, n_gene] out, the prediction itself, for tests; usually NULL */
    double squared_error; /**< out: sum over cells and genes of (x_hat - x)^2 */
} scs_output_part;

/** Workspace for n_part parts of at most max_rows cells. */
typedef struct scs_output scs_output;
SCS_MUST_USE scs_status scs_output_create(const scs_arch *arch, int32_t n_part, int32_t max_rows,
                                          scs_output **output);
void scs_output_destroy(scs_output **output);

/** Loss and gradients of scale * 0.5 * squared error. @param part [n_part] as created */
void scs_output_step(scs_output *output, const scs_real *param, double scale,
                     scs_output_part *part);
/** The sums of some cells: objective = 0.5 squared error + kl_factor kl_weight KL. */
scs_loss scs_loss_of(const scs_arch *arch, double squared_error, double kl, int32_t n);
/** The prediction itself. @param hidden [n, n_hidden]  @param[out] x [n, n_gene] */
void scs_output_decode(const scs_arch *arch, const scs_real *param, const scs_real *hidden,
                       int32_t n, scs_real *x);

#endif
