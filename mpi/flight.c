#include "mpi/flight.h"

#include "mpi/comm_state.h"
#include "src/collective.h"

#include <stdlib.h>
#include <string.h>

int scs_flight_pieces(const scs_comm *comm, int64_t size)
{
    return (int)((size + comm->piece - 1) / comm->piece);
}

static scs_status grow(scs_flight *flight, int capacity)
{
    MPI_Request *request;

    SCS_TRY(SCS_ALLOC(request, capacity));
    if (flight->n)
        memcpy(request, flight->request, (size_t)flight->n * sizeof *request);
    free(flight->request);
    flight->request = request;
    return SCS_OK;
}

scs_status scs_flight_reserve(scs_comm *comm, scs_flight *flight, int n)
{
    int capacity = flight->capacity + n;

    if (flight->reserved + n <= flight->capacity) {
        flight->reserved += n;
        return scs_collective_ok();
    }
    SCS_TRY(scs_agree(comm, grow(flight, capacity)));
    flight->capacity = capacity;
    flight->reserved += n;
    return SCS_OK;
}

scs_status scs_flight_send(scs_comm *comm, scs_flight *flight, int tag, int32_t to,
                           const void *bytes, int64_t size)
{
    for (int64_t at = 0; at < size; at += comm->piece) {
        int64_t n = size - at < comm->piece ? size - at : comm->piece;

        SCS_MPI(MPI_Isend((const char *)bytes + at, (int)n, MPI_BYTE, to, tag, comm->mpi,
                          &flight->request[flight->n]));
        flight->n++;
    }
    return scs_collective_ok();
}

scs_status scs_flight_receive(scs_comm *comm, scs_flight *flight, int tag, int32_t from,
                              void *bytes, int64_t size)
{
    for (int64_t at = 0; at < size; at += comm->piece) {
        int64_t n = size - at < comm->piece ? size - at : comm->piece;

        SCS_MPI(MPI_Irecv((char *)bytes + at, (int)n, MPI_BYTE, from, tag, comm->mpi,
                          &flight->request[flight->n]));
        flight->n++;
    }
    return scs_collective_ok();
}

scs_status scs_flight_land(scs_flight *flight)
{
    int n = flight->n;

    flight->n = 0;
    flight->reserved = 0;
    return scs_mpi_status(MPI_Waitall(n, flight->request, MPI_STATUSES_IGNORE), "MPI_Waitall");
}

void scs_flight_clear(scs_flight *flight)
{
    free(flight->request);
    *flight = (scs_flight){0};
}
