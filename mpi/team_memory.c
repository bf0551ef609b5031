/* The hooks of a team that give ranks of a node the same memory: gradients that others add up, and
 * one copy of the weights. */
#include "mpi/comm_state.h"

#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

int64_t scs_part_stride(int64_t n)
{
    return (n + 15) / 16 * 16;
}

scs_status scs_seat_open_parts(void *ctx, int64_t n, float **part)
{
    scs_seat *seat = ctx;
    scs_team mine = scs_seat_team(seat, seat->comm->rank);
    int64_t n_part = mine.last - mine.first;

    SCS_TRY(scs_shared_create(seat->comm, n_part * scs_part_stride(n) * (int64_t)sizeof(float),
                              &seat->parts));
    seat->part_size = n;
    for (int64_t i = 0; i < n_part; i++)
        part[i] = (float *)seat->parts.block[seat->comm->rank] + i * scs_part_stride(n);
    return SCS_OK;
}

void scs_seat_close_parts(void *ctx, float **part)
{
    scs_seat *seat = ctx;

    (void)part;
    scs_shared_clear(&seat->parts);
}

/* Memory whose content is not needed goes back to the system, where it begins a page. */
static void forget(float *values, int64_t n)
{
    size_t size = (size_t)n * sizeof *values / PAGE * PAGE;

    if ((uintptr_t)values % PAGE == 0 && size)
        (void)madvise(values, size, MADV_DONTNEED);
}

/* Each rank of the node fills its share, so that the memory lies near those who will write it. */
scs_status scs_seat_share_values(void *ctx, int64_t n, float **values)
{
    scs_seat *seat = ctx;
    scs_comm *comm = seat->comm;
    int32_t rank = comm->rank;
    int64_t place = comm->place[rank], n_rank = comm->node_size[rank], lo, hi;
    float *copy;

    SCS_TRY(scs_shared_create(comm, place == 0 ? n * (int64_t)sizeof(float) : 0, &seat->values));
    if (!seat->values.together) {
        scs_shared_clear(&seat->values);
        return SCS_OK;
    }
    copy = seat->values.block[comm->node[rank]];
    lo = n * place / n_rank;
    hi = n * (place + 1) / n_rank;
    memcpy(copy + lo, *values + lo, (size_t)(hi - lo) * sizeof *copy);
    forget(*values, n);
    seat->private_values = *values;
    *values = copy;
    return scs_mpi_status(MPI_Barrier(comm->mpi), "MPI_Barrier");
}

void scs_seat_unshare_values(void *ctx, int64_t n, float **values)
{
    scs_seat *seat = ctx;

    if (!seat->values.together)
        return;
    memcpy(seat->private_values, *values, (size_t)n * sizeof **values);
    *values = seat->private_values;
    scs_shared_clear(&seat->values);
}
