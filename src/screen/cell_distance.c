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
#include <string.h>

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

/* Points of which many distances are asked for: their coordinates side by side. Owned. */
typedef struct columns {
    double *x; /* [dim, room], zeros behind the last point */
    int64_t n, room;
} columns;

/* Distances that are made at once; columns have room for whole ones. */
enum { AT_ONCE = 32 };

/* SCS_ENOMEM. @param[out] c the caller frees c->x */
static scs_status turn(const points *p, columns *c)
{
    *c = (columns){.n = p->n, .room = (p->n + AT_ONCE - 1) / AT_ONCE * AT_ONCE};
    SCS_TRY(SCS_ALLOC(c->x, c->room * p->dim));
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t j = 0; j < p->dim; j++)
            c->x[j * c->room + i] = p->x[i * p->dim + j];
    return SCS_OK;
}

/* Squared distances of a point from all columns, each added up in the order of coordinates: the
 * bits of a plain loop on every processor.  @param x [dim]  @param[out] square [c->room] */
SCS_VECTOR_UNFUSED static void squared_distances(const double *x, const columns *c, int32_t dim,
                                                 double *square)
{
    for (int64_t first = 0; first < c->room; first += AT_ONCE) {
        double sum[AT_ONCE] = {0};

        for (int64_t j = 0; j < dim; j++) {
            const double *column = c->x + j * c->room + first;

            for (int k = 0; k < AT_ONCE; k++)
                sum[k] += (x[j] - column[k]) * (x[j] - column[k]);
        }
        memcpy(square + first, sum, sizeof sum);
    }
}

/* Correctly rounded, as sqrt is. */
SCS_VECTOR static void take_roots(const double *square, int64_t n, double *root)
{
#pragma omp simd
    for (int64_t k = 0; k < n; k++)
        root[k] = sqrt(square[k]);
}

/* Mean over pairs of the Euclidean distance and, where gamma > 0, of the kernel. The kernel's
 * within one sample leaves out the pairs of a cell with itself (the U-statistic); distances keep
 * them (the V-statistic), which add 0 to the sum. Pairs are summed row by row: the bits depend on
 * the samples. SCS_ENOMEM.
 *  @param b of the same sample as a where `same` */
static scs_status pair_means(const points *a, const columns *b, bool same, double gamma,
                             double *distance, double *kernel)
{
    double *square = NULL, *root = NULL, distances = 0, kernels = 0;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(square, b->room));
    SCS_GO(st, SCS_ALLOC(root, b->room));
    for (int64_t i = 0; i < a->n; i++) {
        squared_distances(a->x + i * a->dim, b, a->dim, square);
        take_roots(square, b->n, root);
        for (int64_t j = 0; j < b->n; j++)
            distances += root[j];
        for (int64_t j = 0; gamma > 0 && j < b->n; j++)
            if (!same || i != j)
                kernels += exp(-gamma * square[j]);
    }
    *distance = distances / ((double)a->n * (double)b->n);
    *kernel = kernels / ((double)a->n * (double)(same ? b->n - 1 : b->n));
done:
    free(square);
    free(root);
    return st;
}

/* Over pairs of different cells; at least two cells. SCS_ENOMEM. */
static scs_status median_squared_distance(const points *p, const columns *c, double *median)
{
    double *square = NULL, *d = NULL;
    int64_t at = 0;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(square, c->room));
    SCS_GO(st, SCS_ALLOC(d, p->n * (p->n - 1) / 2));
    for (int64_t i = 0; i < p->n; i++) {
        squared_distances(p->x + i * p->dim, c, p->dim, square);
        memcpy(d + at, square + i + 1, sizeof *d * (size_t)(p->n - i - 1));
        at += p->n - i - 1;
    }
    *median = scs_vector_median(d, at);
done:
    free(square);
    free(d);
    return st;
}

/* What y's cells are from each other; the kernel by the median heuristic for gamma, 0 below two
 * cells or where they coincide. */
static scs_status find_spread(const points *y, const columns *across, scs_cell_spread *spread)
{
    double median = 0;

    if (spread->is_known)
        return SCS_OK;
    if (y->n > 1)
        SCS_TRY(median_squared_distance(y, across, &median));
    spread->gamma = median > 0 ? 1 / median : 0;
    SCS_TRY(pair_means(y, across, true, spread->gamma, &spread->distance, &spread->kernel));
    spread->is_known = true;
    return SCS_OK;
}

/* Both samples have cells. */
static scs_status compare(const points *x, const points *y, scs_cell_spread *spread,
                          scs_cell_difference *out)
{
    columns own = {0}, others = {0};
    double distance, kernel, own_distance, own_kernel, gamma;
    scs_status st;

    SCS_GO(st, turn(x, &own));
    SCS_GO(st, turn(y, &others));
    SCS_GO(st, find_spread(y, &others, spread));
    gamma = x->n > 1 ? spread->gamma : 0;
    SCS_GO(st, pair_means(x, &others, false, gamma, &distance, &kernel));
    SCS_GO(st, pair_means(x, &own, true, gamma, &own_distance, &own_kernel));
    out->energy = 2 * distance - own_distance - spread->distance;
    if (gamma > 0)
        out->mmd2 = -(2 * kernel - own_kernel - spread->kernel);
done:
    free(own.x);
    free(others.x);
    return st;
}

/* Of each sample at most MOST_CELLS are taken. */
scs_status scs_cell_distance_compare(const scs_sample *x, const scs_sample *y, int32_t dim,
                                     scs_cell_spread *spread, scs_cell_difference *out)
{
    points p = {0}, q = {0};
    scs_status st;

    *out = (scs_cell_difference){NAN, NAN};
    SCS_GO(st, take_points(x, MOST_CELLS, dim, &p));
    SCS_GO(st, take_points(y, MOST_CELLS, dim, &q));
    if (p.n > 0 && q.n > 0)
        SCS_GO(st, compare(&p, &q, spread, out));
done:
    free(p.x);
    free(q.x);
    return st;
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
                scs_vector_squared_distance(p.x + i * dim, p.x + j * dim, dim);
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
