/** What a model of a validation may not have seen. All functions are Local.
 *
 *  Held-out cells are kept from training by their roles (scs_roles_hold_out_fold), and from shifts
 *  by held_out of their groups. The audit trusts neither: it goes by the labels of the groups that
 *  the grid holds out. That covers whatever is made from cells: weights and principal components
 * are made of training cells, which are counted; shifts and their hyper-parameters of group means,
 * of which the held-out ones are made NaN, so that a number which one of them had a part in is no
 *  number; genes are chosen by the join of the inputs and data.genes, before any cell is looked at,
 *  and by data.n_top_genes from control cells; controls are never held out. */
#ifndef SCS_AUDIT_H
#define SCS_AUDIT_H

#include "scscreen/screen.h"

/** How many of the cells are of a held-out group, by their labels.
 *  @param atlas whose groups `held` numbers  @param held [n_held]
 *  @param cell [n_cell] global ids  @return SCS_OK, SCS_ENOMEM; *n_seen is added to */
SCS_MUST_USE scs_status scs_audit_count(const scs_atlas *atlas, const scs_dataset *dataset,
                                        const int32_t *held, int64_t n_held, const int64_t *cell,
                                        int64_t n_cell, int64_t *n_seen);
/** Make all that the atlas knows of the held-out groups NaN: means, variances, moments; DEGs -1. */
void scs_audit_hide(scs_atlas *atlas, const int32_t *held, int64_t n_held);
/** SCS_EINTERNAL where a shift has a held-out group among its sources, or its target's controls are
 *  held out. @param who for the message */
SCS_MUST_USE scs_status scs_audit_sources(const scs_combination *target, const scs_sources *sources,
                                          const int32_t *held, int64_t n_held, const char *who);
/** SCS_EINTERNAL where what a prediction is made from is not of finite numbers: something hidden
 *  had a part in it. To be asked of shifts, before a negative mean is cut to 0, and NaN with it.
 *  @param number [n]  @param who for the message */
SCS_MUST_USE scs_status scs_audit_finite(const double *number, int64_t n, const char *who);

#endif
