#include "scscreen/result.h"

#include <math.h>
#include <stdlib.h>

typedef struct moved {
    float by; /* in the direction asked for */
    int32_t gene;
} moved;

static int most_first(const void *a, const void *b)
{
    const moved *x = a, *y = b;

    if (x->by != y->by)
        return x->by > y->by ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

scs_status scs_top_shift(const float *shift, int32_t n_gene, int sign, int64_t n_top, int32_t *gene,
                         float *value)
{
    moved *all;
    int64_t n = 0;

    SCS_TRY(SCS_ALLOC(all, n_gene));
    for (int32_t g = 0; g < n_gene; g++)
        if ((float)sign * shift[g] > 0)
            all[n++] = (moved){(float)sign * shift[g], g};
    qsort(all, (size_t)n, sizeof *all, most_first);
    for (int64_t i = 0; i < n_top; i++) {
        gene[i] = i < n ? all[i].gene : -1;
        value[i] = i < n ? (float)sign * all[i].by : NAN;
    }
    free(all);
    return SCS_OK;
}
