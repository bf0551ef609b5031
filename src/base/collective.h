/** What collective functions say of themselves to test builds, where calls fail on one rank alone
 * (src/fault.h, which has both functions in its own way). Elsewhere nothing is left of them. */
#ifndef SCS_COLLECTIVE_H
#define SCS_COLLECTIVE_H

#include "scscreen/status.h"

#ifndef SCS_FAULT_H
/** SCS_OK of a collective function that has nothing to do on any rank: what all ranks take part in
 * at other times must not be taken for a rank's own affair. */
static inline scs_status scs_collective_ok(void)
{
    return SCS_OK;
}

/** A rank's own status, about to be agreed on. */
static inline scs_status scs_collective_mine(scs_status mine)
{
    return mine;
}
#endif

#endif
