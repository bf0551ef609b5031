/** Short vectors in double: products, distances, medians.
 *
 *  Sums run in the order of the elements, so that their bits are the same wherever they are
 *  asked for. What runs over many floats, in vector lanes (another order), has loops of its own.
 *  Local.
 */
#ifndef SCS_VECTOR_H
#define SCS_VECTOR_H

#include <stdint.h>

/** a'b. @param a, b [n] */
static inline double scs_vector_dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/** |a - b|^2. @param a, b [n] */
static inline double scs_vector_squared_distance(const double *a, const double *b, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/** to += scale * from. @param to, from [n] */
static inline void scs_vector_add(double *to, const double *from, double scale, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += scale * from[i];
}

/** The median as numpy has it: the mean of the two middle values when n is even. O(n); leaves
 * the values in another order.
 *  @param value [n], n > 0, none of them NaN */
double scs_vector_median(double *value, int64_t n);

/** to = sum over i of weight[i] values[row[i]], added in the order of i: the bits are those of the
 *  plain loop on every processor. O(n_row n), in vector lanes.
 *  @param values [., n] float rows  @param row, weight [n_row]  @param[out] to [n] */
void scs_vector_sum_rows(const float *values, int64_t n, const int32_t *row, const double *weight,
                         int32_t n_row, double *to);

#endif
