/** Distances between two samples of cells. All functions are Local.
 *
 *  Of a sample with more than 1,000 cells 1,000 are taken, evenly spread. */
#ifndef SCS_CELL_DISTANCE_H
#define SCS_CELL_DISTANCE_H

#include "scscreen/real.h"
#include "scscreen/status.h"

/** Cells [n, dim]; each is moved by `delta`. */
typedef struct scs_sample {
    const scs_real *cell;
    int64_t n;
    const double *delta; /**< [dim] or NULL */
} scs_sample;

/** Szekely and Rizzo's energy distance with Euclidean norms, V-statistic:
 *  2 E|X - Y| - E|X - X'| - E|Y - Y'|, pairs of a cell with itself included. NaN for an empty
 * sample. */
SCS_MUST_USE scs_status scs_energy_distance(const scs_sample *x, const scs_sample *y, int32_t dim,
                                            double *distance);
/** The same of a sample and itself before it was moved, over at most 256 cells. */
SCS_MUST_USE scs_status scs_moved_energy(const scs_sample *moved, int32_t dim, double *distance);
/** Gretton's unbiased estimate (U-statistic) of the squared maximum mean discrepancy with the
 * kernel exp(-gamma |x - y|^2), gamma = 1 / median of |y - y'|^2 over pairs of y. NaN below two
 * cells or where y's cells coincide. */
SCS_MUST_USE scs_status scs_mmd2(const scs_sample *x, const scs_sample *y, int32_t dim,
                                 double *mmd2);

#endif
