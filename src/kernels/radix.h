/** Sorting of whole numbers by counting, digit by digit.
 *
 *  A pass moves every key to the place that the count of smaller digits gives it: O(n) a digit of
 *  up to 11 bits, where qsort compares n log n times through a pointer to a function. Positive
 *  floats sort as their bits do, so that values, ranks and labels are all sorted with it. Stable,
 *  and the result is the same on any machine.
 *
 *  Local; any thread with arrays of its own.
 */
#ifndef SCS_RADIX_H
#define SCS_RADIX_H

#include <stdint.h>

/** Sort ascending by bits [low, high) of each key; keys that agree in these keep their order.
 *  @param key     [n], in and out
 *  @param scratch [n]
 *  @param low, high 0 <= low <= high <= 64 */
void scs_radix_sort(uint64_t *key, uint64_t *scratch, int64_t n, int low, int high);
/** Bits that a number takes: 0 for 0, 1 for 1, 2 for 2 and 3, ... */
int scs_radix_bits(uint64_t most);

#endif
