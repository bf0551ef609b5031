/* The hooks of a team that bring every rank's slice to all ranks, at once or under other work. */
#include "mpi/comm_state.h"
#include "src/collective.h"

enum { TAG = 9 };

scs_status scs_seat_gather_slices(void *ctx, float *values, const int64_t *bound)
{
    scs_seat *seat = ctx;
    scs_comm *comm = seat->comm;
    int64_t lo, size = (int64_t)sizeof *values;

    for (int32_t r = 0; r < comm->size; r++)
        comm->first[r + 1] = (scs_seat_slice(seat, bound, r, &lo) + lo - bound[0]) * size;
    comm->first[0] = 0;
    return scs_allgather(comm, values + bound[0], comm->first);
}

/* Are these the values that the ranks of a node have one copy of? */
static bool is_shared(const scs_seat *seat, const float *values)
{
    return seat->values.together &&
           values == seat->values.block[seat->comm->node[seat->comm->rank]];
}

/* Does `from` send its slice to `to`? Of shared values one rank of every other node gets it. */
static bool gets_slice(const scs_comm *comm, bool shared, int32_t from, int32_t to)
{
    return !shared || (comm->node[from] != comm->node[to] &&
                       comm->place[to] == comm->place[from] % comm->node_size[to]);
}

/* Messages of a slice at most, on the rank that has the longest. */
static int most_pieces(const scs_seat *seat, const int64_t *bound)
{
    int most = 0;

    for (int32_t r = 0; r < seat->comm->size; r++) {
        int64_t lo, len = scs_seat_slice(seat, bound, r, &lo);
        int n = scs_flight_pieces(seat->comm, len * (int64_t)sizeof(float));

        most = n > most ? n : most;
    }
    return most;
}

scs_status scs_seat_gather_begin(void *ctx, float *values, const int64_t *bound)
{
    scs_seat *seat = ctx;
    scs_comm *comm = seat->comm;
    bool shared = is_shared(seat, values);
    int64_t lo, other_lo, size = (int64_t)sizeof *values;
    int64_t len = scs_seat_slice(seat, bound, comm->rank, &lo);

    SCS_TRY(scs_flight_reserve(comm, &seat->gathering,
                               2 * (comm->size - 1) * most_pieces(seat, bound)));
    for (int32_t step = 1; step < comm->size; step++) {
        int32_t other = (comm->rank + step) % comm->size;
        int64_t other_len = scs_seat_slice(seat, bound, other, &other_lo);

        if (gets_slice(comm, shared, other, comm->rank))
            SCS_TRY(scs_flight_receive(comm, &seat->gathering, TAG, other, values + other_lo,
                                       other_len * size));
        if (gets_slice(comm, shared, comm->rank, other))
            SCS_TRY(scs_flight_send(comm, &seat->gathering, TAG, other, values + lo, len * size));
    }
    return scs_collective_ok();
}

scs_status scs_seat_gather_end(void *ctx)
{
    scs_seat *seat = ctx;

    SCS_TRY(scs_flight_land(&seat->gathering));
    if (seat->values.together) /* a node's ranks have all written, and received, their share */
        SCS_MPI(MPI_Barrier(seat->comm->mpi));
    return scs_collective_ok();
}
