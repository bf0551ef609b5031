/** Writes one block of rows while the next is computed. */
#ifndef SCS_SCREEN_WRITER_H
#define SCS_SCREEN_WRITER_H

#include "mpi/screen_store.h"
#include "src/failure.h"

#include <pthread.h>

/** A thread of its own where MPI allows calls from several threads in turn; else blocks are written
 * at once. While it is open, everything else that calls MPI takes `turn` first. */
typedef struct scs_screen_writer {
    scs_screen_store *store; /**< NULL: not open, and it is always one's turn */
    bool threaded;
    pthread_t thread;
    pthread_mutex_t turn; /**< who may call MPI and HDF5 */
    pthread_mutex_t lock; /**< of all that follows */
    pthread_cond_t change;
    const scs_result_rows *rows; /**< to be written; NULL: nothing */
    int64_t block;
    bool over;
    double longest;     /**< seconds that a block took */
    scs_failure failed; /**< the first failing block's */
} scs_screen_writer;

/** Local. Never fails: without a thread blocks are written at once. */
void scs_writer_open(scs_screen_store *store, scs_screen_writer *writer);
/** Write a block, after the one before. Local. @param rows stay as they are until the next call
 *  @return that block's status, or an earlier one's */
SCS_MUST_USE scs_status scs_writer_put(scs_screen_writer *writer, int64_t block,
                                       const scs_result_rows *rows);
/** Until all is written. Local. @return the first failing block's status */
SCS_MUST_USE scs_status scs_writer_close(scs_screen_writer *writer);
/** Seconds that the longest block so far took to write. Local. */
double scs_writer_longest(scs_screen_writer *writer);
/** Before and after calls to MPI. Local. @param wait false: only if nothing is being written
 *  @return whether it may be called */
bool scs_writer_take_turn(scs_screen_writer *writer, bool wait);
void scs_writer_end_turn(scs_screen_writer *writer);

#endif
