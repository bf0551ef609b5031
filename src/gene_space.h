/** Vector arithmetic on the groups' mean expression, without any network: the baselines. Local. */
#ifndef SCS_GENE_SPACE_H
#define SCS_GENE_SPACE_H

#include "scscreen/screen.h"

/** An atlas whose latent space is gene space: mean = gene_mean, so that scs_sources_find measures
 * closeness in gene space. All else is borrowed from `atlas`, which must outlive it;
 * scs_gene_space_clear frees what is its own. */
SCS_MUST_USE scs_status scs_gene_space_view(const scs_atlas *atlas, scs_atlas *view);
void scs_gene_space_clear(scs_atlas *view);

/** Control + the sources' own change, clipped at 0: means, and variances likewise.
 *  @param sources of the target, or NULL: no change  @param change [n_gene] scratch */
void scs_gene_space_predict(const scs_atlas *atlas, const scs_combination *target,
                            const scs_sources *sources, double *change, scs_prediction *out);

#endif
