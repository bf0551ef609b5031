/** How many threads a rank computes with: OMP_NUM_THREADS where set, else a fair part of the node's
 * processors, also where mpirun has bound ranks to single cores unasked. BLAS itself runs on one
 * thread, so that results do not depend on how it cuts its work: all threads are ours, and each
 * output element belongs to one of them.
 */
#ifndef SCS_THREADS_H
#define SCS_THREADS_H

#include "scscreen/comm.h"

/** Set them for this process; before the first parallel region. SCS_EIO. Collective. */
SCS_MUST_USE scs_status scs_threads_set(scs_comm *comm); /**< Collective. */

#endif
