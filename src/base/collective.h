/** Marks that collective functions carry for test builds, in which calls fail on one rank alone.
 *
 *  Those builds (src/base/fault.h) must not let a call fail where all ranks communicate: the
 *  others would wait for ever, and that would be the test's fault, not the program's. Which
 *  calls communicate is found out while they run, so each collective function passes through one
 *  of the two below. In every other build they are nothing.
 */
#ifndef SCS_COLLECTIVE_H
#define SCS_COLLECTIVE_H

#include "scscreen/status.h"

#ifndef SCS_FAULT_H
/** SCS_OK, from a collective function that has nothing to do on any rank (an empty team, a job of
 * one rank). Without the mark its call would be taken for one that a rank makes by itself. Local.
 */
static inline scs_status scs_collective_ok(void)
{
    return SCS_OK;
}

/** A rank's own status, just before the ranks agree on one. A test build turns it into a failure
 * now and then: what the ranks agree on must be that failure, everywhere. Local. */
static inline scs_status scs_collective_mine(scs_status mine)
{
    return mine;
}
#endif

#endif
