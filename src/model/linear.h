/** Linear layers over the local shards' parts of a batch, forward and backward.
 *
 *  Work is cut into tiles of fixed size over disjoint outputs; a tile's BLAS call has a shape that
 *  depends on the layer and on the shard's own n alone, so threads and ranks do not change a bit.
 *  All functions are Local.
 */
#ifndef SCS_LINEAR_H
#define SCS_LINEAR_H

#include "src/kernels/adam.h"
#include "src/kernels/nonzeros.h"
#include "src/model/layout.h"

/** What flows through a layer for one shard. All borrowed. */
typedef struct scs_flow {
    int32_t n;                /**< cells of the shard's part; 0: nothing is read or written */
    const scs_real *in;       /**< [n, n_in]; not used by the sparse layer */
    scs_real *out;            /**< [n, n_out] */
    scs_real *grad_in;        /**< [n, n_in] backward only; NULL: not wanted */
    const scs_real *grad_out; /**< [n, n_out] backward only */
    scs_real *grad;           /**< flat gradient of all parameters, backward only */
    const scs_nonzeros *x;    /**< the part's non-zeros, sparse layer only */
} scs_flow;

/** A block of an output [n, n_col] that one BLAS call makes. */
typedef struct scs_cut {
    int32_t row, n_row, col, n_col;
} scs_cut;

/** Into how many blocks an output [n, n_col] is cut: by n and n_col alone. */
int scs_linear_cut_tasks(int32_t n, int32_t n_col);
/** One of them; false where there are fewer. */
bool scs_linear_cut_at(int32_t n, int32_t n_col, int task, scs_cut *cut);

/** out = in W' + b: [n, n_out] = [n, n_in] [n_in, n_out], for each flow.
 *  @param param all parameters  @param flow [n_flow] */
void scs_linear_forward(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                        int n_flow);
/** grad_in = grad_out W [n, n_in], or += where `add`; dW = grad_out' in [n_out, n_in]; db = column
 *  sums of grad_out [n_out]. dW and db overwrite what is in the flow's gradient. */
void scs_linear_backward(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                         int n_flow, bool add);

/** out = X W + b with W kept [n_in, n_out]: O(nnz n_out), sums run along ascending genes. */
void scs_linear_sparse_forward(const scs_dense *dense, const scs_real *param, const scs_flow *flow,
                               int n_flow);
/** dW = X' grad_out [n_in, n_out], zero in the rows of genes that the part does not have; db. */
void scs_linear_sparse_backward(const scs_dense *dense, const scs_flow *flow, int n_flow);
/** The same dW of some genes over all cells.
 *  @param by_gene [genes, cells]  @param grad_out [cells, n_out]  @param[out] grad [genes, n_out]
 */
void scs_linear_sparse_gene_gradient(const scs_entries *by_gene, const scs_real *grad_out,
                                     int32_t n_out, scs_real *grad);
/** One step of Adam on W by the same dW, which is not stored.
 *  @param weight [genes, n_out] with its moments */
void scs_linear_sparse_gene_update(const scs_entries *by_gene, const scs_real *grad_out,
                                   int32_t n_out, const scs_adam *adam,
                                   const scs_adam_state *weight);
/** db alone, where there is a bias. */
void scs_linear_bias_backward(const scs_dense *dense, const scs_flow *flow, int n_flow);

#endif
