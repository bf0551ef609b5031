/** The median, the one function of src/base/vector.h that is too long to be inline. */
#include "src/base/vector.h"

#include <stdint.h>
#include <stdlib.h>

/* NaN would compare as equal to everything and leave no order. */
static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double scs_vector_median(double *value, int64_t n)
{
    qsort(value, (size_t)n, sizeof *value, ascending);
    return n % 2 ? value[n / 2] : (value[n / 2 - 1] + value[n / 2]) / 2;
}
