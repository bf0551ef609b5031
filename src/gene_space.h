/** Vector arithmetic on the groups' mean expression, without any network: the baselines. Local. */
#ifndef SCS_GENE_SPACE_H
#define SCS_GENE_SPACE_H

#include "scscreen/screen.h"

/** An atlas whose latent space is gene space: mean = gene_mean. All else is borrowed from `atlas`,
 * which must outlive it; scs_gene_space_clear frees what is its own. scs_shift works on it. */
SCS_MUST_USE scs_status scs_gene_space_view(const scs_atlas *atlas, scs_atlas *view);
void scs_gene_space_clear(scs_atlas *view);

/** Control mean + shift, clipped at 0. Every cell moves by the same vector, so the variance is that
 * of the control cells.
 *  @param delta [n_gene], or NULL: no change */
void scs_gene_space_predict(const scs_atlas *atlas, const scs_combination *target,
                            const double *delta, scs_prediction *out);

#endif
