/* Parts of rows to the ranks that have their genes (gene_columns.h).
 *
 *  A message from one rank to another, of n values of m cells:
 *
 *      int32_t  count[m]   values of each of the sender's used cells, in order
 *      uint16_t gene[n]    less the receiver's first gene; padded to 4 bytes
 *      float    value[n]
 *
 *  The receiver counts the genes of all messages, and then goes through all cells by group and
 *  number, taking each from its owner's message: a counting sort, which keeps that order. Each row
 *  remembers where its last part ended, so that nothing is searched for. */
#include "mpi/data/gene_columns.h"

#include "src/atlas/atlas.h"
#include "src/data/packed.h"

#include <stdlib.h>
#include <string.h>

enum { WORD = 4, AHEAD = 6 /* rows whose memory is asked for before they are read */ };

typedef struct scs_own_row own_row;

/* ---- open ---- */

static int by_group_and_cell(const void *a, const void *b)
{
    const own_row *x = a, *y = b;

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

/* The rows here that are in a group. */
static scs_status list_own(scs_gene_columns *c, const int32_t *group, int32_t n_shard)
{
    int64_t n = 0, rows = 0;

    for (int32_t s = 0; s < n_shard; s++)
        rows += c->shard[s].x.n_row;
    SCS_TRY(SCS_ALLOC(c->own, rows));
    for (int32_t s = 0; s < n_shard; s++)
        for (int64_t i = 0; i < c->shard[s].x.n_row; i++) {
            int64_t cell = c->shard[s].cell[i];

            if (group[cell] >= 0)
                c->own[n++] = (own_row){group[cell], cell, scs_packed_row(&c->shard[s].x, i), 0};
        }
    qsort(c->own, (size_t)n, sizeof *c->own, by_group_and_cell);
    SCS_REQUIRE(n == c->cells_of[scs_comm_rank(c->comm)], SCS_EINTERNAL,
                "%lld cells are here, %lld were dealt", (long long)n,
                (long long)c->cells_of[scs_comm_rank(c->comm)]);
    return SCS_OK;
}

/* A counting sort of the cells by group: cells are gone through in ascending order.
 *  @param rank_of [deal->n_shard]
 *  @param next [n_group] scratch */
static void place_owners(scs_gene_columns *c, const int32_t *group, int64_t cell0, int64_t cell1,
                         const scs_deal *deal, const int32_t *rank_of, int64_t *next)
{
    for (int32_t g = 0; g < c->n_group; g++) {
        next[g] = c->group_first[g];
        c->group_first[g + 1] += c->group_first[g];
        next[g] = c->group_first[g];
    }
    for (int64_t i = cell0; i < cell1; i++)
        if (group[i] >= 0) {
            int32_t rank = rank_of[deal->shard_of_cell[i]];

            c->owner[next[group[i]]++] = rank;
            c->cells_of[rank]++;
        }
}

/* Which rank has each cell, group by group: 4 bytes a cell, on every rank, from the deal alone. */
static scs_status list_owners(scs_gene_columns *c, const int32_t *group, int64_t cell0,
                              int64_t cell1, const scs_deal *deal)
{
    int32_t *rank_of = NULL;
    int64_t *next = NULL, n = 0;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(c->group_first, c->n_group + 1));
    SCS_GO(st, SCS_ALLOC(c->cells_of, c->n_rank));
    SCS_GO(st, SCS_ALLOC(next, c->n_group));
    SCS_GO(st, SCS_ALLOC(rank_of, deal->n_shard));
    for (int32_t r = 0; r < c->n_rank; r++)
        for (int32_t s = scs_shard_first(deal->n_shard, c->n_rank, r);
             s < scs_shard_first(deal->n_shard, c->n_rank, r + 1); s++)
            rank_of[s] = r;
    for (int64_t i = cell0; i < cell1; i++)
        if (group[i] >= 0) {
            c->group_first[group[i] + 1]++;
            n++;
        }
    SCS_GO(st, SCS_ALLOC(c->owner, n));
    place_owners(c, group, cell0, cell1, deal, rank_of, next);
done:
    free(next);
    free(rank_of);
    return st;
}

/* Local. */
static scs_status open_columns(scs_gene_columns *c, const int32_t *group, int64_t cell0,
                               int64_t cell1, const scs_deal *deal, int32_t n_shard)
{
    SCS_TRY(list_owners(c, group, cell0, cell1, deal));
    SCS_TRY(list_own(c, group, n_shard));
    SCS_TRY(SCS_ALLOC(c->to, c->n_rank));
    return SCS_ALLOC(c->from, c->n_rank);
}

scs_status scs_gene_columns_open_range(scs_comm *comm, int32_t n_group, const int32_t *group,
                                       int64_t cell0, int64_t cell1, const scs_deal *deal,
                                       const scs_shard *shard, const scs_team *team, int32_t gene0,
                                       scs_gene_columns *columns)
{
    *columns = (scs_gene_columns){
        .comm = comm, .shard = shard, .n_group = n_group, .n_rank = team->n_rank, .end = gene0};
    SCS_TRY(scs_comm_agree(
        comm, open_columns(columns, group, cell0, cell1, deal, team->last - team->first)));
    for (int64_t i = 0; gene0 > 0 && i < columns->cells_of[scs_comm_rank(comm)]; i++)
        columns->own[i].next = scs_packed_row_find(&columns->own[i].row, gene0);
    return SCS_OK;
}

scs_status scs_gene_columns_open(scs_comm *comm, const scs_atlas *atlas, const scs_dataset *dataset,
                                 const scs_deal *deal, const scs_shard *shard, const scs_team *team,
                                 scs_gene_columns *columns)
{
    int32_t *group = NULL;
    scs_status st;

    *columns = (scs_gene_columns){0};
    SCS_GO(st, scs_comm_agree(comm, scs_atlas_cell_groups(atlas, dataset, &group)));
    SCS_GO(st, scs_gene_columns_open_range(comm, atlas->n_group, group, 0, dataset->n_cell, deal,
                                           shard, team, 0, columns));
done:
    free(group);
    return st;
}

void scs_gene_columns_close(scs_gene_columns *c)
{
    free(c->group_first);
    free(c->owner);
    free(c->cells_of);
    free(c->own);
    free(c->to);
    free(c->from);
    *c = (scs_gene_columns){0};
}

/* ---- send ---- */

/* Bytes of a message of n values of m cells. */
static int64_t message_bytes(int64_t m, int64_t n)
{
    return WORD * m + (2 * n + WORD - 1) / WORD * WORD + WORD * n;
}

/* First gene of a rank's run of [gene0, gene1). */
static int32_t run_begin(int32_t gene0, int32_t gene1, int32_t n_rank, int32_t rank)
{
    return gene0 + (int32_t)((int64_t)(gene1 - gene0) * rank / n_rank);
}

/* Entries of a row from `begin` on that are of genes below `end`. */
static int32_t run_end(const scs_row *row, int32_t begin, int32_t end)
{
    int32_t k = begin;

    if (row->gene16 && end <= UINT16_MAX)
        while (k < row->n && row->gene16[k] < end)
            k++;
    else
        while (k < row->n && scs_row_gene(row, k) < end)
            k++;
    return k;
}

/* Where the entries of a rank's run begin and end is remembered as counts, so that room is made
 * before anything is copied.
 *  @param[out] count [n_rank, rows here] */
static void count_runs(scs_gene_columns *c, int32_t gene1, int32_t *count)
{
    int64_t rows = c->cells_of[scs_comm_rank(c->comm)];

    for (int32_t r = 0; r < c->n_rank; r++)
        c->to[r] = 0;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < rows; i++) {
        const own_row *o = &c->own[i];
        scs_row row = o->row;
        int32_t k = o->next;

        if (i + AHEAD < rows) {
            const own_row *later = o + AHEAD;

            __builtin_prefetch(later->row.gene16 ? (const void *)(later->row.gene16 + later->next)
                                                 : (const void *)(later->row.gene32 + later->next));
        }
        for (int32_t r = 0; r < c->n_rank; r++) {
            int32_t last = run_end(&row, k, run_begin(c->end, gene1, c->n_rank, r + 1));

            count[r * rows + i] = last - k;
            k = last;
        }
    }
    for (int32_t r = 0; r < c->n_rank; r++)
        for (int64_t i = 0; i < rows; i++)
            c->to[r] += count[r * rows + i];
}

/* Entries [k, k + n) of a row. */
static void copy_entries(const scs_row *row, int32_t k, int32_t n, int32_t gene0, uint16_t *gene,
                         float *value)
{
    if (row->gene16)
        for (int32_t e = 0; e < n; e++)
            gene[e] = (uint16_t)(row->gene16[k + e] - gene0);
    else
        for (int32_t e = 0; e < n; e++)
            gene[e] = (uint16_t)(row->gene32[k + e] - gene0);
    if (row->code)
        for (int32_t e = 0; e < n; e++)
            value[e] = row->value[row->code[k + e]];
    else
        memcpy(value, row->value + k, (size_t)n * sizeof *value);
}

/* One rank's message from the rows, which move on behind what is in it.
 *  @param count [rows here]
 *  @param n values
 *  @param[out] message message_bytes(rows, n) */
static void write_message(scs_gene_columns *c, const int32_t *count, int64_t n, int32_t gene0,
                          uint8_t *message)
{
    int64_t rows = c->cells_of[scs_comm_rank(c->comm)];
    uint16_t *gene = (uint16_t *)(void *)(message + WORD * rows);
    float *value = (float *)(void *)(message + message_bytes(rows, n) - WORD * n);

    memcpy(message, count, (size_t)rows * sizeof *count);
    if (n % 2)
        gene[n] = 0;
    for (int64_t i = 0; i < rows; i++) {
        own_row *o = &c->own[i];
        scs_row row;

        if (count[i] == 0)
            continue;
        row = o->row;
        copy_entries(&row, o->next, count[i], gene0, gene, value);
        o->next += count[i];
        gene += count[i];
        value += count[i];
    }
}

/* Messages to all ranks, one after the other; c->to becomes their sizes. Local.
 *  @param[out] out malloc'ed */
static scs_status write_messages(scs_gene_columns *c, int32_t gene1, uint8_t **out)
{
    int64_t rows = c->cells_of[scs_comm_rank(c->comm)], size = 0;
    int32_t *count = NULL;
    scs_status st;

    *out = NULL;
    SCS_GO(st, SCS_ALLOC(count, c->n_rank * rows));
    count_runs(c, gene1, count);
    for (int32_t r = 0; r < c->n_rank; r++)
        size += message_bytes(rows, c->to[r]);
    *out = calloc((size_t)size + 1, 1); /* zeroed: gaps between the lists are sent, too */
    if (!*out)
        SCS_GO(st, SCS_FAIL(SCS_ENOMEM, "out of memory: %lld bytes of genes", (long long)size));
    size = 0;
    for (int32_t r = 0; r < c->n_rank; r++) {
        int64_t n = c->to[r];

        write_message(c, count + r * rows, n, run_begin(c->end, gene1, c->n_rank, r), *out + size);
        c->to[r] = message_bytes(rows, n);
        size += c->to[r];
    }
done:
    free(count);
    return st;
}

/* ---- receive ---- */

/* A sender's message, and how far it has been read. */
typedef struct message {
    int64_t n; /* values */
    const int32_t *count;
    const uint16_t *gene;
    const float *value;
} message;

/* @param in messages from all ranks  @param[out] from [n_rank]  @param[out] n_value of all */
static scs_status find_messages(const scs_gene_columns *c, const uint8_t *in, message *from,
                                int64_t *n_value)
{
    *n_value = 0;
    for (int32_t r = 0; r < c->n_rank; r++) {
        int64_t n = 0, m = c->cells_of[r];
        const int32_t *count = (const int32_t *)(const void *)in;

        for (int64_t i = 0; i < m; i++)
            n += count[i];
        SCS_REQUIRE(message_bytes(m, n) == c->from[r], SCS_EINTERNAL,
                    "rank %d sent %lld bytes of genes", r, (long long)c->from[r]);
        from[r] = (message){n, count, (const uint16_t *)(const void *)(in + WORD * m),
                            (const float *)(const void *)(in + c->from[r] - WORD * n)};
        in += c->from[r];
        *n_value += n;
    }
    return SCS_OK;
}

/* Where each gene's values begin.
 *  @param[out] next [genes of the slice] */
static void count_genes(const scs_gene_columns *c, const message *from, int32_t width,
                        int64_t *next)
{
    int64_t at = 0;

    for (int32_t r = 0; r < c->n_rank; r++)
        for (int64_t k = 0; k < from[r].n; k++)
            next[from[r].gene[k]]++;
    for (int32_t j = 0; j < width; j++) {
        int64_t n = next[j];

        next[j] = at;
        at += n;
    }
}

/* All cells by group and number, each from its owner's message.
 *  @param[in,out] from they are used up
 *  @param[in,out] next [genes of the slice] where each gene goes on */
static void sort_values(const scs_gene_columns *c, message *from, int64_t *next,
                        scs_gene_slice *slice)
{
    int32_t width = slice->gene1 - slice->gene0;

    for (int32_t g = 0; g < c->n_group; g++) {
        for (int32_t j = 0; j < width; j++)
            slice->first[(int64_t)j * c->n_group + g] = next[j];
        for (int64_t i = c->group_first[g]; i < c->group_first[g + 1]; i++) {
            message *m = &from[c->owner[i]];
            int32_t n = *m->count++;

            for (int32_t k = 0; k < n; k++)
                slice->value[next[m->gene[k]]++] = m->value[k];
            m->gene += n;
            m->value += n;
        }
    }
}

/* Local. */
static scs_status make_slice(const scs_gene_columns *c, const uint8_t *in, scs_gene_slice *slice)
{
    int32_t width = slice->gene1 - slice->gene0;
    int64_t *next = NULL, n_value;
    message *from = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(from, c->n_rank));
    SCS_GO(st, SCS_ALLOC(next, width));
    SCS_GO(st, SCS_ALLOC(slice->first, (int64_t)width * c->n_group + 1));
    SCS_GO(st, find_messages(c, in, from, &n_value));
    SCS_GO(st, SCS_ALLOC(slice->value, n_value));
    count_genes(c, from, width, next);
    sort_values(c, from, next, slice);
    slice->first[(int64_t)width * c->n_group] = n_value;
done:
    free(from);
    free(next);
    return st;
}

/* Sizes first, then the messages. Collective.
 *  @param[in,out] out freed
 *  @param[out] in malloc'ed, what has come from all ranks */
static scs_status exchange(scs_gene_columns *c, uint8_t **out, uint8_t **in)
{
    int64_t size = 0;
    scs_status st = SCS_OK;

    SCS_TRY(scs_comm_exchange_counts(c->comm, c->to, c->from));
    for (int32_t r = 0; r < c->n_rank; r++)
        size += c->from[r];
    if (c->n_rank == 1) {
        *in = *out;
        *out = NULL;
        return SCS_OK;
    }
    *in = malloc((size_t)size + 1);
    if (!*in)
        st = SCS_FAIL(SCS_ENOMEM, "out of memory: %lld bytes of genes", (long long)size);
    SCS_GO(st, scs_comm_agree(c->comm, st));
    SCS_GO(st, scs_comm_alltoallv(c->comm, *out, c->to, *in, c->from));
done:
    free(*out);
    *out = NULL;
    return st;
}

/* One exchange a slice of genes: memory is that of the slice, and of its messages twice. */
scs_status scs_gene_columns_next(scs_gene_columns *c, int32_t gene1, scs_gene_slice *slice)
{
    int32_t rank = scs_comm_rank(c->comm);
    uint8_t *out = NULL, *in = NULL;
    scs_status st;

    *slice = (scs_gene_slice){.gene0 = run_begin(c->end, gene1, c->n_rank, rank),
                              .gene1 = run_begin(c->end, gene1, c->n_rank, rank + 1),
                              .n_group = c->n_group};
    SCS_GO(st, scs_comm_agree(c->comm, write_messages(c, gene1, &out)));
    SCS_GO(st, exchange(c, &out, &in));
    SCS_GO(st, scs_comm_agree(c->comm, make_slice(c, in, slice)));
    c->end = gene1;
done:
    free(out);
    free(in);
    if (st != SCS_OK)
        scs_gene_moments_slice_clear(slice);
    return st;
}
