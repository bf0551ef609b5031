/* The hooks of a team of ranks. Partial sums are added in the order of one binary tree over the
 * shards (src/tree.c), never in the MPI library's, so that results have the same bits on any number
 * of ranks. */
#include "mpi/comm_state.h"
#include "src/collective.h"

#include <stdlib.h>
#include <string.h>

/* A team as another rank sees it: only its range of shards differs. */
scs_team scs_seat_team(const scs_seat *seat, int32_t rank)
{
    int32_t n_rank = seat->comm->size;

    return (scs_team){.n_shard = seat->n_shard,
                      .first = scs_shard_first(seat->n_shard, n_rank, rank),
                      .last = scs_shard_first(seat->n_shard, n_rank, rank + 1),
                      .n_rank = n_rank,
                      .rank = rank};
}

static scs_status allocate_seat(scs_seat *seat)
{
    int32_t n_shard = seat->n_shard;

    SCS_TRY(SCS_ALLOC(seat->part_double, n_shard));
    SCS_TRY(SCS_ALLOC(seat->part_float, n_shard));
    SCS_TRY(SCS_ALLOC(seat->subtree, (int64_t)n_shard + SCS_SUBTREE_MAX));
    return SCS_ALLOC(seat->first_subtree, seat->comm->size + 1);
}

/* But for the shared memory, which may be in use. */
static void clear_lists(scs_seat *seat)
{
    free(seat->first_subtree);
    free(seat->subtree);
    free(seat->part_double);
    free(seat->part_float);
    seat->first_subtree = NULL;
    seat->subtree = NULL;
    seat->part_double = NULL;
    seat->part_float = NULL;
}

void scs_seats_clear(scs_comm *comm)
{
    for (int i = 0; i < SCS_SEATS; i++) {
        clear_lists(&comm->seat[i]);
        scs_shared_clear(&comm->seat[i].parts);
        scs_shared_clear(&comm->seat[i].values);
        scs_reduction_clear(&comm->seat[i].now);
        scs_reduction_clear(&comm->seat[i].begun);
        scs_flight_clear(&comm->seat[i].gathering);
    }
}

/* The first hook called on all ranks makes the list of all ranks' subtrees; at most one a shard. */
scs_status scs_seat_open(scs_seat *seat)
{
    scs_comm *comm = seat->comm;
    int32_t n = 0;
    scs_status st;

    if (seat->first_subtree)
        return scs_collective_ok();
    SCS_GO(st, scs_agree(comm, allocate_seat(seat)));
    for (int32_t r = 0; r < comm->size; r++) {
        scs_team other = scs_seat_team(seat, r);

        n += scs_tree_cover(other.first, other.last, seat->n_shard, seat->subtree + n);
        seat->first_subtree[r + 1] = n;
    }
done:
    if (st != SCS_OK)
        clear_lists(seat);
    return st;
}

/* This rank's subtree sums into their place among all ranks'. */
static void place_subtree_sums(scs_seat *seat, double *parts, int64_t len, double *gathered)
{
    scs_team mine = scs_seat_team(seat, seat->comm->rank);
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

    SCS_TRY(scs_seat_open(seat));
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

static scs_status exchange(void *ctx, const void *const *out, const int64_t *n_out, void *const *in,
                           const int64_t *n_in)
{
    scs_comm *comm = ((scs_seat *)ctx)->comm;

    for (int32_t step = 1; step < comm->size; step++) {
        int32_t to = (comm->rank + step) % comm->size;
        int32_t from = (comm->rank - step + comm->size) % comm->size;

        SCS_TRY(scs_send_receive(comm, to, out[to], n_out[to], from, in[from], n_in[from]));
    }
    return scs_collective_ok();
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
    team = scs_seat_team(seat, comm->rank);
    team.ctx = seat;
    team.sum = sum;
    team.open_parts = scs_seat_open_parts;
    team.close_parts = scs_seat_close_parts;
    team.share_values = scs_seat_share_values;
    team.unshare_values = scs_seat_unshare_values;
    team.reduce_slice = scs_seat_reduce_slice;
    team.reduce_begin = scs_seat_reduce_begin;
    team.reduce_end = scs_seat_reduce_end;
    team.gather_slices = scs_seat_gather_slices;
    team.gather_begin = scs_seat_gather_begin;
    team.gather_end = scs_seat_gather_end;
    team.exchange = exchange;
    team.agree = agree;
    team.share = share;
    return team;
}
