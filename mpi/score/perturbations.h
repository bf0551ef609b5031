/** The second half of a contrast: each rank has some perturbations with all genes, and measures
 *  them.
 *
 *  Numbers of genes come as each rank made them, some genes of all groups; rows of whole groups go
 *  to the rank that measures the perturbation. Mean expression goes to all, as perturbations are
 *  ranked among all of them.
 */
#ifndef SCS_PERTURBATIONS_H
#define SCS_PERTURBATIONS_H

#include "scscreen/comm.h"
#include "src/score/deg_set.h"
#include "src/score/gene_stats.h"
#include "src/score/scorecard.h"

/** What measuring needs besides the numbers. */
typedef struct scs_measuring {
    scs_comm *comm;
    const scs_panel *panel;
    const int64_t *gene0; /**< [n_rank + 1] genes of each rank */
    const int32_t *order; /**< [n_gene] place of each gene's name */
    double least_cpm;     /**< of the controls, for a gene to be tested */
    const double *at;     /**< [cells, dim] coordinates; NULL: populations are not compared */
    int32_t dim;
} scs_measuring;

/** The real differentially expressed genes of the perturbations that this rank measures. Owned. */
typedef struct scs_own_degs {
    int32_t first, n; /**< perturbations [first, first + n) */
    scs_deg_set *set; /**< [n]; p is not kept */
} scs_own_degs;

/** Free the sets; zeroed is let through. Local. */
void scs_perturbations_clear(scs_own_degs *degs);
/** Measure all perturbations of a contrast. SCS_ENOMEM, SCS_EIO. Collective.
 *  @param stats       of the genes of this rank; its sums of counts become mean expression
 *  @param gate        whose significant genes nmae goes by: the whole experiment's, where the real
 *                     side is a half of it; NULL: the real side's own
 *  @param[out] degs   the real side's, where they are wanted (NULL: no); caller clears
 *  @param[out] value  [perturbations, SCS_N_CARD] on rank 0 */
SCS_MUST_USE scs_status scs_perturbations_measure(const scs_measuring *m,
                                                  const scs_contrast *contrast,
                                                  scs_gene_stats *stats, const scs_own_degs *gate,
                                                  scs_own_degs *degs, double *value);

#endif
