#include "scscreen/team.h"

#include "scscreen/tree.h"

#include <stdlib.h>
#include <string.h>

/* The context of a team of one process is its number of shards, kept in the pointer itself. */
static int32_t shards_of(const void *ctx)
{
    return (int32_t)(intptr_t)ctx;
}

static scs_status alone_sum(void *ctx, double *parts, int64_t len, double *total)
{
    int32_t n_shard = shards_of(ctx);
    scs_subtree whole[SCS_SUBTREE_MAX];
    double **part;

    SCS_TRY(SCS_ALLOC(part, n_shard));
    for (int32_t v = 0; v < n_shard; v++)
        part[v] = parts + v * len;
    scs_tree_fold_double(part, 0, n_shard, n_shard, len, whole);
    memcpy(total, part[0], (size_t)len * sizeof *total);
    free(part);
    return SCS_OK;
}

static scs_status alone_reduce_slice(void *ctx, float *const *part, int64_t n, float *slice)
{
    scs_subtree whole[SCS_SUBTREE_MAX];

    scs_tree_fold_float(part, 0, shards_of(ctx), shards_of(ctx), n, whole);
    if (slice != part[0])
        memcpy(slice, part[0], (size_t)n * sizeof *slice);
    return SCS_OK;
}

static scs_status alone_open_parts(void *ctx, int64_t n, float **part)
{
    for (int32_t v = 0; v < shards_of(ctx); v++)
        SCS_TRY(SCS_ALLOC(part[v], n));
    return SCS_OK;
}

static void alone_close_parts(void *ctx, float **part)
{
    for (int32_t v = 0; v < shards_of(ctx); v++)
        free(part[v]);
}

static scs_status alone_share_values(void *ctx, int64_t n, float **values)
{
    (void)ctx, (void)n, (void)values;
    return SCS_OK;
}

static void alone_unshare_values(void *ctx, int64_t n, float **values)
{
    (void)ctx, (void)n, (void)values;
}

static scs_status alone_gather_slices(void *ctx, float *values, int64_t n)
{
    (void)ctx, (void)values, (void)n;
    return SCS_OK;
}

static scs_status alone_agree(void *ctx, scs_status mine)
{
    (void)ctx;
    return mine;
}

static scs_status alone_share(void *ctx, void *bytes, int64_t size)
{
    (void)ctx, (void)bytes, (void)size;
    return SCS_OK;
}

scs_team scs_team_alone(int32_t n_shard)
{
    return (scs_team){.n_shard = n_shard,
                      .first = 0,
                      .last = n_shard,
                      .n_rank = 1,
                      .rank = 0,
                      .ctx = (void *)(intptr_t)n_shard,
                      .sum = alone_sum,
                      .reduce_slice = alone_reduce_slice,
                      .open_parts = alone_open_parts,
                      .close_parts = alone_close_parts,
                      .share_values = alone_share_values,
                      .unshare_values = alone_unshare_values,
                      .gather_slices = alone_gather_slices,
                      .agree = alone_agree,
                      .share = alone_share};
}

void scs_team_slice(const scs_team *team, int64_t n, int64_t *lo, int64_t *hi)
{
    *lo = n * team->first / team->n_shard;
    *hi = n * team->last / team->n_shard;
}
