/** The first failure of a parallel loop, carried to the thread that started the loop.
 *
 *  An OpenMP loop cannot be left early, and messages are per thread: what a worker's call sets
 *  would be lost with it. So the loop notes failures here and the caller raises the kept one:
 *
 *      scs_parallel_error error = {0};
 *      #pragma omp parallel for
 *      for (int64_t i = 0; i < n; i++)
 *          scs_parallel_error_note(&error, i, do_item(i));
 *      SCS_TRY(scs_parallel_error_raise(&error));
 *
 *  The lowest failing item is kept, whichever thread comes first: the message does not depend on
 *  the number of threads. Local.
 */
#ifndef SCS_PARALLEL_H
#define SCS_PARALLEL_H

#include "scscreen/status.h"

/** A zeroed struct holds no failure. */
typedef struct scs_parallel_error {
    int64_t item; /**< the loop's index of the kept failure */
    scs_status status;
    char message[SCS_MESSAGE_MAX];
} scs_parallel_error;

/** Called by any thread for each item, right after its call, whose message is copied. Does nothing
 * for SCS_OK. */
void scs_parallel_error_note(scs_parallel_error *error, int64_t item, scs_status status);
/** After the loop: SCS_OK, or the kept status with its message on this thread. */
SCS_MUST_USE scs_status scs_parallel_error_raise(const scs_parallel_error *error);

#endif
