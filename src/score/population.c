/* Squared distances of one cell to all of a population are made together, dimension after
 * dimension: each is the same sum, in the same order, however many are made at once.
 *
 * The squared one needs no pairs: mean squared distances follow from means and variances in
 * O((n + m) dim). The others are O(n m dim) with n, m <= 2,000, and the median of the kernel's
 * width holds n (n - 1) / 2 numbers: 16 MiB. One population is compared by one thread, and other
 * threads compare others, so that sums have one order. */
#include "src/score/population.h"

#include "src/base/simd.h"
#include "src/base/vector.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* At most SCS_POPULATION_MOST cells, dimension after dimension. */
typedef struct points {
    int64_t n;
    int32_t dim;
    double *x; /* [dim, n] owned */
} points;

/* Evenly over the population, as it lies: every (n / most)th cell, the same ones each time. Laid
 * out by dimension, so that the inner loop runs over cells that stand side by side. */
static scs_status take_points(const scs_population *p, int32_t dim, points *taken)
{
    *taken = (points){.n = p->n < SCS_POPULATION_MOST ? p->n : SCS_POPULATION_MOST, .dim = dim};
    SCS_TRY(SCS_ALLOC(taken->x, taken->n * dim));
    for (int64_t i = 0; i < taken->n; i++)
        for (int32_t d = 0; d < dim; d++)
            taken->x[d * taken->n + i] = p->at[p->cell[i * p->n / taken->n] * dim + d];
    return SCS_OK;
}

/* ---- the squared one, from means and variances ---- */

/* Means, and the sum of the variances (ddof 1) over dimensions. @param mean [dim] zeroed */
static double spread(const scs_population *p, int32_t dim, double *mean)
{
    double square = 0;

    for (int64_t i = 0; i < p->n; i++)
        for (int32_t d = 0; d < dim; d++)
            mean[d] += p->at[p->cell[i] * dim + d] / (double)p->n;
    for (int64_t i = 0; i < p->n; i++)
        for (int32_t d = 0; d < dim; d++) {
            double x = p->at[p->cell[i] * dim + d] - mean[d];

            square += x * x;
        }
    return square / (double)(p->n - 1);
}

/* With v the sum of variances: d = |difference|^2 + v_x (n - 1) / n + v_y (m - 1) / m, s = 2 v. */
static scs_status squared(const scs_population *x, const scs_population *y, int32_t dim,
                          double *distance)
{
    double *mean_x = NULL, *mean_y = NULL, of_x, of_y;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(mean_x, dim));
    SCS_GO(st, SCS_ALLOC(mean_y, dim));
    of_x = spread(x, dim, mean_x);
    of_y = spread(y, dim, mean_y);
    *distance = 2 * (scs_vector_squared_distance(mean_x, mean_y, dim) - of_x / (double)x->n -
                     of_y / (double)y->n);
done:
    free(mean_x);
    free(mean_y);
    return st;
}

/* ---- over pairs ---- */

/* From point i of a to points [first, b->n). @param square [b->n] */
SCS_VECTOR static void from_one(const points *a, int64_t i, const points *b, int64_t first,
                                double *square)
{
    for (int64_t j = first; j < b->n; j++)
        square[j] = 0;
    for (int32_t d = 0; d < a->dim; d++) {
        double at = a->x[d * a->n + i];
        const double *x = b->x + d * b->n;

#pragma omp simd
        for (int64_t j = first; j < b->n; j++)
            square[j] += (x[j] - at) * (x[j] - at);
    }
}

typedef struct means {
    double distance, kernel;
} means;

/* Means over pairs of a and b, of two different ones where a is b. @param gamma 1 / h, 0: no kernel
 * @param square [b->n] scratch */
static means over_pairs(const points *a, const points *b, double gamma, double *square)
{
    bool within = a == b;
    double pairs = within ? (double)a->n * (double)(a->n - 1) / 2 : (double)a->n * (double)b->n;
    means m = {0};

    for (int64_t i = 0; i < a->n; i++) {
        int64_t first = within ? i + 1 : 0;

        from_one(a, i, b, first, square);
        for (int64_t j = first; j < b->n; j++)
            m.distance += sqrt(square[j]);
        for (int64_t j = first; gamma > 0 && j < b->n; j++)
            m.kernel += exp(-gamma * square[j]);
    }
    m.distance /= pairs;
    m.kernel = gamma > 0 ? m.kernel / pairs : NAN;
    return m;
}

/* Of squared distances over pairs of different points. */
static scs_status median(const points *y, double *h)
{
    double *all, *square = NULL;
    int64_t at = 0;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(all, y->n * (y->n - 1) / 2));
    SCS_GO(st, SCS_ALLOC(square, y->n));
    for (int64_t i = 0; i < y->n; i++) {
        from_one(y, i, y, i + 1, square);
        for (int64_t j = i + 1; j < y->n; j++)
            all[at++] = square[j];
    }
    *h = scs_vector_median(all, at);
done:
    free(all);
    free(square);
    return st;
}

/* The kernel's width is of the real cells alone: with the predicted ones in it, a prediction would
 * choose the ruler that it is measured with. */
scs_status scs_population_compare(const scs_population *x, const scs_population *y, int32_t dim,
                                  scs_population_distance *distance)
{
    points of_x = {0}, of_y = {0};
    double *square = NULL, h = 0, gamma;
    means xx, yy, xy;
    scs_status st;

    *distance = (scs_population_distance){NAN, NAN, NAN};
    if (x->n < 2 || y->n < 2)
        return SCS_OK;
    SCS_TRY(squared(x, y, dim, &distance->e_distance));
    SCS_GO(st, take_points(x, dim, &of_x));
    SCS_GO(st, take_points(y, dim, &of_y));
    SCS_GO(st, median(&of_y, &h));
    gamma = h > 0 ? 1 / h : 0;
    SCS_GO(st, SCS_ALLOC(square, of_x.n > of_y.n ? of_x.n : of_y.n));
    xx = over_pairs(&of_x, &of_x, gamma, square);
    yy = over_pairs(&of_y, &of_y, gamma, square);
    xy = over_pairs(&of_x, &of_y, gamma, square);
    distance->energy_distance = 2 * xy.distance - xx.distance - yy.distance;
    distance->mmd2 = xx.kernel + yy.kernel - 2 * xy.kernel;
done:
    free(of_x.x);
    free(of_y.x);
    free(square);
    return st;
}
