/* Rows of cells on their way between ranks: whole rows to their shards, latent rows to where they
 * are screened.
 *
 *  Rows go to their shards while they are read (scs_redistribute_rows): each rank takes rows from a
 *  source, those of its own shards stay, and whenever half a megabyte of others has come together
 *  they travel, in rounds in which all ranks take part: to other nodes in messages, within a node
 *  through memory that its ranks share. So a row is held once, by the rank whose shard it belongs
 *  to, beside what is on its way in a round. In its shard a row has the number that the
 *  deal gives it, wherever in memory it comes to stand: nothing depends on who sent it, or when.
 *
 *  Latent rows are one row transfer. Each rank lists the pieces that it has to send (which cell,
 *  where its values lie, how many), by destination; the lists are exchanged, 24 bytes a piece, so
 *  that every rank knows what arrives; then the values follow in one message a pair of ranks, 4
 *  bytes each. Messages larger than a piece of the communicator are cut there.
 *
 *      transfer_create     nothing to send yet
 *      transfer_add        for each piece, destinations ascending
 *      transfer_announce   lists are exchanged; all ranks agree first
 *      transfer_send       the values
 *      transfer_clear      always
 *
 *  Order: values arrive in the order in which they were sent, by sender; the lists are then sorted
 *  by cell. Whatever is built from them goes through cells in ascending order, so its bits do not
 *  depend on which rank sent what.
 *
 *  What is sent, for n cells of a rank, d latent units:
 *      to shards          a header of 24 bytes and the packed words of each cell that a rank of
 *                         another node has: about 3 bytes a stored value
 *      latent rows        a piece for each cell that a rank needs, 4 d bytes */
#include "mpi/comm/shared_memory.h"
#include "src/atlas/atlas.h"
#include "src/data/packed.h"
#include "src/base/collective.h"
#include "scscreen/comm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Consecutive values of one cell: 24 bytes, sent as they are. */
typedef struct row_piece {
    int64_t cell;  /* global id */
    int64_t at;    /* first value within its plane */
    int32_t plane; /* which of the sender's arrays */
    int32_t count; /* values */
} row_piece;

/* All that goes from every rank to every rank. The same list may be used for several sets of
 * values of the same layout (genes, then values). */
typedef struct row_transfer {
    scs_comm *comm; /* borrowed */
    void **plane;   /* [n_plane] the arrays that outgoing pieces lie in; set before transfer_send */
    int32_t n_plane;
    row_piece *out; /* [n_out] what is sent, by destination */
    int64_t n_out, capacity;
    row_piece *in; /* [n_in] what arrives, cells ascending; `at` is into the arrived values */
    int64_t n_in, n_values;           /* pieces and values that arrive */
    int64_t *values_to, *values_from; /* [n_rank] bytes of values for and from each rank */
    int64_t *pieces_to, *pieces_from; /* [n_rank] bytes of the pieces' list, likewise */
} row_transfer;

/* Of a value, in bytes: one size for all keeps the lists free of types. */
enum { VALUE_SIZE = 4 }; /* bytes */

_Static_assert(sizeof(float) == VALUE_SIZE && sizeof(int32_t) == VALUE_SIZE, "values of 4 bytes");

/* Nothing to send yet. Clear it even after a failure. Local. */
static scs_status transfer_create(scs_comm *comm, int32_t n_plane, row_transfer *transfer)
{
    int32_t n_rank = scs_comm_size(comm);

    *transfer = (row_transfer){.comm = comm, .n_plane = n_plane};
    SCS_TRY(SCS_ALLOC(transfer->plane, n_plane));
    SCS_TRY(SCS_ALLOC(transfer->values_to, n_rank));
    SCS_TRY(SCS_ALLOC(transfer->values_from, n_rank));
    SCS_TRY(SCS_ALLOC(transfer->pieces_to, n_rank));
    return SCS_ALLOC(transfer->pieces_from, n_rank);
}

/* Planes themselves are the caller's. */
static void transfer_clear(row_transfer *transfer)
{
    free(transfer->plane);
    free(transfer->out);
    free(transfer->in);
    free(transfer->values_to);
    free(transfer->values_from);
    free(transfer->pieces_to);
    free(transfer->pieces_from);
    *transfer = (row_transfer){0};
}

/* Send this piece to rank `to`; destinations do not descend from call to call. SCS_ENOMEM. Local.
 */
static scs_status transfer_add(row_transfer *transfer, int32_t to, row_piece piece)
{
    if (transfer->n_out == transfer->capacity) {
        int64_t more = 2 * transfer->capacity + 1024;
        row_piece *bigger = scs_reallocate(transfer->out, more, sizeof *bigger);

        SCS_REQUIRE(bigger, SCS_ENOMEM, "out of memory: %lld pieces of rows to send",
                    (long long)more);
        transfer->out = bigger;
        transfer->capacity = more;
    }
    transfer->out[transfer->n_out++] = piece;
    transfer->pieces_to[to] += (int64_t)sizeof piece;
    transfer->values_to[to] += (int64_t)piece.count * VALUE_SIZE;
    return SCS_OK;
}

/* Over all ranks. */
static int64_t total_bytes(const row_transfer *transfer, const int64_t *bytes)
{
    int64_t sum = 0;

    for (int32_t r = 0; r < scs_comm_size(transfer->comm); r++)
        sum += bytes[r];
    return sum;
}

/* Cells of one list are all different where rows are sent whole; parts of a row go to one rank
 * each. */
static int by_cell(const void *a, const void *b)
{
    const row_piece *x = a, *y = b;

    return (x->cell > y->cell) - (x->cell < y->cell);
}

/* Values arrive in the order in which the pieces were sent; only afterwards are these sorted. */
static void place_arrivals(row_transfer *transfer)
{
    transfer->n_values = 0;
    for (int64_t i = 0; i < transfer->n_in; i++) {
        transfer->in[i].at = transfer->n_values;
        transfer->n_values += transfer->in[i].count;
    }
    qsort(transfer->in, (size_t)transfer->n_in, sizeof *transfer->in, by_cell);
}

/* Exchange the lists: afterwards `in` is complete. Collective.
 *  @param mine status of the local work so far: all ranks agree on it first */
static scs_status transfer_announce(row_transfer *transfer, scs_status mine)
{
    scs_comm *comm = transfer->comm;

    SCS_TRY(scs_comm_agree(comm, mine));
    SCS_TRY(mine); /* agreed upon; said again for those who read one function at a time */
    SCS_TRY(scs_comm_exchange_counts(comm, transfer->pieces_to, transfer->pieces_from));
    SCS_TRY(scs_comm_exchange_counts(comm, transfer->values_to, transfer->values_from));
    transfer->n_in = total_bytes(transfer, transfer->pieces_from) / (int64_t)sizeof *transfer->in;
    SCS_TRY(scs_comm_agree(comm, SCS_ALLOC(transfer->in, transfer->n_in)));
    SCS_TRY(scs_comm_alltoallv(comm, transfer->out, transfer->pieces_to, transfer->in,
                               transfer->pieces_from));
    place_arrivals(transfer);
    return SCS_OK;
}

/* The values of all outgoing pieces, one after the other: by destination, as the pieces are. */
static void pack(const row_transfer *transfer, char *packed)
{
    for (int64_t i = 0; i < transfer->n_out; i++) {
        const row_piece *piece = &transfer->out[i];

        memcpy(packed, (const char *)transfer->plane[piece->plane] + piece->at * VALUE_SIZE,
               (size_t)piece->count * VALUE_SIZE);
        packed += (int64_t)piece->count * VALUE_SIZE;
    }
}

/* Send the pieces' values. Collective.
 *  @param[out] arrived [n_values] malloc'ed */
static scs_status transfer_send(row_transfer *transfer, void **arrived)
{
    scs_comm *comm = transfer->comm;
    char *packed = NULL, *in = NULL;
    scs_status st, local = SCS_ALLOC(packed, total_bytes(transfer, transfer->values_to));

    if (local == SCS_OK) {
        pack(transfer, packed);
        local = SCS_ALLOC(in, transfer->n_values * VALUE_SIZE);
    }
    SCS_GO(st, scs_comm_agree(comm, local));
    SCS_GO(st, scs_comm_alltoallv(comm, packed, transfer->values_to, in, transfer->values_from));
    *arrived = in;
    in = NULL;
done:
    free(packed);
    free(in);
    return st;
}

/* ---- Latent rows of whole groups, to the ranks that screen with them ---- */

_Static_assert(sizeof(scs_real) == sizeof(float), "latent rows travel as values of 4 bytes");

/* Which groups the rows [first, last) of the plan need. @param[out] needed [n_group] */
static void mark_groups(const scs_plan *plan, bool observed, int64_t first, int64_t last,
                        uint8_t *needed)
{
    for (int64_t i = first; i < last; i++) {
        if (plan->item[i].control_group >= 0)
            needed[plan->item[i].control_group] = 1;
        if (observed && plan->item[i].observed_group >= 0)
            needed[plan->item[i].observed_group] = 1;
    }
}

/* Latent rows of the cells here that rank `to` needs. */
static scs_status list_cells_for(int32_t to, const int32_t *group_of_cell, const uint8_t *needed,
                                 int32_t n_latent, const scs_shard *shard, int32_t n_local,
                                 row_transfer *transfer)
{
    for (int32_t s = 0; s < n_local; s++)
        for (int64_t i = 0; i < shard[s].x.n_row; i++) {
            int32_t group = group_of_cell[shard[s].cell[i]];

            if (group >= 0 && needed[group])
                SCS_TRY(transfer_add(transfer, to,
                                     (row_piece){.cell = shard[s].cell[i],
                                                 .at = i * n_latent,
                                                 .plane = s,
                                                 .count = n_latent}));
        }
    return SCS_OK;
}

/* Each rank's needs are known everywhere (from the plan), so nobody has to ask. Local. */
static scs_status list_cells(const int32_t *group_of_cell, const scs_atlas *atlas,
                             const uint8_t *needed, const scs_shard *shard, const scs_team *team,
                             row_transfer *transfer)
{
    for (int32_t r = 0; r < team->n_rank; r++)
        SCS_TRY(list_cells_for(r, group_of_cell, needed + (int64_t)r * atlas->n_group,
                               atlas->n_latent, shard, team->last - team->first, transfer));
    return SCS_OK;
}

/* Arrived rows into their groups. Pieces ascend by cell, so cells ascend within each group.
 * SCS_EINTERNAL where a group does not get all its cells. Local.
 *  @param filled [n_group] zeroed scratch */
static scs_status fill_groups(const row_transfer *transfer, const scs_real *arrived,
                              const int32_t *group_of_cell, const scs_atlas *atlas, int64_t *filled,
                              scs_real **group_z)
{
    int32_t d = atlas->n_latent;

    for (int64_t i = 0; i < transfer->n_in; i++) {
        int32_t g = group_of_cell[transfer->in[i].cell];

        if (!group_z[g])
            SCS_TRY(SCS_ALLOC(group_z[g], atlas->group[g].count * d));
        SCS_REQUIRE(filled[g] < atlas->group[g].count, SCS_EINTERNAL,
                    "more cells than group %d has", g);
        memcpy(group_z[g] + filled[g]++ * d, arrived + transfer->in[i].at,
               (size_t)d * sizeof *arrived);
    }
    for (int32_t g = 0; g < atlas->n_group; g++)
        SCS_REQUIRE(!group_z[g] || filled[g] == atlas->group[g].count, SCS_EINTERNAL,
                    "cells of group %d are missing", g);
    return SCS_OK;
}

/* Local. */
static scs_status group_rows(const row_transfer *transfer, const scs_real *arrived,
                             const int32_t *group_of_cell, const scs_atlas *atlas,
                             scs_real **group_z)
{
    int64_t *filled;
    scs_status st;

    SCS_TRY(SCS_ALLOC(filled, atlas->n_group));
    st = fill_groups(transfer, arrived, group_of_cell, atlas, filled, group_z);
    free(filled);
    return st;
}

/* After a failure nobody gets half of the groups. */
static void clear_groups(scs_real **group_z, int32_t n_group)
{
    for (int32_t g = 0; g < n_group; g++) {
        free(group_z[g]);
        group_z[g] = NULL;
    }
}

/* Whole rows of z, so a plane is a shard's z as it lies; nothing is freed but the lists. */
scs_status scs_redistribute_groups(scs_comm *comm, const scs_dataset *dataset,
                                   const scs_atlas *atlas, const uint8_t *needed,
                                   const scs_shard *shard, const scs_team *team, scs_real *const *z,
                                   scs_real **group_z)
{
    int32_t *group_of_cell = NULL;
    void *arrived = NULL;
    row_transfer transfer = {0};
    scs_status st;

    memset(group_z, 0, (size_t)atlas->n_group * sizeof *group_z);
    st = transfer_create(comm, team->last - team->first, &transfer);
    if (st == SCS_OK)
        st = scs_atlas_cell_groups(atlas, dataset, &group_of_cell);
    if (st == SCS_OK)
        st = list_cells(group_of_cell, atlas, needed, shard, team, &transfer);
    SCS_GO(st, transfer_announce(&transfer, st));
    for (int32_t s = 0; s < transfer.n_plane; s++)
        transfer.plane[s] = z[s];
    SCS_GO(st, transfer_send(&transfer, &arrived));
    SCS_GO(st, scs_comm_agree(comm, group_rows(&transfer, arrived, group_of_cell, atlas, group_z)));
done:
    free(arrived);
    free(group_of_cell);
    transfer_clear(&transfer);
    if (st != SCS_OK)
        clear_groups(group_z, atlas->n_group);
    return st;
}

/* From rows of a plan to groups that are needed; every rank makes the same [n_rank, n_group]
 * table. */
scs_status scs_redistribute_cells(scs_comm *comm, const scs_dataset *dataset,
                                  const scs_atlas *atlas, const scs_plan *plan, bool observed,
                                  const int64_t *first, const scs_shard *shard,
                                  const scs_team *team, scs_real *const *z, scs_real **group_z)
{
    uint8_t *needed;
    scs_status st;

    SCS_TRY(scs_comm_agree(comm, SCS_ALLOC(needed, (int64_t)team->n_rank * atlas->n_group)));
    for (int32_t r = 0; r < team->n_rank; r++)
        mark_groups(plan, observed, first[r], first[r + 1], needed + (int64_t)r * atlas->n_group);
    st = scs_redistribute_groups(comm, dataset, atlas, needed, shard, team, z, group_z);
    free(needed);
    return st;
}

/* ---- Rows to those who take them ---- */

/* Bytes of rows that a rank keeps for others before they are sent, and what is added to that for
 * each rank, so that messages do not become too small where there are many. */
enum { STAGE = 512 << 10, STAGE_PER_RANK = 16 << 10 };

/* Of a row beside its words: where it begins, and how many they are. */
enum { ROW_BYTES = sizeof(int64_t) + sizeof(int32_t) };

/* Before each row in a message. */
typedef struct row_header {
    int64_t cell;  /* global id */
    double total;  /* of the cell's counts */
    int64_t words; /* of the row, which follows */
} row_header;

/* Rows for one rank, or from one: headers and words by turns. Owned. */
typedef struct row_buffer {
    uint8_t *byte;
    int64_t used, room;
} row_buffer;

/* Rows for other ranks of the node, which read them where they lie: a block for each rank, with the
 * place of the first record for each rank at its beginning; the records for a rank are a chain.
 * What finds no room goes by message. */
typedef struct row_log {
    scs_shared_memory memory; /* not together: nothing is written */
    int64_t room, used;       /* bytes of this rank's block */
    int64_t *last;            /* [n_rank] the last record for each rank; 0: none */
} row_log;

/* In a log, before the row's words. */
typedef struct log_record {
    int64_t next; /* place of the next one for the same rank; 0: none */
    row_header header;
} log_record;

/* Rows on their way from those who have them to those who take them. A round: each rank takes rows
 * from its source until it has STAGE bytes for others, puts its own where they belong, and the
 * others' travel. */
typedef struct rounds {
    scs_comm *comm;
    const scs_team *team;
    const scs_row_sink *sink;
    row_log log;
    row_buffer *out;    /* [n_rank] */
    row_buffer in;      /* from all ranks, one after the other */
    int64_t *to, *from; /* [n_rank] bytes of this round */
    void **at;          /* [n_rank] where each rank's message goes within `in` */
    const void **of;    /* [n_rank] where each rank's message lies */
    int64_t staged;     /* bytes in `log` and `out` */
} rounds;

/* Room for `more` bytes; what is there stays. */
static scs_status reserve(row_buffer *b, int64_t more)
{
    int64_t room = b->room + b->room / 2 > b->used + more ? b->room + b->room / 2 : b->used + more;
    uint8_t *byte;

    if (b->used + more <= b->room)
        return SCS_OK;
    byte = scs_reallocate(b->byte, room, 1);
    SCS_REQUIRE(byte, SCS_ENOMEM, "out of memory: %lld MiB of rows to send",
                (long long)(room >> 20));
    b->byte = byte;
    b->room = room;
    return SCS_OK;
}

/* A row of this rank to where it belongs. */
static scs_status put(const rounds *d, const row_header *header, const uint8_t *word)
{
    return d->sink->put(d->sink->ctx, header->cell, header->total, word, header->words);
}

static log_record *record_at(void *block, int64_t at)
{
    return (log_record *)(void *)((char *)block + at);
}

/* Empty. Not before all ranks of the node have read it. */
static void clear_log(rounds *d)
{
    int64_t n = d->team->n_rank * (int64_t)sizeof(int64_t);

    if (!d->log.memory.together)
        return;
    memset(d->log.memory.block[d->team->rank], 0, (size_t)n);
    memset(d->log.last, 0, (size_t)n);
    d->log.used = n;
}

/* @return false: the rank is not of this node, or there is no room */
static bool write_to_log(rounds *d, int32_t rank, const row_header *header, const uint8_t *word)
{
    row_log *log = &d->log;
    int64_t bytes = header->words * VALUE_SIZE;
    int64_t size = ((int64_t)sizeof(log_record) + bytes + 7) / 8 * 8;
    char *block;
    log_record *record;

    if (!log->memory.together || !log->memory.block[rank] || size > log->room - log->used)
        return false;
    block = log->memory.block[d->team->rank];
    record = record_at(block, log->used);
    *record = (log_record){0, *header};
    memcpy(record + 1, word, (size_t)bytes);
    if (log->last[rank])
        record_at(block, log->last[rank])->next = log->used;
    else
        /* cppcheck-suppress unreadVariable; by the rank whose block it is */
        ((int64_t *)(void *)block)[rank] = log->used;
    log->last[rank] = log->used;
    log->used += size;
    d->staged += size;
    return true;
}

/* The rows for this rank from the logs of the node's others. Local. */
static scs_status read_logs(const rounds *d)
{
    const scs_shared_memory *memory = &d->log.memory;

    for (int32_t r = 0; memory->together && r < d->team->n_rank; r++) {
        int64_t at;

        if (r == d->team->rank || !memory->block[r])
            continue;
        at = ((const int64_t *)memory->block[r])[d->team->rank];
        while (at) {
            const log_record *record = record_at(memory->block[r], at);

            SCS_TRY(put(d, &record->header, (const uint8_t *)(record + 1)));
            at = record->next;
        }
    }
    return SCS_OK;
}

/* Rows of cells that nobody takes go nowhere. */
static scs_status send_rows(rounds *d, const scs_row_batch *b)
{
    for (int64_t i = 0; i < b->n; i++) {
        int64_t cell = b->cells ? b->cells[i] : b->cell + i;
        int32_t rank = d->sink->rank(d->sink->ctx, cell);
        row_header header = {cell, b->total ? b->total[i] : 0,
                             scs_packed_row_words(b->x, b->row + i)};
        const uint8_t *word = b->x->word + b->x->first[b->row + i] * VALUE_SIZE;
        int64_t bytes = header.words * VALUE_SIZE;
        row_buffer *out;

        if (rank < 0)
            continue;
        if (rank == d->team->rank) {
            SCS_TRY(put(d, &header, word));
            continue;
        }
        if (write_to_log(d, rank, &header, word))
            continue;
        out = &d->out[rank];
        SCS_TRY(reserve(out, (int64_t)sizeof header + bytes));
        memcpy(out->byte + out->used, &header, sizeof header);
        memcpy(out->byte + out->used + sizeof header, word, (size_t)bytes);
        out->used += (int64_t)sizeof header + bytes;
        d->staged += (int64_t)sizeof header + bytes;
    }
    return SCS_OK;
}

/* Bytes of rows for others that are a round. */
static int64_t enough_for_round(const rounds *d)
{
    return STAGE + (int64_t)STAGE_PER_RANK * d->team->n_rank;
}

/* Rows until there are enough for a round, or no more. Local. */
static scs_status take_rows(rounds *d, const scs_row_source *source, bool *more)
{
    int64_t enough = enough_for_round(d);

    while (*more && d->staged < enough) {
        scs_row_batch batch = {0};

        SCS_TRY(source->next(source->ctx, &batch));
        *more = batch.n > 0;
        SCS_TRY(send_rows(d, &batch));
    }
    return SCS_OK;
}

/* Where the messages of a round lie and go, by their sizes. Local. */
static scs_status place_messages(rounds *d)
{
    int64_t bytes = 0;

    d->in.used = 0;
    for (int32_t r = 0; r < d->team->n_rank; r++)
        bytes += d->from[r];
    SCS_TRY(reserve(&d->in, bytes));
    bytes = 0;
    for (int32_t r = 0; r < d->team->n_rank; r++) {
        d->of[r] = d->out[r].byte;
        d->at[r] = bytes < d->in.room ? d->in.byte + bytes : d->in.byte; /* nothing comes then */
        bytes += d->from[r];
    }
    d->in.used = bytes;
    return SCS_OK;
}

/* Local. */
static scs_status take_messages(rounds *d)
{
    row_header header;

    SCS_TRY(read_logs(d));
    for (int64_t at = 0; at < d->in.used; at += header.words * VALUE_SIZE) {
        memcpy(&header, d->in.byte + at, sizeof header);
        at += (int64_t)sizeof header;
        SCS_TRY(put(d, &header, d->in.byte + at));
    }
    return SCS_OK;
}

/* Logs are written before the counts are exchanged, and read before the last agreement. Collective.
 */
static scs_status send_round(rounds *d)
{
    for (int32_t r = 0; r < d->team->n_rank; r++)
        d->to[r] = d->out[r].used;
    SCS_TRY(scs_comm_exchange_counts(d->comm, d->to, d->from));
    SCS_TRY(scs_comm_agree(d->comm, place_messages(d)));
    SCS_TRY(d->team->exchange(d->team->ctx, d->of, d->to, d->at, d->from));
    for (int32_t r = 0; r < d->team->n_rank; r++)
        d->out[r].used = 0;
    d->staged = 0;
    SCS_TRY(scs_comm_agree(d->comm, take_messages(d)));
    clear_log(d);
    return scs_collective_ok();
}

/* A rank whose source fails takes part until all others are through theirs, with nothing more to
 * send: so the message is that of the lowest failing rank, whoever is faster. Collective. */
static scs_status send_all(rounds *d, const scs_row_source *source)
{
    MPI_Comm all = scs_comm_mpi(d->comm);
    char message[SCS_MESSAGE_MAX] = "";
    scs_status mine = SCS_OK;
    bool more = true;
    int any = 1;

    while (any) {
        if (mine == SCS_OK && (mine = take_rows(d, source, &more)) != SCS_OK)
            snprintf(message, sizeof message, "%s", scs_message());
        any = mine == SCS_OK && more;
        if (d->team->n_rank > 1) {
            SCS_TRY(send_round(d));
            SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, &any, 1, MPI_INT, MPI_MAX, all));
        }
    }
    if (mine != SCS_OK)
        scs_message_set(message);
    return scs_comm_agree(d->comm, mine);
}

/* Part after part. Collective. */
static scs_status send_parts(rounds *d, const scs_row_source *source)
{
    bool more = true;

    if (!source->begin)
        return send_all(d, source);
    while (more) {
        SCS_TRY(source->begin(source->ctx, d->comm, &more));
        if (more)
            SCS_TRY(send_all(d, source));
    }
    return scs_collective_ok();
}

/* Room for a round, and for the rows by which it may be too long. Collective. */
static scs_status open_log(rounds *d)
{
    row_log *log = &d->log;

    if (d->team->n_rank == 1)
        return scs_collective_ok();
    log->room = enough_for_round(d) + STAGE / 2;
    SCS_TRY(scs_shared_memory_create(d->comm, log->room, &log->memory));
    SCS_TRY(scs_comm_agree(d->comm, SCS_ALLOC(log->last, d->team->n_rank)));
    clear_log(d);
    return scs_collective_ok();
}

/* Local. */
static scs_status open_rounds(rounds *d)
{
    int32_t n = d->team->n_rank;

    SCS_TRY(SCS_ALLOC(d->out, n));
    SCS_TRY(SCS_ALLOC(d->to, n));
    SCS_TRY(SCS_ALLOC(d->from, n));
    SCS_TRY(SCS_ALLOC(d->at, n));
    return SCS_ALLOC(d->of, n);
}

static void close_rounds(rounds *d)
{
    for (int32_t r = 0; d->out && r < d->team->n_rank; r++)
        free(d->out[r].byte);
    scs_shared_memory_clear(&d->log.memory);
    free(d->log.last);
    free(d->out);
    free(d->in.byte);
    free(d->to);
    free(d->from);
    free(d->at);
    free(d->of);
}

scs_status scs_redistribute_send(scs_comm *comm, const scs_team *team, const scs_row_source *source,
                                 const scs_row_sink *sink)
{
    rounds d = {.comm = comm, .team = team, .sink = sink};
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, open_rounds(&d)));
    SCS_GO(st, open_log(&d));
    SCS_GO(st, send_parts(&d, source));
done:
    close_rounds(&d);
    return st;
}

/* ---- Cells to shards ---- */

/* The shards that are filled. */
typedef struct dealing {
    scs_comm *comm;
    const scs_deal *deal;
    const scs_team *team;
    scs_shard *shard;     /* [n_local] */
    double *total;        /* [rows here], or NULL */
    int32_t *owner;       /* [n_shard] the rank of each shard */
    int32_t *place;       /* [highest used cell + 1] a cell's row within its shard */
    int64_t n_placed;     /* rows that have come to their shard */
    int64_t bytes, limit; /* that they take, and may take; 0: any */
} dealing;

/* Which rank has each shard, and where in its shard each cell is. */
static scs_status find_places(dealing *d)
{
    const scs_deal *deal = d->deal;
    int64_t n = deal->first[deal->n_shard], highest = -1;

    SCS_TRY(SCS_ALLOC(d->owner, deal->n_shard));
    for (int32_t r = 0; r < d->team->n_rank; r++)
        for (int32_t s = scs_shard_first(deal->n_shard, d->team->n_rank, r);
             s < scs_shard_first(deal->n_shard, d->team->n_rank, r + 1); s++)
            d->owner[s] = r;
    for (int64_t k = 0; k < n; k++)
        highest = deal->cell[k] > highest ? deal->cell[k] : highest;
    SCS_TRY(SCS_ALLOC(d->place, highest + 1));
    for (int32_t s = 0; s < deal->n_shard; s++) {
        SCS_REQUIRE(deal->first[s + 1] - deal->first[s] <= INT32_MAX, SCS_EARG,
                    "train.shards: a shard of more than %d cells; more shards are needed",
                    INT32_MAX);
        for (int64_t k = deal->first[s]; k < deal->first[s + 1]; k++)
            d->place[deal->cell[k]] = (int32_t)(k - deal->first[s]);
    }
    return SCS_OK;
}

/* This rank's shards, without rows. @param words of a row, about */
static scs_status open_shards(dealing *d, int32_t n_gene, double words, bool totals)
{
    const scs_deal *deal = d->deal;
    int32_t first = d->team->first, n = d->team->last - first;

    SCS_TRY(SCS_ALLOC(d->shard, n));
    for (int32_t s = first; s < first + n; s++) {
        int64_t rows = deal->first[s + 1] - deal->first[s];

        d->shard[s - first] = (scs_shard){.id = s,
                                          .n_train = deal->n_train[s],
                                          .n_valid = deal->n_valid[s],
                                          .n_held_out = rows - deal->n_train[s] - deal->n_valid[s],
                                          .cell = deal->cell + deal->first[s]};
        SCS_TRY(scs_packed_alloc_any_order(rows, n_gene, (int64_t)((double)rows * words) + 1,
                                           &d->shard[s - first].x));
    }
    return totals ? SCS_ALLOC(d->total, deal->first[first + n] - deal->first[first]) : SCS_OK;
}

static scs_status open_dealing(dealing *d, int32_t n_gene, double words, bool totals)
{
    SCS_TRY(find_places(d));
    return open_shards(d, n_gene, words, totals);
}

/* What goes on to the caller, shards and totals, stays. */
static void close_dealing(dealing *d)
{
    free(d->owner);
    free(d->place);
}

/* Unused cells are in no shard. */
static int32_t rank_of_cell(void *ctx, int64_t cell)
{
    const dealing *d = ctx;
    int32_t s = d->deal->shard_of_cell[cell];

    return s < 0 ? -1 : d->owner[s];
}

/* A row of this rank to its shard. */
static scs_status place_row(void *ctx, int64_t cell, double total, const uint8_t *word, int64_t n)
{
    dealing *d = ctx;
    int32_t s = d->deal->shard_of_cell[cell], first = d->team->first;
    int64_t row = d->place[cell];

    SCS_REQUIRE(s >= first && s < d->team->last, SCS_EINTERNAL,
                "cell %lld came to a rank that does not have its shard", (long long)cell);
    if (d->total)
        d->total[d->deal->first[s] - d->deal->first[first] + row] = total;
    d->n_placed++;
    d->bytes += n * VALUE_SIZE + ROW_BYTES;
    if (d->limit > 0 && d->bytes > d->limit)
        return SCS_OK; /* counted only */
    return scs_packed_place(&d->shard[s - first].x, row, word, n);
}

/* Rows of which a rank could not hold all are refused, with how many ranks could. Collective. */
static scs_status check_limit(dealing *d)
{
    MPI_Comm all = scs_comm_mpi(d->comm);
    int64_t sum = d->bytes, most = sum, ranks;

    if (d->limit == 0)
        return scs_collective_ok();
    SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_INT64_T, MPI_SUM, all));
    SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_INT64_T, MPI_MAX, all));
    ranks = sum / d->limit + 1;
    ranks = ranks > d->team->n_rank ? ranks : d->team->n_rank + 1; /* shards differ a little */
    SCS_REQUIRE(most <= d->limit, SCS_EARG,
                "data.memory_per_rank: the cells take %.1f MiB, for which %d x %lld MiB have no "
                "room; start %lld ranks (mpirun -n %lld), or more",
                (double)sum / (1 << 20), d->team->n_rank, (long long)(d->limit >> 20),
                (long long)ranks, (long long)ranks);
    return SCS_OK;
}

/* What codes saved is given back; a cell that has not come is SCS_EINTERNAL. Local. */
static scs_status finish(dealing *d)
{
    const scs_deal *deal = d->deal;
    int64_t rows = deal->first[d->team->last] - deal->first[d->team->first];

    SCS_REQUIRE(d->n_placed == rows, SCS_EINTERNAL, "%lld of %lld cells have reached their shards",
                (long long)d->n_placed, (long long)rows);
    for (int32_t s = 0; s < d->team->last - d->team->first; s++)
        SCS_TRY(scs_packed_trim(&d->shard[s].x));
    return SCS_OK;
}

scs_status scs_redistribute_rows(scs_comm *comm, const scs_deal *deal, const scs_team *team,
                                 int32_t n_gene, const scs_row_source *source, scs_shard **shard,
                                 double **total)
{
    dealing d = {.comm = comm, .deal = deal, .team = team, .limit = source->limit};
    scs_row_sink sink = {&d, rank_of_cell, place_row};
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, open_dealing(&d, n_gene, source->words, total != NULL)));
    SCS_GO(st, scs_redistribute_send(comm, team, source, &sink));
    SCS_GO(st, check_limit(&d));
    SCS_GO(st, scs_comm_agree(comm, finish(&d)));
done:
    close_dealing(&d);
    if (st != SCS_OK) {
        scs_redistribute_clear(&d.shard, team->last - team->first);
        free(d.total);
        d.total = NULL;
    }
    *shard = d.shard;
    if (total)
        *total = d.total;
    return st;
}

/* Contiguous rows, some at a time, so that what is on its way is little beside them. */
typedef struct row_slices {
    const scs_packed *x;
    int64_t first_cell, row;
} row_slices;

static scs_status next_slice(void *ctx, scs_row_batch *batch)
{
    enum { ROWS = 64 };
    row_slices *s = ctx;
    int64_t n = s->x->n_row - s->row < ROWS ? s->x->n_row - s->row : ROWS;

    *batch = (scs_row_batch){.x = s->x, .row = s->row, .n = n, .cell = s->first_cell + s->row};
    s->row += n;
    return SCS_OK;
}

scs_status scs_redistribute_copy(scs_comm *comm, const scs_deal *deal, const scs_team *team,
                                 int64_t first_cell, const scs_packed *x, scs_shard **shard)
{
    row_slices slices = {x, first_cell, 0};
    scs_row_source source = {.ctx = &slices, .next = next_slice};

    if (x->n_row > 0)
        source.words = 1.02 * (double)(x->first[x->n_row] - x->first[0]) / (double)x->n_row;
    return scs_redistribute_rows(comm, deal, team, x->n_col, &source, shard, NULL);
}

/* NULL is let through. Local. */
void scs_redistribute_clear(scs_shard **shard, int32_t n)
{
    for (int32_t i = 0; *shard && i < n; i++)
        scs_packed_clear(&(*shard)[i].x);
    free(*shard);
    *shard = NULL;
}
