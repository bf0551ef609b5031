/** Differentially expressed genes of one perturbation, and how those of a prediction agree with the
 *  real ones.
 *
 *  A gene is tested where the controls have more than a number of counts per million (5, as in the
 *  2026 Virtual Cell Challenge; negative: every gene). q is p by Benjamini and Hochberg (1995)
 *  over the genes tested, lfc = log2((mean CPM + 1e-9) / (mean CPM of the controls + 1e-9)), and a
 *  gene is significant where q < 0.05. The perturbation's own gene, where the panel has one of its
 *  name, is left out of every comparison. The measures are cell-eval2 0.20.0's:
 *
 *      jaccard   |R and P| / |R or P| of significant genes; 1 where both sets are empty
 *      fidelity  k / max(n_P, n_R): n_P significant predicted genes whose real lfc is not 0, of
 *                these k with the real sign, n_R significant real genes
 *                (de_wilcoxon_direction_fidelity_yield_raw)
 *      reach     of the real significant genes in the prediction's order (significant first, q, p,
 *                |lfc|, name), the longest beginning with at least 9 in 10 of the right sign, as a
 *                share of n_R (de_wilcoxon_direction_reach_raw)
 *      nmae      sum |lfc - real lfc| / sum |real lfc| over significant real genes, a prediction
 *                without the gene counting as 0 (de_wilcoxon_lfc_nmae); NaN for fewer than 10
 *
 *      top_100   of the 100 tested genes that change most surely (smallest p, largest |lfc|, lower
 *                number; all where there are fewer) the share that is among the prediction's
 *
 *  and the differential expression score of the 2025 challenge (overlap_at_N in cell-eval): the k
 *  significant real genes against the k significant predicted ones of largest |lfc|, shared / k,
 * lfc of geometric means, all genes tested.
 *
 *  All functions are Local.
 */
#ifndef SCS_DEG_SET_H
#define SCS_DEG_SET_H

#include "scscreen/status.h"

#include <stdbool.h>

/** Owned. */
typedef struct scs_deg_set {
    int32_t n_gene, n_significant;
    const double *p; /**< [n_gene] borrowed */
    double *q;       /**< [n_gene] NaN: not tested */
    double *lfc;     /**< [n_gene] log2 */
    bool *significant;
} scs_deg_set;

/** @param p, cpm, control_cpm [n_gene]; p is borrowed for as long as the set is
 *  @param least counts per million of the controls; negative: every gene
 *  @param target the perturbation's own gene, which is never significant, or -1
 *  @param[out] set caller clears, also after a failure  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_deg_set_make(const double *p, const double *cpm,
                                         const double *control_cpm, int32_t n_gene, double least,
                                         int32_t target, scs_deg_set *set);
/** The same of log1p means, for the 2025 score: lfc = log2(expm1(mean) / expm1(control mean)), 0
 *  where both are 0; no gene is left out.
 *  @param mean, control_mean [n_gene] of log1p */
SCS_MUST_USE scs_status scs_deg_set_make_geometric(const double *p, const double *mean,
                                                   const double *control_mean, int32_t n_gene,
                                                   scs_deg_set *set);
/** Free what it owns, p is the caller's. Zeroed is let through. */
void scs_deg_set_clear(scs_deg_set *set);

/** As above, in [0, 1]. The two sets are over the same genes, here and below. O(n_gene). */
double scs_deg_set_jaccard(const scs_deg_set *predicted, const scs_deg_set *real);
/** As above, in [0, 1]; NaN where no gene counts on either side. O(n_gene). */
double scs_deg_set_fidelity(const scs_deg_set *predicted, const scs_deg_set *real);
/** @param order [n_gene] place of each gene's name among all, by bytes
 *  @param[out] reach NaN without significant real genes  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_deg_set_reach(const scs_deg_set *predicted, const scs_deg_set *real,
                                          const int32_t *order, double *reach);
/** @param gate whose significant genes and lfc count: the real set itself, or that of the whole
 *              experiment where two halves are compared */
double scs_deg_set_nmae(const scs_deg_set *predicted, const scs_deg_set *real,
                        const scs_deg_set *gate);
/** SCS_ENOMEM.
 *  @param target the perturbation's own gene, which is left out, or -1
 *  @param[out] share NaN where no gene is tested */
SCS_MUST_USE scs_status scs_deg_set_top(const scs_deg_set *predicted, const scs_deg_set *real,
                                        int32_t target, double *share);
/** Of two sets by scs_deg_set_make_geometric. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_deg_set_overlap(const scs_deg_set *predicted, const scs_deg_set *real,
                                            double *overlap);

#endif
