/** One clock for all that is measured in seconds. Local. */
#ifndef SCS_CLOCK_H
#define SCS_CLOCK_H

/** Seconds on CLOCK_MONOTONIC: only differences mean anything. */
double scs_clock(void);

#endif
