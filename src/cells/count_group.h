/** The counts of one group's cells, and what predicted cells need of them: library sizes, cells in
 *  the order of these, mean counts per million. All functions are Local.
 *
 *  Library sizes are over the genes of the dataset, so that they are those of the cells that are
 *  written. */
#ifndef SCS_COUNT_GROUP_H
#define SCS_COUNT_GROUP_H

#include "src/data/packed.h"

typedef struct scs_count_group {
    int32_t group;       /**< of the atlas; -1: empty */
    scs_packed x;        /**< [cells, genes] counts as the input has them; owned */
    double *library;     /**< [cells] counts of each cell */
    int32_t *by_library; /**< [cells] cells by ascending library; equal ones by their place */
    int32_t *rank;       /**< [cells] each cell's place in by_library */
    double *cpm;         /**< [genes] mean over cells of counts per million */
} scs_count_group;

/** @param x counts of the group's cells in ascending cell order; taken over, also after a failure
 *  @param[out] to caller clears  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_count_group_make(int32_t group, scs_packed *x, scs_count_group *to);
/** Free all; the group is empty (-1) then. */
void scs_count_group_clear(scs_count_group *group);

/** Sums over one or several groups that a gene's dispersion is estimated from (by moments). */
typedef struct scs_dispersion {
    double *excess, *square; /**< [genes] sum (y - e)^2 - e, and sum e^2; owned by the caller */
} scs_dispersion;

/** Add a group's cells: e is the gene's expectation in a cell of that library. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_count_group_disperse(const scs_count_group *group, scs_dispersion *sum);

#endif
