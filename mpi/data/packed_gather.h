/** Packed rows of all ranks on every rank, those of rank 0 first.
 *
 *  Rows that ascend within a rank and from rank to rank come out in ascending order, whatever the
 *  number of ranks: what is made of them, in their order, has the same bits.
 */
#ifndef SCS_PACKED_GATHER_H
#define SCS_PACKED_GATHER_H

#include "scscreen/comm.h"
#include "src/data/packed.h"

/** Everybody's rows. Memory: theirs, and 8 bytes a row for a moment; each rank is sent all of them.
 *  Collective.
 *  @param own this rank's, n_col alike on all  @param[out] all zeroed before; caller clears, also
 *  after a failure
 *  @return SCS_OK or SCS_ENOMEM, alike on all ranks */
SCS_MUST_USE scs_status scs_packed_gather(scs_comm *comm, const scs_packed *own, scs_packed *all);

#endif
