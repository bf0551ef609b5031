/* Blocks of any size between ranks, and how much memory all of them took.
 *
 *  MPI's counts are ints, so larger blocks travel in pieces, pairwise. Every exchange goes round
 *  the ranks: in step s a rank sends to the s-th after it and receives from the s-th before it, so
 *  that at any time each rank has one partner each way and no rank gets all messages at once. One
 *  MPI_Sendrecv a piece: it cannot deadlock, and nothing is buffered but what MPI itself keeps. */
#include "mpi/comm/collectives.h"

#include "src/base/collective.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Of blocking exchanges; the hooks of a team have tags of their own, as their messages may be
 * under way meanwhile. */
enum { TAG = 7 };

/* Bytes of the next piece: as large as a message may be. */
static int next_piece(const scs_comm *comm, int64_t left)
{
    return (int)(left < comm->piece ? left : comm->piece);
}

/* Both ends cut a block alike, so the k-th piece sent is the k-th received; no rank can wait for
 * one that is ahead. */
scs_status scs_comm_send_receive(scs_comm *comm, int32_t to, const void *send, int64_t n_send,
                                 int32_t from, void *recv, int64_t n_recv)
{
    int64_t sent = 0, got = 0;

    while (sent < n_send || got < n_recv) {
        int out = next_piece(comm, n_send - sent), in = next_piece(comm, n_recv - got);

        SCS_MPI(MPI_Sendrecv(out ? (const char *)send + sent : NULL, out, MPI_BYTE,
                             out ? to : MPI_PROC_NULL, TAG, in ? (char *)recv + got : NULL, in,
                             MPI_BYTE, in ? from : MPI_PROC_NULL, TAG, comm->mpi,
                             MPI_STATUS_IGNORE));
        sent += out;
        got += in;
    }
    return scs_collective_ok();
}

/* Where a rank's block begins. O(n_rank), beside a message that costs more. */
static int64_t total_before(const int64_t *count, int32_t rank)
{
    int64_t sum = 0;

    for (int32_t r = 0; r < rank; r++)
        sum += count[r];
    return sum;
}

/* Step 0 is a rank's block for itself, which is copied. */
scs_status scs_comm_alltoallv(scs_comm *comm, const void *send, const int64_t *send_count,
                              void *recv, const int64_t *recv_count)
{
    for (int32_t step = 0; step < comm->size; step++) {
        int32_t to = (comm->rank + step) % comm->size;
        int32_t from = (comm->rank - step + comm->size) % comm->size;
        const char *out = (const char *)send + total_before(send_count, to);
        char *in = (char *)recv + total_before(recv_count, from);

        if (step > 0)
            SCS_TRY(
                scs_comm_send_receive(comm, to, out, send_count[to], from, in, recv_count[from]));
        else if (send_count[to] > 0)
            memcpy(in, out, (size_t)send_count[to]);
    }
    return SCS_OK;
}

/* 8 bytes for each pair of ranks. */
scs_status scs_comm_exchange_counts(scs_comm *comm, const int64_t *send_count, int64_t *recv_count)
{
    return scs_comm_mpi_status(
        MPI_Alltoall(send_count, 1, MPI_INT64_T, recv_count, 1, MPI_INT64_T, comm->mpi),
        "MPI_Alltoall");
}

/* One call of MPI's own, whose algorithm suits small messages; nothing is added up, so the bits do
 * not depend on which it is. */
static scs_status gather_small(scs_comm *comm, void *bytes, const int64_t *first)
{
    for (int32_t r = 0; r < comm->size; r++) {
        comm->count[r] = (int)(first[r + 1] - first[r]);
        comm->displace[r] = (int)first[r];
    }
    return scs_comm_mpi_status(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, bytes,
                                              comm->count, comm->displace, MPI_BYTE, comm->mpi),
                               "MPI_Allgatherv");
}

/* A ring: in step s every rank passes on the block that it received in step s - 1. Each link
 * carries each block once, whatever the number of ranks. */
static scs_status gather_large(scs_comm *comm, char *bytes, const int64_t *first)
{
    int32_t n = comm->size, to = (comm->rank + 1) % n, from = (comm->rank + n - 1) % n;

    for (int32_t step = 0; step + 1 < n; step++) {
        int32_t out = (comm->rank - step + n) % n, in = (out + n - 1) % n;

        SCS_TRY(scs_comm_send_receive(comm, to, bytes + first[out], first[out + 1] - first[out],
                                      from, bytes + first[in], first[in + 1] - first[in]));
    }
    return SCS_OK;
}

/* The choice depends on the sum of all blocks, which every rank knows: all take the same way. */
scs_status scs_comm_allgather(scs_comm *comm, void *bytes, const int64_t *first)
{
    if (first[comm->size] <= comm->piece)
        return gather_small(comm, bytes, first);
    return gather_large(comm, bytes, first);
}

/* The kilobytes that a line of a file in /proc/self has, 0 without such a line. */
static double proc_kib(const char *path, const char *key)
{
    FILE *in = fopen(path, "r");
    char line[256];
    long long value = 0;

    while (in && fgets(line, sizeof line, in))
        if (strncmp(line, key, strlen(key)) == 0)
            value = atoll(line + strlen(key));
    if (in)
        fclose(in);
    return (double)value;
}

/* Shared pages are in the resident set of every rank that has touched them. Linux' proportional
 * share divides them among those ranks; the difference to the whole is what others count too. 0
 * where the kernel does not tell. */
static double counted_twice(void)
{
    double whole = proc_kib("/proc/self/status", "RssShmem:");
    double share = proc_kib("/proc/self/smaps_rollup", "Pss_Shmem:");

    return share > 0 && share < whole ? whole - share : 0;
}

/* ru_maxrss is in KiB on Linux. */
scs_status scs_comm_peak_memory(scs_comm *comm, double *sum, double *most)
{
    struct rusage usage;
    double mine;

    getrusage(RUSAGE_SELF, &usage);
    mine = ((double)usage.ru_maxrss - counted_twice()) / 1024;
    SCS_MPI(MPI_Reduce(&mine, sum, 1, MPI_DOUBLE, MPI_SUM, 0, comm->mpi));
    SCS_MPI(MPI_Reduce(&mine, most, 1, MPI_DOUBLE, MPI_MAX, 0, comm->mpi));
    return SCS_OK;
}
