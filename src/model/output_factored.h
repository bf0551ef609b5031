/** The output layer's loss and gradients without a prediction (after Vincent, de Brebisson,
 *  Bouthillier, NeurIPS 2015).
 *
 *  With the last hidden activations H [B, d], P = H W' + 1 b' and any centre c, H = Hc + 1 c':
 *      dH = H (W'W) + 1 (W'b)' - X W
 *      dW = W (Hc'Hc) - X'Hc + q c',  q = B (W c + b) - X'1 = db   (c: the part's mean, Hc'1 = 0)
 *      |P - X|^2 = sum over cells of h (W'W) h + 2 h (W'b) + |b|^2 - 2 x (W h + b) + |x|^2
 *  O(nnz d + B d^2 + n_gene d^2) instead of O(B n_gene d). Centring takes the large common part out
 *  of dW's difference of products. n_gene d^2 is cut into V fixed pieces, so that it is divided
 *  among the ranks and its bits do not depend on their number.
 */
#ifndef SCS_OUTPUT_FACTORED_H
#define SCS_OUTPUT_FACTORED_H

#include "src/model/output.h"
#include "scscreen/status.h"

#include <stdint.h>

typedef struct scs_output_factored scs_output_factored;

/** @param n_part local shards  @param max_rows cells of a part, at most
 *  @param[out] output caller destroys; NULL after an error
 *  @return SCS_EARG where the output is not linear, SCS_ENOMEM. Local. */
SCS_MUST_USE scs_status scs_output_factored_create(const scs_arch *arch, int32_t n_part,
                                                   int32_t max_rows, scs_output_factored **output);
/** Sets *output to NULL; it may be NULL. Local. */
void scs_output_factored_destroy(scs_output_factored **output);
/** As scs_output_step. Without a split the parts' rows of dW are right in their sum; with one, c is
 * the whole batch's mean, and each rank has its own genes' rows. Collective where team->sum is.
 *  @param split rows: the last hidden activations of all cells, overwritten; or NULL */
SCS_MUST_USE scs_status scs_output_factored_step(scs_output_factored *output, const scs_real *param,
                                                 double scale, const scs_team *team,
                                                 scs_gene_split *split, scs_output_part *part);

#endif
