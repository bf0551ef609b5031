/** What a repeat of the experiment would score: half of a combination's real cells predict the
 * other half. All functions are Local.
 *
 *  The cells of every group, controls included, are split at random into two halves of floor(n / 2)
 *  cells; one half's mean, and its change from its own half of the controls, are scored as a
 *  prediction of the other half (whose controls, DEGs and other perturbations are its own half's
 *  too), and the other way round; mean over SCS_REPLICATE_SPLITS splits. This is the replicate of
 * the Virtual Cell Challenge 2026 (cell-eval2). Halves are noisier than all cells: a prediction
 * from many cells can score better than 1 on the scale from the best baseline to it.
 *
 *  A split is a view of the dataset in which each half is a species of its own, so that group
 *  statistics of halves are made by what makes those of groups. */
#ifndef SCS_REPLICATE_H
#define SCS_REPLICATE_H

#include "scscreen/screen.h"

enum { SCS_REPLICATE_SPLITS = 5 };

/** The dataset with every group split in two: species s becomes s and s + n_species; a cell that is
 *  left over is unused. A function of (seed, split, cell) for each cell, whatever ranks there are.
 *  @param atlas of the dataset  @param dataset borrowed: all but species and roles is shared with
 * it
 *  @param[out] half cleared by scs_replicate_clear, never by scs_dataset_destroy
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_replicate_split(const scs_atlas *atlas, const scs_dataset *dataset,
                                            int64_t seed, int32_t split, scs_dataset *half);
/** Frees what is the view's own. */
void scs_replicate_clear(scs_dataset *half);
/** Score both halves of a combination by each other; undefined measures add nothing.
 *  @param halves atlas of a split's view  @param n_species of the dataset itself
 *  @param[in,out] sum, n [SCS_N_MEASURE] sums of defined values, and how many
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_replicate_measure(const scs_atlas *halves, int32_t n_species,
                                              const scs_combination *target, double *sum,
                                              int64_t *n);

#endif
