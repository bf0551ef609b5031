/** Distances between two samples of cells, as samples of distributions. All functions are Local.
 *
 *      energy   2 E|X - Y| - E|X - X'| - E|Y - Y'|            Szekely and Rizzo, Euclidean norms
 *      MMD^2    E k(X, X') + E k(Y, Y') - 2 E k(X, Y)         Gretton et al., k an RBF kernel
 *
 *  Both cost n^2 distances, so that of a sample with more than 1,000 cells 1,000 are taken, evenly
 *  spread: the same ones every time.
 */
#ifndef SCS_CELL_DISTANCE_H
#define SCS_CELL_DISTANCE_H

#include "scscreen/status.h"

#include <stdbool.h>

/** Cells [n, dim]; each is shifted by `delta`. */
typedef struct scs_sample {
    const scs_real *cell;
    int64_t n;
    const double *delta; /**< [dim] or NULL */
} scs_sample;

/** How far a sample's cells are from each other: what all comparisons with it have in common. A
 * zeroed struct knows nothing yet. */
typedef struct scs_cell_spread {
    bool is_known;
    double distance; /**< mean, pairs of a cell with itself included */
    double gamma;    /**< 1 / median of |y - y'|^2; 0 below two cells or where all coincide */
    double kernel;   /**< mean of exp(-gamma |y - y'|^2) over pairs of different cells */
} scs_cell_spread;

/** How two samples differ. */
typedef struct scs_cell_difference {
    double energy; /**< V-statistic: pairs of a cell with itself included. NaN for an empty
                      sample */
    double mmd2;   /**< U-statistic, gamma = 1 / median of |y - y'|^2 over pairs of y. NaN below two
                      cells of either or where y's coincide */
} scs_cell_difference;

/** Both distances of x from y. O(n^2 dim), and O(n^2) exponentials. SCS_ENOMEM.
 *  @param[in,out] spread of y, found where it is not known yet */
SCS_MUST_USE scs_status scs_cell_distance_compare(const scs_sample *x, const scs_sample *y,
                                                  int32_t dim, scs_cell_spread *spread,
                                                  scs_cell_difference *out);

/** Cells whose distance from themselves, shifted, is asked for many times: their own distances are
 * computed once. At most 256 of them are taken. */
typedef struct scs_shifted_cells {
    int64_t n;
    int32_t dim;
    double *x;      /**< [n, dim] */
    double *square; /**< [n, n] squared distances */
    double apart;   /**< mean distance over all pairs */
} scs_shifted_cells;

/** Clear it even after a failure. @param x its delta is not looked at */
SCS_MUST_USE scs_status scs_cell_distance_shifted_make(const scs_sample *x, int32_t dim,
                                                       scs_shifted_cells *cells);
/** Free all; zeroed is let through. */
void scs_cell_distance_shifted_clear(scs_shifted_cells *cells);
/** The energy distance of the cells and the cells shifted by delta. @param along [cells->n]
 * scratch
 */
double scs_cell_distance_shifted_energy(const scs_shifted_cells *cells, const double *delta,
                                        double *along);

enum { SCS_MOST_SHIFTED = 256 }; /**< most cells of scs_shifted_cells */

#endif
