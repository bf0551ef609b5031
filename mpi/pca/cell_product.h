/** The genes' covariance over the cells of all ranks as something that is applied to vectors, and
 *  never made: C v = X_c'(X_c v) / (n - 1), X_c the centred cells, from sparse rows. Its components
 *  by src/kernels/lanczos.h.
 *
 *  Sums over cells have the same bits in any order: every term is cut into a multiple of one power
 *  of two and one of a finer, which are added by themselves; both are so coarse that the sum of all
 *  terms is exact (as in Demmel and Nguyen, ARITH 2013). What is lost of a term is less than 2^-96
 *  n^2 of the largest. So neither shards nor ranks nor threads are seen in the result, and MPI may
 *  add as it likes.
 *
 *  A product takes O(nnz) for each of eight vectors, on all ranks and threads; what the vectors are
 *  made of is done by rank 0, which holds them: 8 n_gene (2 n_top + 80) bytes. A rank has 64 bytes
 *  a gene for the vectors that go out and 128 for each thread's sums. One broadcast of 8 n_gene
 *  doubles and one sum of 16 n_gene a product, of which there are some 50 (doc/performance.md).
 */
#ifndef SCS_CELL_PRODUCT_H
#define SCS_CELL_PRODUCT_H

#include "scscreen/comm.h"
#include "src/model/pca.h"

#include <stdbool.h>

/** Rows [first, first + n) of x: the cells of a shard that take part. Borrowed. */
typedef struct scs_cells {
    const scs_packed *x;
    int64_t first, n;
} scs_cells;

/** Means, total variance and the top components, not yet oriented; the same bits on every rank, and
 * on any number of ranks. SCS_ENOMEM, SCS_EIO, SCS_ENUMERIC. Collective.
 *  @param part [n_part] this rank's cells; borrowed
 *  @param n_cell of all ranks, > 1
 *  @param most products after which it gives up
 *  @param[in,out] pca made for n_gene and n_component, of which scs_lanczos_least tells how many
 *    genes they need; filled
 *  @param[out] found false: it gave up; alike on all ranks */
SCS_MUST_USE scs_status scs_cell_product_components(scs_comm *comm, const scs_cells *part,
                                                    int32_t n_part, int64_t n_cell, int most,
                                                    scs_pca *pca, bool *found);

#endif
