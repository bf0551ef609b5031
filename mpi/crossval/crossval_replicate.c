/* Group statistics of halves, split by split, and what they score. All rows of the grid at once:
 * the halves do not depend on what a model holds out.
 *
 *  Time: for each split, the gene-space half of an atlas (mpi/data/atlas_genes.c), then
 * O(conditions n_gene) a row. Memory: one atlas with twice the groups, freed after each split. The
 * rows are divided over the group's ranks; each is summed on one, and the others have 0 there. */
#include "mpi/crossval/crossval_replicate.h"

#include "mpi/data/atlas_genes.h"
#include "src/base/collective.h"
#include "src/crossval/replicate.h"

#include <math.h>
#include <stdlib.h>

typedef struct work {
    scs_validation *v;
    double *sum; /* [plan->n, SCS_N_MEASURE] */
    int64_t *n;  /* likewise: of how many values */
} work;

/* Every n_rank-th row is this rank's. */
static scs_status measure_rows(work *w, const scs_atlas *halves)
{
    const scs_validation *v = w->v;
    const scs_plan *plan = v->grid->plan;

    for (int64_t i = scs_comm_rank(v->group); i < plan->n; i += scs_comm_size(v->group))
        SCS_TRY(scs_replicate_measure(halves, v->base->species.n, &plan->item[i],
                                      w->sum + i * SCS_N_MEASURE, w->n + i * SCS_N_MEASURE));
    return SCS_OK;
}

/* Collective over the group. */
static scs_status add_split(work *w, int32_t split)
{
    const scs_session *s = w->v->session;
    scs_dataset half = {0};
    scs_atlas *halves = NULL;
    scs_status st;

    SCS_GO(st, scs_comm_agree(w->v->group,
                              scs_replicate_split(w->v->base, s->dataset,
                                                  (int64_t)s->config->train.seed, split, &half)));
    SCS_GO(st, scs_comm_agree(w->v->group, scs_atlas_create(&half, 1, &halves)));
    SCS_GO(st, scs_atlas_genes(w->v->group, halves, &half, s->deal, s->shard, &s->team));
    SCS_GO(st, scs_comm_agree(w->v->group, measure_rows(w, halves)));
done:
    scs_atlas_destroy(&halves);
    scs_replicate_clear(&half);
    return st;
}

/* Means on the rank that has the row, 0 elsewhere: their sum is exact in any order. */
static scs_status share(work *w)
{
    scs_validation *v = w->v;
    int64_t n = v->grid->plan->n * SCS_N_MEASURE;
    int32_t me = scs_comm_rank(v->group), size = scs_comm_size(v->group);

    for (int64_t i = 0; i < n; i++)
        if (i / SCS_N_MEASURE % size == me)
            w->sum[i] = w->n[i] ? w->sum[i] / (double)w->n[i] : NAN;
    SCS_TRY(scs_comm_agree(v->group, SCS_ALLOC(v->replicate, n)));
    for (int64_t first = 0; first < n; first += 1 << 24) {
        int count = (int)(n - first < 1 << 24 ? n - first : 1 << 24);

        SCS_MPI(MPI_Allreduce(w->sum + first, v->replicate + first, count, MPI_DOUBLE, MPI_SUM,
                              scs_comm_mpi(v->group)));
    }
    return scs_collective_ok();
}

static scs_status open_work(work *w)
{
    int64_t n = w->v->grid->plan->n * SCS_N_MEASURE;

    SCS_TRY(SCS_ALLOC(w->sum, n));
    return SCS_ALLOC(w->n, n);
}

scs_status scs_crossval_replicate(scs_validation *v)
{
    work w = {.v = v};
    scs_status st;

    if (v->replicate)
        return scs_collective_ok();
    SCS_GO(st, scs_comm_agree(v->group, open_work(&w)));
    for (int32_t split = 0; split < SCS_REPLICATE_SPLITS; split++)
        SCS_GO(st, add_split(&w, split));
    SCS_GO(st, share(&w));
done:
    free(w.sum);
    free(w.n);
    return st;
}
