/** Rows in the order of one of their numbers. All functions are Local. */
#ifndef SCS_RANKING_H
#define SCS_RANKING_H

#include "scscreen/result.h"

/** Borrowed. */
typedef struct scs_ranking {
    const scs_atlas *atlas;
    const scs_plan *plan;
    const double *delta_norm;         /**< [plan->n] */
    const scs_confidence *confidence; /**< [plan->n] */
    const scs_scores *score;          /**< [plan->n] */
    int by;                           /**< scs_rank_by, not none */
} scs_ranking;

/** Rows, best first: the smallest p_value and q_value, the largest of the others; rows without the
 * number last, equals in the plan's order. @param[out] order [plan->n] */
SCS_MUST_USE scs_status scs_ranking_order(const scs_ranking *ranking, int64_t *order);
/** A TSV: a line of titles, then the first n rows. Numbers that are NaN are empty. */
void scs_ranking_write(const scs_ranking *ranking, const int64_t *order, int64_t n, FILE *out);
/** The first n rows as a table for the terminal. */
void scs_ranking_print(const scs_ranking *ranking, const int64_t *order, int64_t n, FILE *out);

#endif
