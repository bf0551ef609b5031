/** The linear baseline of Ahlmann-Eltze, Huber and Anders (Nature Methods 2025): ridge regression
 * of shifts on principal components of genes and of perturbations. All functions are Local.
 *
 *  With Y [genes, n] the shifts that are learnt from, less their mean m, A [genes, k] the first
 *  components of the groups' means (over groups), B [k, n] those of the perturbations,
 *
 *      K = (A'A + l I)^-1 A' Y B' (B B' + l I)^-1,      shift = A K b + m,      k 10, l 0.1
 *
 *  as their solve_y_axb and its defaults. Perturbations are described by what they do in the
 *  species' other types (theirs: by a screen of another cell line): components of their mean shifts
 *  there, the control's 0 among them. Learnt from: the type's other perturbations and its control,
 *  or, where it shows fewer than two that other types show too, all groups of those types. Of a
 *  perturbation that no other type shows nothing is known: the shift is m. At most
 *  SCS_RIDGE_COLUMNS groups, evenly picked. */
#ifndef SCS_RIDGE_H
#define SCS_RIDGE_H

#include "scscreen/screen.h"

enum { SCS_RIDGE_COMPONENTS = 10, SCS_RIDGE_COLUMNS = 256 };

/** The perturbed groups that are learnt from, as sources without weights; kind is SCS_SOURCE_NONE
 *  where there are none. @param[in,out] sources of scs_shift_sources_create */
void scs_ridge_columns(const scs_atlas *atlas, const scs_combination *target, scs_sources *sources);
/** The shift. @param columns of scs_ridge_columns, some  @param[out] change [n_gene]
 *  @return SCS_OK, SCS_ENOMEM, SCS_EINTERNAL */
SCS_MUST_USE scs_status scs_ridge_change(const scs_atlas *atlas, const scs_combination *target,
                                         const scs_sources *columns, double *change);

#endif
