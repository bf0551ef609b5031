#include "mpi/runs.h"
#include "src/packed.h"

#include <stdlib.h>

/* Genes that a transposition is about, and how they are dealt. */
typedef struct genes {
    int32_t first, end, n_rank;
} genes;

static int32_t first_gene(const genes *g, int32_t rank)
{
    return g->first + (int32_t)((int64_t)(g->end - g->first) * rank / g->n_rank);
}

/* The part of each row of shard s (the s-th here) that goes to one rank. `at` counts the shard's
 * entries that any rank gets. */
static scs_status list_parts(const scs_shard *shard, int32_t s, const genes *g, int32_t to,
                             scs_runs *runs)
{
    int32_t gene0 = first_gene(g, to), gene1 = first_gene(g, to + 1);
    int64_t entry = 0;

    for (int64_t i = 0; i < shard->x.n_row; i++) {
        scs_row row = scs_packed_row(&shard->x, i);
        int32_t begin = scs_row_find(&row, g->first), lo = scs_row_find(&row, gene0);
        int32_t n = scs_row_find(&row, gene1) - lo;

        if (n > 0)
            SCS_TRY(scs_runs_add(
                runs, to,
                (scs_run){
                    .cell = shard->cell[i], .at = entry + lo - begin, .plane = s, .count = n}));
        entry += scs_row_find(&row, g->end) - begin;
    }
    return SCS_OK;
}

static scs_status list_all(const scs_shard *shard, const scs_team *team, const genes *g,
                           scs_runs *runs)
{
    for (int32_t r = 0; r < team->n_rank; r++)
        for (int32_t s = 0; s < team->last - team->first; s++)
            SCS_TRY(list_parts(&shard[s], s, g, r, runs));
    return SCS_OK;
}

/* Counting sort by gene. Runs come in ascending cell order, so cells ascend within each gene.
 * @param gene, value [runs->n_values] as they arrived */
static void sort_by_gene(const scs_runs *runs, const int32_t *gene, const float *value,
                         int64_t *next, scs_gene_slice *slice)
{
    for (int64_t r = 0; r < runs->n_in; r++) {
        const scs_run *run = &runs->in[r];

        for (int64_t k = run->at; k < run->at + run->count; k++) {
            int64_t to = next[gene[k] - slice->gene0]++;

            slice->cell[to] = run->cell;
            slice->value[to] = value[k];
        }
    }
}

static scs_status build_slice(const scs_runs *runs, const int32_t *gene, const float *value,
                              scs_gene_slice *slice)
{
    int32_t n = slice->gene1 - slice->gene0;
    int64_t *next;

    SCS_TRY(SCS_ALLOC(slice->first, n + 1));
    SCS_TRY(SCS_ALLOC(slice->cell, runs->n_values));
    SCS_TRY(SCS_ALLOC(slice->value, runs->n_values));
    SCS_TRY(SCS_ALLOC(next, n));
    for (int64_t k = 0; k < runs->n_values; k++)
        slice->first[gene[k] - slice->gene0 + 1]++;
    for (int32_t j = 0; j < n; j++) {
        next[j] = slice->first[j];
        slice->first[j + 1] += slice->first[j];
    }
    sort_by_gene(runs, gene, value, next, slice);
    free(next);
    return SCS_OK;
}

static int64_t count_entries(const scs_packed *x, const genes *g)
{
    int64_t n = 0;

    for (int64_t i = 0; i < x->n_row; i++) {
        scs_row row = scs_packed_row(x, i);

        n += scs_row_find(&row, g->end) - scs_row_find(&row, g->first);
    }
    return n;
}

/* What an entry is unpacked to: its gene, or its value. */
typedef union number {
    int32_t gene;
    float value;
} number;

static scs_status unpack(const scs_packed *x, const genes *g, bool is_values, void **plane)
{
    number *to;

    SCS_TRY(SCS_ALLOC(to, count_entries(x, g)));
    *plane = to;
    for (int64_t i = 0; i < x->n_row; i++) {
        scs_row row = scs_packed_row(x, i);
        int32_t end = scs_row_find(&row, g->end);

        for (int32_t k = scs_row_find(&row, g->first); k < end; k++, to++)
            if (is_values)
                to->value = scs_row_value(&row, k);
            else
                to->gene = scs_row_gene(&row, k);
    }
    return SCS_OK;
}

/* All shards' genes, or their values. @param[out] arrived malloc'ed */
static scs_status send_plane(scs_runs *runs, const scs_shard *shard, const genes *g, bool is_values,
                             void **arrived)
{
    scs_status st = SCS_OK;

    for (int32_t s = 0; s < runs->n_plane && st == SCS_OK; s++)
        st = unpack(&shard[s].x, g, is_values, &runs->plane[s]);
    st = scs_agree(runs->comm, st);
    if (st == SCS_OK)
        return scs_runs_send(runs, true, arrived);
    scs_runs_release(runs);
    return st;
}

scs_status scs_transpose(scs_comm *comm, const scs_shard *shard, const scs_team *team,
                         int32_t gene0, int32_t gene1, scs_gene_slice *slice)
{
    const genes g = {gene0, gene1, team->n_rank};
    void *gene = NULL, *value = NULL;
    scs_runs runs = {0};
    scs_status st;

    *slice = (scs_gene_slice){.gene0 = first_gene(&g, team->rank),
                              .gene1 = first_gene(&g, team->rank + 1)};
    st = scs_runs_create(comm, team->last - team->first, &runs);
    if (st == SCS_OK)
        st = list_all(shard, team, &g, &runs);
    SCS_GO(st, scs_runs_announce(&runs, st));
    SCS_GO(st, send_plane(&runs, shard, &g, false, &gene));
    SCS_GO(st, send_plane(&runs, shard, &g, true, &value));
    SCS_GO(st, scs_agree(comm, build_slice(&runs, gene, value, slice)));
done:
    free(gene);
    free(value);
    scs_runs_clear(&runs);
    if (st != SCS_OK)
        scs_gene_slice_clear(slice);
    return st;
}
