/* The hooks of a team that add up the ranks' values slice by slice. Ranks of a node read one
 * another's memory; others' sums arrive by messages, which may travel under other work. */
#include "mpi/comm_state.h"
#include "scscreen/shard.h"
#include "src/collective.h"

#include <stdlib.h>
#include <string.h>

enum { TAG = 8 };

static int32_t subtrees_of(const scs_seat *seat, int32_t rank)
{
    return seat->first_subtree[rank + 1] - seat->first_subtree[rank];
}

int64_t scs_seat_slice(const scs_seat *seat, const int64_t *bound, int32_t rank, int64_t *lo)
{
    scs_team team = scs_seat_team(seat, rank);

    *lo = bound[team.first];
    return bound[team.last] - bound[team.first];
}

/* Does rank b read rank a's parts where they are? */
static bool sees(const scs_seat *seat, const scs_reduction *r, int32_t a, int32_t b)
{
    return r->open && seat->parts.together && seat->comm->node[a] == seat->comm->node[b];
}

/* Subtree sums that reach rank `to` by messages. */
static int64_t foreign_subtrees(const scs_seat *seat, const scs_reduction *r, int32_t to)
{
    int64_t foreign = 0;

    for (int32_t from = 0; from < seat->comm->size; from++)
        if (from != to && !sees(seat, r, from, to))
            foreign += subtrees_of(seat, from);
    return foreign;
}

static scs_status grow_work(scs_reduction *r, int64_t size)
{
    free(r->work);
    r->work_size = 0;
    return SCS_ALLOC(r->work, size / (int64_t)sizeof *r->work);
}

/* Room for the others' subtree sums of a slice and for all messages, on each rank as on the one
 * that needs most. */
static scs_status reserve(scs_seat *seat, scs_reduction *r)
{
    scs_comm *comm = seat->comm;
    int64_t longest = 0, most = 0, lo, size;

    for (int32_t rank = 0; rank < comm->size; rank++) {
        int64_t len = scs_seat_slice(seat, r->bound, rank, &lo);
        int64_t foreign = foreign_subtrees(seat, r, rank);

        longest = len > longest ? len : longest;
        most = foreign > most ? foreign : most;
    }
    longest *= (int64_t)sizeof(float);
    size = most * longest;
    if (size > r->work_size) {
        SCS_TRY(scs_agree(comm, grow_work(r, size)));
        r->work_size = size;
    }
    return scs_flight_reserve(
        comm, &r->flight, 2 * seat->first_subtree[comm->size] * scs_flight_pieces(comm, longest));
}

/* Slice [lo, ..) of a subtree sum in the memory of another rank of the node. */
static float *part_of_rank(const scs_seat *seat, int32_t r, const scs_subtree *subtree, int64_t lo)
{
    int64_t row = subtree->first - scs_shard_first(seat->n_shard, seat->comm->size, r);

    return (float *)seat->parts.block[r] + row * scs_part_stride(seat->part_size) + lo;
}

/* part_float[i] = where this rank's slice of subtree sum i lies: our own and those of the node
 * where they are, others' in the work buffer. */
static void lay_out_parts(scs_seat *seat, const scs_reduction *r)
{
    const int32_t *first = seat->first_subtree;
    int32_t rank = seat->comm->rank;
    float *work = r->work;

    for (int32_t from = 0; from < seat->comm->size; from++)
        for (int32_t i = first[from]; i < first[from + 1]; i++) {
            if (from == rank) {
                seat->part_float[i] = r->mine[i - first[rank]] + r->lo;
            } else if (sees(seat, r, from, rank)) {
                seat->part_float[i] = part_of_rank(seat, from, &seat->subtree[i], r->lo);
            } else {
                seat->part_float[i] = work;
                work += r->len;
            }
        }
}

/* Sums of this rank's subtrees, over all of the cut. */
static void fold_own(scs_seat *seat, scs_reduction *r, float *const *part)
{
    scs_team team = scs_seat_team(seat, seat->comm->rank);
    scs_subtree subtree[SCS_SUBTREE_MAX];
    int64_t start = r->bound[0];
    int n;

    for (int32_t i = 0; i < team.last - team.first; i++)
        seat->part_float[i] = part[i] + start;
    n = scs_tree_fold_float(seat->part_float, team.first, team.last, seat->n_shard,
                            r->bound[seat->n_shard] - start, subtree);
    for (int i = 0; i < n; i++)
        r->mine[i] = part[subtree[i].first - team.first];
    r->len = scs_seat_slice(seat, r->bound, seat->comm->rank, &r->lo);
}

/* Start to send a rank its slice of every subtree sum that is here, and to receive those of this
 * rank's slice from it. */
static scs_status trade_slices(scs_seat *seat, scs_reduction *r, int32_t other)
{
    scs_comm *comm = seat->comm;
    int32_t n_out = sees(seat, r, comm->rank, other) ? 0 : subtrees_of(seat, comm->rank);
    int32_t n_in = sees(seat, r, other, comm->rank) ? 0 : subtrees_of(seat, other);
    float *const *in = seat->part_float + seat->first_subtree[other];
    int64_t lo, n = scs_seat_slice(seat, r->bound, other, &lo) * (int64_t)sizeof(float);

    for (int32_t i = 0; i < n_in; i++)
        SCS_TRY(scs_flight_receive(comm, &r->flight, TAG, other, in[i],
                                   r->len * (int64_t)sizeof(float)));
    for (int32_t i = 0; i < n_out; i++)
        SCS_TRY(scs_flight_send(comm, &r->flight, TAG, other, r->mine[i] + lo, n));
    return scs_collective_ok();
}

static scs_status begin(scs_seat *seat, scs_reduction *r, float *const *part, const int64_t *bound,
                        bool open)
{
    scs_comm *comm = seat->comm;

    r->bound = bound;
    r->open = open;
    SCS_TRY(scs_seat_open(seat));
    SCS_TRY(reserve(seat, r));
    fold_own(seat, r, part);
    lay_out_parts(seat, r);
    for (int32_t step = 1; step < comm->size; step++)
        SCS_TRY(trade_slices(seat, r, (comm->rank + step) % comm->size));
    return scs_collective_ok();
}

static scs_status end(scs_seat *seat, scs_reduction *r, float *slice)
{
    scs_comm *comm = seat->comm;
    int first = seat->first_subtree[comm->rank];

    SCS_TRY(scs_flight_land(&r->flight));
    if (r->open && seat->parts.together)
        SCS_MPI(MPI_Barrier(comm->mpi)); /* the node's parts are complete */
    lay_out_parts(seat, r);
    scs_tree_sum_float(seat->part_float, seat->subtree, seat->first_subtree[comm->size], first,
                       r->len);
    if (slice != seat->part_float[first]) /* it may overlap part[0] */
        memmove(slice, seat->part_float[first], (size_t)r->len * sizeof *slice);
    return SCS_OK;
}

scs_status scs_seat_reduce_slice(void *ctx, float *const *part, const int64_t *bound, bool open,
                                 float *slice)
{
    scs_seat *seat = ctx;

    SCS_TRY(begin(seat, &seat->now, part, bound, open));
    return end(seat, &seat->now, slice);
}

scs_status scs_seat_reduce_begin(void *ctx, float *const *part, const int64_t *bound, bool open)
{
    scs_seat *seat = ctx;

    return begin(seat, &seat->begun, part, bound, open);
}

scs_status scs_seat_reduce_end(void *ctx, float *const *part, const int64_t *bound, bool open,
                               float *slice)
{
    scs_seat *seat = ctx;

    (void)part, (void)bound, (void)open; /* known since it began */
    return end(seat, &seat->begun, slice);
}

void scs_reduction_clear(scs_reduction *reduction)
{
    free(reduction->work);
    scs_flight_clear(&reduction->flight);
    *reduction = (scs_reduction){0};
}
