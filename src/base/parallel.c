/** The first failure of a parallel loop (src/base/parallel.h). */
#include "src/base/parallel.h"

#include <stdio.h>

/* The critical section is entered for failures only: a loop that goes well pays one comparison
 * an item. */
void scs_parallel_error_note(scs_parallel_error *error, int64_t item, scs_status status)
{
    if (status == SCS_OK)
        return;
#pragma omp critical(scs_parallel_error)
    if (error->status == SCS_OK || item < error->item) {
        error->item = item;
        error->status = status;
        snprintf(error->message, sizeof error->message, "%s", scs_message());
    }
}

/* The trace begins anew here: that of the worker went with its thread. */
scs_status scs_parallel_error_raise(const scs_parallel_error *error)
{
    if (error->status == SCS_OK)
        return SCS_OK;
    return SCS_FAIL(error->status, "%s", error->message);
}
