/* The hooks of a team of ranks (scscreen/shard.h says what each promises).
 *
 *  Order of sums: every shard's partial result is a leaf of one binary tree over the V shards
 *  (src/data/team.h). A rank adds up the maximal subtrees of its own range, and these sums are
 *  added in the order of the tree, never in the MPI library's, so that results have the same bits
 *  on any number of ranks and with any MPI. A rank's range is cut into at most 2 log2 V subtrees.
 *
 *  Example, V = 8 on 3 ranks: they have shards 0-1, 2-4, 5-7, so their subtrees are {0 1}, {2 3}
 *  {4}, {5} {6 7}. Any rank that has these five sums completes the tree,
 *      ((0 1) + (2 3)) + ((4 + 5) + (6 7)),
 *  whose additions are those of one rank with all eight shards: only where each of them is made
 *  differs.
 *
 *  Ways of summing:
 *    sum            few values (batch norm, losses, the Gram matrices of the factored output): all
 *      ranks' subtree sums are gathered, and each rank adds all of them up. One collective. Of
 *      longer sums each rank gets one slice of all subtree sums and adds up that, and the slices'
 *      sums are gathered: what a rank receives does not grow with the ranks then.
 *    reduce_slice   gradients: rank r gets slice r of every subtree sum and adds up only that,
 *      which is a reduce-scatter; n values of each subtree sum leave a rank, whatever the number of
 *      ranks. gather_slices then brings the new values of all slices to all ranks.
 *  reduce and gather also come in two halves, begin and end, so that messages travel under the
 *  backward pass and the gathering of the next batch. One reduction is under way at most, gathers
 *  add up until gather_end; until then the sender's values must not be changed.
 *
 *  Memory of a context: lists of n_shard entries; requests for the messages of a reduction and of
 *  all gathers under way; a work buffer for the subtree sums that come by messages, at most one
 *  slice each. All of it is made in the first training step and kept.
 *
 *  Ranks of a node: what open_parts hands out is read by the node's other ranks where it lies, and
 *  only sums for other nodes are sent. The weights exist once a node (share_values); each slice is
 *  sent to one rank of every other node. A barrier at the end of each exchange stands for the
 *  messages that are not sent: after it the node's ranks have written what others read. */
#include "mpi/comm/collectives.h"
#include "src/base/collective.h"
#include "scscreen/shard.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- Messages under way. All room is agreed on before the first message is posted. ---- */

/* Messages that a block of `size` bytes takes. */
static int count_pieces(const scs_comm *comm, int64_t size)
{
    return (int)((size + comm->piece - 1) / comm->piece);
}

/* Messages under way keep their requests: gathers may have begun. */
static scs_status grow_requests(scs_requests *requests, int capacity)
{
    MPI_Request *request;

    SCS_TRY(SCS_ALLOC(request, capacity));
    if (requests->n)
        memcpy(request, requests->request, (size_t)requests->n * sizeof *request);
    free(requests->request);
    requests->request = request;
    return SCS_OK;
}

/* Room for n more messages than are reserved. The count is alike on all ranks, so all return early
 * or all agree. Collective. */
static scs_status requests_reserve(scs_comm *comm, scs_requests *requests, int n)
{
    int capacity = requests->capacity + n;

    if (requests->reserved + n <= requests->capacity) {
        requests->reserved += n;
        return scs_collective_ok();
    }
    SCS_TRY(scs_comm_agree(comm, grow_requests(requests, capacity)));
    requests->capacity = capacity;
    requests->reserved += n;
    return SCS_OK;
}

/* Post one block in pieces; it must stay as it is until requests_wait. Both ends cut alike, and
 * MPI keeps messages of one tag between two ranks in order, so piece k meets piece k. Local. */
static scs_status requests_send(scs_comm *comm, scs_requests *requests, int tag, int32_t to,
                                const void *bytes, int64_t size)
{
    for (int64_t at = 0; at < size; at += comm->piece) {
        int64_t n = size - at < comm->piece ? size - at : comm->piece;

        SCS_MPI(MPI_Isend((const char *)bytes + at, (int)n, MPI_BYTE, to, tag, comm->mpi,
                          &requests->request[requests->n]));
        requests->n++;
    }
    return scs_collective_ok();
}

/* Post the matching receives, straight into place. */
static scs_status requests_receive(scs_comm *comm, scs_requests *requests, int tag, int32_t from,
                                   void *bytes, int64_t size)
{
    for (int64_t at = 0; at < size; at += comm->piece) {
        int64_t n = size - at < comm->piece ? size - at : comm->piece;

        SCS_MPI(MPI_Irecv((char *)bytes + at, (int)n, MPI_BYTE, from, tag, comm->mpi,
                          &requests->request[requests->n]));
        requests->n++;
    }
    return scs_collective_ok();
}

/* Until all that were posted are complete; the room may be used again. */
static scs_status requests_wait(scs_requests *requests)
{
    int n = requests->n;

    requests->n = 0;
    requests->reserved = 0;
    return scs_comm_mpi_status(MPI_Waitall(n, requests->request, MPI_STATUSES_IGNORE),
                               "MPI_Waitall");
}

/* Only after requests_wait, or after a failure that ends the job. */
static void requests_clear(scs_requests *requests)
{
    free(requests->request);
    *requests = (scs_requests){0};
}

/* ---- A context: who has which shards, slices and subtrees. Local but for open_context. ---- */

/* The team of any rank: only its range of shards differs. */
static scs_team team_of_rank(const scs_team_context *context, int32_t rank)
{
    int32_t n_rank = context->comm->size;

    return (scs_team){.n_shard = context->n_shard,
                      .first = scs_shard_first(context->n_shard, n_rank, rank),
                      .last = scs_shard_first(context->n_shard, n_rank, rank + 1),
                      .n_rank = n_rank,
                      .rank = rank};
}

/* How long a rank's slice of the values is: those between its first shard's bound and its last
 * one's.
 *  @param bound [n_shard + 1] alike on all ranks
 *  @param[out] lo first value of the slice */
static int64_t slice_of_rank(const scs_team_context *context, const int64_t *bound, int32_t rank,
                             int64_t *lo)
{
    scs_team team = team_of_rank(context, rank);

    *lo = bound[team.first];
    return bound[team.last] - bound[team.first];
}

/* Each subtree holds a shard at least, so n_shard places are enough for all ranks; a cover may
 * write up to SCS_SUBTREE_MAX before it is counted. */
static scs_status allocate_context(scs_team_context *context)
{
    int32_t n_shard = context->n_shard;

    SCS_TRY(SCS_ALLOC(context->part_double, n_shard));
    SCS_TRY(SCS_ALLOC(context->part_float, n_shard));
    SCS_TRY(SCS_ALLOC(context->to, context->comm->size));
    SCS_TRY(SCS_ALLOC(context->from, context->comm->size));
    SCS_TRY(SCS_ALLOC(context->subtree, (int64_t)n_shard + SCS_SUBTREE_MAX));
    return SCS_ALLOC(context->first_subtree, context->comm->size + 1);
}

/* All but the shared memory, which has a life of its own (open_parts to close_parts). */
static void clear_lists(scs_team_context *context)
{
    free(context->first_subtree);
    free(context->subtree);
    free(context->part_double);
    free(context->part_float);
    free(context->to);
    free(context->from);
    context->first_subtree = NULL;
    context->subtree = NULL;
    context->part_double = NULL;
    context->part_float = NULL;
    context->to = NULL;
    context->from = NULL;
}

/* The first hook that is called on all ranks makes the list of all ranks' subtrees, in order of
 * ranks; there is at most one a shard. */
static scs_status open_context(scs_team_context *context)
{
    scs_comm *comm = context->comm;
    int32_t n = 0;
    scs_status st;

    if (context->first_subtree)
        return scs_collective_ok();
    SCS_GO(st, scs_comm_agree(comm, allocate_context(context)));
    for (int32_t r = 0; r < comm->size; r++) {
        scs_team other = team_of_rank(context, r);

        n += scs_team_tree_cover(other.first, other.last, context->n_shard, context->subtree + n);
        context->first_subtree[r + 1] = n;
    }
done:
    if (st != SCS_OK)
        clear_lists(context);
    return st;
}

/* ---- Memory that ranks of a node have in common: gradients that others add up, and one copy of
 * the weights. Without sharing (shared_memory.h) each rank has blocks of its own, and all is sent.
 * ---- */

enum { PAGE = 4096 };

/* 16 floats are a cache line. */
static int64_t part_stride(int64_t n)
{
    return (n + 15) / 16 * 16;
}

/* Parts begin on cache lines, so that no two threads write to one. */
static scs_status open_parts(void *ctx, int64_t n, float **part)
{
    scs_team_context *context = ctx;
    scs_team mine = team_of_rank(context, context->comm->rank);
    int64_t n_part = mine.last - mine.first;

    SCS_TRY(scs_shared_memory_create(
        context->comm, n_part * part_stride(n) * (int64_t)sizeof(float), &context->parts));
    context->part_size = n;
    for (int64_t i = 0; i < n_part; i++)
        part[i] = (float *)context->parts.block[context->comm->rank] + i * part_stride(n);
    return SCS_OK;
}

/* The pointers that open_parts gave are dead afterwards. Other ranks may still be reading: their
 * mappings stay. */
static void close_parts(void *ctx, float **part)
{
    scs_team_context *context = ctx;

    (void)part;
    scs_shared_memory_clear(&context->parts);
}

/* Memory whose content is not needed goes back to the system, where it begins a page. */
static void forget(float *values, int64_t n)
{
    size_t size = (size_t)n * sizeof *values / PAGE * PAGE;

    if ((uintptr_t)values % PAGE == 0 && size)
        (void)madvise(values, size, MADV_DONTNEED);
}

/* Each rank of the node fills its part of the copy, so that the pages lie near the rank that will
 * write them (first touch). The barrier: nobody reads before all have filled theirs. Where memory
 * cannot be shared, *values stays the caller's. */
static scs_status share_values(void *ctx, int64_t n, float **values)
{
    scs_team_context *context = ctx;
    scs_comm *comm = context->comm;
    int32_t rank = comm->rank;
    int64_t place = comm->place[rank], n_rank = comm->node_size[rank], lo, hi;
    float *copy;

    SCS_TRY(scs_shared_memory_create(comm, place == 0 ? n * (int64_t)sizeof(float) : 0,
                                     &context->values));
    if (!context->values.together) {
        scs_shared_memory_clear(&context->values);
        return SCS_OK;
    }
    copy = context->values.block[comm->node[rank]];
    lo = n * place / n_rank;
    hi = n * (place + 1) / n_rank;
    memcpy(copy + lo, *values + lo, (size_t)(hi - lo) * sizeof *copy);
    forget(*values, n);
    context->private_values = *values;
    *values = copy;
    return scs_comm_mpi_status(MPI_Barrier(comm->mpi), "MPI_Barrier");
}

/* The caller's own array gets the values back before the node's copy goes. */
static void unshare_values(void *ctx, int64_t n, float **values)
{
    scs_team_context *context = ctx;

    if (!context->values.together)
        return;
    memcpy(context->private_values, *values, (size_t)n * sizeof **values);
    *values = context->private_values;
    scs_shared_memory_clear(&context->values);
}

/* ---- Every rank's slice reaches all ranks, at once or under other work. ---- */

/* Not the tag of a reduction: both may be under way. */
enum { GATHER_TAG = 9 };

/* Slices lie one after the other from bound[0] on, so rank r's block ends where its slice does. */
static scs_status gather_slices(void *ctx, float *values, const int64_t *bound)
{
    scs_team_context *context = ctx;
    scs_comm *comm = context->comm;
    int64_t lo, size = (int64_t)sizeof *values;

    for (int32_t r = 0; r < comm->size; r++)
        comm->first[r + 1] = (slice_of_rank(context, bound, r, &lo) + lo - bound[0]) * size;
    comm->first[0] = 0;
    return scs_comm_allgather(comm, values + bound[0], comm->first);
}

/* Are these the values that the ranks of a node have one copy of? */
static bool is_shared(const scs_team_context *context, const float *values)
{
    return context->values.together &&
           values == context->values.block[context->comm->node[context->comm->rank]];
}

/* Does `from` send its slice to `to`? Of shared values one rank of every other node gets it. */
static bool gets_slice(const scs_comm *comm, bool shared, int32_t from, int32_t to)
{
    return !shared || (comm->node[from] != comm->node[to] &&
                       comm->place[to] == comm->place[from] % comm->node_size[to]);
}

/* Messages that the longest slice takes: the room that every rank reserves, so that it is alike. */
static int largest_pieces(const scs_team_context *context, const int64_t *bound)
{
    int most = 0;

    for (int32_t r = 0; r < context->comm->size; r++) {
        int64_t lo, len = slice_of_rank(context, bound, r, &lo);
        int n = count_pieces(context->comm, len * (int64_t)sizeof(float));

        most = n > most ? n : most;
    }
    return most;
}

/* Receives are posted before sends of the same step, straight into place; ranks begin with
 * different partners. */
static scs_status gather_begin(void *ctx, float *values, const int64_t *bound)
{
    scs_team_context *context = ctx;
    scs_comm *comm = context->comm;
    bool shared = is_shared(context, values);
    int64_t lo, other_lo, size = (int64_t)sizeof *values;
    int64_t len = slice_of_rank(context, bound, comm->rank, &lo);

    SCS_TRY(requests_reserve(comm, &context->gathering,
                             2 * (comm->size - 1) * largest_pieces(context, bound)));
    for (int32_t step = 1; step < comm->size; step++) {
        int32_t other = (comm->rank + step) % comm->size;
        int64_t other_len = slice_of_rank(context, bound, other, &other_lo);

        if (gets_slice(comm, shared, other, comm->rank))
            SCS_TRY(requests_receive(comm, &context->gathering, GATHER_TAG, other,
                                     values + other_lo, other_len * size));
        if (gets_slice(comm, shared, comm->rank, other))
            SCS_TRY(requests_send(comm, &context->gathering, GATHER_TAG, other, values + lo,
                                  len * size));
    }
    return scs_collective_ok();
}

/* After the wait a rank has its slices; after the barrier the node's copy is whole for all of its
 * ranks. */
static scs_status gather_end(void *ctx)
{
    scs_team_context *context = ctx;

    SCS_TRY(requests_wait(&context->gathering));
    if (context->values.together) /* a node's ranks have all written, and received, their share */
        SCS_MPI(MPI_Barrier(context->comm->mpi));
    return scs_collective_ok();
}

/* ---- The ranks' values are added up slice by slice: begin adds up the subtrees that are here and
 * posts what others need of them, end waits and adds up this rank's slice. ---- */

enum { REDUCE_TAG = 8 };

/* Subtree sums that a rank has, and sends. */
static int32_t subtrees_of(const scs_team_context *context, int32_t rank)
{
    return context->first_subtree[rank + 1] - context->first_subtree[rank];
}

/* Does rank b read rank a's parts where they are? */
static bool reads_in_place(const scs_team_context *context, const scs_reduction *r, int32_t a,
                           int32_t b)
{
    return r->open && context->parts.together && context->comm->node[a] == context->comm->node[b];
}

/* Subtree sums that reach rank `to` by messages. */
static int64_t count_remote(const scs_team_context *context, const scs_reduction *r, int32_t to)
{
    int64_t remote = 0;

    for (int32_t from = 0; from < context->comm->size; from++)
        if (from != to && !reads_in_place(context, r, from, to))
            remote += subtrees_of(context, from);
    return remote;
}

/* The old content is not wanted. */
static scs_status grow_work(scs_reduction *r, int64_t size)
{
    free(r->work);
    r->work_size = 0;
    return SCS_ALLOC(r->work, size / (int64_t)sizeof *r->work);
}

/* Room for the others' subtree sums of a slice and for all messages, on each rank as on the one
 * that needs most: so the decision to allocate is the same everywhere, and is made in the first
 * step of training only. */
static scs_status reserve_reduction(scs_team_context *context, scs_reduction *r)
{
    scs_comm *comm = context->comm;
    int64_t longest = 0, most = 0, lo, size;

    for (int32_t rank = 0; rank < comm->size; rank++) {
        int64_t len = slice_of_rank(context, r->bound, rank, &lo);
        int64_t remote = count_remote(context, r, rank);

        longest = len > longest ? len : longest;
        most = remote > most ? remote : most;
    }
    longest *= (int64_t)sizeof(float);
    size = most * longest;
    if (size > r->work_size) {
        SCS_TRY(scs_comm_agree(comm, grow_work(r, size)));
        r->work_size = size;
    }
    return requests_reserve(comm, &r->requests,
                            2 * context->first_subtree[comm->size] * count_pieces(comm, longest));
}

/* Where slice [lo, ..) of a subtree sum lies in the memory of another rank of the node. The sum is
 * in the row of the subtree's first shard, where scs_team_tree_fold_float leaves it. */
static float *part_of_rank(const scs_team_context *context, int32_t r, const scs_subtree *subtree,
                           int64_t lo)
{
    int64_t row = subtree->first - scs_shard_first(context->n_shard, context->comm->size, r);

    return (float *)context->parts.block[r] + row * part_stride(context->part_size) + lo;
}

/* part_float[i] = where this rank's slice of subtree sum i lies: our own and those of the node
 * where they are, others' in the work buffer. */
static void locate_parts(scs_team_context *context, const scs_reduction *r)
{
    const int32_t *first = context->first_subtree;
    int32_t rank = context->comm->rank;
    float *work = r->work;

    for (int32_t from = 0; from < context->comm->size; from++)
        for (int32_t i = first[from]; i < first[from + 1]; i++) {
            if (from == rank) {
                context->part_float[i] = r->mine[i - first[rank]] + r->lo;
            } else if (reads_in_place(context, r, from, rank)) {
                context->part_float[i] = part_of_rank(context, from, &context->subtree[i], r->lo);
            } else {
                context->part_float[i] = work;
                work += r->len;
            }
        }
}

/* Add up this rank's subtrees in place, over everything between the first and the last bound; the
 * parts are destroyed. */
static void fold_own(scs_team_context *context, scs_reduction *r, float *const *part)
{
    scs_team team = team_of_rank(context, context->comm->rank);
    scs_subtree subtree[SCS_SUBTREE_MAX];
    int64_t start = r->bound[0];
    int n;

    for (int32_t i = 0; i < team.last - team.first; i++)
        context->part_float[i] = part[i] + start;
    n = scs_team_tree_fold_float(context->part_float, team.first, team.last, context->n_shard,
                                 r->bound[context->n_shard] - start, subtree);
    for (int i = 0; i < n; i++)
        r->mine[i] = part[subtree[i].first - team.first];
    r->len = slice_of_rank(context, r->bound, context->comm->rank, &r->lo);
}

/* Start to send a rank its slice of every subtree sum that is here, and to receive those of this
 * rank's slice from it. */
static scs_status exchange_slices(scs_team_context *context, scs_reduction *r, int32_t other)
{
    scs_comm *comm = context->comm;
    int32_t n_out =
        reads_in_place(context, r, comm->rank, other) ? 0 : subtrees_of(context, comm->rank);
    int32_t n_in = reads_in_place(context, r, other, comm->rank) ? 0 : subtrees_of(context, other);
    float *const *in = context->part_float + context->first_subtree[other];
    int64_t lo, n = slice_of_rank(context, r->bound, other, &lo) * (int64_t)sizeof(float);

    for (int32_t i = 0; i < n_in; i++)
        SCS_TRY(requests_receive(comm, &r->requests, REDUCE_TAG, other, in[i],
                                 r->len * (int64_t)sizeof(float)));
    for (int32_t i = 0; i < n_out; i++)
        SCS_TRY(requests_send(comm, &r->requests, REDUCE_TAG, other, r->mine[i] + lo, n));
    return scs_collective_ok();
}

/* Messages go round the ranks, as in collectives.c. */
static scs_status begin_reduction(scs_team_context *context, scs_reduction *r, float *const *part,
                                  const int64_t *bound, bool open)
{
    scs_comm *comm = context->comm;

    r->bound = bound;
    r->open = open;
    SCS_TRY(open_context(context));
    SCS_TRY(reserve_reduction(context, r));
    fold_own(context, r, part);
    locate_parts(context, r);
    for (int32_t step = 1; step < comm->size; step++)
        SCS_TRY(exchange_slices(context, r, (comm->rank + step) % comm->size));
    return scs_collective_ok();
}

/* The parts are located again: `sum` may have used the same lists in between. The sum is built in
 * the place of this rank's own first subtree. */
static scs_status end_reduction(scs_team_context *context, scs_reduction *r, float *slice)
{
    scs_comm *comm = context->comm;
    int first = context->first_subtree[comm->rank];

    SCS_TRY(requests_wait(&r->requests));
    if (r->open && context->parts.together)
        SCS_MPI(MPI_Barrier(comm->mpi)); /* the node's parts are folded */
    locate_parts(context, r);
    scs_team_tree_sum_float(context->part_float, context->subtree,
                            context->first_subtree[comm->size], first, r->len);
    if (slice != context->part_float[first]) /* it may overlap part[0] */
        memmove(slice, context->part_float[first], (size_t)r->len * sizeof *slice);
    return SCS_OK;
}

/* Begun and ended in one call. A reduction that began earlier is left alone: it has its own
 * requests and work buffer. */
static scs_status reduce_slice(void *ctx, float *const *part, const int64_t *bound, bool open,
                               float *slice)
{
    scs_team_context *context = ctx;

    SCS_TRY(begin_reduction(context, &context->now, part, bound, open));
    return end_reduction(context, &context->now, slice);
}

/* At most one is under way; its parts are not to be touched until reduce_end. */
static scs_status reduce_begin(void *ctx, float *const *part, const int64_t *bound, bool open)
{
    scs_team_context *context = ctx;

    return begin_reduction(context, &context->begun, part, bound, open);
}

/* The arguments are those of reduce_begin, which has kept them. */
static scs_status reduce_end(void *ctx, float *const *part, const int64_t *bound, bool open,
                             float *slice)
{
    scs_team_context *context = ctx;

    (void)part, (void)bound, (void)open; /* known since it began */
    return end_reduction(context, &context->begun, slice);
}

/* ---- The other hooks, and the team itself. ---- */

/* Nothing is under way any more. */
static void reduction_clear(scs_reduction *reduction)
{
    free(reduction->work);
    requests_clear(&reduction->requests);
    *reduction = (scs_reduction){0};
}

/* Set in comm->clear_teams. Local. */
static void clear_teams(scs_comm *comm)
{
    for (int i = 0; i < SCS_TEAM_CONTEXTS; i++) {
        scs_team_context *context = &comm->team[i];

        clear_lists(context);
        scs_shared_memory_clear(&context->parts);
        scs_shared_memory_clear(&context->values);
        reduction_clear(&context->now);
        reduction_clear(&context->begun);
        requests_clear(&context->gathering);
    }
}

/* Add up this rank's subtrees in place. @param[out] own [SCS_SUBTREE_MAX] where each sum lies
 *  @return how many */
static int fold_doubles(scs_team_context *context, double *parts, int64_t len, double **own)
{
    scs_team mine = team_of_rank(context, context->comm->rank);
    scs_subtree subtree[SCS_SUBTREE_MAX];
    int n;

    for (int32_t s = mine.first; s < mine.last; s++)
        context->part_double[s - mine.first] = parts + (s - mine.first) * len;
    n = scs_team_tree_fold_double(context->part_double, mine.first, mine.last, context->n_shard,
                                  len, subtree);
    for (int i = 0; i < n; i++)
        own[i] = parts + (subtree[i].first - mine.first) * len;
    return n;
}

/* The tree over all subtree sums of n values, one after the other; the sum is in the first. */
static void sum_tree(scs_team_context *context, double *gathered, int64_t n)
{
    int32_t n_subtree = context->first_subtree[context->comm->size];

    for (int32_t i = 0; i < n_subtree; i++)
        context->part_double[i] = gathered + i * n;
    scs_team_tree_sum_double(context->part_double, context->subtree, n_subtree, 0, n);
}

/* Every subtree sum of every rank goes to all ranks, [number of subtrees, len] doubles, and each
 * adds all of them up, so that all have the same bits without a broadcast. */
static scs_status sum_whole(scs_team_context *context, double *parts, int64_t len, double *total)
{
    scs_comm *comm = context->comm;
    int64_t row = len * (int64_t)sizeof(double);
    int32_t first = context->first_subtree[comm->rank];
    double *own[SCS_SUBTREE_MAX], *gathered;
    int n;

    SCS_TRY(scs_comm_reserve(comm, context->first_subtree[comm->size] * row));
    gathered = comm->work;
    n = fold_doubles(context, parts, len, own);
    for (int i = 0; i < n; i++)
        memcpy(gathered + (first + i) * len, own[i], (size_t)row);
    for (int32_t r = 0; r <= comm->size; r++)
        comm->first[r] = context->first_subtree[r] * row;
    SCS_TRY(scs_comm_allgather(comm, gathered, comm->first));
    sum_tree(context, gathered, len);
    memcpy(total, gathered, (size_t)row);
    return SCS_OK;
}

/* The first value of a rank's slice of len values. */
static int64_t slice_begin(const scs_comm *comm, int64_t len, int32_t rank)
{
    return len * rank / comm->size;
}

/* Messages of sum_sliced: to each rank its slice of this rank's subtree sums, and from each rank
 * this rank's slice of that one's. @param[out] out they follow one another */
static void write_slices(scs_team_context *context, double *const *own, int n, int64_t len,
                         double *out)
{
    scs_comm *comm = context->comm;
    int64_t mine = slice_begin(comm, len, comm->rank + 1) - slice_begin(comm, len, comm->rank);

    for (int32_t r = 0; r < comm->size; r++) {
        int64_t lo = slice_begin(comm, len, r), width = slice_begin(comm, len, r + 1) - lo;

        for (int i = 0; i < n; i++, out += width)
            memcpy(out, own[i] + lo, (size_t)width * sizeof *out);
        context->to[r] = n * width * (int64_t)sizeof *out;
        context->from[r] = (context->first_subtree[r + 1] - context->first_subtree[r]) * mine *
                           (int64_t)sizeof *out;
    }
}

/* Each rank adds up a slice of all subtree sums; the sums of all slices are gathered. */
static scs_status sum_sliced(scs_team_context *context, double *parts, int64_t len, double *total)
{
    scs_comm *comm = context->comm;
    int64_t width = len / comm->size + 1, n_subtree = context->first_subtree[comm->size], most = 0;
    int64_t lo = slice_begin(comm, len, comm->rank);
    int64_t mine = slice_begin(comm, len, comm->rank + 1) - lo;
    double *own[SCS_SUBTREE_MAX], *out, *in;
    int n;

    for (int32_t r = 0; r < comm->size; r++) {
        int64_t k = context->first_subtree[r + 1] - context->first_subtree[r];

        most = k > most ? k : most;
    }
    SCS_TRY(scs_comm_reserve(comm, (most * len + n_subtree * width) * (int64_t)sizeof(double)));
    out = comm->work;
    in = out + most * len;
    n = fold_doubles(context, parts, len, own);
    write_slices(context, own, n, len, out);
    SCS_TRY(scs_comm_alltoallv(comm, out, context->to, in, context->from));
    sum_tree(context, in, mine);
    memcpy(total + lo, in, (size_t)mine * sizeof *in);
    for (int32_t r = 0; r <= comm->size; r++)
        comm->first[r] = slice_begin(comm, len, r) * (int64_t)sizeof *in;
    return scs_comm_allgather(comm, total, comm->first);
}

/* The way depends on what every rank knows: all take the same. */
static scs_status sum(void *ctx, double *parts, int64_t len, double *total)
{
    scs_team_context *context = ctx;
    scs_comm *comm = context->comm;

    SCS_TRY(open_context(context));
    if (len * (int64_t)sizeof(double) <= comm->whole)
        return sum_whole(context, parts, len, total);
    return sum_sliced(context, parts, len, total);
}

/* Blocks of any size for each rank, in rounds; a rank's block for itself does not move. */
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

/* The team's view of scs_comm_agree. */
static scs_status agree(void *ctx, scs_status mine)
{
    scs_team_context *context = ctx;

    return scs_comm_agree(context->comm, mine);
}

/* Rank 0's bytes to all ranks. */
static scs_status share(void *ctx, void *bytes, int64_t size)
{
    scs_team_context *context = ctx;

    return scs_comm_broadcast(context->comm, bytes, size);
}

/* n_shard is a power of two, whose logarithm picks the context; a second team of the same number
 * of shards shares it. */
scs_team scs_comm_team(scs_comm *comm, int32_t n_shard)
{
    scs_team_context *context = &comm->team[__builtin_ctz((unsigned)n_shard)];
    scs_team team;

    comm->clear_teams = clear_teams;
    context->comm = comm;
    context->n_shard = n_shard;
    team = team_of_rank(context, comm->rank);
    team.ctx = context;
    team.sum = sum;
    team.open_parts = open_parts;
    team.close_parts = close_parts;
    team.share_values = share_values;
    team.unshare_values = unshare_values;
    team.reduce_slice = reduce_slice;
    team.reduce_begin = reduce_begin;
    team.reduce_end = reduce_end;
    team.gather_slices = gather_slices;
    team.gather_begin = gather_begin;
    team.gather_end = gather_end;
    team.exchange = exchange;
    team.agree = agree;
    team.share = share;
    return team;
}
