/** Products of sparse and dense matrices: X W, and X' A by the same cells seen by gene.
 *
 *  An output is added up along ascending columns of X, whatever the tasks, threads or ranks. All
 * functions are Local.
 */
#ifndef SCS_SPARSE_H
#define SCS_SPARSE_H

#include "src/kernels/nonzeros.h"

typedef struct scs_product {
    const scs_entries *x;
    const scs_real *dense;      /**< [x->n_in, n_col] */
    const scs_real *base;       /**< [n_col] what every row begins with; NULL: zeros */
    const scs_real *base_scale; /**< [x->n_out] times the base; NULL: ones */
    scs_real *out;              /**< [x->n_out, n_col] = base_scale base + x dense */
    int32_t n_col;
} scs_product;

/** Into how many tasks of disjoint outputs a product of this size is cut at most; more rows make no
 * fewer tasks. */
int scs_sparse_product_tasks(int32_t n_out, int32_t n_col);
/** One of them; nothing where it lies behind x->n_out. */
void scs_sparse_product_run(const scs_product *product, int task);

#endif
