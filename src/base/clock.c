/** The monotonic clock in seconds; a double holds nanoseconds of a year or two of uptime to
 *  within a microsecond.
 */
#include "src/base/clock.h"

#include <time.h>

double scs_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
