/** The first failure of a parallel loop, carried to the thread that started the loop (messages are
 * per thread). Local. */
#ifndef SCS_PARALLEL_H
#define SCS_PARALLEL_H

#include "scscreen/status.h"

typedef struct scs_parallel_error {
    int64_t
        item; /**< the loop's index; the lowest failing one is kept, whichever thread is first */
    scs_status status;
    char message[SCS_MESSAGE_MAX];
} scs_parallel_error;

/** Called by any thread for each item; does nothing for SCS_OK. */
void scs_parallel_error_note(scs_parallel_error *failure, int64_t item, scs_status status);
/** After the loop: SCS_OK, or the kept status with its message on this thread. */
SCS_MUST_USE scs_status scs_parallel_error_raise(const scs_parallel_error *failure);

#endif
