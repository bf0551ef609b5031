#include "src/trust.h"

#include <math.h>
#include <stdlib.h>

typedef struct ranked {
    double p;
    int64_t at;
} ranked;

static int by_p(const void *a, const void *b)
{
    const ranked *x = a, *y = b;

    if (x->p != y->p)
        return x->p < y->p ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

scs_status scs_false_discovery(const double *p, int64_t n, double *q)
{
    ranked *order;
    int64_t m = 0;
    double least = 1;

    SCS_TRY(SCS_ALLOC(order, n));
    for (int64_t i = 0; i < n; i++) {
        q[i] = NAN;
        if (!isnan(p[i]))
            order[m++] = (ranked){p[i], i};
    }
    qsort(order, (size_t)m, sizeof *order, by_p);
    for (int64_t i = m - 1; i >= 0; i--) {
        least = fmin(least, order[i].p * (double)m / (double)(i + 1));
        q[order[i].at] = least;
    }
    free(order);
    return SCS_OK;
}
