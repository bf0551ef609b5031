/* Which rows are judged together, and how the work is cut into units. */
#include "mpi/screen_permute.h"

#include "src/parts.h"
#include "src/plan_rows.h"

#include <stdlib.h>

enum { UNITS_WANTED = 512, CHUNKS_MOST = 16 };

int32_t scs_permutations_parts(const scs_permutations *p, int64_t row, scs_part *part)
{
    const scs_combination *item = &p->plan->item[row];

    return item->status == SCS_ROW_OK ? scs_parts(p->session->atlas, p->method, item, part) : 0;
}

/* @param[in,out] at [n_condition] where each condition's next one goes; NULL: only count
 * @param[out] n [n_condition + 1] how many are under each condition, one place later, or NULL */
static void each_part(const scs_permutations *p, int64_t *at, int64_t *n)
{
    scs_part part[SCS_MAX_PARTS];

    for (int64_t i = 0; i < p->plan->n; i++) {
        int32_t n_part = scs_permutations_parts(p, i, part);

        for (int32_t k = 0; k < n_part; k++)
            if (part[k].target.condition < 0)
                continue;
            else if (n)
                n[part[k].target.condition + 1]++;
            else
                p->judged[at[part[k].target.condition]++] = (scs_judged){(int32_t)i, n_part};
    }
}

/* Counting sort by condition. @param first [n_condition + 1] zeroed scratch */
static scs_status sort_parts(scs_permutations *p, int64_t *first)
{
    int32_t n_condition = p->session->atlas->conditions.n;

    each_part(p, NULL, first);
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
    each_part(p, first, NULL);
    return SCS_OK;
}

static scs_status find_judged(scs_permutations *p)
{
    int64_t *first;
    scs_status st;

    SCS_TRY(SCS_ALLOC(first, (int64_t)p->session->atlas->conditions.n + 1));
    st = sort_parts(p, first);
    free(first);
    return st;
}

static int by_condition(const void *a, const void *b)
{
    const scs_combination *x = a, *y = b;

    if (x->condition != y->condition)
        return x->condition < y->condition ? -1 : 1;
    return (x->observed_group > y->observed_group) - (x->observed_group < y->observed_group);
}

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

int64_t scs_permutations_chunk(const scs_permutations *p, int64_t k)
{
    return p->n * k / p->n_chunk;
}

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

scs_status scs_permutations_create(const scs_session *session, const scs_method *method,
                                   const scs_plan *plan, scs_permutations *p)
{
    *p = (scs_permutations){.session = session,
                            .method = method,
                            .plan = plan,
                            .n = session->config->screen.permutations};
    if (!scs_session_has_latent(session))
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

void scs_permutations_clear(scs_permutations *p)
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

void scs_permutations_need(const scs_permutations *p, uint8_t *needed)
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
