/** Faults on demand, in test builds only, whose every file is compiled with `-include src/fault.h`:
 * calls within SCS_TRY and SCS_GO fail in place of being made, except where ranks communicate: what
 * all take part in cannot fail on one alone. Which calls do is learnt. The n-th call at a place in
 * the source fails with probability 1 / (every n), so that all places have their turn, on one rank.
 * Which ones is a function of the seed and the number of the call, counted where a place is known
 * not to be collective. All functions are Local; any thread may call them, but scs_fault_open where
 * no other runs. */
#ifndef SCS_FAULT_H
#define SCS_FAULT_H

#define SCS_CALL(st, call)                                                                         \
    do {                                                                                           \
        static scs_site scs_site_;                                                                 \
        scs_status scs_fault_ = scs_fault(&scs_site_, __FILE__, __LINE__, #call);                  \
        if (scs_fault_ == SCS_OK) {                                                                \
            int64_t scs_heard_ = scs_fault_heard();                                                \
            (st) = (call);                                                                         \
            scs_fault_learn(&scs_site_, scs_heard_);                                               \
        } else {                                                                                   \
            (st) = scs_fault_;                                                                     \
        }                                                                                          \
    } while (0)

#include "scscreen/status.h"

#include <stdatomic.h>

typedef struct scs_site {
    atomic_int kind;
    atomic_llong seed, calls; /**< calls since the seed was set */
} scs_site;

/** From now on: faults on one of n_rank processes, which the seed chooses. A process takes itself
 * for the only one until it is told.
 *  @param every 0: no faults */
void scs_fault_open(int64_t every, int64_t seed, int32_t rank, int32_t n_rank);
/** Faults since then. */
int64_t scs_fault_count(void);
/** The last one: "file:line: call", or "". */
const char *scs_fault_last(void);

/* ---- what SCS_CALL and src/collective.h do here ---- */

/** How often this thread has communicated. */
int64_t scs_fault_heard(void);
/** A call at the place was made. @param before scs_fault_heard before it */
void scs_fault_learn(scs_site *site, int64_t before);
/** The status of a call that is to fail, SCS_OK if it is to be made. */
scs_status scs_fault(scs_site *site, const char *file, int line, const char *what);
/** Counts as communication. */
scs_status scs_collective_ok(void);
/** Another status where SCS_OK was, now and then. */
scs_status scs_collective_mine(scs_status mine);

#endif
