/** The steps of scs_dataset_create that have files of their own: genes.c joins the genes of the
 *  inputs, roles.c says what becomes of each cell. Labels and doses are in dataset.c.
 *
 *  Each fills its own fields of a zeroed dataset, which scs_dataset_destroy frees in any case.
 *  All functions are Local.
 */
#ifndef SCS_DATASET_INTERNAL_H
#define SCS_DATASET_INTERNAL_H

#include "scscreen/dataset.h"

/** The first step: genes, n_gene, gene_of_column, fate and n_dropped_genes, from d->n_input.
 *
 *  A gene is kept where every input has it under its reference name and data.genes lists it; the
 *  order is that of the first input.
 *  @param metas [n_input] borrowed
 *  @return SCS_EDATA: a gene twice in one input, a table or list that names none of the genes, an
 *          empty join; as scs_orthologs_load for tables */
SCS_MUST_USE scs_status scs_genes_join(const scs_config *config, const scs_h5ad *const *metas,
                                       scs_dataset *d);
/** The last step: role and n_unused, and notes of types without controls; from labels and doses.
 *  @return SCS_EDATA as scs_roles_hold_out */
SCS_MUST_USE scs_status scs_roles_assign(const scs_config *config, scs_dataset *d);

#endif
