/** Looking things up in ascending numbers. Local. */
#ifndef SCS_SORTED_H
#define SCS_SORTED_H

#include <stdint.h>

/** The first position in [first, end) whose value is not below `bound`, or end.
 *  @param value ascending from first to end */
static inline int64_t scs_lower_bound(const int32_t *value, int64_t first, int64_t end,
                                      int32_t bound)
{
    while (first < end) {
        int64_t middle = first + (end - first) / 2;

        if (value[middle] < bound)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

#endif
