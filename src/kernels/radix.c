/* Least significant digit first (Knuth, The Art of Computer Programming 3, 5.2.5, algorithm R).
 *
 * Digits are as wide as makes the fewest passes, at most 11 bits: 2,048 counters of 4 bytes stay
 * in the first cache beside the keys. A pass costs its counters even for few keys, so that short
 * arrays are sorted by insertion instead, which is stable, too. */
#include "src/kernels/radix.h"

#include <string.h>

enum { WIDEST = 11, FEW = 48 };

int scs_radix_bits(uint64_t most)
{
    int bits = 0;

    for (; most; most >>= 1)
        bits++;
    return bits;
}

/* What keys are compared by. */
static inline uint64_t field(uint64_t key, int low, uint64_t mask)
{
    return key >> low & mask;
}

static void insertion_sort(uint64_t *key, int64_t n, int low, uint64_t mask)
{
    for (int64_t i = 1; i < n; i++) {
        uint64_t moved = key[i];
        int64_t at = i;

        for (; at > 0 && field(key[at - 1], low, mask) > field(moved, low, mask); at--)
            key[at] = key[at - 1];
        key[at] = moved;
    }
}

/* One digit of `width` bits from bit `low` on. */
static void pass(const uint64_t *from, uint64_t *to, int64_t n, int low, int width)
{
    int64_t place[1 << WIDEST], at = 0;
    uint64_t mask = ((uint64_t)1 << width) - 1;

    memset(place, 0, sizeof *place << width);
    for (int64_t i = 0; i < n; i++)
        place[field(from[i], low, mask)]++;
    for (int64_t d = 0; d < (int64_t)1 << width; d++) {
        int64_t count = place[d];

        place[d] = at;
        at += count;
    }
    for (int64_t i = 0; i < n; i++)
        to[place[field(from[i], low, mask)]++] = from[i];
}

void scs_radix_sort(uint64_t *key, uint64_t *scratch, int64_t n, int low, int high)
{
    int passes = (high - low + WIDEST - 1) / WIDEST;
    uint64_t *from = key, *to = scratch;

    if (n < FEW) {
        insertion_sort(key, n, low,
                       high - low < 64 ? ((uint64_t)1 << (high - low)) - 1 : UINT64_MAX);
        return;
    }
    for (int left = passes; left > 0; left--) {
        int width = (high - low + left - 1) / left;
        uint64_t *swapped = from;

        pass(from, to, n, low, width);
        low += width;
        from = to;
        to = swapped;
    }
    if (from != key)
        memcpy(key, from, (size_t)n * sizeof *key);
}
