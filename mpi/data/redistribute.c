/* Rows of cells on their way between ranks: whole rows to their shards, latent rows to where they
 * are screened.
 *
 *  All of it is one row transfer. Each rank lists the pieces that it has to send (which cell, where
 *  its values lie, how many), by destination; the lists are exchanged, 24 bytes a piece, so that
 *  every rank knows what arrives; then the values follow in one message a pair of ranks, 4 bytes
 *  each (a float, an int32_t, or a word of packed rows). Messages larger than a piece of the
 *  communicator are cut there.
 *
 *      transfer_create     nothing to send yet
 *      transfer_add        for each piece, destinations ascending
 *      transfer_announce   lists are exchanged; all ranks agree first
 *      transfer_send       one set of values; again for another set of the same layout
 *      transfer_clear      always
 *
 *  Order: values arrive in the order in which they were sent, by sender; the lists are then sorted
 *  by cell. Whatever is built from them goes through cells in ascending order, so its bits do not
 *  depend on which rank sent what.
 *
 *  What is sent, for n cells of a rank, nnz stored values, d latent units:
 *      to shards          a piece for each cell, its packed words: about 3 bytes a stored value
 *      latent rows        a piece for each cell that a rank needs, 4 d bytes
 *
 *  Memory: for each array that is sent there is for a while a packed copy of what leaves, and what
 *  arrives. Arrays that are given up are freed as soon as they are packed. */
#include "src/atlas/atlas.h"
#include "src/data/packed.h"
#include "scscreen/comm.h"

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

/* Planes themselves are the caller's, or were released. */
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

/* Free the planes. Local. */
static void transfer_release(row_transfer *transfer)
{
    for (int32_t i = 0; i < transfer->n_plane; i++) {
        free(transfer->plane[i]);
        transfer->plane[i] = NULL;
    }
}

/* Send the pieces' values. Collective.
 *  @param release free the planes as soon as they are packed (also on failure); else they are
 *    borrowed
 *  @param[out] arrived [n_values] malloc'ed */
static scs_status transfer_send(row_transfer *transfer, bool release, void **arrived)
{
    scs_comm *comm = transfer->comm;
    char *packed = NULL, *in = NULL;
    scs_status st, local = SCS_ALLOC(packed, total_bytes(transfer, transfer->values_to));

    if (local == SCS_OK)
        pack(transfer, packed);
    if (release)
        transfer_release(transfer);
    if (local == SCS_OK)
        local = SCS_ALLOC(in, transfer->n_values * VALUE_SIZE);
    SCS_GO(st, scs_comm_agree(comm, local));
    SCS_GO(st, scs_comm_alltoallv(comm, packed, transfer->values_to, in, transfer->values_from));
    *arrived = in;
    in = NULL;
done:
    free(packed);
    free(in);
    return st;
}

/* The piece of a cell that arrived, or NULL: only where each cell has one piece. Local. */
static const row_piece *transfer_find(const row_transfer *transfer, int64_t cell)
{
    row_piece key = {.cell = cell};

    return bsearch(&key, transfer->in, (size_t)transfer->n_in, sizeof *transfer->in, by_cell);
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
    SCS_GO(st, transfer_send(&transfer, false, &arrived));
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

/* ---- From contiguous cells to shards ---- */

/* Which rank has each shard. @param[out] rank [n_shard] malloc'ed */
static scs_status owners(const scs_team *team, int32_t **rank)
{
    SCS_TRY(SCS_ALLOC(*rank, team->n_shard));
    for (int32_t r = 0; r < team->n_rank; r++)
        for (int32_t s = scs_shard_first(team->n_shard, team->n_rank, r);
             s < scs_shard_first(team->n_shard, team->n_rank, r + 1); s++)
            (*rank)[s] = r;
    return SCS_OK;
}

/* Rows of cells that no shard takes (unused ones) are not sent. */
static scs_status list_rows_for(int32_t to, const scs_deal *deal, const int32_t *owner,
                                int64_t first_cell, const scs_packed *x, row_transfer *transfer)
{
    for (int64_t i = 0; i < x->n_row; i++) {
        int32_t s = deal->shard_of_cell[first_cell + i];

        if (s < 0 || owner[s] != to)
            continue;
        SCS_TRY(transfer_add(transfer, to,
                             (row_piece){.cell = first_cell + i,
                                         .at = x->first[i],
                                         .count = (int32_t)(x->first[i + 1] - x->first[i])}));
    }
    return SCS_OK;
}

/* One pass through the rows for each destination, as they are listed by destination. O(n_rank
 * n_row), which is little beside the values. */
static scs_status list_rows(const scs_deal *deal, const scs_team *team, int64_t first_cell,
                            const scs_packed *x, row_transfer *transfer)
{
    int32_t *owner = NULL;
    scs_status st;

    SCS_GO(st, owners(team, &owner));
    for (int32_t r = 0; r < team->n_rank; r++)
        SCS_GO(st, list_rows_for(r, deal, owner, first_cell, x, transfer));
done:
    free(owner);
    return st;
}

/* Words that a shard's rows take; a cell that has not arrived is SCS_EINTERNAL. */
static scs_status count_words(const row_transfer *transfer, const int64_t *cell, int64_t n_row,
                              int64_t *n_word)
{
    *n_word = 0;
    for (int64_t i = 0; i < n_row; i++) {
        const row_piece *piece = transfer_find(transfer, cell[i]);

        SCS_REQUIRE(piece, SCS_EINTERNAL, "cell %lld never reached its shard", (long long)cell[i]);
        *n_word += piece->count;
    }
    return SCS_OK;
}

/* Rows in the order that the deal gives the shard's cells, which is not that of their numbers. */
static scs_status make_shard(const scs_deal *deal, int32_t id, int32_t n_gene,
                             const row_transfer *transfer, const uint32_t *arrived,
                             scs_shard *shard)
{
    int64_t n_row = deal->first[id + 1] - deal->first[id], n_word;

    *shard = (scs_shard){.id = id,
                         .n_train = deal->n_train[id],
                         .n_valid = deal->n_valid[id],
                         .n_held_out = n_row - deal->n_train[id] - deal->n_valid[id],
                         .cell = deal->cell + deal->first[id]};
    SCS_TRY(count_words(transfer, shard->cell, n_row, &n_word));
    SCS_TRY(scs_packed_alloc(n_row, n_gene, n_word, &shard->x));
    for (int64_t i = 0; i < n_row; i++) {
        const row_piece *piece = transfer_find(transfer, shard->cell[i]);

        scs_packed_put(&shard->x, i, arrived + piece->at, piece->count);
    }
    return SCS_OK;
}

/* This rank's shards from what has arrived, whatever rank it came from. */
static scs_status make_shards(const scs_deal *deal, const scs_team *team, int32_t n_gene,
                              const row_transfer *transfer, const uint32_t *arrived,
                              scs_shard **shard)
{
    SCS_TRY(SCS_ALLOC(*shard, team->last - team->first));
    for (int32_t s = team->first; s < team->last; s++)
        SCS_TRY(make_shard(deal, s, n_gene, transfer, arrived, &(*shard)[s - team->first]));
    return SCS_OK;
}

/* Rows travel packed, as words. Unless x is to be kept, its words are freed as soon as they are in
 * the outgoing message. Collective. */
static scs_status distribute(scs_comm *comm, const scs_deal *deal, const scs_team *team,
                             int64_t first_cell, scs_packed *x, bool keep, scs_shard **shard)
{
    row_transfer transfer = {0};
    void *arrived = NULL;
    scs_status st;

    *shard = NULL;
    st = transfer_create(comm, 1, &transfer);
    if (st == SCS_OK)
        st = list_rows(deal, team, first_cell, x, &transfer);
    SCS_GO(st, transfer_announce(&transfer, st));
    transfer.plane[0] = x->word;
    if (!keep)
        x->word = NULL;
    SCS_GO(st, transfer_send(&transfer, !keep, &arrived));
    SCS_GO(st, scs_comm_agree(comm, make_shards(deal, team, x->n_col, &transfer, arrived, shard)));
done:
    free(arrived);
    transfer_clear(&transfer);
    if (st != SCS_OK)
        scs_redistribute_clear(shard, team->last - team->first);
    return st;
}

/* x is given up whether it works or not: half of it may be gone. */
scs_status scs_redistribute(scs_comm *comm, const scs_deal *deal, const scs_team *team,
                            int64_t first_cell, scs_packed *x, scs_shard **shard)
{
    scs_status st = distribute(comm, deal, team, first_cell, x, false, shard);

    scs_packed_clear(x);
    return st;
}

/* The view has x's arrays; `keep` leaves them alone. */
scs_status scs_redistribute_copy(scs_comm *comm, const scs_deal *deal, const scs_team *team,
                                 int64_t first_cell, const scs_packed *x, scs_shard **shard)
{
    scs_packed view = *x;

    return distribute(comm, deal, team, first_cell, &view, true, shard);
}

/* NULL is let through. Local. */
void scs_redistribute_clear(scs_shard **shard, int32_t n)
{
    for (int32_t i = 0; *shard && i < n; i++)
        scs_packed_clear(&(*shard)[i].x);
    free(*shard);
    *shard = NULL;
}
