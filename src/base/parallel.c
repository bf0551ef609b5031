#include "src/base/parallel.h"

#include "scscreen/status.h"

#include <stdio.h>

void scs_failure_note(scs_failure *failure, int64_t item, scs_status status)
{
    if (status == SCS_OK)
        return;
#pragma omp critical(scs_failure)
    if (failure->status == SCS_OK || item < failure->item) {
        failure->item = item;
        failure->status = status;
        snprintf(failure->message, sizeof failure->message, "%s", scs_message());
    }
}

scs_status scs_failure_raise(const scs_failure *failure)
{
    if (failure->status == SCS_OK)
        return SCS_OK;
    return SCS_FAIL(failure->status, "%s", failure->message);
}
