/** Rows for readers: ranked by one of their numbers (ranking.tsv, and the first of them on the
 *  terminal). All functions are Local. The table of held-out rows, scs_ranking_table, is declared
 *  in scscreen/result.h.
 */
#ifndef SCS_RANKING_H
#define SCS_RANKING_H

#include "scscreen/result.h"

/** Rows of a finished screen, and what they are ranked by; borrowed. */
typedef struct scs_ranking {
    const scs_atlas *atlas;
    const scs_plan *plan;
    const double *delta_norm;         /**< [plan->n] */
    const scs_confidence *confidence; /**< [plan->n] */
    const scs_scores *score;          /**< [plan->n] */
    int by;                           /**< scs_rank_by, not none */
    int64_t permutations;             /**< that p-values rest on; 0: there are none */
} scs_ranking;

/** Rows, best first: the smallest p_value and q_value, the largest of the others; of equals the
 *  longer shift, then the plan's order. Behind them rows without the number, then those that are
 *  predicted from their own cells, which test nothing, then those without a prediction.
 *  @param[out] order [plan->n] row numbers, of the caller  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_ranking_order(const scs_ranking *ranking, int64_t *order);
/** A TSV: a line of titles, then the first n rows. Numbers that are NaN are empty. Errors of
 *  writing stay with `out` (ferror). */
void scs_ranking_write(const scs_ranking *ranking, const int64_t *order, int64_t n, FILE *out);
/** The first n rows as a table for the terminal: the number ranked by, and three that say most;
 *  where there are p-values, how small they can be. */
void scs_ranking_print(const scs_ranking *ranking, const int64_t *order, int64_t n, FILE *out);
/** The smallest p-value of so many permutations, 1 / (n + 1); NaN of none. */
double scs_ranking_floor(int64_t permutations);
/** Rows whose shift comes from the very cells that they predict (SCS_SOURCE_SELF). */
int64_t scs_ranking_count_self(const scs_plan *plan);

#endif
