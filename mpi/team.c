/* The hooks of a team of ranks. Partial sums are added in the order of one binary tree over the
 * shards (src/tree.c), never in the MPI library's, so that results have the same bits on any number
 * of ranks. */
#include "mpi/comm_state.h"

#include <stdlib.h>
#include <string.h>

/* A team as another rank sees it: only its range of shards differs. */
static scs_team team_of_rank(const scs_seat *seat, int32_t rank)
{
    int32_t n_rank = seat->comm->size;

    return (scs_team){.n_shard = seat->n_shard,
                      .first = scs_shard_first(seat->n_shard, n_rank, rank),
                      .last = scs_shard_first(seat->n_shard, n_rank, rank + 1),
                      .n_rank = n_rank,
                      .rank = rank};
}

static int32_t subtrees_of(const scs_seat *seat, int32_t rank)
{
    return seat->first_subtree[rank + 1] - seat->first_subtree[rank];
}

static scs_status allocate_seat(scs_seat *seat)
{
    int32_t n_shard = seat->n_shard;

    SCS_TRY(SCS_ALLOC(seat->part_double, n_shard));
    SCS_TRY(SCS_ALLOC(seat->part_float, n_shard));
    SCS_TRY(SCS_ALLOC(seat->subtree, (int64_t)n_shard + SCS_SUBTREE_MAX));
    return SCS_ALLOC(seat->first_subtree, seat->comm->size + 1);
}

static void clear_seat(scs_seat *seat)
{
    free(seat->first_subtree);
    free(seat->subtree);
    free(seat->part_double);
    free(seat->part_float);
    *seat = (scs_seat){.comm = seat->comm, .n_shard = seat->n_shard};
}

void scs_seats_clear(scs_comm *comm)
{
    for (int i = 0; i < SCS_SEATS; i++)
        clear_seat(&comm->seat[i]);
}

/* The first hook called on all ranks makes the list of all ranks' subtrees; at most one a shard. */
static scs_status open_seat(scs_seat *seat)
{
    scs_comm *comm = seat->comm;
    int32_t n = 0;
    scs_status st;

    if (seat->first_subtree)
        return SCS_OK;
    SCS_GO(st, scs_agree(comm, allocate_seat(seat)));
    for (int32_t r = 0; r < comm->size; r++) {
        scs_team other = team_of_rank(seat, r);

        n += scs_tree_cover(other.first, other.last, seat->n_shard, seat->subtree + n);
        seat->first_subtree[r + 1] = n;
    }
done:
    if (st != SCS_OK)
        clear_seat(seat);
    return st;
}

/* This rank's subtree sums into their place among all ranks'. */
static void place_subtree_sums(scs_seat *seat, double *parts, int64_t len, double *gathered)
{
    scs_team mine = team_of_rank(seat, seat->comm->rank);
    scs_subtree subtree[SCS_SUBTREE_MAX];
    int32_t at = seat->first_subtree[seat->comm->rank];
    int n;

    for (int32_t s = mine.first; s < mine.last; s++)
        seat->part_double[s - mine.first] = parts + (s - mine.first) * len;
    n = scs_tree_fold_double(seat->part_double, mine.first, mine.last, seat->n_shard, len, subtree);
    for (int i = 0; i < n; i++)
        memcpy(gathered + (at + i) * len, parts + (subtree[i].first - mine.first) * len,
               (size_t)len * sizeof *parts);
}

static scs_status sum(void *ctx, double *parts, int64_t len, double *total)
{
    scs_seat *seat = ctx;
    scs_comm *comm = seat->comm;
    int64_t row = len * (int64_t)sizeof(double);
    int32_t n;
    double *gathered;

    SCS_TRY(open_seat(seat));
    n = seat->first_subtree[comm->size];
    SCS_TRY(scs_comm_reserve(comm, n * row));
    gathered = comm->work;
    place_subtree_sums(seat, parts, len, gathered);
    for (int32_t r = 0; r <= comm->size; r++)
        comm->first[r] = seat->first_subtree[r] * row;
    SCS_TRY(scs_allgather(comm, gathered, comm->first));
    for (int32_t i = 0; i < n; i++)
        seat->part_double[i] = gathered + i * len;
    scs_tree_sum_double(seat->part_double, seat->subtree, n, 0, len);
    memcpy(total, gathered, (size_t)row);
    return SCS_OK;
}

/* Bytes that hold the others' subtree sums of one slice, on the rank where that is most. */
static int64_t slice_work(const scs_seat *seat, int64_t n)
{
    int32_t n_rank = seat->comm->size, total = seat->first_subtree[n_rank];
    int64_t longest = 0, most = 0;

    for (int32_t r = 0; r < n_rank; r++) {
        scs_team other = team_of_rank(seat, r);
        int64_t lo, hi, foreign = total - subtrees_of(seat, r);

        scs_team_slice(&other, n, &lo, &hi);
        longest = hi - lo > longest ? hi - lo : longest;
        most = foreign > most ? foreign : most;
    }
    return most * longest * (int64_t)sizeof(float);
}

/* Send rank `to` its slice of every subtree sum that is here; receive those of this rank's slice
 * from rank `from`.
 * @param mine   this rank's subtree sums, one per maximal subtree  @param len of this rank's slice
 */
static scs_status trade_slices(scs_seat *seat, int32_t to, float *const *mine, int32_t from,
                               int64_t n, int64_t len)
{
    int32_t n_out = subtrees_of(seat, seat->comm->rank), n_in = subtrees_of(seat, from);
    float *const *in = seat->part_float + seat->first_subtree[from];
    scs_team target = team_of_rank(seat, to);
    int64_t lo, hi;

    scs_team_slice(&target, n, &lo, &hi);
    for (int32_t i = 0; i < n_out || i < n_in; i++)
        SCS_TRY(scs_send_receive(seat->comm, to, i < n_out ? mine[i] + lo : NULL,
                                 i < n_out ? (hi - lo) * (int64_t)sizeof(float) : 0, from,
                                 i < n_in ? in[i] : NULL,
                                 i < n_in ? len * (int64_t)sizeof(float) : 0));
    return SCS_OK;
}

/* part_float[i] = where slice [lo, lo + len) of subtree sum i lies: our own where it is, others' in
 * the work buffer. */
static void lay_out_parts(scs_seat *seat, float *const *mine, int64_t lo, int64_t len)
{
    const int32_t *first = seat->first_subtree;
    int32_t rank = seat->comm->rank;
    float *work = seat->comm->work;

    for (int32_t i = 0; i < first[seat->comm->size]; i++) {
        if (i >= first[rank] && i < first[rank + 1]) {
            seat->part_float[i] = mine[i - first[rank]] + lo;
        } else {
            seat->part_float[i] = work;
            work += len;
        }
    }
}

static scs_status reduce_slice(void *ctx, float *const *part, int64_t n, float *slice)
{
    scs_seat *seat = ctx;
    scs_comm *comm = seat->comm;
    scs_team team = team_of_rank(seat, comm->rank);
    scs_subtree subtree[SCS_SUBTREE_MAX];
    float *mine[SCS_SUBTREE_MAX];
    int64_t lo, hi;
    int n_mine, first;

    SCS_TRY(open_seat(seat));
    SCS_TRY(scs_comm_reserve(comm, slice_work(seat, n)));
    n_mine = scs_tree_fold_float(part, team.first, team.last, seat->n_shard, n, subtree);
    for (int i = 0; i < n_mine; i++)
        mine[i] = part[subtree[i].first - team.first];
    scs_team_slice(&team, n, &lo, &hi);
    lay_out_parts(seat, mine, lo, hi - lo);
    for (int32_t step = 1; step < comm->size; step++)
        SCS_TRY(trade_slices(seat, (comm->rank + step) % comm->size, mine,
                             (comm->rank - step + comm->size) % comm->size, n, hi - lo));
    first = seat->first_subtree[comm->rank];
    scs_tree_sum_float(seat->part_float, seat->subtree, seat->first_subtree[comm->size], first,
                       hi - lo);
    if (slice != seat->part_float[first]) /* it may overlap part[0] */
        memmove(slice, seat->part_float[first], (size_t)(hi - lo) * sizeof *slice);
    return SCS_OK;
}

static scs_status gather_slices(void *ctx, float *values, int64_t n)
{
    scs_seat *seat = ctx;
    scs_comm *comm = seat->comm;

    for (int32_t r = 0; r < comm->size; r++) {
        scs_team other = team_of_rank(seat, r);

        scs_team_slice(&other, n, &comm->first[r], &comm->first[r + 1]);
        comm->first[r] *= (int64_t)sizeof *values;
    }
    comm->first[comm->size] *= (int64_t)sizeof *values;
    return scs_allgather(comm, values, comm->first);
}

static scs_status agree(void *ctx, scs_status mine)
{
    scs_seat *seat = ctx;

    return scs_agree(seat->comm, mine);
}

static scs_status share(void *ctx, void *bytes, int64_t size)
{
    scs_seat *seat = ctx;

    return scs_broadcast(seat->comm, bytes, size);
}

scs_team scs_comm_team(scs_comm *comm, int32_t n_shard)
{
    scs_seat *seat = &comm->seat[__builtin_ctz((unsigned)n_shard)];
    scs_team team;

    seat->comm = comm;
    seat->n_shard = n_shard;
    team = team_of_rank(seat, comm->rank);
    team.ctx = seat;
    team.sum = sum;
    team.reduce_slice = reduce_slice;
    team.gather_slices = gather_slices;
    team.agree = agree;
    team.share = share;
    return team;
}
