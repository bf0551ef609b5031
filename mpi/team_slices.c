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

/* Does rank b read rank a's parts of n values where they are? */
static bool sees(const scs_seat *seat, int64_t n, int32_t a, int32_t b)
{
    return seat->parts.together && seat->part_size == n &&
           seat->comm->node[a] == seat->comm->node[b];
}

/* Subtree sums that reach rank `to` by messages. */
static int64_t foreign_subtrees(const scs_seat *seat, int64_t n, int32_t to)
{
    int64_t foreign = 0;

    for (int32_t r = 0; r < seat->comm->size; r++)
        if (r != to && !sees(seat, n, r, to))
            foreign += subtrees_of(seat, r);
    return foreign;
}

/* Bytes that hold the others' subtree sums of one slice, on the rank where that is most. */
static int64_t slice_work(const scs_seat *seat, int64_t n)
{
    int32_t n_rank = seat->comm->size;
    int64_t longest = 0, most = 0;

    for (int32_t r = 0; r < n_rank; r++) {
        scs_team other = scs_seat_team(seat, r);
        int64_t lo, hi, foreign = foreign_subtrees(seat, n, r);

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
    int32_t rank = seat->comm->rank;
    int32_t n_out = sees(seat, n, rank, to) ? 0 : subtrees_of(seat, rank);
    int32_t n_in = sees(seat, n, from, rank) ? 0 : subtrees_of(seat, from);
    float *const *in = seat->part_float + seat->first_subtree[from];
    scs_team target = scs_seat_team(seat, to);
    int64_t lo, hi;

    scs_team_slice(&target, n, &lo, &hi);
    for (int32_t i = 0; i < n_out || i < n_in; i++)
        SCS_TRY(scs_send_receive(seat->comm, to, i < n_out ? mine[i] + lo : NULL,
                                 i < n_out ? (hi - lo) * (int64_t)sizeof(float) : 0, from,
                                 i < n_in ? in[i] : NULL,
                                 i < n_in ? len * (int64_t)sizeof(float) : 0));
    return SCS_ALIKE;
}

/* Slice [lo, ..) of a subtree sum in the memory of another rank of the node. */
static float *part_of_rank(const scs_seat *seat, int32_t r, const scs_subtree *subtree, int64_t lo)
{
    int64_t row = subtree->first - scs_shard_first(seat->n_shard, seat->comm->size, r);

    return (float *)seat->parts.block[r] + row * part_stride(seat->part_size) + lo;
}

/* part_float[i] = where slice [lo, lo + len) of subtree sum i lies: our own and those of the node
 * where they are, others' in the work buffer. */
static void lay_out_parts(scs_seat *seat, float *const *mine, int64_t n, int64_t lo, int64_t len)
{
    const int32_t *first = seat->first_subtree;
    int32_t rank = seat->comm->rank;
    float *work = seat->comm->work;

    for (int32_t r = 0; r < seat->comm->size; r++)
        for (int32_t i = first[r]; i < first[r + 1]; i++) {
            if (r == rank) {
                seat->part_float[i] = mine[i - first[rank]] + lo;
            } else if (sees(seat, n, r, rank)) {
                seat->part_float[i] = part_of_rank(seat, r, &seat->subtree[i], lo);
            } else {
                seat->part_float[i] = work;
                work += len;
            }
        }
}

scs_status scs_seat_reduce_slice(void *ctx, float *const *part, int64_t n, float *slice)
{
    scs_seat *seat = ctx;
    scs_comm *comm = seat->comm;
    scs_team team = scs_seat_team(seat, comm->rank);
    scs_subtree subtree[SCS_SUBTREE_MAX];
    float *mine[SCS_SUBTREE_MAX];
    int64_t lo, hi;
    int n_mine, first;

    SCS_TRY(scs_seat_open(seat));
    SCS_TRY(scs_comm_reserve(comm, slice_work(seat, n)));
    n_mine = scs_tree_fold_float(part, team.first, team.last, seat->n_shard, n, subtree);
    for (int i = 0; i < n_mine; i++)
        mine[i] = part[subtree[i].first - team.first];
    scs_team_slice(&team, n, &lo, &hi);
    lay_out_parts(seat, mine, n, lo, hi - lo);
    if (seat->parts.together && seat->part_size == n)
        SCS_MPI(MPI_Barrier(comm->mpi)); /* the node's parts are complete */
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

/* Does `from` send its slice to `to`? One rank of every other node gets it. */
static bool gets_slice(const scs_comm *comm, int32_t from, int32_t to)
{
    return comm->node[from] != comm->node[to] &&
           comm->place[to] == comm->place[from] % comm->node_size[to];
}

/* The node's own slices are in its copy already. */
static scs_status gather_between_nodes(const scs_seat *seat, float *values, int64_t n)
{
    scs_comm *comm = seat->comm;
    scs_team mine = scs_seat_team(seat, comm->rank);
    int64_t lo, hi, from_lo, from_hi, size = (int64_t)sizeof *values;

    scs_team_slice(&mine, n, &lo, &hi);
    for (int32_t step = 1; step < comm->size; step++) {
        int32_t to = (comm->rank + step) % comm->size;
        int32_t from = (comm->rank - step + comm->size) % comm->size;
        scs_team other = scs_seat_team(seat, from);

        scs_team_slice(&other, n, &from_lo, &from_hi);
        SCS_TRY(scs_send_receive(
            comm, to, values + lo, gets_slice(comm, comm->rank, to) ? (hi - lo) * size : 0, from,
            values + from_lo, gets_slice(comm, from, comm->rank) ? (from_hi - from_lo) * size : 0));
    }
    return scs_mpi_status(MPI_Barrier(comm->mpi), "MPI_Barrier");
}

scs_status scs_seat_gather_slices(void *ctx, float *values, int64_t n)
{
    scs_seat *seat = ctx;
    scs_comm *comm = seat->comm;

    if (seat->values.together && values == seat->values.block[comm->node[comm->rank]])
        return gather_between_nodes(seat, values, n);

    for (int32_t r = 0; r < comm->size; r++) {
        scs_team other = scs_seat_team(seat, r);

        scs_team_slice(&other, n, &comm->first[r], &comm->first[r + 1]);
        comm->first[r] *= (int64_t)sizeof *values;
    }
    comm->first[comm->size] *= (int64_t)sizeof *values;
    return scs_allgather(comm, values, comm->first);
}
