/** Products of sparse and dense matrices: X W, and X'A by the same cells seen by gene.
 *
 *  A product is cut into tasks of disjoint outputs: some hundred rows of X times a panel of at
 *  most ten vector registers of columns. A task keeps a row's sums in registers, and walks along
 *  X block by block (src/kernels/entries.h), so that the 128 rows of the dense matrix in use
 *  stay near the core. O(nnz n_col) multiply-adds; each entry is read once for every panel.
 *  Measured: 41 to 43 % of sgemm's rate (doc/performance.md).
 *
 *  An output is added up along ascending columns of X, whatever the tasks, threads or ranks: the
 *  bits are those of one loop. They differ between kinds of processors (src/base/simd.h).
 *
 *  All functions are Local and cannot fail; tasks of a product may run at once.
 */
#ifndef SCS_SPARSE_H
#define SCS_SPARSE_H

#include "src/kernels/adam.h"
#include "src/kernels/nonzeros.h"

/** out = base_scale base' + x dense. All borrowed. */
typedef struct scs_product {
    const scs_entries *x;  /**< [n_out, n_in] */
    const scs_real *dense; /**< [x->n_in, n_col] */
    const scs_real *base;  /**< [n_col] what every row begins with, such as a bias; NULL: zeros */
    const scs_real *base_scale; /**< [x->n_out] times the base; NULL: ones */
    scs_real *out;              /**< [rows of the product, n_col] */
    /** The product is a gradient, and updates weights instead: `state`'s arrays have the shape of
     * out, which is not written. NULL: it is written. */
    const scs_adam *adam;
    scs_adam_state state;
    int32_t n_col;
} scs_product;

/** Into how many tasks a product of this size is cut at most; more rows make no fewer tasks, so
 * that one count serves the largest of several products. */
int scs_sparse_product_tasks(int32_t n_out, int32_t n_col);
/** Run one of them; does nothing where its rows lie behind x->n_out.
 *  @param task 0 .. scs_sparse_product_tasks - 1 */
void scs_sparse_product_run(const scs_product *product, int task);

#endif
