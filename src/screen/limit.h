/** `screen.shift: limited`: the mixed model, of which no gene has more taken away, or put right,
 *  than noise could account for.
 *
 *  The mixed model's weights are the same for every gene. They are best for the most genes, which
 *  do little, and wrong for the few that do much, in two ways:
 *
 *  - what is known of a few groups is drawn towards no change at all: a gene that responds far
 *    beyond its noise loses as large a share as one that only seems to. With s_g what the weights
 *    are short of the perturbation's mean effect on gene g, and e_g the standard error, by the
 *    sampling of cells, of the shift with s_g in it, no gene is drawn by more than 1.5 e_g: what
 *    s_g has beyond is added to the shift;
 *  - the target's control mean, of few cells, is drawn towards those of like types: a gene that
 *    sets the type apart is taken for noise. With r_g what that adds to the shift of gene g, and
 *    c_g the standard error of its mean in the target's control cells, r_g is kept within c_g.
 *
 *  This is limited translation (Efron and Morris, Journal of the American Statistical Association
 *  1971, 1972). In latent space, where units have no cells of their own to tell their noise, the
 *  weights hold as they are; so they do for errors and p-values. Functions are Local. */
#ifndef SCS_LIMIT_H
#define SCS_LIMIT_H

#include "scscreen/screen.h"

/** Put the limits on a shift of gene space; of sources without limits nothing changes.
 *  O(sources n_gene).
 *  @param[in,out] change [n_gene] the plain weighted sum  @return SCS_OK, SCS_ENOMEM */
SCS_MUST_USE scs_status scs_limit_apply(const scs_atlas *atlas, const scs_sources *sources,
                                        double *change);

#endif
