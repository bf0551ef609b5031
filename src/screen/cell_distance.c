/* Energy distance and maximum mean discrepancy of two samples of cells. All functions are Local.
 *
 * Where one sample is the other shifted by delta (a predicted and a control population), squared
 * distances are |x_i - x_j|^2 + 2 delta'(x_j - x_i) + |delta|^2, and both samples have the same
 * spread: with |x_i - x_j|^2 kept, a shift costs n^2 square roots and no pass over the
 * dimensions. That is what lets every row of a screen have its energy distance.
 *
 * Both are for whole distributions and not for means: a prediction with the right mean and the
 * wrong spread shows here alone.
 */
#include "src/screen/cell_distance.h"

#include "src/base/simd.h"
#include "src/base/vector.h"
#include "scscreen/status.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MOST_CELLS = 1000 }; /* of a sample */

/* Shifted cells as doubles; owned. */
typedef struct points {
    double *x; /* [n, dim] */
    int64_t n;
    int32_t dim;
} points;

/* At most `most` cells, evenly picked, shifted. SCS_ENOMEM. @param[out] p the caller frees p->x */
static scs_status take_points(const scs_sample *s, int64_t most, int32_t dim, points *p)
{
    *p = (points){.n = s->n < most ? s->n : most, .dim = dim};
    SCS_TRY(SCS_ALLOC(p->x, p->n * dim));
    for (int64_t i = 0; i < p->n; i++)
        for (int32_t j = 0; j < dim; j++)
            p->x[i * dim + j] =
                (double)s->cell[i * s->n / p->n * dim + j] + (s->delta ? s->delta[j] : 0);
    return SCS_OK;
}

/* Of two points, in double. */
static double squared_distance(const points *a, int64_t i, const points *b, int64_t j)
{
    return scs_vector_squared_distance(a->x + i * a->dim, b->x + j * b->dim, a->dim);
}

/* Mean over pairs of the Euclidean distance, or of the kernel where gamma > 0. A kernel mean
 * within one sample leaves out the pairs of a cell with itself (the U-statistic); distances
 * keep them (the V-statistic), which add 0 to the sum. Pairs are summed row by row: the bits
 * depend on the samples. */
static double pair_mean(const points *a, const points *b, double gamma)
{
    bool skip = a == b && gamma > 0;
    double sum = 0, pairs = (double)a->n * (double)(skip ? b->n - 1 : b->n);

    for (int64_t i = 0; i < a->n; i++)
        for (int64_t j = 0; j < b->n; j++) {
            double d = squared_distance(a, i, b, j);

            if (!skip || i != j)
                sum += gamma > 0 ? exp(-gamma * d) : sqrt(d);
        }
    return sum / pairs;
}

/* Over pairs of different cells; at least two cells. SCS_ENOMEM. */
static scs_status median_squared_distance(const points *p, double *median)
{
    int64_t n = p->n * (p->n - 1) / 2, at = 0;
    double *d;

    SCS_TRY(SCS_ALLOC(d, n));
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t j = i + 1; j < p->n; j++)
            d[at++] = squared_distance(p, i, p, j);
    *median = scs_vector_median(d, n);
    free(d);
    return SCS_OK;
}

/* 2 E f(x, y) - E f(x, x') - E f(y, y') */
static double contrast(const points *x, const points *y, double gamma)
{
    return 2 * pair_mean(x, y, gamma) - pair_mean(x, x, gamma) - pair_mean(y, y, gamma);
}

/* MMD^2, by the median heuristic for gamma; NaN below two cells or where y's cells coincide. */
static scs_status kernel_contrast(const points *x, const points *y, double *out)
{
    double median = 0;

    *out = NAN;
    if (x->n < 2 || y->n < 2)
        return SCS_OK;
    SCS_TRY(median_squared_distance(y, &median));
    if (median > 0)
        *out = -contrast(x, y, 1 / median);
    return SCS_OK;
}

/* Takes the points of both samples, at most MOST_CELLS. @param kernel MMD^2, else the energy
 * distance */
static scs_status compare(const scs_sample *x, const scs_sample *y, int32_t dim, bool kernel,
                          double *out)
{
    points p = {0}, q = {0};
    scs_status st;

    *out = NAN;
    SCS_GO(st, take_points(x, MOST_CELLS, dim, &p));
    SCS_GO(st, take_points(y, MOST_CELLS, dim, &q));
    if (kernel)
        SCS_GO(st, kernel_contrast(&p, &q, out));
    else if (p.n > 0 && q.n > 0)
        *out = contrast(&p, &q, 0);
done:
    free(p.x);
    free(q.x);
    return st;
}

scs_status scs_cell_distance_energy(const scs_sample *x, const scs_sample *y, int32_t dim,
                                    double *distance)
{
    return compare(x, y, dim, false, distance);
}

/* O(n^2 dim), once for the control cells of a type. On failure the caller still clears. */
scs_status scs_cell_distance_shifted_make(const scs_sample *x, int32_t dim,
                                          scs_shifted_cells *cells)
{
    const scs_sample unshifted = {x->cell, x->n, NULL};
    points p;

    *cells = (scs_shifted_cells){.dim = dim};
    SCS_TRY(take_points(&unshifted, SCS_MOST_SHIFTED, dim, &p));
    cells->x = p.x;
    cells->n = p.n;
    SCS_TRY(SCS_ALLOC(cells->square, p.n * p.n));
    for (int64_t i = 0; i < p.n; i++)
        for (int64_t j = 0; j < i; j++)
            cells->square[i * p.n + j] = cells->square[j * p.n + i] =
                squared_distance(&p, i, &p, j);
    for (int64_t i = 0; i < p.n * p.n; i++)
        cells->apart += sqrt(cells->square[i]) / (double)(p.n * p.n);
    return SCS_OK;
}

void scs_cell_distance_shifted_clear(scs_shifted_cells *cells)
{
    free(cells->x);
    free(cells->square);
    *cells = (scs_shifted_cells){0};
}

/* Sum of |x_i - x_j - delta| over j: the square is |x_i - x_j|^2 - 2 delta (x_i - x_j) + |delta|^2,
 * which rounding may leave below 0. @param along [n] delta x_j */
SCS_VECTOR static double sum_row(const double *square, const double *along, double own,
                                 double length, int64_t n)
{
    double sum = 0;

#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < n; j++) {
        double d = square[j] + 2 * (along[j] - own) + length;

        sum += sqrt(d > 0 ? d : 0);
    }
    return sum;
}

/* 2 E|X - Y| - 2 E|X - X'|: both samples have the same spread, so that one of the two is
 * enough. 0 for no shift at all, where rounding would leave a little. */
double scs_cell_distance_shifted_energy(const scs_shifted_cells *cells, const double *delta,
                                        double *along)
{
    double length = scs_vector_dot(delta, delta, cells->dim), sum = 0;
    double pairs = (double)cells->n * (double)cells->n;

    if (cells->n == 0)
        return NAN;
    for (int64_t i = 0; i < cells->n; i++)
        along[i] = scs_vector_dot(delta, cells->x + i * cells->dim, cells->dim);
    if (!(length > 0))
        return 0;
    for (int64_t i = 0; i < cells->n; i++)
        sum += sum_row(cells->square + i * cells->n, along, along[i], length, cells->n);
    return 2 * (sum / pairs - cells->apart);
}

scs_status scs_cell_distance_mmd2(const scs_sample *x, const scs_sample *y, int32_t dim,
                                  double *mmd2)
{
    return compare(x, y, dim, true, mmd2);
}
