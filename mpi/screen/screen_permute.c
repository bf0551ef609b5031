/* Permutations, unit by unit: which rows are judged together, how the work is cut, and how a unit
 * is counted.
 *
 *      p = min(1, parts (c + 1) / (n + 1)),   c = permutations with |delta*| >= |delta|
 *  which is never 0, so that no row is surer than n permutations can make it; q after Benjamini and
 *  Hochberg over all rows that have a p.
 *
 *  A permutation of a pair (a type's control and perturbed cells) needs the sum of a random subset
 *  only, drawn without replacement for the smaller of the two groups; its random numbers are a
 *  function of seed, group and permutation. Means of all pairs under a condition are made for a
 *  chunk of permutations at a time, then every row of the set estimates its shift from them. Cost
 *  of a set per permutation: n_latent (cells drawn + about 6 rows x pairs), by which units are
 *  dealt to ranks once, in advance: cells must travel before any rank begins. */
#include "mpi/screen/screen_permute.h"

#include "mpi/job/session_model.h"
#include "mpi/comm/watchdog.h"
#include "mpi/job/session.h"
#include "mpi/screen/done_map.h"
#include "src/base/parallel.h"
#include "src/screen/plan.h"
#include "src/screen/resample.h"
#include "src/screen/shift.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNITS_WANTED = 512,
    CHUNKS_MOST = 16
}; /* units aimed at, so that many ranks have some; chunks of a set, at most */

/* The components of a row, none where it cannot be predicted, or where no labels can be permuted:
 * no cells show its perturbation. @param[out] part [SCS_MAX_PARTS]
 * @return how many */
static int32_t components_of(const scs_permutations *p, int64_t row, scs_shift_component *part)
{
    const scs_combination *item = &p->plan->item[row];

    return item->status == SCS_ROW_OK && item->kind != SCS_SOURCE_LIKE
               ? scs_shift_components(p->session->atlas, &p->method, item, part)
               : 0;
}

/* One pass over all rows' components: the first counts, the second places.
 *  @param[in,out] at [n_condition] where each condition's next one goes; NULL: only count
 *  @param[out] n [n_condition + 1] how many are under each condition, one place later, or NULL */
static void for_components(const scs_permutations *p, int64_t *at, int64_t *n)
{
    scs_shift_component part[SCS_MAX_PARTS];

    for (int64_t i = 0; i < p->plan->n; i++) {
        int32_t n_part = components_of(p, i, part);

        for (int32_t k = 0; k < n_part; k++)
            if (part[k].target.condition < 0)
                continue;
            else if (n)
                n[part[k].target.condition + 1]++;
            else
                p->judged[at[part[k].target.condition]++] = (scs_judged){(int32_t)i, n_part};
    }
}

/* Counting sort by condition; a set for each condition that occurs. @param first [n_condition + 1]
 * zeroed scratch */
static scs_status sort_components(scs_permutations *p, int64_t *first)
{
    int32_t n_condition = p->session->atlas->conditions.n;

    for_components(p, NULL, first);
    for (int32_t c = 0; c < n_condition; c++) {
        if (first[c + 1] > 0) {
            p->condition[p->n_set++] = c;
            p->set_first[p->n_set] = first[c] + first[c + 1];
        }
        first[c + 1] += first[c];
    }
    p->n_judged = first[n_condition];
    SCS_TRY(SCS_ALLOC(p->judged, p->n_judged));
    SCS_TRY(SCS_ALLOC(p->count, p->n_judged));
    for_components(p, first, NULL);
    return SCS_OK;
}

/* Sets of rows' components, by condition. */
static scs_status find_judged(scs_permutations *p)
{
    int64_t *first;
    scs_status st;

    SCS_TRY(SCS_ALLOC(first, (int64_t)p->session->atlas->conditions.n + 1));
    st = sort_components(p, first);
    free(first);
    return st;
}

/* Then by observed group, so that the order is one. */
static int by_condition(const void *a, const void *b)
{
    const scs_combination *x = a, *y = b;

    if (x->condition != y->condition)
        return x->condition < y->condition ? -1 : 1;
    return (x->observed_group > y->observed_group) - (x->observed_group < y->observed_group);
}

/* Observed groups with controls beside them, in the order of conditions. */
static scs_status find_pairs(scs_permutations *p)
{
    int32_t n_condition = p->session->atlas->conditions.n;

    SCS_TRY(scs_plan_seen(p->session->atlas, &p->pair));
    SCS_TRY(SCS_ALLOC(p->pair_first, (int64_t)n_condition + 1));
    if (p->pair.n > 0)
        qsort(p->pair.item, (size_t)p->pair.n, sizeof *p->pair.item, by_condition);
    for (int64_t i = 0; i < p->pair.n; i++)
        p->pair_first[p->pair.item[i].condition + 1]++;
    for (int32_t c = 0; c < n_condition; c++)
        p->pair_first[c + 1] += p->pair_first[c];
    return SCS_OK;
}

/* Chunk k is permutations [chunk_first(k), chunk_first(k + 1)). */
static int64_t chunk_first(const scs_permutations *p, int64_t k)
{
    return p->n * k / p->n_chunk;
}

/* As many chunks as give UNITS_WANTED units, the same for all sets. */
static scs_status cut_units(scs_permutations *p)
{
    p->n_chunk = p->n_set ? UNITS_WANTED / p->n_set : 1;
    p->n_chunk = p->n_chunk < 1 ? 1 : p->n_chunk > CHUNKS_MOST ? CHUNKS_MOST : p->n_chunk;
    p->n_chunk = p->n_chunk > p->n ? p->n : p->n_chunk;
    p->n_unit = p->n_set * p->n_chunk;
    SCS_TRY(SCS_ALLOC(p->unit_first, p->n_unit + 1));
    for (int64_t u = 0; u < p->n_unit; u++) {
        int64_t set = u / p->n_chunk;

        p->unit_first[u + 1] = p->unit_first[u] + p->set_first[set + 1] - p->set_first[set];
    }
    return SCS_OK;
}

/* Operations of one permutation of a set: cells drawn, and shifts estimated anew. */
static double cost_of(const scs_permutations *p, int64_t set)
{
    const scs_atlas *a = p->session->atlas;
    int32_t c = p->condition[set];
    double drawn = 0, n_pair = (double)(p->pair_first[c + 1] - p->pair_first[c]);

    for (int64_t i = p->pair_first[c]; i < p->pair_first[c + 1]; i++) {
        int64_t n = a->group[p->pair.item[i].control_group].count;
        int64_t m = a->group[p->pair.item[i].observed_group].count;

        drawn += (double)(n < m ? n : m);
    }
    return a->n_latent * (drawn + (double)(p->set_first[set + 1] - p->set_first[set]) * 6 * n_pair);
}

/* Consecutive units for each rank, by estimated cost: a unit belongs to the rank in whose share
 * its middle lies. */
static scs_status split_units(scs_permutations *p)
{
    int32_t n_rank = scs_comm_size(p->session->comm);
    double total = 0, before = 0;
    int64_t u = 0;

    SCS_TRY(SCS_ALLOC(p->rank_first, n_rank + 1));
    for (int32_t s = 0; s < p->n_set; s++)
        total += cost_of(p, s) * (double)p->n_chunk;
    for (int32_t r = 0; r < n_rank; r++) {
        double cost;

        while (u < p->n_unit &&
               before + (cost = cost_of(p, u / p->n_chunk)) / 2 < total * r / n_rank) {
            before += cost;
            u++;
        }
        p->rank_first[r] = r ? u : 0;
    }
    p->rank_first[n_rank] = p->n_unit;
    return SCS_OK;
}

/* Sets, pairs, units, then each rank's share. */
scs_status scs_screen_permute_create(const scs_session *session, const scs_method *method,
                                     const scs_plan *plan, scs_permutations *p)
{
    *p = (scs_permutations){.session = session,
                            .method = scs_choose_shift_blind(method, session->config),
                            .plan = plan,
                            .n = session->config->screen.permutations};
    if (!scs_session_model_has_latent(session))
        p->n = 0;
    SCS_TRY(SCS_ALLOC(p->set_first, (int64_t)session->atlas->conditions.n + 1));
    SCS_TRY(SCS_ALLOC(p->condition, session->atlas->conditions.n));
    if (p->n > 0) {
        SCS_TRY(find_judged(p));
        SCS_TRY(find_pairs(p));
    }
    SCS_TRY(cut_units(p));
    return split_units(p);
}

/* Also one that was only zeroed. */
void scs_screen_permute_clear(scs_permutations *p)
{
    free(p->judged);
    free(p->condition);
    free(p->set_first);
    free(p->unit_first);
    free(p->rank_first);
    scs_plan_clear(&p->pair);
    free(p->pair_first);
    free(p->count);
    *p = (scs_permutations){0};
}

/* Both groups of every pair under a condition that the rank has units of. Alike on all ranks,
 * which is what scs_redistribute_groups wants. */
void scs_screen_permute_need(const scs_permutations *p, uint8_t *needed)
{
    int64_t n_group = p->session->atlas->n_group;

    for (int32_t r = 0; r < scs_comm_size(p->session->comm); r++)
        for (int64_t u = p->rank_first[r]; u < p->rank_first[r + 1]; u++) {
            int32_t c = p->condition[u / p->n_chunk];

            for (int64_t i = p->pair_first[c]; i < p->pair_first[c + 1]; i++) {
                needed[r * n_group + p->pair.item[i].control_group] = 1;
                needed[r * n_group + p->pair.item[i].observed_group] = 1;
            }
        }
}

/* ---- Counting ---- */

/* What one thread works with; reused from unit to unit. */
typedef struct worker {
    const scs_permutations *p;
    scs_real *const *z; /* [n_group] latent cells, borrowed */
    scs_replica replica;
    double *delta;                  /* [n_latent] */
    double *mean;                   /* [most pairs, permutations of a chunk, n_latent] */
    int32_t *control, *perturbed;   /* [most pairs] */
    scs_combination *part;          /* [most of a set] */
    const scs_combination **target; /* [most of a set] the same */
} worker;

/* The largest of n consecutive ranges. */
static int64_t largest_of(const int64_t *first, int64_t n)
{
    int64_t largest = 0;

    for (int64_t i = 0; i < n; i++)
        if (first[i + 1] - first[i] > largest)
            largest = first[i + 1] - first[i];
    return largest;
}

/* Also one that was only zeroed. */
static void worker_clear(worker *w)
{
    scs_resample_replica_clear(&w->replica);
    free(w->delta);
    free(w->mean);
    free(w->control);
    free(w->perturbed);
    free(w->part);
    free(w->target);
}

/* Sizes for the largest set and the largest chunk, so that no unit allocates. */
static scs_status worker_make(const scs_permutations *p, scs_real *const *z, worker *w)
{
    const scs_atlas *a = p->session->atlas;
    int64_t pairs = largest_of(p->pair_first, a->conditions.n), n = p->n / p->n_chunk + 1;

    *w = (worker){.p = p, .z = z};
    SCS_TRY(scs_resample_replica_make(a, &w->replica));
    SCS_TRY(SCS_ALLOC(w->delta, a->n_latent));
    SCS_TRY(SCS_ALLOC(w->mean, pairs * n * a->n_latent));
    SCS_TRY(SCS_ALLOC(w->control, pairs));
    SCS_TRY(SCS_ALLOC(w->perturbed, pairs));
    SCS_TRY(SCS_ALLOC(w->part, largest_of(p->set_first, p->n_set)));
    return SCS_ALLOC(w->target, largest_of(p->set_first, p->n_set));
}

/* Labels permuted within the i-th pair: means of the cells that are called perturbed, less those
 * called control's. @param[out] mean [n, n_latent] */
static scs_status permute_pair(const worker *w, int64_t i, int64_t first, int64_t n, double *mean)
{
    const scs_atlas *a = w->p->session->atlas;
    int32_t control = w->control[i], perturbed = w->perturbed[i];
    scs_stream stream = {.seed = (uint64_t)w->p->session->config->train.seed,
                         .purpose = SCS_RANDOM_PERMUTE,
                         .cell = (uint64_t)perturbed};

    return scs_resample_permute_pair(&stream, w->z[control], a->group[control].count,
                                     w->z[perturbed], a->group[perturbed].count, a->n_latent, first,
                                     n, mean);
}

/* The components of a set's rows that are under its condition, as targets of their own. */
static void take_targets(worker *w, int64_t set)
{
    const scs_permutations *p = w->p;
    const scs_judged *judged = p->judged + p->set_first[set];
    scs_shift_component part[SCS_MAX_PARTS];

    for (int64_t i = 0; i < p->set_first[set + 1] - p->set_first[set]; i++) {
        int32_t n = components_of(p, judged[i].row, part), k = 0;

        while (k < n - 1 && part[k].target.condition != p->condition[set])
            k++;
        w->part[i] = part[k].target;
        w->target[i] = &w->part[i];
    }
}

/* How often each of the unit's rows has a permuted shift at least as long as its own. @param[out]
 * count [rows of the set] */
static scs_status count_unit(worker *w, int64_t unit, int32_t *count)
{
    const scs_permutations *p = w->p;
    int64_t set = unit / p->n_chunk, chunk = unit % p->n_chunk, first = chunk_first(p, chunk);
    int64_t n = chunk_first(p, chunk + 1) - first,
            n_row = p->set_first[set + 1] - p->set_first[set];
    int32_t c = p->condition[set];
    int64_t n_pair = p->pair_first[c + 1] - p->pair_first[c];
    scs_permutation permuted = {.atlas = p->session->atlas,
                                .n_pair = (int32_t)n_pair,
                                .control = w->control,
                                .perturbed = w->perturbed,
                                .n = n,
                                .mean = w->mean};

    for (int64_t i = 0; i < n_pair; i++) {
        w->control[i] = p->pair.item[p->pair_first[c] + i].control_group;
        w->perturbed[i] = p->pair.item[p->pair_first[c] + i].observed_group;
        SCS_TRY(permute_pair(w, i, first, n, w->mean + i * n * permuted.atlas->n_latent));
    }
    take_targets(w, set);
    return scs_resample_replica_count(&w->replica, &p->method, &permuted, w->target, n_row,
                                      w->delta, count);
}

/* The same set's chunks add up in the same places. */
static void add_counts(scs_permutations *p, int64_t unit, const int32_t *count)
{
    int32_t *sum = p->count + p->set_first[unit / p->n_chunk];

    for (int64_t i = 0; i < p->unit_first[unit + 1] - p->unit_first[unit]; i++)
        sum[i] += count[i];
}

/* Units of this rank that are still to be counted; counts of the others are added from the map.
 *  @param[out] todo [units of the rank]
 *  @param count scratch of one unit */
static scs_status take_done(scs_permutations *p, scs_done_map *map, int64_t *todo, int64_t *n_todo,
                            int32_t *count)
{
    int32_t rank = scs_comm_rank(p->session->comm);

    *n_todo = 0;
    for (int64_t u = p->rank_first[rank]; u < p->rank_first[rank + 1]; u++) {
        bool done = false;

        if (map)
            SCS_TRY(scs_done_map_unit(map, u, count, &done));
        if (done)
            add_counts(p, u, count);
        else
            todo[(*n_todo)++] = u;
    }
    return SCS_OK;
}

/* Some units, a thread each, and note them as done, under a watchdog of this rank alone. Sums of
 * integers: their order does not matter. @param count [n, stride] */
static scs_status count_some(scs_permutations *p, worker *w, const int64_t *unit, int64_t n,
                             int64_t stride, int32_t *count, scs_done_map *map)
{
    scs_parallel_error failed = {0};
    scs_status st;

#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < n; i++)
        scs_parallel_error_note(&failed, i,
                                count_unit(&w[omp_get_thread_num()], unit[i], count + i * stride));
    st = scs_parallel_error_raise(&failed);
    scs_watchdog_begin_alone(p->session->comm, "screen.h5ad.done");
    for (int64_t i = 0; i < n && st == SCS_OK; i++) {
        add_counts(p, unit[i], count + i * stride);
        if (map)
            st = scs_done_map_put_unit(map, unit[i], count + i * stride);
    }
    scs_watchdog_end(p->session->comm);
    return st;
}

/* On failure the caller clears all n, as they were zeroed. */
static scs_status make_workers(const scs_permutations *p, scs_real *const *z, int n, worker *w)
{
    for (int i = 0; i < n; i++)
        SCS_TRY(worker_make(p, z, &w[i]));
    return SCS_OK;
}

/* Done units from the map first; then rounds of one unit a thread, with a look at `stop` between
 * them. A rank without units returns at once. */
scs_status scs_screen_permute_run(scs_permutations *p, scs_real *const *group_z, scs_done_map *map,
                                  bool (*stop)(void *ctx), void *ctx)
{
    int32_t rank = scs_comm_rank(p->session->comm);
    int64_t stride = largest_of(p->unit_first, p->n_unit), *todo = NULL, n_todo = 0, at = 0;
    int n_thread = omp_get_max_threads();
    int32_t *count = NULL;
    worker *w = NULL;
    scs_status st = SCS_OK;

    if (p->rank_first[rank] == p->rank_first[rank + 1])
        return SCS_OK;
    SCS_GO(st, SCS_ALLOC(todo, p->rank_first[rank + 1] - p->rank_first[rank]));
    SCS_GO(st, SCS_ALLOC(count, n_thread * stride));
    SCS_GO(st, SCS_ALLOC(w, n_thread));
    SCS_GO(st, take_done(p, map, todo, &n_todo, count));
    SCS_GO(st, make_workers(p, group_z, n_thread, w));
    while (at < n_todo && !stop(ctx)) {
        int64_t n = n_todo - at < n_thread ? n_todo - at : n_thread;

        SCS_GO(st, count_some(p, w, todo + at, n, stride, count, map));
        at += n;
    }
    p->n_left = n_todo - at;
done:
    for (int i = 0; w && i < n_thread; i++)
        worker_clear(&w[i]);
    free(w);
    free(count);
    free(todo);
    return st;
}

/* Units are done in their order. */
double scs_screen_permute_share(const scs_permutations *p)
{
    int32_t rank = scs_comm_rank(p->session->comm);
    int64_t first = p->rank_first[rank], last = p->rank_first[rank + 1];
    double done = 0, all = 0;

    for (int64_t u = first; u < last; u++) {
        double cost = cost_of(p, u / p->n_chunk);

        all += cost;
        done += u < last - p->n_left ? cost : 0;
    }
    return all > 0 ? done / all : 1;
}

/* Bonferroni over a row's components; fmin passes over the NaN that stands there at first. */
static void find_p_values(const scs_permutations *p, double *p_value)
{
    for (int64_t i = 0; i < p->plan->n; i++)
        p_value[i] = NAN;
    for (int64_t i = 0; i < p->n_judged; i++) {
        const scs_judged *j = &p->judged[i];
        double one = (p->count[i] + 1.) / ((double)p->n + 1);

        p_value[j->row] = fmin(p_value[j->row], fmin(1, j->n_part * one));
    }
}

/* Sums of integers are exact in any order, so MPI's own reduction may add them. In pieces whose
 * count fits an int. */
scs_status scs_screen_permute_finish(scs_permutations *p, double *p_value, double *q_value)
{
    scs_comm *comm = p->session->comm;
    bool leads = scs_session_leads(p->session);
    int64_t step = 1 << 24;

    for (int64_t i = 0; i < p->n_judged; i += step) {
        int n = (int)(p->n_judged - i < step ? p->n_judged - i : step);

        SCS_MPI(MPI_Reduce(leads ? MPI_IN_PLACE : p->count + i, p->count + i, n, MPI_INT32_T,
                           MPI_SUM, 0, scs_comm_mpi(comm)));
    }
    if (!leads)
        return scs_comm_agree(comm, SCS_OK);
    find_p_values(p, p_value);
    return scs_comm_agree(comm, scs_confidence_false_discovery(p_value, p->plan->n, q_value));
}
