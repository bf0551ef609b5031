/** One clock for all that is measured in seconds: how long steps take, deadlines, time limits.
 *
 *  It is monotonic: setting the machine's date neither ends a run early nor lets a deadline pass
 *  unnoticed. No number of a result may depend on it. Local; any thread.
 */
#ifndef SCS_CLOCK_H
#define SCS_CLOCK_H

/** Seconds on CLOCK_MONOTONIC. It counts from an arbitrary moment of this machine: only differences
 * mean anything, and only on one host. */
double scs_clock(void);

#endif
