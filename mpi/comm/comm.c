#include "mpi/comm/collectives.h"
#include "src/base/collective.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 30 };

scs_status scs_comm_mpi_status(int code, const char *what)
{
    char text[MPI_MAX_ERROR_STRING] = "unknown error";
    int length;

    if (code == MPI_SUCCESS)
        return scs_collective_ok();
    MPI_Error_string(code, text, &length);
    return SCS_FAIL(SCS_EIO, "communication between ranks failed in %.*s: %s",
                    (int)strcspn(what, "("), what, text);
}

static scs_status allocate_scratch(scs_comm *comm)
{
    SCS_TRY(SCS_ALLOC(comm->node, comm->size));
    SCS_TRY(SCS_ALLOC(comm->place, comm->size));
    SCS_TRY(SCS_ALLOC(comm->node_size, comm->size));
    SCS_TRY(SCS_ALLOC(comm->first, comm->size + 1));
    SCS_TRY(SCS_ALLOC(comm->count, comm->size));
    return SCS_ALLOC(comm->displace, comm->size);
}

void scs_comm_count_nodes(scs_comm *comm)
{
    memset(comm->node_size, 0, (size_t)comm->size * sizeof *comm->node_size);
    for (int32_t r = 0; r < comm->size; r++)
        comm->place[r] = comm->node_size[comm->node[r]]++;
    for (int32_t r = 0; r < comm->size; r++)
        comm->node_size[r] = comm->node_size[comm->node[r]];
}

/* Which ranks share memory. */
static scs_status find_nodes(scs_comm *comm)
{
    MPI_Comm together;
    int32_t lowest = comm->rank;

    SCS_MPI(
        MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &together));
    SCS_MPI(MPI_Bcast(&lowest, 1, MPI_INT32_T, 0, together));
    SCS_MPI(MPI_Comm_free(&together));
    SCS_MPI(MPI_Allgather(&lowest, 1, MPI_INT32_T, comm->node, 1, MPI_INT32_T, comm->mpi));
    scs_comm_count_nodes(comm);
    return SCS_OK;
}

static scs_status open_comm(MPI_Comm world, scs_comm *comm)
{
    SCS_MPI(MPI_Comm_dup(world, &comm->mpi));
    SCS_MPI(MPI_Comm_set_errhandler(comm->mpi, MPI_ERRORS_RETURN));
    SCS_MPI(MPI_Comm_rank(comm->mpi, &comm->rank));
    SCS_MPI(MPI_Comm_size(comm->mpi, &comm->size));
    comm->piece = PIECE;
    SCS_TRY(scs_comm_agree(comm, allocate_scratch(comm)));
    return find_nodes(comm);
}

/* Before there is a communicator to agree through. */
static scs_status allocate_everywhere(MPI_Comm world, scs_comm **comm)
{
    scs_status st = SCS_ALLOC(*comm, 1);
    int mine = st != SCS_OK, any = 0;

    if (*comm)
        (*comm)->mpi = MPI_COMM_NULL;
    SCS_MPI(MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MAX, world));
    if (st == SCS_OK && any)
        st = SCS_FAIL(SCS_ENOMEM, "out of memory on another rank");
    return st;
}

scs_status scs_comm_create(MPI_Comm world, scs_comm **comm)
{
    scs_status st;

    SCS_GO(st, allocate_everywhere(world, comm));
    SCS_GO(st, open_comm(world, *comm));
done:
    if (st != SCS_OK)
        scs_comm_destroy(comm);
    return st;
}

void scs_comm_destroy(scs_comm **comm)
{
    scs_comm *c = *comm;

    *comm = NULL;
    if (!c)
        return;
    if (c->clear_seats)
        c->clear_seats(c);
    free(c->work);
    free(c->node);
    free(c->place);
    free(c->node_size);
    free(c->first);
    free(c->count);
    free(c->displace);
    if (c->mpi != MPI_COMM_NULL)
        MPI_Comm_free(&c->mpi);
    free(c);
}

int32_t scs_comm_rank(const scs_comm *comm)
{
    return comm->rank;
}

int32_t scs_comm_size(const scs_comm *comm)
{
    return comm->size;
}

MPI_Comm scs_comm_mpi(const scs_comm *comm)
{
    return comm->mpi;
}

void scs_comm_set_deadline(scs_comm *comm, double seconds)
{
    comm->deadline = seconds;
}

scs_status scs_comm_agree(scs_comm *comm, scs_status mine)
{
    struct {
        int32_t status;
        char message[SCS_MESSAGE_MAX];
    } word = {0};
    int failing, lowest;

    mine = scs_collective_mine(mine);
    failing = mine == SCS_OK ? comm->size : comm->rank;
    word.status = (int32_t)mine;
    SCS_MPI(MPI_Allreduce(&failing, &lowest, 1, MPI_INT, MPI_MIN, comm->mpi));
    if (lowest == comm->size)
        return SCS_OK;
    memcpy(word.message, scs_message(), strlen(scs_message()) + 1);
    SCS_MPI(MPI_Bcast(&word, sizeof word, MPI_BYTE, lowest, comm->mpi));
    if (comm->rank == lowest)
        return mine;
    return SCS_FAIL((scs_status)word.status, "%s", word.message);
}

scs_status scs_comm_broadcast(scs_comm *comm, void *bytes, int64_t size)
{
    for (int64_t at = 0; at < size; at += comm->piece) {
        int64_t n = size - at < comm->piece ? size - at : comm->piece;

        SCS_MPI(MPI_Bcast((char *)bytes + at, (int)n, MPI_BYTE, 0, comm->mpi));
    }
    return scs_collective_ok();
}

scs_status scs_comm_broadcast_blob(scs_comm *comm, uint8_t **blob, int64_t *size)
{
    scs_status st = SCS_OK;

    SCS_TRY(scs_comm_broadcast(comm, size, sizeof *size));
    if (comm->rank != 0)
        st = SCS_ALLOC(*blob, *size);
    SCS_GO(st, scs_comm_agree(comm, st));
    SCS_GO(st, scs_comm_broadcast(comm, *blob, *size));
done:
    if (st != SCS_OK && comm->rank != 0) {
        free(*blob);
        *blob = NULL;
    }
    return st;
}

scs_status scs_comm_reserve(scs_comm *comm, int64_t size)
{
    uint8_t *bytes = NULL;

    if (size <= comm->work_size)
        return scs_collective_ok();
    free(comm->work);
    comm->work_size = 0;
    comm->work = NULL;
    SCS_TRY(scs_comm_agree(comm, SCS_ALLOC(bytes, size)));
    comm->work = bytes;
    comm->work_size = size;
    return SCS_OK;
}
