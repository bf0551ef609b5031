#include "mpi/screen_permute.h"

#include "mpi/comm_state.h"
#include "scscreen/trust.h"
#include "src/parts.h"
#include "src/plan_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct permuting {
    const scs_session *session;
    const scs_method *method;
    const scs_plan *plan;
    const int64_t *first; /* [n_rank + 1] of plan */
    int64_t n;            /* permutations */
    scs_plan pair;        /* types with cells in both conditions */
    int64_t *pair_first;  /* [n_rank + 1] of pair */
    scs_real **z;         /* [n_group] cells of this rank's pairs */
} permuting;

/* One perturbation. */
typedef struct round_of {
    int32_t condition;
    int32_t n_pair;
    int64_t *at;                  /* [n_pair] into the pairs */
    int32_t *control, *perturbed; /* [n_pair] groups */
    int64_t *begin;               /* [n_rank + 1] bytes of `mean` made by each rank */
    double *mean;                 /* [n_pair, n, n_latent] */
    int64_t n_row;
    int64_t *row;                   /* [n_row] this rank's rows of the plan */
    int32_t *n_part;                /* [n_row] parts of the row */
    scs_combination *part;          /* [n_row] the one under this condition */
    const scs_combination **target; /* [n_row] the same */
    double *observed, *replicate;   /* [n_row, n_latent], [n, n_row, n_latent] */
} round_of;

static void round_clear(round_of *r)
{
    free(r->at);
    free(r->control);
    free(r->perturbed);
    free(r->begin);
    free(r->mean);
    free(r->row);
    free(r->n_part);
    free(r->part);
    free(r->target);
    free(r->observed);
    free(r->replicate);
    *r = (round_of){0};
}

static scs_status prepare(permuting *p)
{
    const scs_session *s = p->session;
    int32_t n_rank = scs_comm_size(s->comm);

    SCS_TRY(scs_plan_seen(s->atlas, &p->pair));
    for (int64_t i = 0; i < p->pair.n; i++) {
        scs_combination *c = &p->pair.item[i];

        c->cost = (double)(s->atlas->group[c->control_group].count +
                           s->atlas->group[c->observed_group].count);
    }
    SCS_TRY(SCS_ALLOC(p->pair_first, n_rank + 1));
    SCS_TRY(SCS_ALLOC(p->z, s->atlas->n_group));
    scs_plan_split(&p->pair, n_rank, p->pair_first);
    return SCS_OK;
}

/* The row's part under a condition. @return how many parts the row has, 0: none is under it */
static int32_t part_under(const permuting *p, int64_t row, int32_t condition,
                          scs_combination *target)
{
    const scs_combination *item = &p->plan->item[row];
    scs_part part[SCS_MAX_PARTS];
    int32_t n;

    if (item->status != SCS_ROW_OK)
        return 0;
    n = scs_parts(p->session->atlas, p->method, item, part);
    for (int32_t i = 0; i < n; i++)
        if (part[i].target.condition == condition) {
            *target = part[i].target;
            return n;
        }
    return 0;
}

/* Whether any rank has a row to judge. */
static bool is_asked(const permuting *p, int32_t condition)
{
    scs_combination target;

    for (int64_t i = 0; i < p->plan->n; i++)
        if (part_under(p, i, condition, &target) > 0)
            return true;
    return false;
}

static scs_status find_pairs(const permuting *p, round_of *r)
{
    int32_t n_rank = scs_comm_size(p->session->comm);
    int64_t bytes = p->n * p->session->atlas->n_latent * (int64_t)sizeof *r->mean, k = 0;

    SCS_TRY(SCS_ALLOC(r->at, p->pair.n));
    SCS_TRY(SCS_ALLOC(r->control, p->pair.n));
    SCS_TRY(SCS_ALLOC(r->perturbed, p->pair.n));
    SCS_TRY(SCS_ALLOC(r->begin, n_rank + 1));
    for (int32_t rank = 0; rank < n_rank; rank++) {
        r->begin[rank] = r->n_pair * bytes;
        for (; k < p->pair_first[rank + 1]; k++)
            if (p->pair.item[k].condition == r->condition) {
                r->control[r->n_pair] = p->pair.item[k].control_group;
                r->perturbed[r->n_pair] = p->pair.item[k].observed_group;
                r->at[r->n_pair++] = k;
            }
    }
    r->begin[n_rank] = r->n_pair * bytes;
    return SCS_ALLOC(r->mean, r->n_pair * p->n * p->session->atlas->n_latent);
}

static scs_status permute_mine(const permuting *p, const round_of *r)
{
    const scs_session *s = p->session;
    int32_t rank = scs_comm_rank(s->comm), d = s->atlas->n_latent;

    for (int32_t i = 0; i < r->n_pair; i++) {
        int32_t control = r->control[i], perturbed = r->perturbed[i];
        scs_stream stream = {.seed = (uint64_t)s->config->train.seed,
                             .purpose = SCS_RANDOM_PERMUTE,
                             .cell = (uint64_t)perturbed};

        if (r->at[i] >= p->pair_first[rank] && r->at[i] < p->pair_first[rank + 1])
            SCS_TRY(scs_permute_pair(&stream, p->z[control], s->atlas->group[control].count,
                                     p->z[perturbed], s->atlas->group[perturbed].count, d, p->n,
                                     r->mean + i * p->n * d));
    }
    return SCS_OK;
}

static scs_status find_rows(const permuting *p, round_of *r)
{
    int32_t rank = scs_comm_rank(p->session->comm), d = p->session->atlas->n_latent;
    int64_t most = p->first[rank + 1] - p->first[rank];

    SCS_TRY(SCS_ALLOC(r->row, most));
    SCS_TRY(SCS_ALLOC(r->n_part, most));
    SCS_TRY(SCS_ALLOC(r->part, most));
    SCS_TRY(SCS_ALLOC(r->target, most));
    for (int64_t i = p->first[rank]; i < p->first[rank + 1]; i++) {
        r->n_part[r->n_row] = part_under(p, i, r->condition, &r->part[r->n_row]);
        if (r->n_part[r->n_row] > 0) {
            r->target[r->n_row] = &r->part[r->n_row];
            r->row[r->n_row++] = i;
        }
    }
    SCS_TRY(SCS_ALLOC(r->observed, r->n_row * d));
    return SCS_ALLOC(r->replicate, p->n * r->n_row * d);
}

/* @param value [plan->n] */
static scs_status judge_rows(const permuting *p, const round_of *r, double *value)
{
    const scs_atlas *a = p->session->atlas;
    scs_permutation permuted = {.atlas = a,
                                .n_pair = r->n_pair,
                                .control = r->control,
                                .perturbed = r->perturbed,
                                .n = p->n,
                                .mean = r->mean};
    int64_t d = a->n_latent;

    SCS_TRY(scs_replicate(a, p->method, r->target, r->n_row, 1, NULL, NULL, r->observed));
    SCS_TRY(scs_replicate(a, p->method, r->target, r->n_row, p->n, scs_permutation_draw, &permuted,
                          r->replicate));
    for (int64_t i = 0; i < r->n_row; i++) {
        double one = scs_permutation_p(r->observed + i * d, r->replicate + i * d, p->n,
                                       r->n_row * d, a->n_latent);

        /* Bonferroni over the parts; fmin passes over the NaN that stands there at first. */
        value[r->row[i]] = fmin(value[r->row[i]], fmin(1, r->n_part[i] * one));
    }
    return SCS_OK;
}

static scs_status permute_condition(const permuting *p, int32_t condition, double *value)
{
    scs_comm *comm = p->session->comm;
    round_of r = {.condition = condition};
    scs_status st;

    st = find_pairs(p, &r);
    if (st == SCS_OK)
        st = find_rows(p, &r);
    if (st == SCS_OK)
        st = permute_mine(p, &r);
    SCS_GO(st, scs_agree(comm, st));
    SCS_GO(st, scs_allgather(comm, r.mean, r.begin));
    SCS_GO(st, scs_agree(comm, judge_rows(p, &r, value)));
done:
    round_clear(&r);
    return st;
}

static scs_status permute_all(permuting *p, double *value)
{
    const scs_session *s = p->session;

    SCS_TRY(scs_agree(s->comm, prepare(p)));
    SCS_TRY(scs_route_cells(s->comm, s->dataset, s->atlas, &p->pair, true, p->pair_first, s->shard,
                            &s->team, s->z, p->z));
    for (int32_t c = 0; c < s->atlas->conditions.n; c++)
        if (is_asked(p, c))
            SCS_TRY(permute_condition(p, c, value));
    return SCS_OK;
}

/* Every rank's rows reach all. */
static scs_status gather(const permuting *p, double *value)
{
    scs_comm *comm = p->session->comm;
    int64_t *begin;
    scs_status st;

    SCS_TRY(scs_agree(comm, SCS_ALLOC(begin, scs_comm_size(comm) + 1)));
    for (int32_t r = 0; r <= scs_comm_size(comm); r++)
        begin[r] = p->first[r] * (int64_t)sizeof *value;
    st = scs_allgather(comm, value, begin);
    free(begin);
    return st;
}

scs_status scs_screen_permute(const scs_session *session, const scs_method *method,
                              const scs_plan *plan, const int64_t *first, double *p, double *q)
{
    permuting w = {.session = session,
                   .method = method,
                   .plan = plan,
                   .first = first,
                   .n = session->config->screen.permutations};
    scs_status st;

    for (int64_t i = 0; i < plan->n; i++)
        p[i] = NAN;
    SCS_GO(st, permute_all(&w, p));
    SCS_GO(st, gather(&w, p));
    SCS_GO(st, scs_agree(session->comm, scs_false_discovery(p, plan->n, q)));
done:
    for (int32_t g = 0; w.z && g < session->atlas->n_group; g++)
        free(w.z[g]);
    free(w.z);
    free(w.pair_first);
    free(w.pair.item);
    return st;
}
