/* The one loop over groups that are left out in turn. All functions are Local.
 *
 * Each row has sources and scratch of its own, so that threads share nothing and every row's
 * result is the same on any number of them.
 */
#include "src/screen/leave_out.h"

#include "src/base/parallel.h"
#include "scscreen/screen.h"

#include <stdlib.h>

void scs_leave_out_thin(scs_plan *plan, int64_t most)
{
    int64_t n = plan->n;

    plan->n = n < most ? n : most;
    for (int64_t i = 0; i < plan->n; i++)
        plan->item[i] = plan->item[i * n / plan->n];
}

/* Memory: sources and scratch of the rows that are under way, one a thread. */
scs_status scs_leave_out(const scs_atlas *atlas, const scs_method *method, const scs_plan *plan,
                         int64_t first, int64_t last, int64_t n_work, scs_left_out each, void *ctx)
{
    scs_parallel_error failed = {0};

#pragma omp parallel for schedule(dynamic)
    for (int64_t i = first; i < last; i++) {
        scs_sources *sources = NULL;
        double *work = NULL;
        scs_status st;

        SCS_GO(st, scs_shift_sources_create(atlas, &sources));
        SCS_GO(st, SCS_ALLOC(work, n_work));
        SCS_GO(st, scs_shift_sources_find(atlas, method, &plan->item[i], sources));
        if (sources->kind != SCS_SOURCE_SELF)
            SCS_GO(st, each(ctx, i, sources, work));
    done:
        free(work);
        scs_shift_sources_destroy(&sources);
        scs_parallel_error_note(&failed, i, st);
    }
    return scs_parallel_error_raise(&failed);
}
