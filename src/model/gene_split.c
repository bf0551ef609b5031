/* Entries and activations of a batch, exchanged so that each rank has all cells of its own genes.
 *
 * Why: the first and the last layer have n_gene n_hidden weights each, a batch n_global n_hidden
 * activations. Where the batch has at most half as many cells as there are genes, it is cheaper
 * to send every rank the activations than to add up gradients (measured: with them, two ranks
 * have 0.92 of one rank's cells a second; without, 0.66 and less). So a rank makes the gradients
 * of its own genes from all cells, and these gradients never travel.
 *
 * Exchanging entries takes rounds: in round k the k-th shard of every rank travels, sizes first
 * (one byte for each cell and block of 128 genes, since a block holds at most 128 entries of a
 * cell), then columns, then values. Genes are cut between blocks, so that what a rank wants of a
 * shard is one run of memory there. Rows of activations are gathered with the team's gather of
 * slices.
 *
 * Which rank has a shard changes nothing: parts stand in order of shards, and by_gene has its
 * cells in that order. Collective functions say so; all else is Local.
 */
#include "src/model/gene_split.h"

#include "src/kernels/entries.h"
#include "src/model/layout.h"
#include "scscreen/shard.h"

#include <stdlib.h>
#include <string.h>

/* ---- create and destroy ---- */

/* Arrays of pointers and sizes, one for each rank; what they point to is borrowed. */
static scs_status allocate_buffers(scs_exchange_buffers *buffers, int32_t n_rank)
{
    SCS_TRY(SCS_ALLOC(buffers->out, n_rank));
    SCS_TRY(SCS_ALLOC(buffers->in, n_rank));
    SCS_TRY(SCS_ALLOC(buffers->n_out, n_rank));
    return SCS_ALLOC(buffers->n_in, n_rank);
}

/* Whether this rank has the shard. */
static bool is_own(const scs_gene_split *s, int32_t shard)
{
    return shard >= s->first && shard < s->last;
}

/* For own shards the sizes of all genes' blocks, which go out; for others' those of this rank's
 * genes. */
static scs_status allocate_sizes(scs_gene_split *s)
{
    SCS_TRY(SCS_ALLOC(s->size, s->n_shard));
    for (int32_t v = 0; v < s->n_shard; v++)
        SCS_TRY(
            SCS_ALLOC(s->size[v], (int64_t)scs_entries_blocks(is_own(s, v) ? s->n_all : s->n_gene) *
                                      s->max_rows));
    return SCS_OK;
}

/* One rank alone exchanges nothing and needs no buffers. */
static scs_status allocate(scs_gene_split *s, int32_t n_rank)
{
    SCS_TRY(SCS_ALLOC(s->first_row, s->n_shard + 1));
    SCS_TRY(SCS_ALLOC(s->bound, s->n_shard + 1));
    SCS_TRY(SCS_ALLOC(s->counts, (int64_t)(s->last - s->first) * s->n_shard));
    SCS_TRY(SCS_ALLOC(s->count_total, s->n_shard));
    SCS_TRY(SCS_ALLOC(s->part, s->n_shard));
    SCS_TRY(SCS_ALLOC(s->rows, s->max_rows * s->n_col));
    if (n_rank == 1)
        return SCS_OK;
    SCS_TRY(allocate_sizes(s));
    return allocate_buffers(&s->buffers, n_rank);
}

scs_status scs_gene_split_prepare(scs_gene_split *split, const scs_team *team, int32_t n_all,
                                  int32_t n_col, int64_t n_row)
{
    scs_status st;

    if (split->rows && split->n_shard == team->n_shard && split->max_rows >= n_row)
        return SCS_OK;
    scs_gene_split_clear(split);
    *split = (scs_gene_split){.n_shard = team->n_shard,
                              .first = team->first,
                              .last = team->last,
                              .max_rows = n_row,
                              .n_all = n_all,
                              .n_col = n_col,
                              .gene = scs_layout_first_gene(n_all, team->n_shard, team->first)};
    split->n_gene = scs_layout_first_gene(n_all, team->n_shard, team->last) - split->gene;
    SCS_GO(st, allocate(split, team->n_rank));
    return SCS_OK;
done:
    scs_gene_split_clear(split);
    return st;
}

void scs_gene_split_clear(scs_gene_split *split)
{
    for (int32_t v = 0; split->part && v < split->n_shard; v++)
        if (!is_own(split, v))
            scs_entries_clear(&split->part[v]);
    for (int32_t v = 0; split->size && v < split->n_shard; v++)
        free(split->size[v]);
    free(split->size);
    free(split->part);
    free(split->first_row);
    free(split->bound);
    free(split->counts);
    free(split->count_total);
    free(split->rows);
    scs_entries_clear(&split->by_gene);
    free(split->buffers.out);
    free(split->buffers.in);
    free(split->buffers.n_out);
    free(split->buffers.n_in);
    *split = (scs_gene_split){0};
}

/* ---- what is where ---- */

/* Where each shard's cells begin, on all ranks alike: the parts' sizes, summed over ranks.
 * Collective. */
static scs_status find_rows(scs_gene_split *s, const scs_team *team, const scs_entries *const *own)
{
    memset(s->counts, 0, (size_t)(s->last - s->first) * (size_t)s->n_shard * sizeof *s->counts);
    for (int32_t i = 0; i < s->last - s->first; i++)
        s->counts[(int64_t)i * s->n_shard + s->first + i] = own[i]->n_out;
    SCS_TRY(team->sum(team->ctx, s->counts, s->n_shard, s->count_total));
    for (int32_t v = 0; v < s->n_shard; v++) {
        s->first_row[v + 1] = s->first_row[v] + (int64_t)s->count_total[v];
        s->bound[v + 1] = s->first_row[v + 1] * s->n_col;
    }
    return SCS_OK;
}

/* This rank's genes of its own shards' cells, where they are: its blocks of genes follow one
 * another. The views own nothing. */
static void view_own(scs_gene_split *s, const scs_entries *const *own)
{
    for (int32_t i = 0; i < s->last - s->first; i++)
        s->part[s->first + i] =
            (scs_entries){.n_out = own[i]->n_out,
                          .n_in = s->n_gene,
                          .first = own[i]->first + (int64_t)(s->gene / SCS_BLOCK) * own[i]->n_out,
                          .column = own[i]->column,
                          .value = own[i]->value};
}

/* Once all parts are here and their entries counted. */
static scs_status reserve_by_gene(scs_gene_split *s)
{
    int64_t nnz = 0;

    for (int32_t v = 0; v < s->n_shard; v++)
        nnz += scs_entries_count(&s->part[v]);
    return scs_entries_reserve(&s->by_gene, s->n_gene, (int32_t)s->first_row[s->n_shard], nnz);
}

/* Round k: the ranks' k-th shards travel together. All borrowed. */
typedef struct batch_round {
    scs_gene_split *split;
    const scs_team *team;
    const scs_entries *const *own;
    int32_t k;
} batch_round;

/* The most shards that a rank has; ranks with fewer send nothing in the last one. */
static int32_t count_rounds(const scs_team *team)
{
    return (team->n_shard + team->n_rank - 1) / team->n_rank;
}

/* The first of a rank; n_shard for rank = n_rank. */
static int32_t first_shard(const scs_team *team, int32_t rank)
{
    return scs_shard_first(team->n_shard, team->n_rank, rank);
}

/* @return the rank's k-th shard, or -1 */
static int32_t shard_of(const batch_round *r, int32_t rank)
{
    int32_t shard = first_shard(r->team, rank) + r->k;

    return shard < first_shard(r->team, rank + 1) ? shard : -1;
}

/* ---- how many entries each cell has in each block ---- */

/* Entries of each cell in each block: at most SCS_BLOCK, which fits a byte. */
static void count_own(const batch_round *r)
{
    int32_t shard = shard_of(r, r->team->rank);

    if (shard >= 0) {
        const scs_entries *x = r->own[r->k];
        int64_t n = (int64_t)scs_entries_blocks(x->n_in) * x->n_out;

        for (int64_t i = 0; i < n; i++)
            r->split->size[shard][i] = (uint8_t)(x->first[i + 1] - x->first[i]);
    }
}

/* The first block of genes of a rank; the number of blocks for rank = n_rank. */
static int32_t first_block(const scs_gene_split *s, const scs_team *team, int32_t rank)
{
    return scs_entries_blocks(scs_layout_first_gene(s->n_all, s->n_shard, first_shard(team, rank)));
}

/* To each rank its blocks of genes of this rank's shard; from each rank this rank's blocks of its
 * shard. */
static void address_sizes(const batch_round *r)
{
    scs_gene_split *s = r->split;
    scs_exchange_buffers *buffers = &s->buffers;
    int32_t mine = shard_of(r, r->team->rank);

    for (int32_t rank = 0; rank < r->team->n_rank; rank++) {
        int32_t theirs = shard_of(r, rank), block = first_block(s, r->team, rank);
        int64_t n_block = first_block(s, r->team, rank + 1) - block;
        int64_t cells = mine < 0 ? 0 : r->own[r->k]->n_out;

        buffers->out[rank] = mine < 0 ? NULL : s->size[mine] + block * cells;
        buffers->n_out[rank] = n_block * cells;
        buffers->in[rank] = theirs < 0 ? NULL : s->size[theirs];
        buffers->n_in[rank] = theirs < 0 ? 0
                                         : scs_entries_blocks(s->n_gene) *
                                               (s->first_row[theirs + 1] - s->first_row[theirs]);
    }
}

/* What the buffers address, to and from every rank. Collective. */
static scs_status exchange(const batch_round *r)
{
    scs_exchange_buffers *buffers = &r->split->buffers;

    return r->team->exchange(r->team->ctx, buffers->out, buffers->n_out, buffers->in,
                             buffers->n_in);
}

/* Room for the others' parts, and where their entries begin: sizes become offsets. */
static scs_status reserve_parts(scs_gene_split *s)
{
    for (int32_t v = 0; v < s->n_shard; v++) {
        int64_t cells = s->first_row[v + 1] - s->first_row[v], nnz = 0;
        int64_t n_size = scs_entries_blocks(s->n_gene) * cells;

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

/* As address_sizes, for columns within blocks (a byte each) or values. */
static void address_entries(const batch_round *r, bool values)
{
    scs_gene_split *s = r->split;
    scs_exchange_buffers *buffers = &s->buffers;
    int64_t unit = values ? sizeof(scs_real) : sizeof(uint8_t);
    const scs_entries *x = shard_of(r, r->team->rank) < 0 ? NULL : r->own[r->k];

    for (int32_t rank = 0; rank < r->team->n_rank; rank++) {
        int32_t theirs = shard_of(r, rank);
        const scs_entries *part = theirs < 0 ? NULL : &s->part[theirs];
        int64_t begin = x ? x->first[(int64_t)first_block(s, r->team, rank) * x->n_out] : 0;
        int64_t end = x ? x->first[(int64_t)first_block(s, r->team, rank + 1) * x->n_out] : 0;

        buffers->out[rank] = !x       ? NULL
                             : values ? (const void *)(x->value + begin)
                                      : (const void *)(x->column + begin);
        buffers->n_out[rank] = (end - begin) * unit;
        buffers->in[rank] = !part ? NULL : values ? (void *)part->value : (void *)part->column;
        buffers->n_in[rank] = part ? scs_entries_count(part) * unit : 0;
    }
}

/* Each shard's part [cells, n_gene] of this rank's genes, from the ranks that have their cells.
 * Collective; the part of fill that takes messages. */
static scs_status gene_split_exchange(scs_gene_split *split, const scs_team *team,
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
        /* Columns, then values: two exchanges of plain arrays need no packing. */
        for (int values = 0; values < 2; values++) {
            address_entries(&r, values);
            SCS_TRY(exchange(&r));
        }
    return SCS_OK;
}

/* Memory is agreed upon after each part that needs some: a rank that has none must not leave the
 * others in an exchange. */
scs_status scs_gene_split_fill(scs_gene_split *split, const scs_team *team,
                               const scs_entries *const *own)
{
    SCS_TRY(find_rows(split, team, own));
    view_own(split, own);
    if (team->n_rank > 1)
        SCS_TRY(gene_split_exchange(split, team, own));
    SCS_TRY(team->agree(team->ctx, reserve_by_gene(split)));
    scs_entries_transpose(split->part, split->n_shard, &split->by_gene);
    return SCS_OK;
}

/* Own rows are put in their place, then all ranks' slices are gathered; the rows of a shard are
 * one slice. */
scs_status scs_gene_split_gather(scs_gene_split *split, const scs_team *team,
                                 const scs_real *const *own)
{
    for (int32_t v = split->first; v < split->last; v++)
        memcpy(split->rows + split->bound[v], own[v - split->first],
               (size_t)(split->bound[v + 1] - split->bound[v]) * sizeof *split->rows);
    return team->gather_slices(team->ctx, split->rows, split->bound);
}
