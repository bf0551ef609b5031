/** Cells that stand more than once in the inputs: with the same values of the same genes. All
 *  functions are Local.
 *
 *  A cell is told by a hash of its values. Of large inputs some cells are looked at, chosen by
 * their values, so that a cell and its copy are either both chosen or both not, wherever they
 * stand.
 */
#ifndef SCS_REPEATED_H
#define SCS_REPEATED_H

#include "src/data/packed.h"
#include "scscreen/dataset.h"

/** A cell that is looked at. */
typedef struct scs_print {
    uint64_t hash; /**< of all genes and values of it */
    int64_t input;
} scs_print;

/** What an input's cells that are looked at have in common with others. */
typedef struct scs_repeated {
    int64_t cells;  /**< looked at */
    int64_t within; /**< of these, copies of a cell of the same input */
    int64_t shared; /**< of these, copies of a cell of an input before it */
    int64_t with;   /**< the first such input, or -1 */
    int64_t others; /**< of those shared, at least some are of further inputs: 1 */
} scs_repeated;

/** Prints of the cells of a matrix that are to be looked at; those of few genes are not.
 *  @param x not yet normalised, columns are the dataset's genes
 *  @param cell [x->n_row] the dataset's, or NULL: they follow one another from `first`
 *  @param[out] print those before, with the new ones behind them; caller frees
 *  @param[in,out] n how many  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_repeated_add(const scs_dataset *dataset, const scs_packed *x,
                                         const int64_t *cell, int64_t first, scs_print **print,
                                         int64_t *n);
/** Count those that are alike. O(n log n).
 *  @param print [n] is sorted  @param[out] found [n_input] */
void scs_repeated_count(scs_print *print, int64_t n, int32_t n_input, scs_repeated *found);

#endif
