/** Faults on demand: in test builds, calls within SCS_TRY and SCS_GO fail in place of being
 *  made.
 *
 *  Every file of such a build is compiled with `-include src/base/fault.h`, which defines
 *  SCS_CALL before status.h does. A run with faults must end with a message and an exit code on
 *  all ranks, without a hang, leak or half-written file.
 *
 *  Which calls fail. A place in the source is first seen to pass (its first call is always
 *  made); if ranks communicated meanwhile, it is collective and never fails, since what all take
 *  part in cannot fail on one rank alone. Otherwise its n-th call fails with probability 1 /
 *  (every n): a place in an inner loop would else take all faults, and one that is reached once
 *  none. Only the rank that the seed chooses fails. The draw is a function of the seed and of
 *  the number of the call on that rank (src/base/random.h), so a failing run can be repeated
 *  where calls come in the same order, that is, with one thread.
 *
 *  All functions are Local. Any thread may call them; scs_fault_open only where no other runs.
 */
#ifndef SCS_FAULT_H
#define SCS_FAULT_H

/* Each expansion has its own static scs_site: one for a place in the source, shared by all threads.
 */
#define SCS_CALL(st, call)                                                                         \
    do {                                                                                           \
        static scs_site scs_site_;                                                                 \
        scs_status scs_fault_ = scs_fault(&scs_site_, __FILE__, __LINE__, #call);                  \
        if (scs_fault_ == SCS_OK) {                                                                \
            int64_t scs_before_ = scs_fault_collectives();                                         \
            (st) = (call);                                                                         \
            scs_fault_classify(&scs_site_, scs_before_);                                           \
        } else {                                                                                   \
            (st) = scs_fault_;                                                                     \
        }                                                                                          \
    } while (0)

#include "scscreen/status.h"

#include <stdatomic.h>

/** A place in the source where a call may fail. */
typedef struct scs_site {
    atomic_int kind;          /**< not called yet, local, or collective (src/base/fault.c) */
    atomic_llong seed, calls; /**< calls since this seed was set */
} scs_site;

/** From now on: faults on one of n_rank processes, which the seed chooses. A process takes itself
 * for the only one until this is called.
 *  @param every the first call at a place fails with probability 1 / every; 0: no faults */
void scs_fault_open(int64_t every, int64_t seed, int32_t rank, int32_t n_rank);
/** Faults since then, on this rank. 0 after a run that failed: the failure was its own. */
int64_t scs_fault_count(void);
/** The last of them: "file:line: call", or "". Owned by the library. */
const char *scs_fault_last(void);

/* ---- what SCS_CALL and src/base/collective.h use ---- */

/** How many collective calls this thread has made. */
int64_t scs_fault_collectives(void);
/** Note what the call just made at the place turned out to be; once collective, always collective.
 *  @param before scs_fault_collectives() before it */
void scs_fault_classify(scs_site *site, int64_t before);
/** SCS_OK if the call is to be made; else the status that it is to fail with, its message set.
 *  @param what the call's source text; without a "(" in it (a variable) it never fails */
scs_status scs_fault(scs_site *site, const char *file, int line, const char *what);
/** SCS_OK; counts as a collective call. */
scs_status scs_collective_ok(void);
/** `mine`, or now and then a fault where that is SCS_OK. */
scs_status scs_collective_mine(scs_status mine);

#endif
