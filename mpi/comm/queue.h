/** One counter that groups of ranks take their work from: whoever is free takes the next number. */
#ifndef SCS_QUEUE_H
#define SCS_QUEUE_H

#include "scscreen/comm.h"

/** What to stop a queue with, so that all who take or look see that it was stopped. */
#define SCS_QUEUE_STOPPED (INT64_MAX / 2)

typedef struct scs_queue {
    scs_comm *world; /**< borrowed */
    MPI_Win window;  /**< the counter, on rank 0 */
} scs_queue;

/** The counter starts at 0. Collective over world. */
SCS_MUST_USE scs_status scs_queue_open(scs_comm *world, scs_queue *queue);
void scs_queue_close(scs_queue *queue); /**< Collective over world. */
/** The next number. Local: no other rank need call anything. */
SCS_MUST_USE scs_status scs_queue_take(scs_queue *queue, int64_t *number);
/** What the next number would be. Local. */
SCS_MUST_USE scs_status scs_queue_look(scs_queue *queue, int64_t *number);
/** From now on every number is at least `end`: the others stop after what they have. Local. */
SCS_MUST_USE scs_status scs_queue_stop(scs_queue *queue, int64_t end);
/** Let requests of other ranks through; rank 0 calls it now and then while it computes. Local. */
SCS_MUST_USE scs_status scs_queue_serve(scs_queue *queue);

#endif
