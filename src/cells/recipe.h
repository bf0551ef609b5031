/** Predicted cells: control cells whose counts are edited until their mean is the predicted one,
 *  so that zeros, library sizes and the correlation of genes stay those of real cells. All
 * functions are Local.
 *
 *  Each cell has a template, a control cell of the combination's type, and a donor, a perturbed
 * cell of a source type at the same place in the order of library sizes (give or take 3). With m_g
 * and c_g mean counts per million, predicted and of the controls, and s the factor of libraries:
 *
 *      gene falls (s m <= c)   the template's counts, each kept with probability s m / c
 *      gene rises              the template's count, and the donor's count brought to the mean that
 *                              is missing, (s m - c) x library: thinned where the donor has more,
 *                              with more of it (scs_draw_rise) where it has less; Poisson where the
 *                              donor's type does not show the gene
 *
 *  Never decoded or rounded means, nor independent draws: they have neither the zeros nor the
 *  correlations of cells. doc/methods.md says what this is worth. */
#ifndef SCS_RECIPE_H
#define SCS_RECIPE_H

#include "src/cells/count_group.h"
#include "src/cells/donors.h"

/** What a combination's cells are made of; borrowed. */
typedef struct scs_recipe_parts {
    const scs_count_group *control;
    const scs_count_group *const *donor; /**< [donors->n] cells of each donor group */
    const scs_donors *donors;
    const double *mean;    /**< [n_gene] counts per million that the cells are to have */
    double library_factor; /**< s */
    uint64_t key;          /**< of its random numbers (scs_draw_key) */
} scs_recipe_parts;

/** All that is alike in a combination's cells. */
typedef struct scs_recipe scs_recipe;

/** @param[out] recipe caller destroys; NULL after an error  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_recipe_create(const scs_recipe_parts *parts, scs_recipe **recipe);
/** Sets *recipe to NULL; it may be NULL. What the parts borrow stays. */
void scs_recipe_destroy(scs_recipe **recipe);

/** Predicted cells [first, first + n) of a combination, sparse: genes ascend within a cell, no
 *  count is 0. */
typedef struct scs_cell_block {
    int64_t first, n;
    int64_t *indptr;  /**< [n + 1] from 0 */
    int32_t *gene;    /**< [nnz] */
    int32_t *count;   /**< [nnz] */
    int32_t *control; /**< [n] template: place in the control group; set by the caller */
    int32_t *donor;   /**< [n] into donors->group */
    int64_t *library; /**< [n] counts of each cell */
    int64_t capacity; /**< of cells */
    int64_t room;     /**< of gene and count */
} scs_cell_block;

/** Room for blocks of at most `capacity` cells. SCS_ENOMEM; clear it even then. */
SCS_MUST_USE scs_status scs_recipe_block_make(int64_t capacity, scs_cell_block *block);
/** Free the arrays, also of a block that was never made (zeroed). */
void scs_recipe_block_clear(scs_cell_block *block);
/** Make the cells of a block, on all threads; a cell depends on its number alone.
 *  @param[in,out] block first, n <= capacity and control [n] are set
 *  @return SCS_OK, SCS_ENOMEM; SCS_EDATA: a count above 2^31 - 1 */
SCS_MUST_USE scs_status scs_recipe_make(const scs_recipe *recipe, scs_cell_block *block);

#endif
