#include "mpi/choose_blend.h"

#include "mpi/comm_state.h"
#include "src/leave_out.h"
#include "src/plan_rows.h"

#include <stdlib.h>

/* <decoded - seen, true - seen> and |decoded - seen|^2 of one left-out group. */
typedef struct product {
    double mixed, square;
} product;

typedef struct trials {
    const scs_session *session;
    const scs_method *method;
    scs_plan plan;
    int64_t *first; /* [n_rank + 1] */
    scs_real **control_z;
    product *product; /* [plan.n] */
} trials;

/* Of the groups that others speak for, evenly spread ones. */
static void thin(scs_plan *plan)
{
    int64_t n = 0;

    for (int64_t i = 0; i < plan->n; i++)
        if (plan->item[i].status == SCS_ROW_OK && plan->item[i].kind != SCS_SOURCE_SELF)
            plan->item[n++] = plan->item[i];
    plan->n = n;
    scs_leave_out_thin(plan, SCS_BLEND_TRIALS);
    for (int64_t i = 0; i < plan->n; i++)
        plan->item[i].cost = 1;
}

static scs_status prepare(trials *t)
{
    const scs_session *s = t->session;

    SCS_TRY(scs_plan_seen(s->atlas, &t->plan));
    SCS_TRY(scs_plan_resolve(s->atlas, t->method, &t->plan));
    thin(&t->plan);
    SCS_TRY(SCS_ALLOC(t->first, scs_comm_size(s->comm) + 1));
    SCS_TRY(SCS_ALLOC(t->control_z, s->atlas->n_group));
    SCS_TRY(SCS_ALLOC(t->product, t->plan.n));
    scs_plan_split(&t->plan, scs_comm_size(s->comm), t->first);
    return SCS_OK;
}

/* @param from moved, still, change and scale of the item */
static product multiply(const scs_atlas *a, const scs_combination *item, const scs_evidence *from)
{
    const double *moved = from->moved.mean, *still = from->still.mean, *seen = from->change.mean;
    const float *observed = scs_group_gene_mean(a, item->observed_group);
    const float *control = scs_group_gene_mean(a, item->control_group);
    product p = {0, 0};

    for (int32_t g = 0; g < a->n_gene; g++) {
        double decoded = from->scale * (moved[g] - still[g]) - seen[g];
        double truth = (double)observed[g] - control[g] - seen[g];

        p.mixed += decoded * truth;
        p.square += decoded * decoded;
    }
    return p;
}

/* @param work [3 * n_gene + n_latent] */
static scs_status run_trial(void *ctx, int64_t i, const scs_sources *sources, double *work)
{
    trials *t = ctx;
    const scs_session *s = t->session;
    const scs_atlas *a = s->atlas;
    const scs_combination *item = &t->plan.item[i];
    const scs_real *z = t->control_z[item->control_group];
    int64_t n = a->group[item->control_group].count;
    double *moved = work, *still = work + a->n_gene, *seen = still + a->n_gene;
    double *delta = seen + a->n_gene;
    scs_evidence from = {.moved.mean = moved, .still.mean = still, .change.mean = seen};

    scs_sources_shift(a, sources, delta);
    scs_sources_genes(a, sources, a->gene_mean, seen);
    SCS_TRY(scs_session_decode(s, z, n, delta, moved, NULL));
    SCS_TRY(scs_session_decode(s, z, n, NULL, still, NULL));
    from.scale = scs_change_scale(t->method, a->n_gene, &from);
    t->product[i] = multiply(a, item, &from);
    return SCS_OK;
}

static scs_status leave_out_mine(trials *t)
{
    const scs_atlas *a = t->session->atlas;
    int32_t rank = scs_comm_rank(t->session->comm);

    return scs_leave_out(a, t->method, &t->plan, t->first[rank], t->first[rank + 1],
                         3 * (int64_t)a->n_gene + a->n_latent, run_trial, t);
}

/* Every rank gets all products, and adds them in the plan's order. */
static scs_status solve(trials *t, double *share)
{
    double mixed = 0, square = 0;

    for (int32_t r = 0; r <= scs_comm_size(t->session->comm); r++)
        t->first[r] *= (int64_t)sizeof *t->product;
    SCS_TRY(scs_allgather(t->session->comm, t->product, t->first));
    for (int64_t i = 0; i < t->plan.n; i++) {
        mixed += t->product[i].mixed;
        square += t->product[i].square;
    }
    *share = square > 0 ? mixed / square : .5;
    *share = *share < 0 ? 0 : *share > 1 ? 1 : *share;
    return SCS_OK;
}

static void clear(trials *t)
{
    for (int32_t g = 0; t->control_z && g < t->session->atlas->n_group; g++)
        free(t->control_z[g]);
    free(t->control_z);
    free(t->first);
    free(t->product);
    scs_plan_clear(&t->plan);
}

scs_status scs_choose_blend(const scs_session *session, const scs_method *method, double *share,
                            int64_t *n)
{
    const scs_session *s = session;
    trials t = {.session = s, .method = method};
    scs_status st;

    SCS_GO(st, scs_agree(s->comm, prepare(&t)));
    SCS_GO(st, scs_route_cells(s->comm, s->dataset, s->atlas, &t.plan, false, t.first, s->shard,
                               &s->team, s->z, t.control_z));
    SCS_GO(st, scs_agree(s->comm, leave_out_mine(&t)));
    SCS_GO(st, solve(&t, share));
    *n = t.plan.n;
done:
    clear(&t);
    return st;
}
