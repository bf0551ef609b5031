/** How the shards are spread over ranks and how their parts are added: the hooks that mpi/
 * installs.
 *
 *  src/ knows no MPI; scs_team_alone is the team of one process. A rank owns shards [first, last)
 * of n_shard and the slice of the flat parameter buffer that belongs to them.
 */
#ifndef SCSCREEN_TEAM_H
#define SCSCREEN_TEAM_H

#include "scscreen/status.h"

#include <stdbool.h>

typedef struct scs_team {
    int32_t n_shard, first, last;
    int32_t n_rank, rank;
    void *ctx;
    /** total = tree sum over all V shards of the local parts; the same bits on every rank.
     * Collective.
     *  @param parts [last - first, len], destroyed  @param[out] total [len] */
    scs_status (*sum)(void *ctx, double *parts, int64_t len, double *total);
    /** slice = tree sum over all shards of elements [lo, hi) of their gradients. Collective.
     *  @param part [last - first] pointers to n values, destroyed  @param[out] slice [hi - lo]; may
     * lie in part[0], and costs no copy at part[0] + lo */
    scs_status (*reduce_slice)(void *ctx, float *const *part, int64_t n, float *slice);
    /** Every rank's own slice of values reaches all ranks. Collective. @param values [n] */
    scs_status (*gather_slices)(void *ctx, float *values, int64_t n);
    /** All ranks return the same: SCS_OK, or the lowest failing rank's status and message.
     * Collective. */
    scs_status (*agree)(void *ctx, scs_status mine);
    /** Rank 0's bytes reach all ranks. Collective. */
    scs_status (*share)(void *ctx, void *bytes, int64_t size);
} scs_team;

/** The team of one process that owns all n_shard shards. Nothing to free. */
scs_team scs_team_alone(int32_t n_shard);
/** Boundaries of this rank's slice of n values: V fixed pieces [n v / V, n (v + 1) / V), those of
 * its shards. Local. */
void scs_team_slice(const scs_team *team, int64_t n, int64_t *lo, int64_t *hi);

#endif
