/* The hooks of a team that add up gradients and spread weights, slice by slice. Ranks of a node
 * read one another's memory; others trade messages. */
#include "mpi/comm_state.h"

#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

static int32_t subtrees_of(const scs_seat *seat, int32_t rank)
{
    return seat->first_subtree[rank + 1] - seat->first_subtree[rank];
}

/* ---- memory that the ranks of a node share ---- */

/* Values from one part to the next: whole cache lines. */
static int64_t part_stride(int64_t n)
{
    return (n + 15) / 16 * 16;
}

scs_status scs_seat_open_parts(void *ctx, int64_t n, float **part)
{
    scs_seat *seat = ctx;
    scs_team mine = scs_seat_team(seat, seat->comm->rank);
    int64_t n_part = mine.last - mine.first;

    SCS_TRY(scs_shared_create(seat->comm, n_part * part_stride(n) * (int64_t)sizeof(float),
                              &seat->parts));
    seat->part_size = n;
    for (int64_t i = 0; i < n_part; i++)
        part[i] = (float *)seat->parts.block[seat->comm->rank] + i * part_stride(n);
    return SCS_OK;
}

void scs_seat_close_parts(void *ctx, float **part)
{
    scs_seat *seat = ctx;

    (void)part;
    scs_shared_clear(&seat->parts);
}

/* Memory whose content is not needed goes back to the system, where it begins a page. */
static void forget(float *values, int64_t n)
{
    size_t size = (size_t)n * sizeof *values / PAGE * PAGE;

    if ((uintptr_t)values % PAGE == 0 && size)
        (void)madvise(values, size, MADV_DONTNEED);
}

/* Each rank of the node fills its share, so that the memory lies near those who will write it. */
scs_status scs_seat_share_values(void *ctx, int64_t n, float **values)
{
    scs_seat *seat = ctx;
    scs_comm *comm = seat->comm;
    int32_t rank = comm->rank;
    int64_t place = comm->place[rank], n_rank = comm->node_size[rank], lo, hi;
    float *copy;

    SCS_TRY(scs_shared_create(comm, place == 0 ? n * (int64_t)sizeof(float) : 0, &seat->values));
    if (!seat->values.together) {
        scs_shared_clear(&seat->values);
        return SCS_OK;
    }
    copy = seat->values.block[comm->node[rank]];
    lo = n * place / n_rank;
    hi = n * (place + 1) / n_rank;
    memcpy(copy + lo, *values + lo, (size_t)(hi - lo) * sizeof *copy);
    forget(*values, n);
    seat->private_values = *values;
    *values = copy;
    return scs_mpi_status(MPI_Barrier(comm->mpi), "MPI_Barrier");
}

void scs_seat_unshare_values(void *ctx, int64_t n, float **values)
{
    scs_seat *seat = ctx;

    if (!seat->values.together)
        return;
    memcpy(seat->private_values, *values, (size_t)n * sizeof **values);
    *values = seat->private_values;
    scs_shared_clear(&seat->values);
}

/* One reduction of a slice. */
typedef struct reduction {
    scs_seat *seat;
    const int64_t *bound;
    bool open;                    /* the parts are those of open_parts */
    float *mine[SCS_SUBTREE_MAX]; /* this rank's subtree sums, whole */
    int64_t lo, len;              /* this rank's slice */
} reduction;

static int64_t slice_of(const scs_seat *seat, const int64_t *bound, int32_t rank, int64_t *lo)
{
    scs_team team = scs_seat_team(seat, rank);

    *lo = bound[team.first];
    return bound[team.last] - bound[team.first];
}

/* Does rank b read rank a's parts where they are? */
static bool sees(const reduction *r, int32_t a, int32_t b)
{
    const scs_seat *seat = r->seat;

    return r->open && seat->parts.together && seat->comm->node[a] == seat->comm->node[b];
}

/* Subtree sums that reach rank `to` by messages. */
static int64_t foreign_subtrees(const reduction *r, int32_t to)
{
    int64_t foreign = 0;

    for (int32_t from = 0; from < r->seat->comm->size; from++)
        if (from != to && !sees(r, from, to))
            foreign += subtrees_of(r->seat, from);
    return foreign;
}

/* Bytes that hold the others' subtree sums of one slice, on the rank where that is most. */
static int64_t slice_work(const reduction *r)
{
    int64_t longest = 0, most = 0, lo;

    for (int32_t rank = 0; rank < r->seat->comm->size; rank++) {
        int64_t len = slice_of(r->seat, r->bound, rank, &lo), foreign = foreign_subtrees(r, rank);

        longest = len > longest ? len : longest;
        most = foreign > most ? foreign : most;
    }
    return most * longest * (int64_t)sizeof(float);
}

/* Send rank `to` its slice of every subtree sum that is here; receive those of this rank's slice
 * from rank `from`. */
static scs_status trade_slices(const reduction *r, int32_t to, int32_t from)
{
    scs_seat *seat = r->seat;
    int32_t rank = seat->comm->rank;
    int32_t n_out = sees(r, rank, to) ? 0 : subtrees_of(seat, rank);
    int32_t n_in = sees(r, from, rank) ? 0 : subtrees_of(seat, from);
    float *const *in = seat->part_float + seat->first_subtree[from];
    int64_t lo, n = slice_of(seat, r->bound, to, &lo) * (int64_t)sizeof(float);

    for (int32_t i = 0; i < n_out || i < n_in; i++)
        SCS_TRY(scs_send_receive(seat->comm, to, i < n_out ? r->mine[i] + lo : NULL,
                                 i < n_out ? n : 0, from, i < n_in ? in[i] : NULL,
                                 i < n_in ? r->len * (int64_t)sizeof(float) : 0));
    return SCS_ALIKE;
}

/* Slice [lo, ..) of a subtree sum in the memory of another rank of the node. */
static float *part_of_rank(const scs_seat *seat, int32_t r, const scs_subtree *subtree, int64_t lo)
{
    int64_t row = subtree->first - scs_shard_first(seat->n_shard, seat->comm->size, r);

    return (float *)seat->parts.block[r] + row * part_stride(seat->part_size) + lo;
}

/* part_float[i] = where this rank's slice of subtree sum i lies: our own and those of the node
 * where they are, others' in the work buffer. */
static void lay_out_parts(const reduction *r)
{
    scs_seat *seat = r->seat;
    const int32_t *first = seat->first_subtree;
    int32_t rank = seat->comm->rank;
    float *work = seat->comm->work;

    for (int32_t from = 0; from < seat->comm->size; from++)
        for (int32_t i = first[from]; i < first[from + 1]; i++) {
            if (from == rank) {
                seat->part_float[i] = r->mine[i - first[rank]] + r->lo;
            } else if (sees(r, from, rank)) {
                seat->part_float[i] = part_of_rank(seat, from, &seat->subtree[i], r->lo);
            } else {
                seat->part_float[i] = work;
                work += r->len;
            }
        }
}

/* Sums of this rank's subtrees, over all of the cut. */
static void fold_own(reduction *r, float *const *part)
{
    scs_seat *seat = r->seat;
    scs_team team = scs_seat_team(seat, seat->comm->rank);
    scs_subtree subtree[SCS_SUBTREE_MAX];
    int64_t begin = r->bound[0];
    int n;

    for (int32_t i = 0; i < team.last - team.first; i++)
        seat->part_float[i] = part[i] + begin;
    n = scs_tree_fold_float(seat->part_float, team.first, team.last, seat->n_shard,
                            r->bound[seat->n_shard] - begin, subtree);
    for (int i = 0; i < n; i++)
        r->mine[i] = part[subtree[i].first - team.first];
    r->len = slice_of(seat, r->bound, seat->comm->rank, &r->lo);
}

scs_status scs_seat_reduce_slice(void *ctx, float *const *part, const int64_t *bound, bool open,
                                 float *slice)
{
    scs_seat *seat = ctx;
    scs_comm *comm = seat->comm;
    reduction r = {.seat = seat, .bound = bound, .open = open};
    int first;

    SCS_TRY(scs_seat_open(seat));
    SCS_TRY(scs_comm_reserve(comm, slice_work(&r)));
    fold_own(&r, part);
    lay_out_parts(&r);
    if (open && seat->parts.together)
        SCS_MPI(MPI_Barrier(comm->mpi)); /* the node's parts are complete */
    for (int32_t step = 1; step < comm->size; step++)
        SCS_TRY(trade_slices(&r, (comm->rank + step) % comm->size,
                             (comm->rank - step + comm->size) % comm->size));
    first = seat->first_subtree[comm->rank];
    scs_tree_sum_float(seat->part_float, seat->subtree, seat->first_subtree[comm->size], first,
                       r.len);
    if (slice != seat->part_float[first]) /* it may overlap part[0] */
        memmove(slice, seat->part_float[first], (size_t)r.len * sizeof *slice);
    return SCS_OK;
}

/* Does `from` send its slice to `to`? One rank of every other node gets it. */
static bool gets_slice(const scs_comm *comm, int32_t from, int32_t to)
{
    return comm->node[from] != comm->node[to] &&
           comm->place[to] == comm->place[from] % comm->node_size[to];
}

/* The node's own slices are in its copy already. */
static scs_status gather_between_nodes(const scs_seat *seat, float *values, const int64_t *bound)
{
    scs_comm *comm = seat->comm;
    int64_t lo, from_lo, size = (int64_t)sizeof *values;
    int64_t len = slice_of(seat, bound, comm->rank, &lo);

    for (int32_t step = 1; step < comm->size; step++) {
        int32_t to = (comm->rank + step) % comm->size;
        int32_t from = (comm->rank - step + comm->size) % comm->size;
        int64_t from_len = slice_of(seat, bound, from, &from_lo);

        SCS_TRY(scs_send_receive(
            comm, to, values + lo, gets_slice(comm, comm->rank, to) ? len * size : 0, from,
            values + from_lo, gets_slice(comm, from, comm->rank) ? from_len * size : 0));
    }
    return scs_mpi_status(MPI_Barrier(comm->mpi), "MPI_Barrier");
}

scs_status scs_seat_gather_slices(void *ctx, float *values, const int64_t *bound)
{
    scs_seat *seat = ctx;
    scs_comm *comm = seat->comm;
    int64_t lo, size = (int64_t)sizeof *values;

    if (seat->values.together && values == seat->values.block[comm->node[comm->rank]])
        return gather_between_nodes(seat, values, bound);

    for (int32_t r = 0; r < comm->size; r++)
        comm->first[r + 1] = (slice_of(seat, bound, r, &lo) + lo - bound[0]) * size;
    comm->first[0] = 0;
    return scs_allgather(comm, values + bound[0], comm->first);
}
