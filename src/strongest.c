#include "src/strongest.h"

#include <stdlib.h>

static int strongest_first(const void *a, const void *b)
{
    const scs_scored_gene *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

static void swap(scs_scored_gene *a, scs_scored_gene *b)
{
    scs_scored_gene kept = *a;

    *a = *b;
    *b = kept;
}

/* Reorders all[0, n) so that none after the first `wanted` comes before one of them (Hoare's
 * selection, median of three; the order is total, so the set is the same whatever the pivots). */
static void select_first(scs_scored_gene *all, int64_t n, int64_t wanted)
{
    int64_t low = 0, high = n - 1;

    while (low < high && wanted > low && wanted <= high) {
        scs_scored_gene *middle = &all[low + (high - low) / 2], pivot;
        int64_t i = low, j = high;

        if (strongest_first(middle, &all[low]) < 0)
            swap(middle, &all[low]);
        if (strongest_first(&all[high], &all[low]) < 0)
            swap(&all[high], &all[low]);
        if (strongest_first(&all[high], middle) < 0)
            swap(&all[high], middle);
        pivot = *middle;
        while (i <= j) {
            while (strongest_first(&all[i], &pivot) < 0)
                i++;
            while (strongest_first(&pivot, &all[j]) < 0)
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

void scs_strongest_first(scs_scored_gene *all, int64_t n, int64_t wanted)
{
    select_first(all, n, wanted);
    qsort(all, (size_t)(n < wanted ? n : wanted), sizeof *all, strongest_first);
}
