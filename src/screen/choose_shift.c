/* `screen.shift: auto` and `nearest_power: auto`: what has been seen decides. All functions are
 * Local.
 *
 * Which rule is best differs between data sets (closeness matters between the cell types of a
 * tissue, hardly between patients), so each group that was seen is predicted from the others by
 * every rule. With e_k what rule k misses of a shift, over genes, and
 *
 *     G_kl = sum over groups e_k' e_l,        error of k = G_kk / sum |seen shift|^2
 *
 * the rule of the smallest error is taken, or the weighted mean of rules (w >= 0, sum w = 1) that
 * has the smallest w'Gw, where that is better for each group with w from the others' G (stacking:
 * Breiman, Machine Learning 1996). At most SCS_SHIFT_TRIALS groups, evenly picked: cost
 * SCS_SHIFT_TRIALS estimates a rule. The same for the powers of `nearest`, of which one is taken.
 */
#include "src/kernels/lapack.h"
#include "src/config/rule.h"
#include "src/screen/leave_out.h"
#include "src/screen/plan.h"
#include "src/screen/shift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double scs_choose_shift_power_tried(int i)
{
    static const double power[SCS_N_POWER] = {1, 2, 3, 4, 6, 8, 12, 16};

    return power[i];
}

enum { MOST_CANDIDATES = SCS_N_POWER };

_Static_assert((int)SCS_N_SHIFT <= (int)MOST_CANDIDATES, "room for every rule");

/* Of one group: products of what each two candidates miss of its shift, in gene space, and the
 * squared length of the shift itself; all 0: no test. */
typedef struct missed {
    double product[MOST_CANDIDATES][MOST_CANDIDATES], shift;
} missed;

/* One question: candidates, the groups that they are tried on, and what each misses. */
typedef struct trials {
    const scs_atlas *atlas;
    int n; /* candidates */
    scs_method candidate[MOST_CANDIDATES];
    scs_plan plan;       /* the groups */
    missed *missed, sum; /* [plan.n] */
    int64_t n_tested;
} trials;

/* What a candidate misses of a group's shift. @param truth, off [n_gene] */
static scs_status miss(const trials *t, int candidate, const scs_combination *c,
                       const double *truth, scs_sources *sources, double *off)
{
    const scs_atlas *a = t->atlas;

    SCS_TRY(scs_shift_sources_find(a, &t->candidate[candidate], c, sources));
    scs_shift_sources_genes(a, sources, a->gene_mean, off);
    for (int32_t g = 0; g < a->n_gene; g++)
        off[g] -= truth[g];
    return SCS_OK;
}

/* In vector lanes: over all genes, for every pair of candidates; its bits are those of one machine,
 * and what is chosen by it is sent to all ranks. */
static double multiply(const double *x, const double *y, int64_t n)
{
    double sum = 0;

#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* @param own of one rule: that another group can be used  @param work [(n + 1) n_gene] */
static scs_status try_group(void *ctx, int64_t i, const scs_sources *own, double *work)
{
    trials *t = ctx;
    const scs_atlas *a = t->atlas;
    const scs_combination *c = &t->plan.item[i];
    const float *seen = scs_atlas_group_gene_mean(a, c->observed_group);
    const float *still = scs_atlas_group_gene_mean(a, c->control_group);
    int64_t n = a->n_gene;
    double *truth = work + t->n * n;
    missed *out = &t->missed[i];
    scs_sources *sources;
    scs_status st;

    (void)own;
    for (int64_t g = 0; g < n; g++)
        truth[g] = (double)seen[g] - still[g];
    out->shift = multiply(truth, truth, n);
    SCS_TRY(scs_shift_sources_create(a, &sources));
    for (int k = 0; k < t->n; k++)
        SCS_GO(st, miss(t, k, c, truth, sources, work + k * n));
    for (int k = 0; k < t->n; k++)
        for (int l = 0; l <= k; l++)
            out->product[k][l] = out->product[l][k] = multiply(work + k * n, work + l * n, n);
done:
    scs_shift_sources_destroy(&sources);
    return st;
}

/* Groups are added in the order of the plan, whichever thread tried them. */
static void add_missed(const trials *t, const missed *from, missed *to)
{
    to->shift += from->shift;
    for (int k = 0; k < t->n; k++)
        for (int l = 0; l < t->n; l++)
            to->product[k][l] += from->product[k][l];
}

/* Every group is predicted by every candidate. */
static scs_status run_trials(trials *t)
{
    scs_method any = t->candidate[0];

    any.shift = SCS_SHIFT_PAIRED;
    SCS_TRY(scs_plan_seen(t->atlas, &t->plan));
    scs_leave_out_thin(&t->plan, SCS_SHIFT_TRIALS);
    SCS_TRY(SCS_ALLOC(t->missed, t->plan.n));
    SCS_TRY(scs_leave_out(t->atlas, &any, &t->plan, 0, t->plan.n,
                          (t->n + 1) * (int64_t)t->atlas->n_gene, try_group, t));
    for (int64_t i = 0; i < t->plan.n; i++) {
        add_missed(t, &t->missed[i], &t->sum);
        t->n_tested += t->missed[i].shift > 0;
    }
    return SCS_OK;
}

/* Zeroed is let through. */
static void clear_trials(trials *t)
{
    scs_plan_clear(&t->plan);
    free(t->missed);
}

/* Of a candidate, as a share of no change's; NaN: nothing was left out. */
static double error_of(const trials *t, int candidate)
{
    return t->sum.shift > 0 ? t->sum.product[candidate][candidate] / t->sum.shift : NAN;
}

/* w'Gw, the squared error of a weighted mean of the candidates. */
static double stacked_error(const trials *t, const missed *m, const double *weight)
{
    double sum = 0;

    for (int k = 0; k < t->n; k++)
        for (int l = 0; l < t->n; l++)
            sum += weight[k] * weight[l] * m->product[k][l];
    return sum;
}

/* The smallest error of a weighted mean of these candidates alone, without regard to signs:
 * G^-1 1 / 1'G^-1 1. @param set their bits  @return whether all weights are 0 or more */
static bool solve_set(const trials *t, const missed *m, unsigned set, double *weight)
{
    double g[MOST_CANDIDATES * MOST_CANDIDATES], x[MOST_CANDIDATES], sum = 0, trace = 0;
    int at[MOST_CANDIDATES], n = 0, one = 1, info;

    for (int k = 0; k < t->n; k++) {
        weight[k] = 0;
        if (set & 1u << k)
            at[n++] = k;
    }
    for (int i = 0; i < n; i++) {
        trace += m->product[at[i]][at[i]];
        x[i] = 1;
        for (int j = 0; j < n; j++)
            g[i * n + j] = m->product[at[i]][at[j]];
    }
    for (int i = 0; i < n; i++) /* two that agree everywhere have no weights of their own */
        g[i * n + i] += 1e-9 * trace / n;
    dposv_("L", &n, &one, g, &n, x, &n, &info);
    if (info != 0)
        return false;
    for (int i = 0; i < n; i++)
        sum += x[i];
    for (int i = 0; i < n; i++) {
        if (!(x[i] >= 0))
            return false;
        weight[at[i]] = x[i] / sum;
    }
    return true;
}

/* Weights of 0 or more that sum to 1, of least error: there are few candidates, all their sets are
 * looked at. @param[out] weight [n] */
static void stack(const trials *t, const missed *m, double *weight)
{
    double least = INFINITY, tried[MOST_CANDIDATES];

    for (unsigned set = 1; set < 1u << t->n; set++) {
        double error;

        if (!solve_set(t, m, set, tried))
            continue;
        error = stacked_error(t, m, tried);
        if (error < least) {
            memcpy(weight, tried, sizeof *weight * (size_t)t->n);
            least = error;
        }
    }
}

/* Each group's error with the weights that the others say. */
static double error_of_stacks(const trials *t)
{
    double sum = 0;

    for (int64_t i = 0; i < t->plan.n; i++) {
        double weight[MOST_CANDIDATES] = {1};
        missed others = t->sum;

        if (t->missed[i].shift == 0)
            continue;
        for (int k = 0; k < t->n; k++)
            for (int l = 0; l < t->n; l++)
                others.product[k][l] -= t->missed[i].product[k][l];
        stack(t, &others, weight);
        sum += stacked_error(t, &t->missed[i], weight);
    }
    return sum / t->sum.shift;
}

/* Several rules only where they are better on groups that had no part in their weights: else the
 * mean would be chosen for having more numbers to fit.
 *  @param rule [n] the candidates'  @param[in,out] choice with the best single rule */
static void choose_stack(const trials *t, const int *rule, scs_shift_choice *choice)
{
    double weight[MOST_CANDIDATES] = {1};

    if (t->n < 2 || t->n_tested < SCS_SHIFT_LEAST_TRIALS)
        return;
    choice->stacked = error_of_stacks(t);
    if (!(choice->stacked < choice->error[choice->shift]))
        return;
    stack(t, &t->sum, weight);
    choice->shift = SCS_SHIFT_AUTO;
    for (int k = 0; k < t->n; k++) {
        choice->share[rule[k]] = weight[k];
        if (weight[k] == 1)
            choice->shift = rule[k];
    }
}

/* Rules that need the mixed model are tried where there is one. */
/* Leaving a group out says nothing of a rule whose weights come from a network that has seen the
 * group: where one was ahead so, by the network's seed, it was behind on groups that training never
 * saw. */
static bool is_tried(const scs_method *method, int rule)
{
    const scs_rule_shift *r = scs_rule_shift_at(rule);

    return r->tried_by_auto && (!r->needs_mixed || method->mixed) &&
           !(r->uses_latent && method->learnt_latent);
}

/* Trials of each rule, then of their mean; without a single group to leave out the first choice
 * stays. */
scs_status scs_choose_shift(const scs_atlas *atlas, const scs_method *method,
                            scs_shift_choice *choice)
{
    trials t = {.atlas = atlas};
    int rule[MOST_CANDIDATES] = {0};
    scs_status st;

    *choice = (scs_shift_choice){.shift = method->mixed ? SCS_SHIFT_MIXED : SCS_SHIFT_NEAREST,
                                 .stacked = NAN};
    for (int i = 0; i < SCS_N_SHIFT; i++) {
        choice->error[i] = NAN;
        if (!is_tried(method, i))
            continue;
        t.candidate[t.n] = *method;
        t.candidate[t.n].shift = i;
        rule[t.n++] = i;
    }
    SCS_GO(st, run_trials(&t));
    for (int k = 0; k < t.n; k++)
        choice->error[rule[k]] = error_of(&t, k);
    for (int k = 0; k < t.n; k++)
        if (choice->error[rule[k]] < choice->error[choice->shift])
            choice->shift = rule[k];
    if (t.sum.shift > 0)
        choose_stack(&t, rule, choice);
done:
    clear_trials(&t);
    return st;
}

/* The smallest error, of equal ones the usual power. */
scs_status scs_choose_shift_power(const scs_atlas *atlas, const scs_method *method, int *chosen,
                                  double *error)
{
    trials t = {.atlas = atlas, .n = SCS_N_POWER};
    scs_status st;

    *chosen = SCS_USUAL_POWER;
    for (int i = 0; i < t.n; i++) {
        t.candidate[i] = *method;
        t.candidate[i].shift = SCS_SHIFT_NEAREST;
        t.candidate[i].power = scs_choose_shift_power_tried(i);
    }
    SCS_GO(st, run_trials(&t));
    for (int i = 0; i < t.n; i++)
        error[i] = error_of(&t, i);
    for (int i = 0; i < t.n; i++)
        if (error[i] < error[*chosen])
            *chosen = i;
done:
    clear_trials(&t);
    return st;
}

static bool is_fixed(const scs_method *method, const scs_config *config)
{
    return config->screen.shift == SCS_SHIFT_AUTO || scs_shift_rule_fixed(method);
}

/* Donors of cells are drawn by source type. */
scs_method scs_choose_shift_typewise(const scs_method *method, const scs_config *config)
{
    scs_method typewise = *method;

    if (!is_fixed(method, config))
        return typewise;
    typewise.shift = SCS_SHIFT_NEAREST;
    typewise.power = config->screen.nearest_power == SCS_POWER_AUTO
                         ? scs_choose_shift_power_tried(SCS_USUAL_POWER)
                         : config->screen.nearest_power;
    return typewise;
}

/* A rule whose weights do not follow the means (mixed, several) cannot be asked again of means that
 * are drawn anew; nor may its weights be kept, as they were estimated from the labels as they are.
 * Which other species is nearest would be said by the controls alone: all of them are asked. */
scs_method scs_choose_shift_blind(const scs_method *method, const scs_config *config)
{
    scs_method blind = *method;

    if (!is_fixed(method, config))
        return blind;
    blind.shift = SCS_SHIFT_PAIRED;
    blind.exchangeable = true;
    blind.cross_species = SCS_CROSS_MEAN;
    return blind;
}
