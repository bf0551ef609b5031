/** The functions of src/base/vector.h that are too long to be inline. */
#include "src/base/vector.h"

#include "src/base/simd.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* NaN would compare as equal to everything and leave no order. */
static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Rounds of a selection after which what is left is sorted: each halves it as a rule, and an order
 * that is made to foil that costs no more than a sort. */
enum { ROUNDS = 100 };

/* value[at] becomes what a sort would put there, with nothing larger before it and nothing smaller
 * behind (quickselect; Hoare, CACM 4, 1961). */
static void select_value(double *value, int64_t n, int64_t at)
{
    int64_t low = 0, high = n - 1;

    for (int round = 0; low < high && round < ROUNDS; round++) {
        double pivot = value[low + (high - low) / 2];
        int64_t i = low, j = high;

        while (i <= j) {
            while (value[i] < pivot)
                i++;
            while (value[j] > pivot)
                j--;
            if (i <= j) {
                double other = value[i];

                value[i++] = value[j];
                value[j--] = other;
            }
        }
        /* Between j and i all are the pivot. */
        if (at > j)
            low = at < i ? at : i;
        if (at < i)
            high = at > j ? at : j;
    }
    if (low < high)
        qsort(value + low, (size_t)(high - low + 1), sizeof *value, ascending);
}

double scs_vector_median(double *value, int64_t n)
{
    double below = -INFINITY;

    select_value(value, n, n / 2);
    if (n % 2)
        return value[n / 2];
    for (int64_t i = 0; i < n / 2; i++)
        below = value[i] > below ? value[i] : below;
    return (below + value[n / 2]) / 2;
}

/* Columns of a block: its sums stay in the nearest cache while all rows pass. */
enum { BLOCK = 1024 };

/* Four rows at a time load and store each sum once instead of four times, in the order of the
 * rows. */
SCS_VECTOR_UNFUSED static void add_four(double *restrict to, const float *const *row,
                                        const double *weight, int64_t n)
{
    const float *a = row[0], *b = row[1], *c = row[2], *d = row[3];

#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        to[i] =
            (((to[i] + weight[0] * a[i]) + weight[1] * b[i]) + weight[2] * c[i]) + weight[3] * d[i];
}

SCS_VECTOR_UNFUSED static void add_one(double *restrict to, const float *row, double weight,
                                       int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        to[i] += weight * row[i];
}

void scs_vector_sum_rows(const float *values, int64_t n, const int32_t *row, const double *weight,
                         int32_t n_row, double *to)
{
    memset(to, 0, sizeof *to * (size_t)n);
    for (int64_t first = 0; first < n; first += BLOCK) {
        int64_t width = n - first < BLOCK ? n - first : BLOCK;
        int32_t i = 0;

        for (; i + 4 <= n_row; i += 4) {
            const float *four[4];

            for (int k = 0; k < 4; k++)
                four[k] = values + row[i + k] * n + first;
            add_four(to + first, four, weight + i, width);
        }
        for (; i < n_row; i++)
            add_one(to + first, values + row[i] * n + first, weight[i], width);
    }
}
