/** Messages that travel while their ranks compute. */
#ifndef SCS_FLIGHT_H
#define SCS_FLIGHT_H

#include "scscreen/comm.h"

#include <mpi.h>

typedef struct scs_flight {
    MPI_Request *request;   /**< [capacity] owned */
    int n;                  /**< messages under way */
    int reserved, capacity; /**< alike on all ranks */
} scs_flight;

/** Messages that a block of so many bytes travels in at most. Local. */
int scs_flight_pieces(const scs_comm *comm, int64_t size);
/** Room for n more messages; all ranks pass the same n. Collective. */
SCS_MUST_USE scs_status scs_flight_reserve(scs_comm *comm, scs_flight *flight, int n);
/** Start to send, or to receive; the bytes must stay until the flight has landed. Between two ranks
 * messages of one tag arrive in the order in which they were sent. Local.
 *  @param size bytes; 0: nothing happens */
SCS_MUST_USE scs_status scs_flight_send(scs_comm *comm, scs_flight *flight, int tag, int32_t to,
                                        const void *bytes, int64_t size);
SCS_MUST_USE scs_status scs_flight_receive(scs_comm *comm, scs_flight *flight, int tag,
                                           int32_t from, void *bytes, int64_t size);
/** Wait until all have arrived. Local, once the others have sent theirs. */
SCS_MUST_USE scs_status scs_flight_land(scs_flight *flight);
/** Of a flight that has landed. Local. */
void scs_flight_clear(scs_flight *flight);

#endif
