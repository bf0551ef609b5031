#include "src/gene_split.h"

#include "src/layout.h"

#include <stdlib.h>
#include <string.h>

static scs_status allocate_letters(scs_letters *letters, int32_t n_rank)
{
    SCS_TRY(SCS_ALLOC(letters->out, n_rank));
    SCS_TRY(SCS_ALLOC(letters->in, n_rank));
    SCS_TRY(SCS_ALLOC(letters->n_out, n_rank));
    return SCS_ALLOC(letters->n_in, n_rank);
}

static bool is_own(const scs_gene_split *s, int32_t shard)
{
    return shard >= s->first && shard < s->last;
}

static scs_status allocate_sizes(scs_gene_split *s)
{
    SCS_TRY(SCS_ALLOC(s->size, s->n_shard));
    for (int32_t v = 0; v < s->n_shard; v++)
        SCS_TRY(SCS_ALLOC(s->size[v],
                          (int64_t)scs_blocks(is_own(s, v) ? s->n_all : s->n_gene) * s->max_rows));
    return SCS_OK;
}

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
    return allocate_letters(&s->letters, n_rank);
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
                              .gene = scs_first_gene(n_all, team->n_shard, team->first)};
    split->n_gene = scs_first_gene(n_all, team->n_shard, team->last) - split->gene;
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
    free(split->letters.out);
    free(split->letters.in);
    free(split->letters.n_out);
    free(split->letters.n_in);
    *split = (scs_gene_split){0};
}

/* Where each shard's cells begin, on all ranks. */
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
 * another. */
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

static scs_status reserve_by_gene(scs_gene_split *s)
{
    int64_t nnz = 0;

    for (int32_t v = 0; v < s->n_shard; v++)
        nnz += scs_entries_count(&s->part[v]);
    return scs_entries_reserve(&s->by_gene, s->n_gene, (int32_t)s->first_row[s->n_shard], nnz);
}

scs_status scs_gene_split_fill(scs_gene_split *split, const scs_team *team,
                               const scs_entries *const *own)
{
    SCS_TRY(find_rows(split, team, own));
    view_own(split, own);
    if (team->n_rank > 1)
        SCS_TRY(scs_gene_split_exchange(split, team, own));
    SCS_TRY(team->agree(team->ctx, reserve_by_gene(split)));
    scs_entries_transpose(split->part, split->n_shard, &split->by_gene);
    return SCS_OK;
}

scs_status scs_gene_split_gather(scs_gene_split *split, const scs_team *team,
                                 const scs_real *const *own)
{
    for (int32_t v = split->first; v < split->last; v++)
        memcpy(split->rows + split->bound[v], own[v - split->first],
               (size_t)(split->bound[v + 1] - split->bound[v]) * sizeof *split->rows);
    return team->gather_slices(team->ctx, split->rows, split->bound);
}
