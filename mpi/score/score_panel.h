/** A panel's scores: a handful of contrasts, each a pass through the genes and its measuring.
 *
 *  Whose cells these are does not matter: `score` reads them from two files, `validate` makes the
 *  predicted ones. Memory of a rank is its share of the counts, packed, 8 bytes for the total of
 *  each cell, and the levels (src/score/levels.h).
 */
#ifndef SCS_SCORE_PANEL_H
#define SCS_SCORE_PANEL_H

#include "mpi/job/session.h"
#include "src/score/levels.h"
#include "src/score/scorecard.h"

/** All ranks' cells, this rank's genes. Owned. */
typedef struct scs_score_cells {
    int64_t n;
    scs_packed share; /**< [n, genes of this rank] counts */
    int64_t *gene0;   /**< [n_rank + 1] first gene of each rank */
    double *total;    /**< [n] counts of each cell */
    scs_levels levels;
    int32_t *order; /**< [n_gene] place of each gene's name */
} scs_score_cells;

/** What a score is compared with, and how it is made (doc/score.md). */
typedef struct scs_score_how {
    const scs_session *session; /**< whose ranks score, and where warnings go */
    int baseline;               /**< scs_score_baseline */
    int64_t splits, seed;
    double least_cpm;
    int32_t components;
} scs_score_how;

/** From rows to genes. SCS_ENOMEM, SCS_EIO. Collective.
 *  @param genes       their names
 *  @param n_predicted cells [0, n_predicted) of n are predicted, the others real
 *  @param first       this rank's first cell, n rank / n_rank  @param own [x->n_row] their totals
 *  @param[in,out] x   this rank's cells, whole numbers; given up
 *  @param[out] cells  caller clears, also after a failure */
SCS_MUST_USE scs_status scs_score_panel_cells_make(scs_comm *comm, const scs_names *genes,
                                                   int64_t n_predicted, int64_t n, int64_t first,
                                                   const double *own, scs_packed *x,
                                                   scs_score_cells *cells);
/** Free all; zeroed is let through. */
void scs_score_panel_cells_clear(scs_score_cells *cells);
/** SCS_ENOMEM, SCS_EIO, SCS_ENUMERIC. Collective.
 *  @param panel of these cells; borrowed for as long as the card is
 *  @param[out] card values on rank 0; caller clears, also after a failure */
SCS_MUST_USE scs_status scs_score_panel(const scs_score_how *how, const scs_score_cells *cells,
                                        const scs_panel *panel, scs_scorecard *card);

#endif
