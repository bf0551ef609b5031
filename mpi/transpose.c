#include "mpi/runs.h"

#include <stdlib.h>

static int32_t first_gene(int32_t n_gene, int32_t n_rank, int32_t rank)
{
    return (int32_t)((int64_t)n_gene * rank / n_rank);
}

/* The part of each row of shard s (the s-th here) with genes [gene0, gene1) goes to one rank. `at`
 * counts the shard's entries. */
static scs_status list_parts(const scs_shard *shard, int32_t s, int32_t gene0, int32_t gene1,
                             int32_t to, scs_runs *runs)
{
    int64_t entry = 0;

    for (int64_t i = 0; i < shard->x.n_row; i++) {
        scs_row row = scs_packed_row(&shard->x, i);
        int32_t lo = scs_row_find(&row, gene0), n = scs_row_find(&row, gene1) - lo;

        if (n > 0)
            SCS_TRY(scs_runs_add(
                runs, to,
                (scs_run){.cell = shard->cell[i], .at = entry + lo, .plane = s, .count = n}));
        entry += row.n;
    }
    return SCS_OK;
}

static scs_status list_all(const scs_shard *shard, const scs_team *team, int32_t n_gene,
                           scs_runs *runs)
{
    for (int32_t r = 0; r < team->n_rank; r++)
        for (int32_t s = 0; s < team->last - team->first; s++)
            SCS_TRY(list_parts(&shard[s], s, first_gene(n_gene, team->n_rank, r),
                               first_gene(n_gene, team->n_rank, r + 1), r, runs));
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

static scs_status unpack_genes(const scs_packed *x, void **plane)
{
    int32_t *gene;

    SCS_TRY(SCS_ALLOC(gene, scs_packed_nnz(x)));
    *plane = gene;
    for (int64_t i = 0; i < x->n_row; i++) {
        scs_row row = scs_packed_row(x, i);

        for (int64_t k = 0; k < row.n; k++)
            *gene++ = scs_row_gene(&row, k);
    }
    return SCS_OK;
}

static scs_status unpack_values(const scs_packed *x, void **plane)
{
    float *value;

    SCS_TRY(SCS_ALLOC(value, scs_packed_nnz(x)));
    *plane = value;
    for (int64_t i = 0; i < x->n_row; i++) {
        scs_row row = scs_packed_row(x, i);

        for (int64_t k = 0; k < row.n; k++)
            *value++ = scs_row_value(&row, k);
    }
    return SCS_OK;
}

/* All shards' genes, or their values. @param[out] arrived malloc'ed */
static scs_status send_plane(scs_runs *runs, const scs_shard *shard, bool is_values, void **arrived)
{
    scs_status st = SCS_OK;

    for (int32_t s = 0; s < runs->n_plane && st == SCS_OK; s++)
        st = (is_values ? unpack_values : unpack_genes)(&shard[s].x, &runs->plane[s]);
    st = scs_agree(runs->comm, st);
    if (st == SCS_OK)
        return scs_runs_send(runs, true, arrived);
    scs_runs_release(runs);
    return st;
}

scs_status scs_transpose(scs_comm *comm, const scs_shard *shard, const scs_team *team,
                         int32_t n_gene, scs_gene_slice *slice)
{
    void *gene = NULL, *value = NULL;
    scs_runs runs = {0};
    scs_status st;

    *slice = (scs_gene_slice){.gene0 = first_gene(n_gene, team->n_rank, team->rank),
                              .gene1 = first_gene(n_gene, team->n_rank, team->rank + 1)};
    st = scs_runs_create(comm, team->last - team->first, &runs);
    if (st == SCS_OK)
        st = list_all(shard, team, n_gene, &runs);
    SCS_GO(st, scs_runs_announce(&runs, st));
    SCS_GO(st, send_plane(&runs, shard, false, &gene));
    SCS_GO(st, send_plane(&runs, shard, true, &value));
    SCS_GO(st, scs_agree(comm, build_slice(&runs, gene, value, slice)));
done:
    free(gene);
    free(value);
    scs_runs_clear(&runs);
    if (st != SCS_OK)
        scs_gene_slice_clear(slice);
    return st;
}
