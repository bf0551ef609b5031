#include "src/order.h"

#include <stdlib.h>

typedef struct keyed {
    uint64_t key;
    int64_t cell, position;
} keyed;

static int compare(const void *a, const void *b)
{
    const keyed *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

scs_status scs_order_cells(const scs_stream *stream, const int64_t *cell, int64_t n,
                           int64_t *position)
{
    scs_stream one = *stream;
    keyed *item;

    SCS_TRY(SCS_ALLOC(item, n));
    for (int64_t i = 0; i < n; i++) {
        one.cell = (uint64_t)cell[i];
        item[i] = (keyed){scs_random_key(&one), cell[i], i};
    }
    qsort(item, (size_t)n, sizeof *item, compare);
    for (int64_t i = 0; i < n; i++)
        position[i] = item[i].position;
    free(item);
    return SCS_OK;
}
