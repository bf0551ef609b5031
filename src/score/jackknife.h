/** How much of a squared distance between two groups' mean expression is sampling noise.
 *
 *  A group's mean expression is that of its summed counts, with P_g the sum of a gene, T that of
 *  all genes, B = 50,000:
 *
 *      b_g = log1p(B P_g / T)
 *
 *  Its variance, summed over genes, is estimated by leaving out each of the n cells in turn
 *  (Efron and Stein, Annals of Statistics 1981), y_ig being cell i's count and L_i its total:
 *
 *      V_ig = log1p(B (P_g - y_ig) / (T - L_i)) - b_g
 *      C    = max(0, (n - 1) / n sum_g (sum_i V_ig^2 - (sum_i V_ig)^2 / n))
 *
 *  as cell-eval2 0.20.0 has it. V is needed of every cell and gene, but a cell without the gene has
 *  V = log1p(c u_i), c = x / (1 + x), x = B P_g / T, u_i = L_i / (T - L_i): where all u_i are small
 *  its series in c, with the sums of powers of u over the group as coefficients, gives the sum over
 *  all cells at once, and only cells that have the gene are gone through, with
 *
 *      V = log1p(c (u_i - (1 + u_i) y_ig / P_g))
 *
 *  Local; what was made may be read by any thread.
 */
#ifndef SCS_JACKKNIFE_H
#define SCS_JACKKNIFE_H

#include "scscreen/status.h"

/** Powers of u that are summed. */
enum { SCS_JACKKNIFE_POWERS = 9 };

/** A group of cells. */
typedef struct scs_jackknife_group {
    int64_t n;
    double total;                       /**< T */
    double most;                        /**< largest u */
    double power[SCS_JACKKNIFE_POWERS]; /**< sum over cells of u, u^2, ... */
} scs_jackknife_group;

/** Owned. */
typedef struct scs_jackknife {
    int32_t n_group;
    double *u; /**< [cells]; INFINITY for a cell that has all counts of its group */
    scs_jackknife_group *group; /**< [n_group] */
    int64_t *first;             /**< [n_group + 1] into cell */
    int64_t *cell;              /**< cells by group, ascending within each */
} scs_jackknife;

/** @param group_of_cell [n_cell], -1: none  @param total [n_cell] L
 *  @param[out] jackknife caller clears, also after a failure  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_jackknife_make(const int32_t *group_of_cell, const double *total,
                                           int64_t n_cell, int32_t n_group,
                                           scs_jackknife *jackknife);
/** Free all; zeroed is let through. */
void scs_jackknife_clear(scs_jackknife *jackknife);

/** A gene's sums of V and V^2 over a group, as they grow. */
typedef struct scs_jackknife_sum {
    double c;     /**< as above; 0 where no cell of the group has the gene */
    double share; /**< 1 / P_g */
    double v, v_squared;
} scs_jackknife_sum;

/** As if no cell had the gene. @param gene_sum P_g, which does count */
scs_jackknife_sum scs_jackknife_begin(const scs_jackknife *jackknife, int32_t group,
                                      double gene_sum);
/** A cell of the group has it. @param u of the cell  @param count y */
void scs_jackknife_add(scs_jackknife_sum *sum, double u, double count);
/** The gene's part of C, which is the sum of all genes' parts, or 0 where that is negative. */
double scs_jackknife_end(const scs_jackknife *jackknife, int32_t group,
                         const scs_jackknife_sum *sum);

#endif
