/** The mean that predicted cells are made to have: the screen's predicted mean, without the noise
 *  of its sources. All functions are Local. */
#ifndef SCS_TARGET_MEAN_H
#define SCS_TARGET_MEAN_H

#include "src/cells/donors.h"
#include "scscreen/screen.h"

/** What a combination's mean is made of; borrowed. */
typedef struct scs_mean_parts {
    const scs_atlas *atlas;
    const scs_sources *sources;
    const scs_donors *donors;
    const float *shift;    /**< [n_gene] predicted - control mean, as the screen has them */
    const float *control;  /**< [n_gene] mean log expression of the cells that are started from */
    const double *cpm;     /**< [n_gene] of these (scs_count_group) */
    const uint8_t *absent; /**< [n_gene] 1: they have no such gene, and get none; NULL: all there */
    const double *const *donor_cpm, *const *donor_control_cpm; /**< [donors->n] [n_gene] of each
                                                                  donor and of its controls; NULL
                                                                  where there are none */
    double total; /**< counts that a cell was scaled to before the logarithm */
} scs_mean_parts;

/** Mean counts per million of the cells of a combination.
 *
 *  Means of log expression overstate a change: what is sampling noise in the sources adds to its
 *  length and moves every gene a little, so that a test finds genes that do not respond. With
 * near_g the sources' own change of gene g and noise_g the variance that sampling their cells gives
 * it,
 *
 *      shift x sqrt(max(0, |near|^2 - sum noise)) / |shift|     its size
 *      shift_g x max(0, 1 - noise_g / near_g^2)                 each gene
 *
 *  A gene that falls keeps at least a quarter of what the donors' own ratio leaves of it: means
 *  that reach 0 would be fold changes without end.
 *
 *  Mean log expression moves by more than mean counts do, in genes of few counts most of all: the
 *  donors show by how much (log ratio of their mean counts, less that of what their mean logarithms
 *  stand for), and half of that, times the same factor of each gene, is taken off; no change turns
 *  round.
 *  @param[out] mean [n_gene] counts per million; sums to what cpm sums to
 *  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_target_mean(const scs_mean_parts *parts, double *mean);

#endif
