/* Runs of values that belong to cells, on their way between ranks: whole rows to their shards,
 * parts of rows to gene slices, latent rows to where they are screened. Values are of 4 bytes
 * (float or int32_t). */
#include "src/atlas/atlas.h"
#include "src/data/packed.h"
#include "scscreen/comm.h"

#include <stdlib.h>
#include <string.h>

/* Consecutive values of one cell. */
typedef struct scs_run {
    int64_t cell;  /**< global id */
    int64_t at;    /**< first value within its plane */
    int32_t plane; /**< which of the sender's arrays */
    int32_t count; /**< values */
} scs_run;

typedef struct scs_runs {
    scs_comm *comm;
    void **plane; /**< [n_plane] what the outgoing runs point into; set before scs_runs_send */
    int32_t n_plane;
    scs_run *out; /**< [n_out] what is sent, by destination */
    int64_t n_out, capacity;
    scs_run *in; /**< [n_in] what arrives, cells ascending; `at` is into the arrived values */
    int64_t n_in, n_values;  /**< runs and values that arrive */
    int64_t *out_of, *in_of; /**< [n_rank] bytes of values sent to and received from each rank */
    int64_t *to, *from;      /**< [n_rank] bytes of runs, likewise */
} scs_runs;

enum { VALUE = 4 }; /* bytes */

_Static_assert(sizeof(float) == VALUE && sizeof(int32_t) == VALUE, "values of 4 bytes");

/* Nothing to send yet. Clear it even after a failure. Local. */
static scs_status runs_create(scs_comm *comm, int32_t n_plane, scs_runs *runs)
{
    int32_t n_rank = scs_comm_size(comm);

    *runs = (scs_runs){.comm = comm, .n_plane = n_plane};
    SCS_TRY(SCS_ALLOC(runs->plane, n_plane));
    SCS_TRY(SCS_ALLOC(runs->out_of, n_rank));
    SCS_TRY(SCS_ALLOC(runs->in_of, n_rank));
    SCS_TRY(SCS_ALLOC(runs->to, n_rank));
    return SCS_ALLOC(runs->from, n_rank);
}

static void runs_clear(scs_runs *runs)
{
    free(runs->plane);
    free(runs->out);
    free(runs->in);
    free(runs->out_of);
    free(runs->in_of);
    free(runs->to);
    free(runs->from);
    *runs = (scs_runs){0};
}

/* Send this run to rank `to`; destinations do not descend from call to call. Local. */
static scs_status runs_add(scs_runs *runs, int32_t to, scs_run run)
{
    if (runs->n_out == runs->capacity) {
        int64_t more = 2 * runs->capacity + 1024;
        scs_run *bigger = scs_reallocate(runs->out, more, sizeof *bigger);

        SCS_REQUIRE(bigger, SCS_ENOMEM, "out of memory: %lld runs of values to send",
                    (long long)more);
        runs->out = bigger;
        runs->capacity = more;
    }
    runs->out[runs->n_out++] = run;
    runs->to[to] += (int64_t)sizeof run;
    runs->out_of[to] += (int64_t)run.count * VALUE;
    return SCS_OK;
}

static int64_t total_bytes(const scs_runs *runs, const int64_t *bytes)
{
    int64_t sum = 0;

    for (int32_t r = 0; r < scs_comm_size(runs->comm); r++)
        sum += bytes[r];
    return sum;
}

static int by_cell(const void *a, const void *b)
{
    const scs_run *x = a, *y = b;

    return (x->cell > y->cell) - (x->cell < y->cell);
}

/* Values arrive in the order of the runs as they were sent; only afterwards are the runs sorted. */
static void place_arrivals(scs_runs *runs)
{
    runs->n_values = 0;
    for (int64_t i = 0; i < runs->n_in; i++) {
        runs->in[i].at = runs->n_values;
        runs->n_values += runs->in[i].count;
    }
    qsort(runs->in, (size_t)runs->n_in, sizeof *runs->in, by_cell);
}

/* Tell each rank what comes; afterwards `in` is complete. Collective.
 *  @param mine status of the local work so far: all ranks agree on it first */
static scs_status runs_announce(scs_runs *runs, scs_status mine)
{
    scs_comm *comm = runs->comm;

    SCS_TRY(scs_comm_agree(comm, mine));
    SCS_TRY(scs_comm_exchange_counts(comm, runs->to, runs->from));
    SCS_TRY(scs_comm_exchange_counts(comm, runs->out_of, runs->in_of));
    runs->n_in = total_bytes(runs, runs->from) / (int64_t)sizeof *runs->in;
    SCS_TRY(scs_comm_agree(comm, SCS_ALLOC(runs->in, runs->n_in)));
    SCS_TRY(scs_comm_alltoallv(comm, runs->out, runs->to, runs->in, runs->from));
    place_arrivals(runs);
    return SCS_OK;
}

static void pack(const scs_runs *runs, char *packed)
{
    for (int64_t i = 0; i < runs->n_out; i++) {
        const scs_run *run = &runs->out[i];

        memcpy(packed, (const char *)runs->plane[run->plane] + run->at * VALUE,
               (size_t)run->count * VALUE);
        packed += (int64_t)run->count * VALUE;
    }
}

/* Free the planes. Local. */
static void runs_release(scs_runs *runs)
{
    for (int32_t i = 0; i < runs->n_plane; i++) {
        free(runs->plane[i]);
        runs->plane[i] = NULL;
    }
}

/* Send the runs' values.
 *  @param release free the planes as soon as they are packed (also on failure); else they are
 * borrowed
 *  @param[out] arrived [n_values], malloc'ed. Collective. */
static scs_status runs_send(scs_runs *runs, bool release, void **arrived)
{
    scs_comm *comm = runs->comm;
    char *packed = NULL, *in = NULL;
    scs_status st, local = SCS_ALLOC(packed, total_bytes(runs, runs->out_of));

    if (local == SCS_OK)
        pack(runs, packed);
    if (release)
        runs_release(runs);
    if (local == SCS_OK)
        local = SCS_ALLOC(in, runs->n_values * VALUE);
    SCS_GO(st, scs_comm_agree(comm, local));
    SCS_GO(st, scs_comm_alltoallv(comm, packed, runs->out_of, in, runs->in_of));
    *arrived = in;
    in = NULL;
done:
    free(packed);
    free(in);
    return st;
}

/* The run of a cell that arrived, or NULL. Local. */
static const scs_run *runs_find(const scs_runs *runs, int64_t cell)
{
    scs_run key = {.cell = cell};

    return bsearch(&key, runs->in, (size_t)runs->n_in, sizeof *runs->in, by_cell);
}

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
                                 scs_runs *runs)
{
    for (int32_t s = 0; s < n_local; s++)
        for (int64_t i = 0; i < shard[s].x.n_row; i++) {
            int32_t group = group_of_cell[shard[s].cell[i]];

            if (group >= 0 && needed[group])
                SCS_TRY(runs_add(runs, to,
                                 (scs_run){.cell = shard[s].cell[i],
                                           .at = i * n_latent,
                                           .plane = s,
                                           .count = n_latent}));
        }
    return SCS_OK;
}

static scs_status list_cells(const int32_t *group_of_cell, const scs_atlas *atlas,
                             const uint8_t *needed, const scs_shard *shard, const scs_team *team,
                             scs_runs *runs)
{
    for (int32_t r = 0; r < team->n_rank; r++)
        SCS_TRY(list_cells_for(r, group_of_cell, needed + (int64_t)r * atlas->n_group,
                               atlas->n_latent, shard, team->last - team->first, runs));
    return SCS_OK;
}

/* Arrived rows into their groups; runs ascend by cell, so cells ascend within each group.
 * @param filled [n_group] zeroed scratch */
static scs_status fill_groups(const scs_runs *runs, const scs_real *arrived,
                              const int32_t *group_of_cell, const scs_atlas *atlas, int64_t *filled,
                              scs_real **group_z)
{
    int32_t d = atlas->n_latent;

    for (int64_t i = 0; i < runs->n_in; i++) {
        int32_t g = group_of_cell[runs->in[i].cell];

        if (!group_z[g])
            SCS_TRY(SCS_ALLOC(group_z[g], atlas->group[g].count * d));
        SCS_REQUIRE(filled[g] < atlas->group[g].count, SCS_EINTERNAL,
                    "more cells than group %d has", g);
        memcpy(group_z[g] + filled[g]++ * d, arrived + runs->in[i].at, (size_t)d * sizeof *arrived);
    }
    for (int32_t g = 0; g < atlas->n_group; g++)
        SCS_REQUIRE(!group_z[g] || filled[g] == atlas->group[g].count, SCS_EINTERNAL,
                    "cells of group %d are missing", g);
    return SCS_OK;
}

static scs_status group_rows(const scs_runs *runs, const scs_real *arrived,
                             const int32_t *group_of_cell, const scs_atlas *atlas,
                             scs_real **group_z)
{
    int64_t *filled;
    scs_status st;

    SCS_TRY(SCS_ALLOC(filled, atlas->n_group));
    st = fill_groups(runs, arrived, group_of_cell, atlas, filled, group_z);
    free(filled);
    return st;
}

static void clear_groups(scs_real **group_z, int32_t n_group)
{
    for (int32_t g = 0; g < n_group; g++) {
        free(group_z[g]);
        group_z[g] = NULL;
    }
}

scs_status scs_redistribute_groups(scs_comm *comm, const scs_dataset *dataset,
                                   const scs_atlas *atlas, const uint8_t *needed,
                                   const scs_shard *shard, const scs_team *team, scs_real *const *z,
                                   scs_real **group_z)
{
    int32_t *group_of_cell = NULL;
    void *arrived = NULL;
    scs_runs runs = {0};
    scs_status st;

    memset(group_z, 0, (size_t)atlas->n_group * sizeof *group_z);
    st = runs_create(comm, team->last - team->first, &runs);
    if (st == SCS_OK)
        st = scs_atlas_cell_groups(atlas, dataset, &group_of_cell);
    if (st == SCS_OK)
        st = list_cells(group_of_cell, atlas, needed, shard, team, &runs);
    SCS_GO(st, runs_announce(&runs, st));
    for (int32_t s = 0; s < runs.n_plane; s++)
        runs.plane[s] = z[s];
    SCS_GO(st, runs_send(&runs, false, &arrived));
    SCS_GO(st, scs_comm_agree(comm, group_rows(&runs, arrived, group_of_cell, atlas, group_z)));
done:
    free(arrived);
    free(group_of_cell);
    runs_clear(&runs);
    if (st != SCS_OK)
        clear_groups(group_z, atlas->n_group);
    return st;
}

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
        int32_t begin = scs_packed_row_find(&row, g->first), lo = scs_packed_row_find(&row, gene0);
        int32_t n = scs_packed_row_find(&row, gene1) - lo;

        if (n > 0)
            SCS_TRY(runs_add(
                runs, to,
                (scs_run){
                    .cell = shard->cell[i], .at = entry + lo - begin, .plane = s, .count = n}));
        entry += scs_packed_row_find(&row, g->end) - begin;
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

        n += scs_packed_row_find(&row, g->end) - scs_packed_row_find(&row, g->first);
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
        int32_t end = scs_packed_row_find(&row, g->end);

        for (int32_t k = scs_packed_row_find(&row, g->first); k < end; k++, to++)
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
    st = scs_comm_agree(runs->comm, st);
    if (st == SCS_OK)
        return runs_send(runs, true, arrived);
    runs_release(runs);
    return st;
}

scs_status scs_redistribute_transpose(scs_comm *comm, const scs_shard *shard, const scs_team *team,
                                      int32_t gene0, int32_t gene1, scs_gene_slice *slice)
{
    const genes g = {gene0, gene1, team->n_rank};
    void *gene = NULL, *value = NULL;
    scs_runs runs = {0};
    scs_status st;

    *slice = (scs_gene_slice){.gene0 = first_gene(&g, team->rank),
                              .gene1 = first_gene(&g, team->rank + 1)};
    st = runs_create(comm, team->last - team->first, &runs);
    if (st == SCS_OK)
        st = list_all(shard, team, &g, &runs);
    SCS_GO(st, runs_announce(&runs, st));
    SCS_GO(st, send_plane(&runs, shard, &g, false, &gene));
    SCS_GO(st, send_plane(&runs, shard, &g, true, &value));
    SCS_GO(st, scs_comm_agree(comm, build_slice(&runs, gene, value, slice)));
done:
    free(gene);
    free(value);
    runs_clear(&runs);
    if (st != SCS_OK)
        scs_gene_moments_slice_clear(slice);
    return st;
}

/* @param[out] rank [n_shard] who owns each shard; malloc'ed */
static scs_status owners(const scs_team *team, int32_t **rank)
{
    SCS_TRY(SCS_ALLOC(*rank, team->n_shard));
    for (int32_t r = 0; r < team->n_rank; r++)
        for (int32_t s = scs_shard_first(team->n_shard, team->n_rank, r);
             s < scs_shard_first(team->n_shard, team->n_rank, r + 1); s++)
            (*rank)[s] = r;
    return SCS_OK;
}

static scs_status list_rows_for(int32_t to, const scs_deal *deal, const int32_t *owner,
                                int64_t first_cell, const scs_packed *x, scs_runs *runs)
{
    for (int64_t i = 0; i < x->n_row; i++) {
        int32_t s = deal->shard_of_cell[first_cell + i];

        if (s < 0 || owner[s] != to)
            continue;
        SCS_TRY(runs_add(runs, to,
                         (scs_run){.cell = first_cell + i,
                                   .at = x->first[i],
                                   .count = (int32_t)(x->first[i + 1] - x->first[i])}));
    }
    return SCS_OK;
}

static scs_status list_rows(const scs_deal *deal, const scs_team *team, int64_t first_cell,
                            const scs_packed *x, scs_runs *runs)
{
    int32_t *owner = NULL;
    scs_status st;

    SCS_GO(st, owners(team, &owner));
    for (int32_t r = 0; r < team->n_rank; r++)
        SCS_GO(st, list_rows_for(r, deal, owner, first_cell, x, runs));
done:
    free(owner);
    return st;
}

/* Words of a shard's rows. */
static scs_status count_words(const scs_runs *runs, const int64_t *cell, int64_t n_row,
                              int64_t *n_word)
{
    *n_word = 0;
    for (int64_t i = 0; i < n_row; i++) {
        const scs_run *run = runs_find(runs, cell[i]);

        SCS_REQUIRE(run, SCS_EINTERNAL, "cell %lld never reached its shard", (long long)cell[i]);
        *n_word += run->count;
    }
    return SCS_OK;
}

static scs_status make_shard(const scs_deal *deal, int32_t id, int32_t n_gene, const scs_runs *runs,
                             const uint32_t *arrived, scs_shard *shard)
{
    int64_t n_row = deal->first[id + 1] - deal->first[id], n_word;

    *shard = (scs_shard){.id = id,
                         .n_train = deal->n_train[id],
                         .n_valid = deal->n_valid[id],
                         .n_held_out = n_row - deal->n_train[id] - deal->n_valid[id],
                         .cell = deal->cell + deal->first[id]};
    SCS_TRY(count_words(runs, shard->cell, n_row, &n_word));
    SCS_TRY(scs_packed_alloc(n_row, n_gene, n_word, &shard->x));
    for (int64_t i = 0; i < n_row; i++) {
        const scs_run *run = runs_find(runs, shard->cell[i]);

        scs_packed_put(&shard->x, i, arrived + run->at, run->count);
    }
    return SCS_OK;
}

static scs_status make_shards(const scs_deal *deal, const scs_team *team, int32_t n_gene,
                              const scs_runs *runs, const uint32_t *arrived, scs_shard **shard)
{
    SCS_TRY(SCS_ALLOC(*shard, team->last - team->first));
    for (int32_t s = team->first; s < team->last; s++)
        SCS_TRY(make_shard(deal, s, n_gene, runs, arrived, &(*shard)[s - team->first]));
    return SCS_OK;
}

/* Rows travel packed. Unless x is to be kept, its rows are freed as soon as they are in the
 * outgoing message. */
static scs_status distribute(scs_comm *comm, const scs_deal *deal, const scs_team *team,
                             int64_t first_cell, scs_packed *x, bool keep, scs_shard **shard)
{
    scs_runs runs = {0};
    void *arrived = NULL;
    scs_status st;

    *shard = NULL;
    st = runs_create(comm, 1, &runs);
    if (st == SCS_OK)
        st = list_rows(deal, team, first_cell, x, &runs);
    SCS_GO(st, runs_announce(&runs, st));
    runs.plane[0] = x->word;
    if (!keep)
        x->word = NULL;
    SCS_GO(st, runs_send(&runs, !keep, &arrived));
    SCS_GO(st, scs_comm_agree(comm, make_shards(deal, team, x->n_col, &runs, arrived, shard)));
done:
    free(arrived);
    runs_clear(&runs);
    if (st != SCS_OK)
        scs_redistribute_clear(shard, team->last - team->first);
    return st;
}

scs_status scs_redistribute(scs_comm *comm, const scs_deal *deal, const scs_team *team,
                            int64_t first_cell, scs_packed *x, scs_shard **shard)
{
    scs_status st = distribute(comm, deal, team, first_cell, x, false, shard);

    scs_packed_clear(x);
    return st;
}

scs_status scs_redistribute_copy(scs_comm *comm, const scs_deal *deal, const scs_team *team,
                                 int64_t first_cell, const scs_packed *x, scs_shard **shard)
{
    scs_packed view = *x;

    return distribute(comm, deal, team, first_cell, &view, true, shard);
}

void scs_redistribute_clear(scs_shard **shard, int32_t n)
{
    for (int32_t i = 0; *shard && i < n; i++)
        scs_packed_clear(&(*shard)[i].x);
    free(*shard);
    *shard = NULL;
}
