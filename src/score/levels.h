/** What a count is worth in its cell: counts per million, its logarithms, and its rank among all.
 *
 *  A cell has few distinct counts, so that each is worked out once and looked up for every gene.
 *  With L the cell's total:
 *
 *      cpm     count / (L / 10^6)
 *      log10k  log1p(10^4 count / L)
 *      logged  log1p(T count / L), T the median total of the cells of its file
 *      rank    place of log1p(cpm) among the distinct ones of all cells, from 0: equal ranks are
 *              ties, and whole numbers are sorted by counting (src/kernels/radix.h)
 *
 *  Small counts lie count by count, cell after cell: what a gene's column is looked up in is then
 *  read from front to back. Ranks are of the counts that these rows have; order and ties among
 *  them do not depend on what other ranks' rows hold.
 *
 *  All functions are Local.
 */
#ifndef SCS_LEVELS_H
#define SCS_LEVELS_H

#include "src/data/packed.h"

/** Counts up to this one, or fewer where there are many cells, are looked up by position. */
enum { SCS_LEVELS_SMALL = 48 };

typedef struct scs_level {
    double cpm, log10k, logged;
    uint32_t rank;
} scs_level;

/** A larger count. */
typedef struct scs_large_level {
    float count;
    scs_level level;
} scs_large_level;

/** Owned. */
typedef struct scs_levels {
    int64_t n_cell;
    int32_t n_small;        /**< counts up to it are small */
    int rank_bits;          /**< bits of the largest rank */
    scs_level *small;       /**< [n_small, n_cell] of counts 1, 2, ... */
    int64_t *first;         /**< [n_cell + 1] into large */
    scs_large_level *large; /**< ascending by count within a cell */
} scs_levels;

/** @param x      [n_cell, any genes] whole numbers > 0; borrowed during the call
 *  @param total  [n_cell] counts of each cell over all genes
 *  @param target [n_cell] T of each cell
 *  @param[out] levels caller clears, also after a failure  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_levels_make(const scs_packed *x, const double *total,
                                        const double *target, scs_levels *levels);
/** Free all; zeroed is let through. */
void scs_levels_clear(scs_levels *levels);
/** Of a large count that the cell has. O(log levels). */
const scs_level *scs_levels_find_large(const scs_levels *levels, int64_t cell, float count);

/** Of a count that the cell has. */
static inline const scs_level *scs_levels_find(const scs_levels *levels, int64_t cell, float count)
{
    if (count <= (float)levels->n_small)
        return levels->small + ((int64_t)count - 1) * levels->n_cell + cell;
    return scs_levels_find_large(levels, cell, count);
}

#endif
