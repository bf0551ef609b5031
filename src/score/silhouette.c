/* Row by row, in double; a row's sums by label are its thread's own. */
#include "src/score/silhouette.h"

#include "src/base/parallel.h"

#include <math.h>
#include <stdlib.h>

/* What one row is compared with. Borrowed. */
typedef struct cloud {
    const scs_real *z;
    int64_t n, d;
    const int32_t *label, *within;
    int32_t n_label;
} cloud;

static double distance(const scs_real *a, const scs_real *b, int64_t d)
{
    double sum = 0;

    for (int64_t j = 0; j < d; j++) {
        double x = (double)a[j] - b[j];

        sum += x * x;
    }
    return sqrt(sum);
}

/* @param sum, count [n_label] scratch */
static double silhouette(const cloud *c, int64_t i, double *sum, int64_t *count)
{
    int32_t own = c->label[i];
    double a, b = INFINITY;

    for (int32_t k = 0; k < c->n_label; k++)
        sum[k] = 0, count[k] = 0;
    for (int64_t j = 0; j < c->n; j++) {
        if (j == i || (c->within && c->within[j] != c->within[i]))
            continue;
        sum[c->label[j]] += distance(c->z + i * c->d, c->z + j * c->d, c->d);
        count[c->label[j]]++;
    }
    for (int32_t k = 0; k < c->n_label; k++)
        if (k != own && count[k] > 0 && sum[k] / (double)count[k] < b)
            b = sum[k] / (double)count[k];
    if (isinf(b))
        return NAN;
    if (count[own] == 0)
        return 0;
    a = sum[own] / (double)count[own];
    return a == b ? 0 : (b - a) / fmax(a, b);
}

scs_status scs_silhouette_rows(const scs_real *z, int64_t n, int64_t d, const int32_t *label,
                               int32_t n_label, const int32_t *within, int64_t first, int64_t last,
                               double *s)
{
    cloud c = {z, n, d, label, within, n_label};
    scs_parallel_error failure = {0};

#pragma omp parallel
    {
        double *sum = NULL;
        int64_t *count = NULL;
        scs_status st = SCS_ALLOC(sum, n_label);

        if (st == SCS_OK)
            st = SCS_ALLOC(count, n_label);
        scs_parallel_error_note(&failure, 0, st);
#pragma omp for schedule(dynamic, 16)
        for (int64_t i = first; i < last; i++)
            if (st == SCS_OK)
                s[i - first] = silhouette(&c, i, sum, count);
        free(sum);
        free(count);
    }
    return scs_parallel_error_raise(&failure);
}
