/** The screen's rows, block by block, by whichever rank is free. */
#ifndef SCS_SCREEN_BLOCKS_H
#define SCS_SCREEN_BLOCKS_H

#include "mpi/queue.h"
#include "mpi/screen_row.h"
#include "mpi/screen_writer.h"
#include "mpi/wishes.h"

/** Who works on what, and until when. */
typedef struct scs_screen_work {
    const scs_session *session;
    scs_screen_store *store;
    scs_queue queue;
    scs_wishes wishes;
    scs_screen_writer writer;
    int64_t *order; /**< [n_order] blocks to do, dear ones first; alike on all ranks */
    int64_t n_order;
    bool stopped;        /**< somebody wants the job to end */
    char reason[128];    /**< why this rank wants it; "" otherwise */
    double longest;      /**< seconds of a block so far, without writing it */
    double looked;       /**< when this rank looked last whether to stop */
    double begun, ended; /**< of the work */
    double busy;         /**< seconds of it that this rank worked */
    double waited;       /**< seconds of these in which it waited for blocks to be written */
} scs_screen_work;

/** Collective. Close it even after a failure. */
SCS_MUST_USE scs_status scs_work_open(const scs_session *session, const scs_plan *plan,
                                      scs_screen_store *store, scs_screen_work *work);
void scs_work_close(scs_screen_work *work); /**< Collective. */
/** Whether to end: somebody's wish, here or on another rank (from then on the queue is empty).
 * Cheap; called often. Local. @param work a scs_screen_work */
bool scs_work_is_over(void *work);
/** Fill and write blocks until none is left or the work is over. Local. @param job without rows */
SCS_MUST_USE scs_status scs_work_blocks(scs_screen_work *work, const scs_row_job *job);
/** This rank has failed: the others shall not go on. Local. */
void scs_work_abandon(scs_screen_work *work);
/** After all ranks' work: says how long ranks waited; SCS_ESTOP where something is left to do.
 * Collective. @param n_unit_left this rank's units of permutations that are not done */
SCS_MUST_USE scs_status scs_work_end(scs_screen_work *work, int64_t n_unit_left);

#endif
