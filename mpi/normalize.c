#include "scscreen/comm.h"
#include "src/collective.h"
#include "src/packed.h"
#include "src/vector.h"

#include <stdlib.h>

/* Totals of this rank's used cells that have any counts; as in scanpy's normalize_total, the others
 * have no say. */
static scs_status used_totals(const scs_dataset *dataset, int64_t first_cell, int64_t n,
                              const double *totals, double **used, int64_t *n_used)
{
    *n_used = 0;
    SCS_TRY(SCS_ALLOC(*used, n));
    for (int64_t i = 0; i < n; i++)
        if (dataset->role[first_cell + i] != SCS_ROLE_UNUSED && totals[i] > 0)
            (*used)[(*n_used)++] = totals[i];
    return SCS_OK;
}

typedef struct median_counts {
    int64_t *to, *from; /* [n_rank] bytes */
} median_counts;

static scs_status count_totals(scs_comm *comm, median_counts *count, int64_t n_used)
{
    scs_status st = SCS_ALLOC(count->to, scs_comm_size(comm));

    if (st == SCS_OK)
        st = SCS_ALLOC(count->from, scs_comm_size(comm));
    SCS_TRY(scs_agree(comm, st));
    count->to[0] = n_used * (int64_t)sizeof(double);
    return scs_exchange_counts(comm, count->to, count->from);
}

/* All ranks' totals go to rank 0, which alone holds them. */
static scs_status gather_median(scs_comm *comm, const median_counts *count, const double *used,
                                double *target)
{
    int64_t n = 0;
    double *all = NULL;
    scs_status st;

    for (int32_t r = 0; r < scs_comm_size(comm); r++)
        n += count->from[r] / (int64_t)sizeof *all;
    SCS_GO(st, scs_agree(comm, SCS_ALLOC(all, n)));
    SCS_GO(st, scs_alltoallv(comm, used, count->to, all, count->from));
    *target = n > 0 ? scs_vector_median(all, n) : 0;
    SCS_GO(st, scs_broadcast(comm, target, sizeof *target));
done:
    free(all);
    return st;
}

static scs_status median_total(scs_comm *comm, const scs_dataset *dataset, int64_t first_cell,
                               int64_t n, const double *totals, double *target)
{
    median_counts count = {0};
    double *used = NULL;
    int64_t n_used;
    scs_status st;

    SCS_GO(st, scs_agree(comm, used_totals(dataset, first_cell, n, totals, &used, &n_used)));
    SCS_GO(st, count_totals(comm, &count, n_used));
    SCS_GO(st, gather_median(comm, &count, used, target));
done:
    free(count.to);
    free(count.from);
    free(used);
    return st;
}

scs_status scs_normalize_cells(scs_comm *comm, const scs_config *config, const scs_dataset *dataset,
                               int64_t first_cell, scs_packed *x, const double *totals)
{
    double target = config->data.target_sum;

    if (config->data.normalize != SCS_NORMALIZE_LOG1P)
        return scs_collective_ok();
    if (target <= 0)
        SCS_TRY(median_total(comm, dataset, first_cell, x->n_row, totals, &target));
    SCS_REQUIRE(target > 0, SCS_EDATA,
                "data.normalize: every cell's counts are 0, so there is nothing to normalise; "
                "check data.matrix");
    scs_packed_log_normalize(x, totals, target);
    return scs_collective_ok();
}
