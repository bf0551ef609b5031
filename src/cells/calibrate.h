/** Bringing the mean of the cells that were made to the mean that was asked for. All functions are
 *  Local.
 *
 *  Thinning, and which donors come up, leave a gene's mean over a few hundred cells off by what the
 *  draws of as many real cells would: noise that a prediction need not have. Random numbers are
 *  fixed, so cells made once more for a slightly other mean differ from the first ones by just the
 *  counts that were missing or too many. */
#ifndef SCS_CALIBRATE_H
#define SCS_CALIBRATE_H

#include "src/cells/recipe.h"

/** How often cells are made to be looked at; up to how many cells of a combination, beyond which
 * the draws' own noise is small. */
enum { SCS_CALIBRATE_PASSES = 3, SCS_CALIBRATE_CELLS = 16384 };

/** Add a block's counts per million to the sums, in units of 2^-10: whole numbers, which add up to
 *  the same in any order.  @param[in,out] sum [n_gene] */
void scs_calibrate_add(const scs_cell_block *block, int64_t *sum);
/** Correct the mean that cells are made with by what they came to, at most by a factor of 4.
 *  @param wanted  [n_gene] counts per million
 *  @param sum     [n_gene] over all n cells  @param counts of all of them
 *  @param[in,out] mean [n_gene] that they were made with */
void scs_calibrate_correct(const double *wanted, const int64_t *sum, int64_t n, int64_t counts,
                           int32_t n_gene, double *mean);

#endif
