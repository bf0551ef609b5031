/** A pass through the genes: numbers of every gene and group of a contrast.
 *
 *  Rows are cells, and are turned over a block of genes at a time, so that the cells never stand in
 *  memory twice. For each gene its values are looked up in their cells' levels, sorted, and walked
 *  once for all groups (src/score/rank_sum.h). A gene belongs to one thread, and its sums run over
 *  the cells in the order of their numbers: they have the same bits on any number of ranks and
 *  threads.
 *
 *  Local.
 */
#ifndef SCS_GENE_STATS_H
#define SCS_GENE_STATS_H

#include "src/score/contrast.h"
#include "src/score/levels.h"

/** Numbers of a gene in a group of cells. */
enum scs_gene_stat {
    SCS_STAT_SUM,      /**< counts */
    SCS_STAT_CPM,      /**< mean of counts per million */
    SCS_STAT_P,        /**< of the rank-sum test against the contrast's controls */
    SCS_STAT_OWN_P,    /**< the same against the side's own controls, where it has any */
    SCS_STAT_MEAN,     /**< of log1p(counts per 10,000) */
    SCS_STAT_VARIANCE, /**< likewise, over n */
    SCS_STAT_LOGGED,   /**< mean of log1p of counts brought to the file's median total */
    SCS_STAT_NOISE,    /**< its part of the correction of src/score/jackknife.h */
    SCS_N_STAT
};

/** Owned. */
typedef struct scs_gene_stats {
    int32_t n;                 /**< perturbations; group n is the control */
    int32_t n_gene;            /**< of the rows that were passed through */
    double *value[SCS_N_SIDE]; /**< [SCS_N_STAT, n + 1, n_gene]; 0 for a group without cells */
} scs_gene_stats;

/** Where a stat's row of a group begins: [n_gene]. */
static inline double *scs_gene_stats_row(const scs_gene_stats *stats, int side, int stat,
                                         int32_t group)
{
    return stats->value[side] + ((int64_t)stat * (stats->n + 1) + group) * stats->n_gene;
}

/** @param x      [contrast->n_cell, genes] counts; borrowed
 *  @param levels of x  @param total [n_cell] counts of each cell over all genes
 *  @param[out] stats caller clears, also after a failure  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_gene_stats_make(const scs_contrast *contrast, const scs_packed *x,
                                            const scs_levels *levels, const double *total,
                                            scs_gene_stats *stats);
/** Free both sides; zeroed is let through. */
void scs_gene_stats_clear(scs_gene_stats *stats);

#endif
