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
 *
 * Of a few groups the smallest error is luck, and a rule with more numbers to fit seems better than
 * it is. The mixed model is therefore estimated anew without each of them (of more groups one has
 * no say in its estimates). Another choice is kept only where it is better than the mixed model,
 * limited or not, whichever misses less, and this or another only where it is better than
 * `converging`, which has a single number, by more than a standard error (Breiman et al.,
 * Classification and Regression Trees 1984) of the mean over groups of
 *
 *     log (error of the usual / error of the choice)
 *
 * With fewer than SCS_SHIFT_FEW groups there is no standard error to speak of, and errors of groups
 * that are predicted from one or two others say next to nothing of which rule is better. Then it is
 * the mean of the mixed model, which shrinks, and `nearest`, which does not: they err in different
 * ways, and equal weights are hard to beat where weights cannot be estimated (Bates and Granger,
 * Operational Research Quarterly 1969; Clemen, International Journal of Forecasting 1989).
 *
 * A convergence b
 * misses (1 - b) e_0 + b e_1 of a group, e_0 and e_1 what is missed without and with all of it;
 * each group's error is by the b of the others. Not with doses, between which the mixed model alone
 * knows the way.
 */
#include "src/kernels/lapack.h"
#include "src/config/rule.h"
#include "src/screen/leave_out.h"
#include "src/screen/mixed_atlas.h"
#include "src/screen/plan.h"
#include "src/screen/shift.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double scs_choose_shift_power_tried(int i)
{
    static const double power[SCS_N_POWER] = {1, 2, 3, 4, 6, 8, 12, 16};

    return power[i];
}

enum { MOST_CANDIDATES = SCS_N_POWER };

_Static_assert((int)SCS_N_SHIFT + 1 <= (int)MOST_CANDIDATES, "room for every rule");

/* Groups of which the mixed model is estimated anew without each: with more one has no say. */
enum { MOST_ANEW = 16 };

/* Of one group: products of what each two candidates miss of its shift, in gene space, and the
 * squared length of the shift itself; all 0: no test. */
typedef struct missed {
    double product[MOST_CANDIDATES][MOST_CANDIDATES], shift;
} missed;

/* One question: candidates, the groups that they are tried on, and what each misses. */
typedef struct trials {
    const scs_atlas *atlas;
    int n, n_all; /* candidates; with those that have no part in the mean of rules */
    scs_method candidate[MOST_CANDIDATES];
    scs_plan plan;       /* the groups */
    missed *missed, sum; /* [plan.n] */
    int64_t n_tested;
} trials;

/* Whether there is a candidate whose mixed model is to be estimated without the group that it is
 * tried on. */
static bool wants_anew(const trials *t)
{
    if (t->plan.n < SCS_SHIFT_FEW || t->plan.n > MOST_ANEW)
        return false;
    for (int k = 0; k < t->n; k++)
        if (scs_rule_shift_at(t->candidate[k].shift)->needs_mixed)
            return !scs_mixed_atlas_knows_like(t->candidate[k].mixed);
    return false;
}

/* A mixed model that has not seen the group; NULL without another shift to learn from.
 * @param[out] mixed the caller destroys it, also after a failure */
static scs_status estimate_without(const scs_atlas *atlas, int32_t group, scs_mixed_atlas **mixed)
{
    scs_atlas without = *atlas;
    bool *silent;
    scs_status st;

    SCS_TRY(SCS_ALLOC(silent, without.n_group));
    for (int32_t g = 0; g < without.n_group; g++)
        silent[g] = g == group || scs_atlas_is_hidden(atlas, g);
    without.silent = silent;
    SCS_GO(st, scs_mixed_atlas_create(&without, NULL, mixed));
    if (*mixed)
        SCS_GO(st, scs_mixed_atlas_fit(*mixed, &without));
done:
    free(silent);
    return st;
}

/* What a candidate misses of a group's shift. @param anew in the place of its mixed model, or NULL
 * @param truth, off [n_gene] */
static scs_status miss(const trials *t, int candidate, const scs_mixed_atlas *anew,
                       const scs_combination *c, const double *truth, scs_sources *sources,
                       double *off)
{
    const scs_atlas *a = t->atlas;
    scs_method how = t->candidate[candidate];

    how.mixed = anew ? anew : how.mixed;
    SCS_TRY(scs_shift_sources_find(a, &how, c, sources));
    SCS_TRY(scs_shift_sources_change(a, sources, off));
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

/* @param own of one rule: that another group can be used  @param work [(n_all + 1) n_gene] */
static scs_status try_group(void *ctx, int64_t i, const scs_sources *own, double *work)
{
    trials *t = ctx;
    const scs_atlas *a = t->atlas;
    const scs_combination *c = &t->plan.item[i];
    const float *seen = scs_atlas_group_gene_mean(a, c->observed_group);
    const float *still = scs_atlas_group_gene_mean(a, c->control_group);
    int64_t n = a->n_gene;
    double *truth = work + t->n_all * n;
    missed *out = &t->missed[i];
    scs_mixed_atlas *anew = NULL;
    scs_sources *sources;
    scs_status st = SCS_OK;

    (void)own;
    for (int64_t g = 0; g < n; g++)
        truth[g] = (double)seen[g] - still[g];
    out->shift = multiply(truth, truth, n);
    SCS_TRY(scs_shift_sources_create(a, &sources));
    if (wants_anew(t))
        SCS_GO(st, estimate_without(a, c->observed_group, &anew));
    for (int k = 0; k < t->n_all; k++)
        SCS_GO(st, miss(t, k, anew, c, truth, sources, work + k * n));
    for (int k = 0; k < t->n_all; k++)
        for (int l = 0; l <= k; l++)
            out->product[k][l] = out->product[l][k] = multiply(work + k * n, work + l * n, n);
done:
    scs_shift_sources_destroy(&sources);
    scs_mixed_atlas_destroy(&anew);
    return st;
}

/* Groups are added in the order of the plan, whichever thread tried them. */
static void add_missed(const trials *t, const missed *from, missed *to)
{
    to->shift += from->shift;
    for (int k = 0; k < t->n_all; k++)
        for (int l = 0; l < t->n_all; l++)
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
                          (t->n_all + 1) * (int64_t)t->atlas->n_gene, try_group, t));
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

/* The sums over all groups but one. */
static missed all_but(const trials *t, int64_t i)
{
    missed others = t->sum;

    others.shift -= t->missed[i].shift;
    for (int k = 0; k < t->n_all; k++)
        for (int l = 0; l < t->n_all; l++)
            others.product[k][l] -= t->missed[i].product[k][l];
    return others;
}

/* A group's error with the weights that the others say. */
static double stacked_by_others(const trials *t, int64_t i)
{
    double weight[MOST_CANDIDATES] = {1};
    missed others = all_but(t, i);

    stack(t, &others, weight);
    return stacked_error(t, &t->missed[i], weight);
}

static double error_of_stacks(const trials *t)
{
    double sum = 0;

    for (int64_t i = 0; i < t->plan.n; i++)
        if (t->missed[i].shift > 0)
            sum += stacked_by_others(t, i);
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

/* ---- convergence ---- */

/* What is missed with a convergence between those of two candidates, none and all of it. */
typedef struct path {
    int none, all;
} path;

static double error_along(const missed *m, path p, double convergence)
{
    double rest = 1 - convergence;

    return rest * rest * m->product[p.none][p.none] +
           2 * rest * convergence * m->product[p.none][p.all] +
           convergence * convergence * m->product[p.all][p.all];
}

/* Of least error, between 0 and 1; 0 where it makes no difference. */
static double best_convergence(const missed *m, path p)
{
    double gain = m->product[p.none][p.none] - m->product[p.none][p.all];
    double length = gain - m->product[p.none][p.all] + m->product[p.all][p.all];

    return length > 0 ? fmin(1, fmax(0, gain / length)) : 0;
}

/* By the convergence that the others say. */
static double converging_by_others(const trials *t, int64_t i, path p)
{
    missed others = all_but(t, i);

    return error_along(&t->missed[i], p, best_convergence(&others, p));
}

/* In the place of a candidate's number. */
enum { THE_MEAN = -1, CONVERGING = -2 };

/* What a candidate, the weighted mean of all or `converging` misses of a group, with weights or
 * convergence that the others say. */
static double error_by_others(const trials *t, int64_t i, int of, path p)
{
    if (of == THE_MEAN)
        return stacked_by_others(t, i);
    return of == CONVERGING ? converging_by_others(t, i, p) : t->missed[i].product[of][of];
}

/* Whether one is better than the other by a standard error. */
static bool beats(const trials *t, int one, int other, path p)
{
    double n = (double)t->n_tested, sum = 0, square = 0, variance;

    for (int64_t i = 0; i < t->plan.n; i++) {
        double ratio;

        if (t->missed[i].shift == 0)
            continue;
        ratio = log(fmax(error_by_others(t, i, other, p), DBL_MIN) /
                    fmax(error_by_others(t, i, one, p), DBL_MIN));
        sum += ratio;
        square += ratio * ratio;
    }
    variance = fmax(0, square - sum * sum / n) / (n - 1);
    return sum / n > sqrt(variance / n);
}

/* What it misses with the convergence that the others say, and that of all groups. */
static void try_converging(const trials *t, path p, scs_shift_choice *choice)
{
    double sum = 0;

    for (int64_t i = 0; i < t->plan.n; i++)
        if (t->missed[i].shift > 0)
            sum += converging_by_others(t, i, p);
    choice->error[SCS_SHIFT_CONVERGING] = sum / t->sum.shift;
    choice->convergence = best_convergence(&t->sum, p);
}

/* The number of a rule's candidate; THE_MEAN where it is none. */
static int candidate_of(const trials *t, int shift)
{
    for (int k = 0; k < t->n; k++)
        if (t->candidate[k].shift == shift)
            return k;
    return THE_MEAN;
}

static void take(int shift, scs_shift_choice *choice)
{
    choice->shift = shift;
    memset(choice->share, 0, sizeof choice->share);
}

/* The mixed model, limited where it misses less so; -1 where there is none. */
static int usual_rule(const trials *t)
{
    int mixed = candidate_of(t, SCS_SHIFT_MIXED), limited = candidate_of(t, SCS_SHIFT_LIMITED);

    if (mixed < 0)
        return -1;
    return limited >= 0 && error_of(t, limited) < error_of(t, mixed) ? SCS_SHIFT_LIMITED
                                                                     : SCS_SHIFT_MIXED;
}

/* What is not clearly better than the mixed model gives way to it, and what is not clearly better
 * than `converging` to that. @param p ends of convergence  @param[in,out] choice */
static void prefer_usual(const trials *t, path p, scs_shift_choice *choice)
{
    int usual;

    if (t->n_tested < SCS_SHIFT_FEW || t->atlas->doses.n > 0)
        return;
    try_converging(t, p, choice);
    usual = usual_rule(t);
    if (usual >= 0 && choice->shift != usual &&
        !beats(t, candidate_of(t, choice->shift), candidate_of(t, usual), p))
        take(usual, choice);
    if (!beats(t, candidate_of(t, choice->shift), CONVERGING, p))
        take(SCS_SHIFT_CONVERGING, choice);
}

/* `converging` with all of its convergence, as a candidate beside the others.
 * @return its ends; `none` is that of `paired` */
static path add_converging(trials *t, const scs_method *method)
{
    path p = {candidate_of(t, SCS_SHIFT_PAIRED), t->n};

    t->candidate[t->n] = *method;
    t->candidate[t->n].shift = SCS_SHIFT_CONVERGING;
    t->candidate[t->n].convergence = 1;
    t->n_all = t->n + 1;
    return p;
}

/* The convergence of least error, 0 where nothing can be left out. */
scs_status scs_choose_shift_convergence(const scs_atlas *atlas, const scs_method *method,
                                        double *convergence, double *error)
{
    trials t = {.atlas = atlas, .n = 1};
    path p;
    scs_status st;

    *convergence = 0;
    *error = NAN;
    t.candidate[0] = *method;
    t.candidate[0].shift = SCS_SHIFT_PAIRED;
    p = add_converging(&t, method);
    SCS_GO(st, run_trials(&t));
    if (t.sum.shift > 0) {
        *convergence = best_convergence(&t.sum, p);
        *error = error_along(&t.sum, p, *convergence) / t.sum.shift;
    }
done:
    clear_trials(&t);
    return st;
}

/* Rules that need the mixed model are tried where there is one. Leaving a group out says nothing of
 * a rule whose weights come from a network that has seen the group: where one was ahead so, by the
 * network's seed, it was behind on groups that training never saw. */
static bool is_tried(const scs_method *method, int rule)
{
    const scs_rule_shift *r = scs_rule_shift_at(rule);

    return r->tried_by_auto && (!r->needs_mixed || method->mixed) &&
           (rule != SCS_SHIFT_LIMITED || scs_mixed_atlas_tells_parts(method->mixed)) &&
           !(r->uses_latent && method->learnt_latent);
}

/* Half of the mixed model, half of `nearest`. One shift does not tell by how much types differ:
 * what it is shrunk by is not limited then. */
static void take_halves(const trials *t, scs_shift_choice *choice)
{
    bool limited = t->plan.n > 1 && candidate_of(t, SCS_SHIFT_LIMITED) >= 0;

    take(SCS_SHIFT_AUTO, choice);
    choice->share[limited ? SCS_SHIFT_LIMITED : SCS_SHIFT_MIXED] = .5;
    choice->share[SCS_SHIFT_NEAREST] = .5;
}

/* Whether groups are so few that errors do not choose. All that were seen count, also those that no
 * other can predict: the mixed model learns from them. */
static bool are_few(const trials *t, const scs_method *method)
{
    return method->mixed && t->plan.n < SCS_SHIFT_FEW && t->atlas->doses.n == 0;
}

/* Trials of each rule, then of their mean; without a single group to leave out the first choice
 * stays. */
scs_status scs_choose_shift(const scs_atlas *atlas, const scs_method *method,
                            scs_shift_choice *choice)
{
    trials t = {.atlas = atlas};
    int rule[MOST_CANDIDATES] = {0};
    path converging;
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
    converging = add_converging(&t, method);
    SCS_GO(st, run_trials(&t));
    for (int k = 0; k < t.n; k++)
        choice->error[rule[k]] = error_of(&t, k);
    for (int k = 0; k < t.n; k++)
        if (choice->error[rule[k]] < choice->error[choice->shift])
            choice->shift = rule[k];
    if (t.sum.shift > 0) {
        choose_stack(&t, rule, choice);
        prefer_usual(&t, converging, choice);
    }
    if (are_few(&t, method))
        take_halves(&t, choice);
done:
    clear_trials(&t);
    return st;
}

/* The smallest error, of equal ones the usual power. */
scs_status scs_choose_shift_power(const scs_atlas *atlas, const scs_method *method, int *chosen,
                                  double *error)
{
    trials t = {.atlas = atlas, .n = SCS_N_POWER, .n_all = SCS_N_POWER};
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
