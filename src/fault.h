/** Faults on demand, in test builds only (-DSCS_FAULTS): fallible calls fail in place of being
 * made. The n-th call at a place in the source fails with probability 1 / (every n), so that all
 * places have their turn, on one rank. Which ones is a function of the seed and the number of the
 * call, counted where a place is known not to be collective. All functions are Local; any thread
 * may call them, but scs_fault_open and scs_fault_place where no other runs. */
#ifndef SCS_FAULT_H
#define SCS_FAULT_H

#include "scscreen/status.h"

/** What is known of a place in the source: nothing yet; that calls there are the rank's own; that
 * ranks speak with each other. */
enum { SCS_SITE_NEW, SCS_SITE_LOCAL, SCS_SITE_COLLECTIVE };

/** From now on. The same seed again goes on counting. @param every 0: no faults */
void scs_fault_open(int64_t every, int64_t seed);
/** Which process this is: one of n_rank, by the seed, is the one that fails. Until it is told, a
 * process takes itself for the only one. */
void scs_fault_place(int32_t rank, int32_t n_rank);
/** Faults so far, since the seed was set. */
int64_t scs_fault_count(void);
/** The last one: "file:line: call", or "". */
const char *scs_fault_last(void);

#endif
