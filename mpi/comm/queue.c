/* A shared counter by MPI's one-sided calls. Each access locks rank 0's window by itself (passive
 * target), so that no call has to be matched by another rank. */
#include "mpi/comm/queue.h"

/* The counter is set under a lock of the window, which makes it visible to accesses of others; the
 * barrier makes it so before the first of them. */
scs_status scs_queue_open(scs_comm *world, scs_queue *queue)
{
    MPI_Aint size = scs_comm_rank(world) == 0 ? (MPI_Aint)sizeof(int64_t) : 0;
    int64_t *counter;

    *queue = (scs_queue){.world = world, .window = MPI_WIN_NULL};
    SCS_MPI(MPI_Win_allocate(size, sizeof(int64_t), MPI_INFO_NULL, scs_comm_mpi(world), &counter,
                             &queue->window));
    SCS_MPI(MPI_Win_set_errhandler(queue->window, MPI_ERRORS_RETURN));
    SCS_MPI(MPI_Win_lock(MPI_LOCK_EXCLUSIVE, scs_comm_rank(world), 0, queue->window));
    if (size)
        *counter = 0;
    SCS_MPI(MPI_Win_unlock(scs_comm_rank(world), queue->window));
    SCS_MPI(MPI_Barrier(scs_comm_mpi(world)));
    return SCS_OK;
}

/* After all ranks have taken their last number. */
void scs_queue_close(scs_queue *queue)
{
    if (queue->window != MPI_WIN_NULL)
        MPI_Win_free(&queue->window);
}

/* One atomic operation on the counter, and its value before. */
static scs_status exchange(scs_queue *queue, int64_t mine, MPI_Op op, int64_t *old)
{
    SCS_MPI(MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, queue->window));
    SCS_MPI(MPI_Fetch_and_op(&mine, old, MPI_INT64_T, 0, 0, op, queue->window));
    SCS_MPI(MPI_Win_unlock(0, queue->window));
    return SCS_OK;
}

/* fetch-and-add: no two ranks get the same number. */
scs_status scs_queue_take(scs_queue *queue, int64_t *number)
{
    return exchange(queue, 1, MPI_SUM, number);
}

/* An atomic read: nothing is replaced. */
scs_status scs_queue_look(scs_queue *queue, int64_t *number)
{
    return exchange(queue, 0, MPI_NO_OP, number);
}

/* Replaces what is there, so takes in progress get either an old number or one past the end. */
scs_status scs_queue_stop(scs_queue *queue, int64_t end)
{
    int64_t old;

    return exchange(queue, end, MPI_REPLACE, &old);
}

/* Any call that makes progress would do; a probe receives nothing. */
scs_status scs_queue_serve(scs_queue *queue)
{
    int flag;

    SCS_MPI(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, scs_comm_mpi(queue->world), &flag,
                       MPI_STATUS_IGNORE));
    return SCS_OK;
}
