#include "scscreen/shard.h"
#include "src/gene_split.h"
#include "src/layout.h"

/* The ranks' k-th shards of every rank travel together. */
typedef struct batch_round {
    scs_gene_split *split;
    const scs_team *team;
    const scs_entries *const *own;
    int32_t k;
} batch_round;

static int32_t first_shard(const scs_team *team, int32_t rank)
{
    return scs_shard_first(team->n_shard, team->n_rank, rank);
}

/* The first block of genes of a rank; the number of blocks for rank = n_rank. */
static int32_t first_block(const scs_gene_split *s, const scs_team *team, int32_t rank)
{
    return scs_blocks(scs_first_gene(s->n_all, s->n_shard, first_shard(team, rank)));
}

/* The most shards that a rank has. */
static int32_t count_rounds(const scs_team *team)
{
    return (team->n_shard + team->n_rank - 1) / team->n_rank;
}

/* @return the rank's k-th shard, or -1 */
static int32_t shard_of(const batch_round *r, int32_t rank)
{
    int32_t shard = first_shard(r->team, rank) + r->k;

    return shard < first_shard(r->team, rank + 1) ? shard : -1;
}

/* ---- how many entries each cell has in each block ---- */

static void count_own(const batch_round *r)
{
    int32_t shard = shard_of(r, r->team->rank);

    if (shard >= 0) {
        const scs_entries *x = r->own[r->k];
        int64_t n = (int64_t)scs_blocks(x->n_in) * x->n_out;

        for (int64_t i = 0; i < n; i++)
            r->split->size[shard][i] = (uint8_t)(x->first[i + 1] - x->first[i]);
    }
}

static void address_sizes(const batch_round *r)
{
    scs_gene_split *s = r->split;
    scs_letters *letters = &s->letters;
    int32_t mine = shard_of(r, r->team->rank);

    for (int32_t rank = 0; rank < r->team->n_rank; rank++) {
        int32_t theirs = shard_of(r, rank), block = first_block(s, r->team, rank);
        int64_t n_block = first_block(s, r->team, rank + 1) - block;
        int64_t cells = mine < 0 ? 0 : r->own[r->k]->n_out;

        letters->out[rank] = mine < 0 ? NULL : s->size[mine] + block * cells;
        letters->n_out[rank] = n_block * cells;
        letters->in[rank] = theirs < 0 ? NULL : s->size[theirs];
        letters->n_in[rank] =
            theirs < 0 ? 0
                       : scs_blocks(s->n_gene) * (s->first_row[theirs + 1] - s->first_row[theirs]);
    }
}

static scs_status exchange(const batch_round *r)
{
    scs_letters *letters = &r->split->letters;

    return r->team->exchange(r->team->ctx, letters->out, letters->n_out, letters->in,
                             letters->n_in);
}

/* Room for the others' parts. */
static scs_status reserve_parts(scs_gene_split *s)
{
    for (int32_t v = 0; v < s->n_shard; v++) {
        int64_t cells = s->first_row[v + 1] - s->first_row[v], nnz = 0;
        int64_t n_size = scs_blocks(s->n_gene) * cells;

        if (v >= s->first && v < s->last)
            continue;
        for (int64_t i = 0; i < n_size; i++)
            nnz += s->size[v][i];
        SCS_TRY(scs_entries_reserve(&s->part[v], (int32_t)cells, s->n_gene, nnz));
        for (int64_t i = 0; i < n_size; i++)
            s->part[v].first[i] = s->size[v][i];
        scs_entries_add_up(s->part[v].first, n_size);
    }
    return SCS_OK;
}

/* ---- the entries themselves ---- */

static void address_entries(const batch_round *r, bool values)
{
    scs_gene_split *s = r->split;
    scs_letters *letters = &s->letters;
    int64_t unit = values ? sizeof(scs_real) : sizeof(uint8_t);
    const scs_entries *x = shard_of(r, r->team->rank) < 0 ? NULL : r->own[r->k];

    for (int32_t rank = 0; rank < r->team->n_rank; rank++) {
        int32_t theirs = shard_of(r, rank);
        const scs_entries *part = theirs < 0 ? NULL : &s->part[theirs];
        int64_t begin = x ? x->first[(int64_t)first_block(s, r->team, rank) * x->n_out] : 0;
        int64_t end = x ? x->first[(int64_t)first_block(s, r->team, rank + 1) * x->n_out] : 0;

        letters->out[rank] = !x       ? NULL
                             : values ? (const void *)(x->value + begin)
                                      : (const void *)(x->column + begin);
        letters->n_out[rank] = (end - begin) * unit;
        letters->in[rank] = !part ? NULL : values ? (void *)part->value : (void *)part->column;
        letters->n_in[rank] = part ? scs_entries_count(part) * unit : 0;
    }
}

scs_status scs_gene_split_exchange(scs_gene_split *split, const scs_team *team,
                                   const scs_entries *const *own)
{
    batch_round r = {.split = split, .team = team, .own = own};
    int32_t n_round = count_rounds(team);

    for (r.k = 0; r.k < n_round; r.k++) {
        count_own(&r);
        address_sizes(&r);
        SCS_TRY(exchange(&r));
    }
    SCS_TRY(team->agree(team->ctx, reserve_parts(split)));
    for (r.k = 0; r.k < n_round; r.k++)
        for (int values = 0; values < 2; values++) {
            address_entries(&r, values);
            SCS_TRY(exchange(&r));
        }
    return SCS_OK;
}
