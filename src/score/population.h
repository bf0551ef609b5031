/** Distances between two populations of cells, in a space of a few dimensions.
 *
 *      e_distance       2 d - s_x - s_y, d the mean squared Euclidean distance over pairs of a cell
 *                       of each, s the mean over pairs of two cells of one: E-distance as Peidli et
 *                       al. define it (scPerturb, Nature Methods 2024; sample_correct of their
 *                       package). It estimates 2 |difference of the means|^2 without bias.
 *      energy_distance  the same of Euclidean distances that are not squared (Szekely and Rizzo
 *                       2013), which is 0 for equal distributions only
 *      mmd2             E k(x, x') + E k(y, y') - 2 E k(x, y), k = exp(-|a - b|^2 / h), h the
 * median of |y - y'|^2 over pairs of real cells (Gretton et al. 2012, unbiased)
 *
 *  All three are means over pairs of different cells (U-statistics), so that two samples of one
 *  population are at 0 on average, and can be below. The last two cost n^2 distances: of a
 *  population with more than SCS_POPULATION_MOST cells so many are taken, evenly spread.
 *
 *  All functions are Local.
 */
#ifndef SCS_POPULATION_H
#define SCS_POPULATION_H

#include "scscreen/status.h"

enum { SCS_POPULATION_MOST = 2000 };

/** Cells of a table of coordinates. Borrowed. */
typedef struct scs_population {
    const double *at;    /**< [.., dim] */
    const int64_t *cell; /**< [n] rows of it */
    int64_t n;
} scs_population;

/** NaN below two cells of either; mmd2 also where all real cells stand in one place. */
typedef struct scs_population_distance {
    double e_distance, energy_distance, mmd2;
} scs_population_distance;

/** @param x predicted cells  @param y real cells  @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_population_compare(const scs_population *x, const scs_population *y,
                                               int32_t dim, scs_population_distance *distance);

#endif
