/** The output layer's loss and gradients without a prediction (after Vincent, de Brebisson,
 * Bouthillier, NeurIPS 2015).
 *
 *  With the last hidden activations H [B, d], P = H W' + 1 b' and any centre c, H = Hc + 1 c':
 *      dH = H (W'W) + 1 (W'b)' - X W
 *      dW = W (Hc'Hc) - X'Hc + q c',  q = B (W c + b) - X'1 = db   (c: the part's mean, Hc'1 = 0)
 *      |P - X|^2 = sum over cells of h (W'W) h + 2 h (W'b) + |b|^2 - 2 x (W h + b) + |x|^2
 *  O(nnz d + B d^2 + n_gene d^2) instead of O(B n_gene d). Centring takes the large common part out
 * of dW's difference of products. n_gene d^2 is cut into V fixed pieces, so that it is divided
 * among the ranks and its bits do not depend on their number.
 */
#ifndef SCS_OUTPUT_FACTORED_H
#define SCS_OUTPUT_FACTORED_H

#include "src/model/output.h"
#include "scscreen/status.h"

#include <stdint.h>

/* The inside of the factored output layer (src/output_factored.h). Local. */

/** Cells whose gradient of W and b is made in one go: a part's, for all genes, or all parts', for
 * this rank's genes. Borrowed. */
typedef struct scs_factor_cells {
    int32_t n;
    const scs_real *hidden;     /**< [n, d] */
    scs_real *offset;           /**< [n, d] scale (c - H); may be where hidden is */
    const scs_entries *by_gene; /**< [n_gene, n] */
    int32_t gene, n_gene;       /**< genes [gene, gene + n_gene) */
    scs_real *mean;             /**< [d] c */
    scs_real *lift;             /**< [n_gene] scale q */
    double *gene_error;         /**< [tiles of genes] sum of (b - x)^2 over the cells */
    scs_real *grad;             /**< flat */
} scs_factor_cells;

/** One part's own numbers. */
typedef struct scs_factor_lane {
    scs_real *offset;   /**< [max_rows, d] */
    scs_real *mean;     /**< [d] */
    scs_real *lift;     /**< [n_gene] */
    double *gene_error; /**< [tiles of genes] */
    double *cell_error; /**< [max_rows] what h adds to the squared error */
    scs_real *square; /**< [pieces of genes or cells, d, d] upper triangles of a product in hand */
} scs_factor_lane;

struct scs_output_factored {
    scs_dense dense;
    int32_t n_part, max_rows, d;
    int64_t size;            /**< of a packed triangle and a row of d */
    scs_factor_lane *lane;   /**< [n_part] */
    scs_factor_cells *cells; /**< [n_cells <= n_part] */
    int32_t n_cells;
    int32_t *first_gene;   /**< [n_part + 1] of the parts' slices (src/layout.h) */
    double *parts, *total; /**< [n_part, size], [size] */
    scs_real *weight_gram; /**< [d, d] W'W */
    scs_real *cell_gram;   /**< [d, d] scale Hc'Hc of the whole batch */
    scs_real *minus_wb;    /**< [d] -W'b */
};

typedef struct scs_output_factored scs_output_factored;

/** SCS_EARG where the output is not linear. Local. */
SCS_MUST_USE scs_status scs_output_factored_create(const scs_arch *arch, int32_t n_part,
                                                   int32_t max_rows, scs_output_factored **factors);
void scs_output_factored_destroy(scs_output_factored **factors);
/** As scs_output_step. Without a split the parts' rows of dW are right in their sum; with one, c is
 * the whole batch's mean, and each rank has its own genes' rows. Collective where team->sum is.
 *  @param split rows: the last hidden activations of all cells, overwritten; or NULL */
SCS_MUST_USE scs_status scs_output_factored_step(scs_output_factored *factors,
                                                 const scs_real *param, double scale,
                                                 const scs_team *team, scs_gene_split *split,
                                                 scs_output_part *part);

#endif
