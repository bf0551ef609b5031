#include "mpi/comm/collectives.h"
#include "src/base/collective.h"
#include "scscreen/shard.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int flight_pieces(const scs_comm *comm, int64_t size)
{
    return (int)((size + comm->piece - 1) / comm->piece);
}

static scs_status grow(scs_requests *flight, int capacity)
{
    MPI_Request *request;

    SCS_TRY(SCS_ALLOC(request, capacity));
    if (flight->n)
        memcpy(request, flight->request, (size_t)flight->n * sizeof *request);
    free(flight->request);
    flight->request = request;
    return SCS_OK;
}

static scs_status flight_reserve(scs_comm *comm, scs_requests *flight, int n)
{
    int capacity = flight->capacity + n;

    if (flight->reserved + n <= flight->capacity) {
        flight->reserved += n;
        return scs_collective_ok();
    }
    SCS_TRY(scs_comm_agree(comm, grow(flight, capacity)));
    flight->capacity = capacity;
    flight->reserved += n;
    return SCS_OK;
}

static scs_status flight_send(scs_comm *comm, scs_requests *flight, int tag, int32_t to,
                              const void *bytes, int64_t size)
{
    for (int64_t at = 0; at < size; at += comm->piece) {
        int64_t n = size - at < comm->piece ? size - at : comm->piece;

        SCS_MPI(MPI_Isend((const char *)bytes + at, (int)n, MPI_BYTE, to, tag, comm->mpi,
                          &flight->request[flight->n]));
        flight->n++;
    }
    return scs_collective_ok();
}

static scs_status flight_receive(scs_comm *comm, scs_requests *flight, int tag, int32_t from,
                                 void *bytes, int64_t size)
{
    for (int64_t at = 0; at < size; at += comm->piece) {
        int64_t n = size - at < comm->piece ? size - at : comm->piece;

        SCS_MPI(MPI_Irecv((char *)bytes + at, (int)n, MPI_BYTE, from, tag, comm->mpi,
                          &flight->request[flight->n]));
        flight->n++;
    }
    return scs_collective_ok();
}

static scs_status flight_land(scs_requests *flight)
{
    int n = flight->n;

    flight->n = 0;
    flight->reserved = 0;
    return scs_comm_mpi_status(MPI_Waitall(n, flight->request, MPI_STATUSES_IGNORE), "MPI_Waitall");
}

static void flight_clear(scs_requests *flight)
{
    free(flight->request);
    *flight = (scs_requests){0};
}

/* The hooks of a team that give ranks of a node the same memory: gradients that others add up, and
 * one copy of the weights. */

enum { PAGE = 4096 };

static int64_t part_stride(int64_t n)
{
    return (n + 15) / 16 * 16;
}

/* The hooks of a team of ranks. Partial sums are added in the order of one binary tree over the
 * shards (src/tree.c), never in the MPI library's, so that results have the same bits on any number
 * of ranks. */

/* A team as another rank sees it: only its range of shards differs. */
static scs_team seat_team(const scs_team_context *seat, int32_t rank)
{
    int32_t n_rank = seat->comm->size;

    return (scs_team){.n_shard = seat->n_shard,
                      .first = scs_shard_first(seat->n_shard, n_rank, rank),
                      .last = scs_shard_first(seat->n_shard, n_rank, rank + 1),
                      .n_rank = n_rank,
                      .rank = rank};
}

static scs_status seat_open_parts(void *ctx, int64_t n, float **part)
{
    scs_team_context *seat = ctx;
    scs_team mine = seat_team(seat, seat->comm->rank);
    int64_t n_part = mine.last - mine.first;

    SCS_TRY(scs_shared_memory_create(seat->comm, n_part * part_stride(n) * (int64_t)sizeof(float),
                                     &seat->parts));
    seat->part_size = n;
    for (int64_t i = 0; i < n_part; i++)
        part[i] = (float *)seat->parts.block[seat->comm->rank] + i * part_stride(n);
    return SCS_OK;
}

static void seat_close_parts(void *ctx, float **part)
{
    scs_team_context *seat = ctx;

    (void)part;
    scs_shared_memory_clear(&seat->parts);
}

/* Memory whose content is not needed goes back to the system, where it begins a page. */
static void forget(float *values, int64_t n)
{
    size_t size = (size_t)n * sizeof *values / PAGE * PAGE;

    if ((uintptr_t)values % PAGE == 0 && size)
        (void)madvise(values, size, MADV_DONTNEED);
}

/* Each rank of the node fills its share, so that the memory lies near those who will write it. */
static scs_status seat_share_values(void *ctx, int64_t n, float **values)
{
    scs_team_context *seat = ctx;
    scs_comm *comm = seat->comm;
    int32_t rank = comm->rank;
    int64_t place = comm->place[rank], n_rank = comm->node_size[rank], lo, hi;
    float *copy;

    SCS_TRY(
        scs_shared_memory_create(comm, place == 0 ? n * (int64_t)sizeof(float) : 0, &seat->values));
    if (!seat->values.together) {
        scs_shared_memory_clear(&seat->values);
        return SCS_OK;
    }
    copy = seat->values.block[comm->node[rank]];
    lo = n * place / n_rank;
    hi = n * (place + 1) / n_rank;
    memcpy(copy + lo, *values + lo, (size_t)(hi - lo) * sizeof *copy);
    forget(*values, n);
    seat->private_values = *values;
    *values = copy;
    return scs_comm_mpi_status(MPI_Barrier(comm->mpi), "MPI_Barrier");
}

static void seat_unshare_values(void *ctx, int64_t n, float **values)
{
    scs_team_context *seat = ctx;

    if (!seat->values.together)
        return;
    memcpy(seat->private_values, *values, (size_t)n * sizeof **values);
    *values = seat->private_values;
    scs_shared_memory_clear(&seat->values);
}

/* The hooks of a team that bring every rank's slice to all ranks, at once or under other work. */

enum { TAG = 9 };

static int64_t seat_slice(const scs_team_context *seat, const int64_t *bound, int32_t rank,
                          int64_t *lo)
{
    scs_team team = seat_team(seat, rank);

    *lo = bound[team.first];
    return bound[team.last] - bound[team.first];
}

static scs_status seat_gather_slices(void *ctx, float *values, const int64_t *bound)
{
    scs_team_context *seat = ctx;
    scs_comm *comm = seat->comm;
    int64_t lo, size = (int64_t)sizeof *values;

    for (int32_t r = 0; r < comm->size; r++)
        comm->first[r + 1] = (seat_slice(seat, bound, r, &lo) + lo - bound[0]) * size;
    comm->first[0] = 0;
    return scs_comm_allgather(comm, values + bound[0], comm->first);
}

/* Are these the values that the ranks of a node have one copy of? */
static bool is_shared(const scs_team_context *seat, const float *values)
{
    return seat->values.together &&
           values == seat->values.block[seat->comm->node[seat->comm->rank]];
}

/* Does `from` send its slice to `to`? Of shared values one rank of every other node gets it. */
static bool gets_slice(const scs_comm *comm, bool shared, int32_t from, int32_t to)
{
    return !shared || (comm->node[from] != comm->node[to] &&
                       comm->place[to] == comm->place[from] % comm->node_size[to]);
}

/* Messages of a slice at most, on the rank that has the longest. */
static int most_pieces(const scs_team_context *seat, const int64_t *bound)
{
    int most = 0;

    for (int32_t r = 0; r < seat->comm->size; r++) {
        int64_t lo, len = seat_slice(seat, bound, r, &lo);
        int n = flight_pieces(seat->comm, len * (int64_t)sizeof(float));

        most = n > most ? n : most;
    }
    return most;
}

static scs_status seat_gather_begin(void *ctx, float *values, const int64_t *bound)
{
    scs_team_context *seat = ctx;
    scs_comm *comm = seat->comm;
    bool shared = is_shared(seat, values);
    int64_t lo, other_lo, size = (int64_t)sizeof *values;
    int64_t len = seat_slice(seat, bound, comm->rank, &lo);

    SCS_TRY(
        flight_reserve(comm, &seat->gathering, 2 * (comm->size - 1) * most_pieces(seat, bound)));
    for (int32_t step = 1; step < comm->size; step++) {
        int32_t other = (comm->rank + step) % comm->size;
        int64_t other_len = seat_slice(seat, bound, other, &other_lo);

        if (gets_slice(comm, shared, other, comm->rank))
            SCS_TRY(flight_receive(comm, &seat->gathering, TAG, other, values + other_lo,
                                   other_len * size));
        if (gets_slice(comm, shared, comm->rank, other))
            SCS_TRY(flight_send(comm, &seat->gathering, TAG, other, values + lo, len * size));
    }
    return scs_collective_ok();
}

static scs_status seat_gather_end(void *ctx)
{
    scs_team_context *seat = ctx;

    SCS_TRY(flight_land(&seat->gathering));
    if (seat->values.together) /* a node's ranks have all written, and received, their share */
        SCS_MPI(MPI_Barrier(seat->comm->mpi));
    return scs_collective_ok();
}

/* The hooks of a team that add up the ranks' values slice by slice. Ranks of a node read one
 * another's memory; others' sums arrive by messages, which may travel under other work. */

enum { TEAM_REDUCE_TAG = 8 };

static int32_t subtrees_of(const scs_team_context *seat, int32_t rank)
{
    return seat->first_subtree[rank + 1] - seat->first_subtree[rank];
}

/* Does rank b read rank a's parts where they are? */
static bool sees(const scs_team_context *seat, const scs_reduction *r, int32_t a, int32_t b)
{
    return r->open && seat->parts.together && seat->comm->node[a] == seat->comm->node[b];
}

/* Subtree sums that reach rank `to` by messages. */
static int64_t foreign_subtrees(const scs_team_context *seat, const scs_reduction *r, int32_t to)
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
static scs_status reserve(scs_team_context *seat, scs_reduction *r)
{
    scs_comm *comm = seat->comm;
    int64_t longest = 0, most = 0, lo, size;

    for (int32_t rank = 0; rank < comm->size; rank++) {
        int64_t len = seat_slice(seat, r->bound, rank, &lo);
        int64_t foreign = foreign_subtrees(seat, r, rank);

        longest = len > longest ? len : longest;
        most = foreign > most ? foreign : most;
    }
    longest *= (int64_t)sizeof(float);
    size = most * longest;
    if (size > r->work_size) {
        SCS_TRY(scs_comm_agree(comm, grow_work(r, size)));
        r->work_size = size;
    }
    return flight_reserve(comm, &r->flight,
                          2 * seat->first_subtree[comm->size] * flight_pieces(comm, longest));
}

/* Slice [lo, ..) of a subtree sum in the memory of another rank of the node. */
static float *part_of_rank(const scs_team_context *seat, int32_t r, const scs_subtree *subtree,
                           int64_t lo)
{
    int64_t row = subtree->first - scs_shard_first(seat->n_shard, seat->comm->size, r);

    return (float *)seat->parts.block[r] + row * part_stride(seat->part_size) + lo;
}

/* part_float[i] = where this rank's slice of subtree sum i lies: our own and those of the node
 * where they are, others' in the work buffer. */
static void lay_out_parts(scs_team_context *seat, const scs_reduction *r)
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
static void fold_own(scs_team_context *seat, scs_reduction *r, float *const *part)
{
    scs_team team = seat_team(seat, seat->comm->rank);
    scs_subtree subtree[SCS_SUBTREE_MAX];
    int64_t start = r->bound[0];
    int n;

    for (int32_t i = 0; i < team.last - team.first; i++)
        seat->part_float[i] = part[i] + start;
    n = scs_team_tree_fold_float(seat->part_float, team.first, team.last, seat->n_shard,
                                 r->bound[seat->n_shard] - start, subtree);
    for (int i = 0; i < n; i++)
        r->mine[i] = part[subtree[i].first - team.first];
    r->len = seat_slice(seat, r->bound, seat->comm->rank, &r->lo);
}

/* Start to send a rank its slice of every subtree sum that is here, and to receive those of this
 * rank's slice from it. */
static scs_status trade_slices(scs_team_context *seat, scs_reduction *r, int32_t other)
{
    scs_comm *comm = seat->comm;
    int32_t n_out = sees(seat, r, comm->rank, other) ? 0 : subtrees_of(seat, comm->rank);
    int32_t n_in = sees(seat, r, other, comm->rank) ? 0 : subtrees_of(seat, other);
    float *const *in = seat->part_float + seat->first_subtree[other];
    int64_t lo, n = seat_slice(seat, r->bound, other, &lo) * (int64_t)sizeof(float);

    for (int32_t i = 0; i < n_in; i++)
        SCS_TRY(flight_receive(comm, &r->flight, TEAM_REDUCE_TAG, other, in[i],
                               r->len * (int64_t)sizeof(float)));
    for (int32_t i = 0; i < n_out; i++)
        SCS_TRY(flight_send(comm, &r->flight, TEAM_REDUCE_TAG, other, r->mine[i] + lo, n));
    return scs_collective_ok();
}

static scs_status allocate_seat(scs_team_context *seat)
{
    int32_t n_shard = seat->n_shard;

    SCS_TRY(SCS_ALLOC(seat->part_double, n_shard));
    SCS_TRY(SCS_ALLOC(seat->part_float, n_shard));
    SCS_TRY(SCS_ALLOC(seat->subtree, (int64_t)n_shard + SCS_SUBTREE_MAX));
    return SCS_ALLOC(seat->first_subtree, seat->comm->size + 1);
}

/* But for the shared memory, which may be in use. */
static void clear_lists(scs_team_context *seat)
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

/* The first hook called on all ranks makes the list of all ranks' subtrees; at most one a shard. */
static scs_status seat_open(scs_team_context *seat)
{
    scs_comm *comm = seat->comm;
    int32_t n = 0;
    scs_status st;

    if (seat->first_subtree)
        return scs_collective_ok();
    SCS_GO(st, scs_comm_agree(comm, allocate_seat(seat)));
    for (int32_t r = 0; r < comm->size; r++) {
        scs_team other = seat_team(seat, r);

        n += scs_team_tree_cover(other.first, other.last, seat->n_shard, seat->subtree + n);
        seat->first_subtree[r + 1] = n;
    }
done:
    if (st != SCS_OK)
        clear_lists(seat);
    return st;
}

static scs_status begin(scs_team_context *seat, scs_reduction *r, float *const *part,
                        const int64_t *bound, bool open)
{
    scs_comm *comm = seat->comm;

    r->bound = bound;
    r->open = open;
    SCS_TRY(seat_open(seat));
    SCS_TRY(reserve(seat, r));
    fold_own(seat, r, part);
    lay_out_parts(seat, r);
    for (int32_t step = 1; step < comm->size; step++)
        SCS_TRY(trade_slices(seat, r, (comm->rank + step) % comm->size));
    return scs_collective_ok();
}

static scs_status end(scs_team_context *seat, scs_reduction *r, float *slice)
{
    scs_comm *comm = seat->comm;
    int first = seat->first_subtree[comm->rank];

    SCS_TRY(flight_land(&r->flight));
    if (r->open && seat->parts.together)
        SCS_MPI(MPI_Barrier(comm->mpi)); /* the node's parts are complete */
    lay_out_parts(seat, r);
    scs_team_tree_sum_float(seat->part_float, seat->subtree, seat->first_subtree[comm->size], first,
                            r->len);
    if (slice != seat->part_float[first]) /* it may overlap part[0] */
        memmove(slice, seat->part_float[first], (size_t)r->len * sizeof *slice);
    return SCS_OK;
}

static scs_status seat_reduce_slice(void *ctx, float *const *part, const int64_t *bound, bool open,
                                    float *slice)
{
    scs_team_context *seat = ctx;

    SCS_TRY(begin(seat, &seat->now, part, bound, open));
    return end(seat, &seat->now, slice);
}

static scs_status seat_reduce_begin(void *ctx, float *const *part, const int64_t *bound, bool open)
{
    scs_team_context *seat = ctx;

    return begin(seat, &seat->begun, part, bound, open);
}

static scs_status seat_reduce_end(void *ctx, float *const *part, const int64_t *bound, bool open,
                                  float *slice)
{
    scs_team_context *seat = ctx;

    (void)part, (void)bound, (void)open; /* known since it began */
    return end(seat, &seat->begun, slice);
}

static void reduction_clear(scs_reduction *reduction)
{
    free(reduction->work);
    flight_clear(&reduction->flight);
    *reduction = (scs_reduction){0};
}

static void seats_clear(scs_comm *comm)
{
    for (int i = 0; i < SCS_SEATS; i++) {
        clear_lists(&comm->seat[i]);
        scs_shared_memory_clear(&comm->seat[i].parts);
        scs_shared_memory_clear(&comm->seat[i].values);
        reduction_clear(&comm->seat[i].now);
        reduction_clear(&comm->seat[i].begun);
        flight_clear(&comm->seat[i].gathering);
    }
}

/* This rank's subtree sums into their place among all ranks'. */
static void place_subtree_sums(scs_team_context *seat, double *parts, int64_t len, double *gathered)
{
    scs_team mine = seat_team(seat, seat->comm->rank);
    scs_subtree subtree[SCS_SUBTREE_MAX];
    int32_t at = seat->first_subtree[seat->comm->rank];
    int n;

    for (int32_t s = mine.first; s < mine.last; s++)
        seat->part_double[s - mine.first] = parts + (s - mine.first) * len;
    n = scs_team_tree_fold_double(seat->part_double, mine.first, mine.last, seat->n_shard, len,
                                  subtree);
    for (int i = 0; i < n; i++)
        memcpy(gathered + (at + i) * len, parts + (subtree[i].first - mine.first) * len,
               (size_t)len * sizeof *parts);
}

static scs_status sum(void *ctx, double *parts, int64_t len, double *total)
{
    scs_team_context *seat = ctx;
    scs_comm *comm = seat->comm;
    int64_t row = len * (int64_t)sizeof(double);
    int32_t n;
    double *gathered;

    SCS_TRY(seat_open(seat));
    n = seat->first_subtree[comm->size];
    SCS_TRY(scs_comm_reserve(comm, n * row));
    gathered = comm->work;
    place_subtree_sums(seat, parts, len, gathered);
    for (int32_t r = 0; r <= comm->size; r++)
        comm->first[r] = seat->first_subtree[r] * row;
    SCS_TRY(scs_comm_allgather(comm, gathered, comm->first));
    for (int32_t i = 0; i < n; i++)
        seat->part_double[i] = gathered + i * len;
    scs_team_tree_sum_double(seat->part_double, seat->subtree, n, 0, len);
    memcpy(total, gathered, (size_t)row);
    return SCS_OK;
}

static scs_status exchange(void *ctx, const void *const *out, const int64_t *n_out, void *const *in,
                           const int64_t *n_in)
{
    scs_comm *comm = ((scs_team_context *)ctx)->comm;

    for (int32_t step = 1; step < comm->size; step++) {
        int32_t to = (comm->rank + step) % comm->size;
        int32_t from = (comm->rank - step + comm->size) % comm->size;

        SCS_TRY(scs_comm_send_receive(comm, to, out[to], n_out[to], from, in[from], n_in[from]));
    }
    return scs_collective_ok();
}

static scs_status agree(void *ctx, scs_status mine)
{
    scs_team_context *seat = ctx;

    return scs_comm_agree(seat->comm, mine);
}

static scs_status share(void *ctx, void *bytes, int64_t size)
{
    scs_team_context *seat = ctx;

    return scs_comm_broadcast(seat->comm, bytes, size);
}

scs_team scs_comm_team(scs_comm *comm, int32_t n_shard)
{
    scs_team_context *seat = &comm->seat[__builtin_ctz((unsigned)n_shard)];
    scs_team team;

    comm->clear_seats = seats_clear;
    seat->comm = comm;
    seat->n_shard = n_shard;
    team = seat_team(seat, comm->rank);
    team.ctx = seat;
    team.sum = sum;
    team.open_parts = seat_open_parts;
    team.close_parts = seat_close_parts;
    team.share_values = seat_share_values;
    team.unshare_values = seat_unshare_values;
    team.reduce_slice = seat_reduce_slice;
    team.reduce_begin = seat_reduce_begin;
    team.reduce_end = seat_reduce_end;
    team.gather_slices = seat_gather_slices;
    team.gather_begin = seat_gather_begin;
    team.gather_end = seat_gather_end;
    team.exchange = exchange;
    team.agree = agree;
    team.share = share;
    return team;
}
