/** The files of a simulated atlas. All functions are Local. */
#ifndef SCS_SIMULATE_ATLAS_H
#define SCS_SIMULATE_ATLAS_H

#include "src/simulate_model.h"

/** DIR/SPECIES.h5ad: raw counts of every cell of a species, groups in order of type and condition;
 * rows go out in blocks.
 *  @param[out] n_value counts that are not 0 */
SCS_MUST_USE scs_status scs_sim_write_counts(const scs_sim *sim, int32_t species, const char *path,
                                             int64_t *n_value);
/** DIR/SPECIES.orthologs.tsv: gene_a (own), gene_b (reference), type. Every reference gene has one
 * one-to-one row; the rest of the genes have none, but for two that a reader must drop: both go to
 * the same reference gene (ortholog_one2many). */
SCS_MUST_USE scs_status scs_sim_write_orthologs(const scs_sim *sim, int32_t species,
                                                const char *path);
/** DIR/truth.h5ad. One row per (species, type, perturbation), reference genes.
 *
 *  X = expected log1p(target * count / total of the cell) of a perturbed cell minus that of a
 * control cell, over the distribution of library sizes and counts (src/simulate_expectation.h):
 * what a screen's layers/shift estimates. Layers `control` and `mean` are the two expectations,
 * `log_fold_change` the change of the model's log mean (before shares are normalised).
 *  @param target  counts per cell after normalisation; 0 = the median library size */
SCS_MUST_USE scs_status scs_sim_write_truth(const scs_sim *sim, double target, const char *path);

/** Names of all cell types; of labels from `first` on. */
SCS_MUST_USE scs_status scs_sim_type_names(const scs_sim *sim, scs_names *names);
SCS_MUST_USE scs_status scs_sim_label_names(const scs_sim *sim, int32_t first, scs_names *names);
/** Names of the first n genes of a species' file. */
SCS_MUST_USE scs_status scs_sim_gene_names(const scs_sim *sim, int32_t species, int32_t n,
                                           scs_names *names);

#endif
