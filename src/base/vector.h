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

/** The median as numpy has it: the mean of the two middle values when n is even. Sorts in place,
 * O(n log n).
 *  @param value [n], n > 0, none of them NaN */
double scs_vector_median(double *value, int64_t n);

#endif
