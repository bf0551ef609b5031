/* What a communicator owns and how its ranks reach one decision.
 *
 *  Agreement: a status is local until scs_comm_agree has made it common. Every rank calls it at the
 *  same place before the next collective, so that a failure on one rank ends all of them there with
 *  one code and one message, instead of leaving the others in a call that never returns. Where all
 *  is well it costs one MPI_Allreduce of an int; only a failure adds a broadcast of the message.
 *
 *      scs_status st = what_this_rank_does_alone();
 *      SCS_TRY(scs_comm_agree(comm, st));      all go on, or none does
 *      SCS_MPI(MPI_Allgather(...));
 *
 *  MPI itself returns errors instead of aborting (MPI_ERRORS_RETURN), so that they take the same
 *  path as any other; they are SCS_EIO.
 *
 *  A function that may return early on all ranks without a message says scs_collective_ok(), not
 *  SCS_OK: in test builds, where any call may be made to fail on one rank alone, such a function
 *  must not fail (src/base/collective.h).
 *
 *  Its counts are ints, so blocks travel in pieces of at most `piece` bytes; tests make it a few
 *  bytes to reach the code for large blocks. */
#include "mpi/comm/collectives.h"
#include "src/base/collective.h"

#include <stdlib.h>
#include <string.h>

/* The largest power of two that fits an int count of bytes; and about what a network sends in the
 * time of some messages more, from where slices are cheaper on many ranks. */
enum { PIECE = 1 << 30, WHOLE = 1 << 17 };

/* The call's text is cut at its parenthesis: the message names the function alone. */
scs_status scs_comm_mpi_status(int code, const char *what)
{
    char text[MPI_MAX_ERROR_STRING] = "unknown error";
    int length;

    if (code == MPI_SUCCESS)
        return scs_collective_ok();
    MPI_Error_string(code, text, &length);
    text[strcspn(text, "\n")] = '\0'; /* MPICH's own trace follows on further lines */
    return SCS_FAIL(SCS_EIO, "communication between ranks failed in %.*s: %s",
                    (int)strcspn(what, "("), what, text);
}

/* What every collective needs is allocated once, of a size known from the number of ranks, so that
 * none of them can fail for want of memory later on. */
static scs_status allocate_scratch(scs_comm *comm)
{
    SCS_TRY(SCS_ALLOC(comm->node, comm->size));
    SCS_TRY(SCS_ALLOC(comm->place, comm->size));
    SCS_TRY(SCS_ALLOC(comm->node_size, comm->size));
    SCS_TRY(SCS_ALLOC(comm->first, comm->size + 1));
    SCS_TRY(SCS_ALLOC(comm->count, comm->size));
    return SCS_ALLOC(comm->displace, comm->size);
}

/* Places are given in order of rank, so the lowest rank of a node has place 0 and makes what the
 * node shares. */
void scs_comm_count_nodes(scs_comm *comm)
{
    memset(comm->node_size, 0, (size_t)comm->size * sizeof *comm->node_size);
    for (int32_t r = 0; r < comm->size; r++)
        comm->place[r] = comm->node_size[comm->node[r]]++;
    for (int32_t r = 0; r < comm->size; r++)
        comm->node_size[r] = comm->node_size[comm->node[r]];
}

/* Which ranks share memory: a node's number is its lowest rank, known to all after one exchange of
 * an int. Split and freed once, at the start. */
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

/* A copy of world, so that our messages meet no others' tags and our error handler changes nobody
 * else's. */
static scs_status open_comm(MPI_Comm world, scs_comm *comm)
{
    SCS_MPI(MPI_Comm_dup(world, &comm->mpi));
    SCS_MPI(MPI_Comm_set_errhandler(comm->mpi, MPI_ERRORS_RETURN));
    SCS_MPI(MPI_Comm_rank(comm->mpi, &comm->rank));
    SCS_MPI(MPI_Comm_size(comm->mpi, &comm->size));
    comm->piece = PIECE;
    comm->whole = WHOLE;
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

/* The first agreement goes over world; from open_comm on there is a communicator to agree through.
 */
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

/* Contexts first, as their shared memory needs to know the number of ranks. MPI_Comm_free is
 * Collective, so all ranks destroy together; a communicator that was never opened frees its memory
 * only. */
void scs_comm_destroy(scs_comm **comm)
{
    scs_comm *c = *comm;

    *comm = NULL;
    if (!c)
        return;
    if (c->clear_teams)
        c->clear_teams(c);
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

/* The public view of three members, for code that does not know the struct. */
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

/* Read by mpi/comm/watchdog.c when writing begins. */
void scs_comm_set_deadline(scs_comm *comm, double seconds)
{
    comm->deadline = seconds;
}

/* Two steps, so that the usual case carries an int and no text: the lowest failing rank is found
 * first, and it alone sends what it has to say. */
scs_status scs_comm_agree(scs_comm *comm, scs_status mine)
{
    struct {
        int32_t status;
        char message[SCS_MESSAGE_MAX];
    } verdict = {0};
    int failing, lowest;

    mine = scs_collective_mine(mine);
    failing = mine == SCS_OK ? comm->size : comm->rank;
    verdict.status = (int32_t)mine;
    SCS_MPI(MPI_Allreduce(&failing, &lowest, 1, MPI_INT, MPI_MIN, comm->mpi));
    if (lowest == comm->size)
        return SCS_OK;
    memcpy(verdict.message, scs_message(), strlen(scs_message()) + 1);
    SCS_MPI(MPI_Bcast(&verdict, sizeof verdict, MPI_BYTE, lowest, comm->mpi));
    if (comm->rank == lowest)
        return mine;
    return SCS_FAIL((scs_status)verdict.status, "%s", verdict.message);
}

/* Pieces in order; all ranks know the size. */
scs_status scs_comm_broadcast(scs_comm *comm, void *bytes, int64_t size)
{
    for (int64_t at = 0; at < size; at += comm->piece) {
        int64_t n = size - at < comm->piece ? size - at : comm->piece;

        SCS_MPI(MPI_Bcast((char *)bytes + at, (int)n, MPI_BYTE, 0, comm->mpi));
    }
    return scs_collective_ok();
}

/* Ranks other than 0 learn the size first; all agree that there is room before the bytes follow. */
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

/* The size is the same on all ranks, so all return early or all agree. The old block is freed
 * first: its content is not wanted, and both at once could be too much. */
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
