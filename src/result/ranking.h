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
} scs_ranking;

/** Rows, best first: the smallest p_value and q_value, the largest of the others; rows without
 *  the number last, equals in the plan's order.
 *  @param[out] order [plan->n] row numbers, of the caller  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_ranking_order(const scs_ranking *ranking, int64_t *order);
/** A TSV: a line of titles, then the first n rows. Numbers that are NaN are empty. Errors of
 *  writing stay with `out` (ferror). */
void scs_ranking_write(const scs_ranking *ranking, const int64_t *order, int64_t n, FILE *out);
/** The first n rows as a table for the terminal: the number ranked by, and three that say most. */
void scs_ranking_print(const scs_ranking *ranking, const int64_t *order, int64_t n, FILE *out);

#endif
