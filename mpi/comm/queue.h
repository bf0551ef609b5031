/** One counter that ranks take their work from: whoever is free takes the next number. Blocks of a
 * screen and models of a grid take different times, so no fixed division keeps all ranks busy.
 *
 *      SCS_TRY(scs_queue_open(world, &queue));
 *      SCS_TRY(scs_queue_take(&queue, &i));
 *      while (i < n) {
 *          SCS_TRY(work_on(i));
 *          SCS_TRY(scs_queue_take(&queue, &i));
 *      }
 *      scs_queue_close(&queue);
 *
 *  The counter is 8 bytes in an MPI window on rank 0. Taking a number is one fetch-and-add under a
 *  lock; no other rank calls anything for it. Between hosts MPI's progress on rank 0 may need that
 *  rank to enter the library now and then (scs_queue_serve). Every function's failure is SCS_EIO.
 */
#ifndef SCS_QUEUE_H
#define SCS_QUEUE_H

#include "scscreen/comm.h"

/** What to stop a queue with, so that all who take or look see that it was stopped: above any
 * number of units, and far enough from the largest int64_t that further takes do not overflow it.
 */
#define SCS_QUEUE_STOPPED (INT64_MAX / 2)

/** A queue. Owned by whoever opened it. */
typedef struct scs_queue {
    scs_comm *world; /**< borrowed */
    MPI_Win window;  /**< the counter, on rank 0 */
} scs_queue;

/** The counter starts at 0, and does so on every rank before any can take. Collective over world.
 */
SCS_MUST_USE scs_status scs_queue_open(scs_comm *world, scs_queue *queue);
/** Collective over world, after all have taken their last number. A queue that was never opened is
 * let through. */
void scs_queue_close(scs_queue *queue); /**< Collective over world. */
/** The next number, which no other rank gets. Local: no other rank need call anything. */
SCS_MUST_USE scs_status scs_queue_take(scs_queue *queue, int64_t *number);
/** What the next number would be: SCS_QUEUE_STOPPED or more once the queue is stopped. Local. */
SCS_MUST_USE scs_status scs_queue_look(scs_queue *queue, int64_t *number);
/** From now on every number is at least `end`: the others stop after what they have. Any rank may
 * do it, at any time, also twice. Local. */
SCS_MUST_USE scs_status scs_queue_stop(scs_queue *queue, int64_t end);
/** Let requests of other ranks through; rank 0 calls it now and then while it computes. A probe
 * that finds nothing: it is made for MPI's progress only. Local. */
SCS_MUST_USE scs_status scs_queue_serve(scs_queue *queue);

#endif
