/** The space in which populations of cells are compared: principal components of the real cells.
 *
 *  Of a panel's real cells, controls too, with log1p(10^4 count / total): the genes that vary most
 *  (SCS_CELL_SPACE_GENES, or all where there are fewer; equal ones by position), centred and not
 *  scaled, and of their covariance (ddof 1) over at most SCS_CELL_SPACE_FITTED cells, evenly spread
 *  over the file, the components of largest variance. It does not depend on what is predicted, so
 *  that predictions of the same cells are compared in the same space. (The choice of genes and
 *  components is that of scPerturb, Peidli et al., Nature Methods 2024.)
 *
 *  Cells are gone through in blocks, a row for each gene that was chosen. Whatever is summed over
 *  cells or genes is cut into squares of a fixed size, each of which one rank and one thread makes:
 *  the bits do not depend on how many there are.
 *
 *  All functions are Local.
 */
#ifndef SCS_CELL_SPACE_H
#define SCS_CELL_SPACE_H

#include "src/model/pca.h"

enum {
    SCS_CELL_SPACE_GENES = 2000,
    SCS_CELL_SPACE_FITTED = 5000,
    SCS_CELL_SPACE_BLOCK = 1024 /**< cells of a block */
};

/** Owned. Without genes that vary, or with fewer than three real cells, there is none: pca is NULL.
 */
typedef struct scs_cell_space {
    int32_t n_gene;   /**< chosen */
    int32_t *gene;    /**< [n_gene] ascending */
    int64_t n_real;   /**< real cells of the panel */
    int64_t n_fitted; /**< of these the components are made from */
    scs_pca *pca;     /**< of the chosen genes */
} scs_cell_space;

/** Free all; zeroed is let through. */
void scs_cell_space_clear(scs_cell_space *space);
/** The genes that vary most. @param variance [n_gene], of all genes
 *  @return SCS_OK or SCS_ENOMEM; no gene is chosen where none varies */
SCS_MUST_USE scs_status scs_cell_space_choose(const double *variance, int32_t n_gene,
                                              scs_cell_space *space);

/** Add a block's products and sums, this rank's squares of them, on all threads.
 *  @param block   [n_gene, n_cell] values  @param n_cell at most SCS_CELL_SPACE_BLOCK
 *  @param product [n_gene, n_gene] of which only the lower triangle of squares is filled
 *  @param sum     [n_gene] on rank 0 */
void scs_cell_space_add(const double *block, int32_t n_gene, int32_t n_cell, int32_t rank,
                        int32_t n_rank, double *product, double *sum);
/** Components from the products of space->n_fitted cells; at most as many as wanted, as there are
 *  genes, and one fewer than cells.
 *  @param[in,out] product [n_gene, n_gene] lower triangle; destroyed
 *  @return SCS_ENUMERIC where there are none to be found, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_cell_space_solve(double *product, const double *sum, int32_t wanted,
                                             scs_cell_space *space);
/** Coordinates of a block's cells, of this rank's share of them, on all threads.
 *  @param at [n_cell, n_component]; rows of other ranks' shares are left alone
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_cell_space_place(const scs_cell_space *space, const double *block,
                                             int32_t n_cell, int32_t rank, int32_t n_rank,
                                             double *at);

#endif
