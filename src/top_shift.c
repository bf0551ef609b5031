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

static void swap(moved *a, moved *b)
{
    moved kept = *a;

    *a = *b;
    *b = kept;
}

/* Reorders all[0, n) so that none after the first `wanted` comes before one of them (Hoare's
 * selection, median of three; the order is total, so the set is the same whatever the pivots). */
static void select_first(moved *all, int64_t n, int64_t wanted)
{
    int64_t low = 0, high = n - 1;

    while (low < high && wanted > low && wanted <= high) {
        moved *middle = &all[low + (high - low) / 2], pivot;
        int64_t i = low, j = high;

        if (most_first(middle, &all[low]) < 0)
            swap(middle, &all[low]);
        if (most_first(&all[high], &all[low]) < 0)
            swap(&all[high], &all[low]);
        if (most_first(&all[high], middle) < 0)
            swap(&all[high], middle);
        pivot = *middle;
        while (i <= j) {
            while (most_first(&all[i], &pivot) < 0)
                i++;
            while (most_first(&pivot, &all[j]) < 0)
                j--;
            if (i <= j)
                swap(&all[i++], &all[j--]);
        }
        if (wanted <= j)
            high = j;
        else if (wanted > i)
            low = i;
        else
            return;
    }
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
    select_first(all, n, n_top);
    qsort(all, (size_t)(n < n_top ? n : n_top), sizeof *all, most_first);
    for (int64_t i = 0; i < n_top; i++) {
        gene[i] = i < n ? all[i].gene : -1;
        value[i] = i < n ? (float)sign * all[i].by : NAN;
    }
    free(all);
    return SCS_OK;
}
