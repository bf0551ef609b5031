/** What the sources' change is wrong by, gene by gene, as seen groups teach it: expression is on a
 *  logarithmic scale and does not fall below 0, so that a change depends on the level it starts
 *  from, which need not be that of the sources. All functions are Local.
 *
 *  Every seen group is predicted from the others, and what is missed of each gene is learnt
 *  (src/kernels/boost.h) as a function of
 *
 *      g         the change that is predicted
 *      c - c_s   control level of the target less that of the sources (their mean by |weight|)
 *      c         control level of the target
 *
 *  It is added to g by the share that predicts best when all groups of one control are left out in
 *  turn, in at most SCS_CORRECTION_FOLDS parts: 0 where it teaches nothing about other cell types.
 */
#ifndef SCS_CORRECTION_H
#define SCS_CORRECTION_H

#include "src/kernels/boost.h"
#include "scscreen/screen.h"

enum { SCS_CORRECTION_FOLDS = 8 };

/** Nothing in it is allocated: it is sent to other ranks as it is. */
struct scs_correction {
    double share;   /**< of `boost`, 0 to 1 */
    double error;   /**< squared error of left-out controls' groups as a share of the uncorrected
                       one's; NaN: nothing could be left out, and share is 0 */
    int32_t n_part; /**< parts that were left out in turn; below 2 there is nothing to test by */
    scs_boost boost;
};

/** At most some hundred thousand values are looked at, evenly picked groups and genes. SCS_ENOMEM,
 * or what finding sources returns.
 *  @param method whose changes are to be corrected */
SCS_MUST_USE scs_status scs_correction_fit(const scs_atlas *atlas, const scs_method *method,
                                           scs_correction *correction);
/** How large a row's squared error is with the correction, as a share of that without: 1 where none
 * is made, and at most. */
double scs_correction_error(const scs_correction *correction, const scs_combination *target,
                            const scs_sources *sources);
/** Correct a row's change. Rows of other kinds than own and donors, and pairs, are left as they
 * are: no like ones were left out. SCS_ENOMEM.
 *  @param correction NULL: nothing is done  @param[in,out] change [n_gene] of the sources */
SCS_MUST_USE scs_status scs_correction_apply(const scs_correction *correction,
                                             const scs_atlas *atlas, const scs_combination *target,
                                             const scs_sources *sources, double *change);

#endif
