/** Threads of a rank: OMP_NUM_THREADS where set, else a fair part of the node's processors, also
 * where mpirun has bound ranks to single cores unasked. BLAS itself runs on one thread, so that
 * results do not depend on its own way of cutting work. */
#ifndef SCS_THREADS_H
#define SCS_THREADS_H

#include "scscreen/comm.h"

SCS_MUST_USE scs_status scs_threads_set(scs_comm *comm); /**< Collective. */

#endif
