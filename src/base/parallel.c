#include "src/base/parallel.h"

#include "scscreen/status.h"

#include <stdio.h>

void scs_parallel_error_note(scs_parallel_error *failure, int64_t item, scs_status status)
{
    if (status == SCS_OK)
        return;
#pragma omp critical(scs_parallel_error)
    if (failure->status == SCS_OK || item < failure->item) {
        failure->item = item;
        failure->status = status;
        snprintf(failure->message, sizeof failure->message, "%s", scs_message());
    }
}

scs_status scs_parallel_error_raise(const scs_parallel_error *failure)
{
    if (failure->status == SCS_OK)
        return SCS_OK;
    return SCS_FAIL(failure->status, "%s", failure->message);
}
