/* Resolving `auto`: power, shift rule, then blend, each with those before it settled. All three by
 * leaving out groups that were seen and predicting them from the others.
 *
 *  Groups whose own cells alone show a perturbation are no test and are left aside: predicting them
 *  from themselves would favour whatever repeats its input.
 *
 *  Power and rule need group means only, which every rank has: each computes the same numbers and
 *  nothing is sent. Blend decodes cells, so the groups that are left out are divided over the
 *  ranks; their latent cells travel, each rank makes its groups' two products, and all ranks get
 *  all of them (16 bytes a group) and add them in the plan's order. */
#include "mpi/screen/screen_method.h"
#include "mpi/job/session_model.h"
#include "mpi/comm/collectives.h"
#include "mpi/job/session.h"
#include "mpi/screen/screen_features.h"
#include "src/atlas/atlas.h"
#include "src/base/collective.h"
#include "src/config/rule.h"
#include "src/screen/correction.h"
#include "src/screen/leave_out.h"
#include "src/screen/mixed.h"
#include "src/screen/mixed_atlas.h"
#include "src/screen/plan.h"
#include "src/screen/predict.h"
#include "src/screen/shift.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Blend: the decoder's share a that brings seen + a (decoded - r seen) nearest to the observed
 * change, where `decoded` is edit's change, `seen` the sources' own change in gene space and r what
 * the two share (src/screen/predict.c):
 *
 *     a = sum <decoded - r seen, true - seen> / sum |decoded - r seen|^2
 *
 * over all genes of the groups left out. The model itself has seen those groups, so that this is
 * what it remembers, and no more than an upper bound of what it knows of others: on simulated
 * atlases a is 0.5 to 1, where 0.01 to 0.03 is the best for groups that training never saw; on the
 * Kang data 0.9, where 0.34 is. Of it most_blend is taken, which loses next to nothing there and
 * has most of the gain here (doc/methods.md). ---- */

/* Groups left out at most, evenly picked: a bound needs no more. */
enum { BLEND_TRIALS = 64 };
static const double most_blend = .1;

/* <decoded - r seen, true - seen> and |decoded - r seen|^2 of one left-out group. */
typedef struct product {
    double mixed, square;
} product;

/* The groups that are left out, and this rank's part of them. */
typedef struct trials {
    const scs_session *session;
    const scs_method *method;
    scs_plan plan;
    int64_t *first; /* [n_rank + 1] each rank's part of the plan, then of `product` in bytes */
    scs_real **control_z; /* [n_group] latent control cells that this rank needs */
    product *product;     /* [plan.n] this rank's, then everyone's */
} trials;

/* Of the groups that can be predicted from others (not from themselves), evenly spread ones. */
static void keep_some(scs_plan *plan)
{
    int64_t n = 0;

    for (int64_t i = 0; i < plan->n; i++)
        if (plan->item[i].status == SCS_ROW_OK && plan->item[i].kind != SCS_SOURCE_SELF)
            plan->item[n++] = plan->item[i];
    plan->n = n;
    scs_leave_out_thin(plan, BLEND_TRIALS);
    for (int64_t i = 0; i < plan->n; i++)
        plan->item[i].cost = 1;
}

/* Which groups are left out, and which rank does which. Local, alike on all ranks. */
static scs_status prepare(trials *t)
{
    const scs_session *s = t->session;

    SCS_TRY(scs_plan_seen(s->atlas, &t->plan));
    SCS_TRY(scs_plan_resolve(s->atlas, t->method, &t->plan));
    keep_some(&t->plan);
    SCS_TRY(SCS_ALLOC(t->first, scs_comm_size(s->comm) + 1));
    SCS_TRY(SCS_ALLOC(t->control_z, s->atlas->n_group));
    SCS_TRY(SCS_ALLOC(t->product, t->plan.n));
    scs_plan_split(&t->plan, scs_comm_size(s->comm), t->first);
    return SCS_OK;
}

/* The two products of one left-out group. @param from shifted and baseline means, change and scale
 * of the item */
static product multiply(const scs_atlas *a, const scs_combination *item, const scs_evidence *from)
{
    const double *shifted = from->shifted.mean, *baseline = from->baseline.mean,
                 *seen = from->change.mean;
    const float *observed = scs_atlas_group_gene_mean(a, item->observed_group);
    const float *control = scs_atlas_group_gene_mean(a, item->control_group);
    product p = {0, 0};

    for (int32_t g = 0; g < a->n_gene; g++) {
        double decoded = from->scale * (shifted[g] - baseline[g]) - from->shared * seen[g];
        double truth = (double)observed[g] - control[g] - seen[g];

        p.mixed += decoded * truth;
        p.square += decoded * decoded;
    }
    return p;
}

/* Predict one group from the others. Hook of scs_leave_out; Local. @param work [3 n_gene +
 * n_latent] */
static scs_status run_trial(void *ctx, int64_t i, const scs_sources *sources, double *work)
{
    trials *t = ctx;
    const scs_session *s = t->session;
    const scs_atlas *a = s->atlas;
    const scs_combination *item = &t->plan.item[i];
    const scs_real *z = t->control_z[item->control_group];
    int64_t n = a->group[item->control_group].count;
    double *shifted = work, *baseline = work + a->n_gene, *seen = baseline + a->n_gene;
    double *delta = seen + a->n_gene;
    scs_evidence from = {.shifted.mean = shifted, .baseline.mean = baseline, .change.mean = seen};

    scs_shift_sources_latent(a, sources, delta);
    SCS_TRY(scs_shift_sources_change(a, sources, seen));
    SCS_TRY(scs_session_model_decode(s, z, n, delta, shifted, NULL));
    SCS_TRY(scs_session_model_decode(s, z, n, NULL, baseline, NULL));
    scs_predict_fit_change(t->method, a->n_gene, &from);
    t->product[i] = multiply(a, item, &from);
    return SCS_OK;
}

/* This rank's part of the plan, in parallel over groups. Local. */
static scs_status leave_out_mine(trials *t)
{
    const scs_atlas *a = t->session->atlas;
    int32_t rank = scs_comm_rank(t->session->comm);

    return scs_leave_out(a, t->method, &t->plan, t->first[rank], t->first[rank + 1],
                         3 * (int64_t)a->n_gene + a->n_latent, run_trial, t);
}

/* Every rank gets all products and adds them in the plan's order. All that may be taken where no
 * group can be left out. Collective. */
static scs_status solve(trials *t, double *share)
{
    double mixed = 0, square = 0;

    for (int32_t r = 0; r <= scs_comm_size(t->session->comm); r++)
        t->first[r] *= (int64_t)sizeof *t->product;
    SCS_TRY(scs_comm_allgather(t->session->comm, t->product, t->first));
    for (int64_t i = 0; i < t->plan.n; i++) {
        mixed += t->product[i].mixed;
        square += t->product[i].square;
    }
    *share = square > 0 ? fmax(0, mixed / square) : most_blend;
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

/* @param[out] share of the decoder  @param[out] n groups left out. Collective. */
static scs_status solve_blend(const scs_session *session, const scs_method *method, double *share,
                              int64_t *n)
{
    const scs_session *s = session;
    trials t = {.session = s, .method = method};
    scs_status st;

    SCS_GO(st, scs_comm_agree(s->comm, prepare(&t)));
    SCS_GO(st, scs_redistribute_cells(s->comm, s->dataset, s->atlas, &t.plan, false, t.first,
                                      s->shard, &s->team, s->z, t.control_z));
    SCS_GO(st, scs_comm_agree(s->comm, leave_out_mine(&t)));
    SCS_GO(st, solve(&t, share));
    *n = t.plan.n;
done:
    clear(&t);
    return st;
}

/* ---- Rule and power, each from group means alone. Rank 0 looks, the others hear of it: processors
 * that round otherwise must not make them differ. ---- */

enum { LINE = 1024 };

/* Append to a line, as far as there is room. */
static void append(char *line, const char *format, ...) SCS_PRINTF(2, 3);
/* At the end of a line of LINE bytes; what does not fit is cut. */
static void append(char *line, const char *format, ...)
{
    size_t used = strlen(line);
    va_list ap;

    va_start(ap, format);
    vsnprintf(line + used, LINE - used, format, ap);
    va_end(ap);
}

/* What was chosen, and by how much it was better: a user who doubts it sets the rule by hand. */
static void say_choice(const scs_session *s, const scs_shift_choice *c, double power)
{
    char line[LINE] = "";

    if (c->shift != SCS_SHIFT_AUTO)
        append(line, "%s", scs_rule_shift_at(c->shift)->word.text);
    for (int i = 0, n = 0; i < SCS_N_SHIFT && c->shift == SCS_SHIFT_AUTO; i++)
        if (c->share[i] > 0)
            append(line, "%s%.3f %s", n++ ? " + " : "", c->share[i],
                   scs_rule_shift_at(i)->word.text);
    for (int i = 0, n = 0; i < SCS_N_SHIFT; i++)
        if (!isnan(c->error[i]))
            append(line, "%s%s %.4f", n++ ? ", " : "; errors, each group left out in turn: ",
                   scs_rule_shift_at(i)->word.text, c->error[i]);
    if (!isnan(c->error[SCS_SHIFT_NEAREST]))
        append(line, " (power of nearest: %g)", power);
    if (!isnan(c->error[SCS_SHIFT_CONVERGING]))
        append(line, " (convergence: %.3f)", c->convergence);
    if (!isnan(c->stacked))
        append(line, ", their weighted mean %.4f", c->stacked);
    scs_session_say(s, "shift: %s", line);
}

/* On the first rank, whose choice is sent to the others: it sums over groups, and all are to go on
 * with the same bits. Collective. */
static scs_status choose_shift(const scs_session *s, scs_method *method)
{
    scs_shift_choice choice = {0};
    scs_status st = SCS_OK;

    if (scs_session_leads(s))
        st = scs_choose_shift(s->atlas, method, &choice);
    SCS_TRY(scs_comm_agree(s->comm, st));
    SCS_TRY(scs_comm_broadcast(s->comm, &choice, sizeof choice));
    method->shift = choice.shift;
    method->convergence = choice.convergence;
    memcpy(method->share, choice.share, sizeof method->share);
    memcpy(method->error, choice.error, sizeof method->error);
    method->stacked = choice.stacked;
    say_choice(s, &choice, method->power);
    return SCS_OK;
}

/* Every value that is tried is reported, so that a user sees how close it was. */
static scs_status choose_power(const scs_session *s, scs_method *method)
{
    double error[SCS_N_POWER];
    int chosen = 0;
    scs_status st = SCS_OK;

    if (scs_session_leads(s))
        st = scs_choose_shift_power(s->atlas, method, &chosen, error);
    SCS_TRY(scs_comm_agree(s->comm, st));
    SCS_TRY(scs_comm_broadcast(s->comm, &chosen, sizeof chosen));
    for (int i = 0; i < SCS_N_POWER && scs_session_leads(s) && method->shift != SCS_SHIFT_AUTO; i++)
        scs_session_say(s, "leave-one-out error of nearest_power %g: %.4f%s",
                        scs_choose_shift_power_tried(i), error[i], i == chosen ? " (taken)" : "");
    method->power = scs_choose_shift_power_tried(chosen);
    return SCS_OK;
}

/* As choose_shift: rank 0 looks, the others hear of it. Collective. */
static scs_status choose_convergence(const scs_session *s, scs_method *method)
{
    double found[2] = {0};
    scs_status st = SCS_OK;

    if (scs_session_leads(s))
        st = scs_choose_shift_convergence(s->atlas, method, &found[0], &found[1]);
    SCS_TRY(scs_comm_agree(s->comm, st));
    SCS_TRY(scs_comm_broadcast(s->comm, found, sizeof found));
    if (isnan(found[1]))
        scs_session_say(s, "convergence 0: no group can be left out to learn it from");
    else
        scs_session_say(s, "convergence %.3f, leave-one-out error %.4f", found[0], found[1]);
    method->convergence = found[0];
    return scs_collective_ok();
}

/* `auto` passes it over where its weights would be over other species than asked. */
static bool wants_mixed(const scs_session *s, const scs_method *method)
{
    if (method->shift != SCS_SHIFT_AUTO)
        return scs_rule_shift_at(method->shift)->needs_mixed;
    if (s->atlas->species.n > 1 && method->cross_species != SCS_CROSS_NEAREST) {
        scs_session_say(s, "shift mixed is not tried: it does not know screen.cross_species");
        return false;
    }
    return true;
}

/* Terms without a variance do nothing, and are not named. */
static void say_mixed(const scs_session *s)
{
    const scs_mixed_hyper *h = scs_mixed_atlas_hyper(s->mixed);
    const scs_names *names = scs_atlas_perturbations(s->atlas);
    const double *convergence;
    int32_t least, most;
    char line[LINE] = "";

    for (int i = 0; i < SCS_MIXED_TERMS; i++)
        if (h->variance[i] > 0)
            append(line, "%s %.3g; ", scs_mixed_term_name(i), h->variance[i]);
    append(line, "convergence %.3f", h->beta);
    scs_mixed_atlas_convergence(s->mixed, &least, &most, &convergence);
    if (least != most)
        append(line, " (%s %.3f to %s %.3f)", names->name[least], convergence[least],
               names->name[most], convergence[most]);
    scs_session_say(s, "mixed model of shifts: variances: %s", line);
}

static scs_status take_estimates(scs_mixed_atlas *mixed, const double *number, bool leads)
{
    return leads ? SCS_OK : scs_mixed_atlas_set(mixed, number);
}

/* Rank 0 estimates. */
static scs_status share_estimates(scs_session *s)
{
    int64_t n = scs_mixed_atlas_size(s->mixed);
    bool leads = scs_session_leads(s);
    double *number = NULL;
    scs_status st = SCS_ALLOC(number, n);

    if (st == SCS_OK && leads)
        st = scs_mixed_atlas_fit(s->mixed, s->atlas);
    SCS_GO(st, scs_comm_agree(s->comm, st));
    if (leads)
        scs_mixed_atlas_get(s->mixed, number);
    SCS_GO(st, scs_comm_broadcast(s->comm, number, n * (int64_t)sizeof *number));
    SCS_GO(st, scs_comm_agree(s->comm, take_estimates(s->mixed, number, leads)));
    say_mixed(s);
done:
    free(number);
    return st;
}

static scs_status create_mixed(scs_session *s, bool with_likeness)
{
    double *likeness = NULL;

    if (with_likeness)
        SCS_TRY(scs_screen_features_distance(s, s->atlas, &likeness));
    return scs_mixed_atlas_create(s->atlas, likeness, &s->mixed);
}

/* What a table says of the responses. */
typedef struct likeness {
    double gain; /* of the squared error of perturbations that are left out */
    bool chance; /* a random one gains as much */
} likeness;

/* Of the squared error; a smaller gain is not worth a test. */
static const double least_gain = .05;

/* Rank 0 looks. Collective. */
static scs_status try_likeness(const scs_session *s, likeness *found)
{
    scs_status st = SCS_OK;

    *found = (likeness){0};
    if (scs_session_leads(s))
        st = scs_mixed_atlas_like_gain(s->mixed, s->atlas, &found->gain);
    if (st == SCS_OK && found->gain > least_gain)
        st = scs_mixed_atlas_like_chance(s->mixed, s->atlas, found->gain,
                                         (int64_t)s->config->train.seed, &found->chance);
    SCS_TRY(scs_comm_agree(s->comm, st));
    return scs_comm_broadcast(s->comm, found, sizeof *found);
}

static void say_useless(const scs_session *s, const likeness *found)
{
    char why[LINE] = "no perturbation is seen beside others that it could be tried on";

    if (isfinite(found->gain))
        snprintf(why, sizeof why,
                 "each perturbation from like ones has %.3f times the squared error of the others' "
                 "mean%s",
                 1 - found->gain,
                 found->chance ? "; the same rows in another order do as well, or there are fewer "
                                 "than four perturbations"
                               : "");
    scs_session_say(
        s, "screen.perturbation_features tells nothing about the responses and is not used: %s",
        why);
}

/* Where the table does not lower the error of perturbations that are left out, or random ones do as
 * well, a chance likeness would do harm: the model is made again without it. Collective. */
static scs_status drop_useless_likeness(scs_session *s)
{
    likeness found;

    SCS_TRY(try_likeness(s, &found));
    if (found.gain > least_gain && !found.chance) {
        scs_session_say(s,
                        "screen.perturbation_features: each perturbation from like ones: squared "
                        "error %.3f of that of the others' mean",
                        1 - found.gain);
        return scs_collective_ok();
    }
    say_useless(s, &found);
    scs_mixed_atlas_destroy(&s->mixed);
    SCS_TRY(scs_comm_agree(s->comm, create_mixed(s, false)));
    return share_estimates(s);
}

static void say_limited(const scs_session *s, const scs_method *method)
{
    if (s->mixed && method->shift == SCS_SHIFT_LIMITED && !scs_mixed_atlas_tells_parts(s->mixed))
        scs_session_say(s,
                        "shift limited is mixed here: there are no limits with doses, nor for more "
                        "than %d groups and controls",
                        SCS_MIXED_EXACT);
}

/* Once for all methods of one atlas. */
static scs_status make_mixed(scs_session *s, scs_method *method)
{
    if (!wants_mixed(s, method))
        return scs_collective_ok();
    if (!s->mixed) {
        SCS_TRY(scs_comm_agree(s->comm, create_mixed(s, true)));
        if (s->mixed)
            SCS_TRY(share_estimates(s));
        if (s->mixed && scs_mixed_atlas_knows_like(s->mixed))
            SCS_TRY(drop_useless_likeness(s));
        say_limited(s, method);
    }
    method->mixed = s->mixed;
    return scs_collective_ok();
}

/* Once for all methods of one atlas: the decoder has no part in it. */
static scs_status resolve_auto(scs_session *s, scs_method *method)
{
    if (!s->chosen) {
        scs_method chosen = *method;

        SCS_TRY(choose_power(s, &chosen));
        SCS_TRY(choose_shift(s, &chosen));
        SCS_TRY(scs_comm_agree(s->comm, SCS_ALLOC(s->chosen, 1)));
        *s->chosen = chosen;
    }
    method->shift = s->chosen->shift;
    method->power = s->chosen->power;
    method->convergence = s->chosen->convergence;
    memcpy(method->share, s->chosen->share, sizeof method->share);
    memcpy(method->error, s->chosen->error, sizeof method->error);
    method->stacked = s->chosen->stacked;
    return scs_collective_ok();
}

/* A test that found nothing is not the same as no test: with the groups of one cell type alone, or
 * none that others predict, nothing can be left out. */
static void say_correction(const scs_session *s, const scs_correction *c)
{
    static const char *const what = "correction by the level that a gene starts from";

    if (c->n_part < 2)
        scs_session_say(s,
                        "%s: none; it takes perturbed groups, predicted from others, of at least "
                        "two cell types or species to learn it and to test it",
                        what);
    else if (c->share > 0)
        scs_session_say(s,
                        "%s: share %.3f, squared error %.3f of that without, each control's groups "
                        "left out in turn",
                        what, c->share, c->error);
    else
        scs_session_say(s, "%s: none; it does not help groups of controls that are left out", what);
}

/* Rank 0 fits; the others get it. Once for all methods of one atlas. Collective. */
static scs_status make_correction(scs_session *s, const scs_method *method)
{
    scs_status st;

    if (s->correction)
        return scs_collective_ok();
    SCS_TRY(scs_comm_agree(s->comm, SCS_ALLOC(s->correction, 1)));
    st = scs_session_leads(s) ? scs_correction_fit(s->atlas, method, s->correction) : SCS_OK;
    SCS_TRY(scs_comm_agree(s->comm, st));
    SCS_TRY(scs_comm_broadcast(s->comm, s->correction, sizeof *s->correction));
    say_correction(s, s->correction);
    return scs_collective_ok();
}

/* Where the rule is chosen by the data. */
static scs_status correct(scs_session *s, scs_method *method)
{
    if (s->config->screen.shift != SCS_SHIFT_AUTO || !s->config->screen.correction)
        return scs_collective_ok();
    SCS_TRY(make_correction(s, method));
    method->correction = s->correction;
    return scs_collective_ok();
}

/* Collective. */
static scs_status choose_blend(const scs_session *s, scs_method *method)
{
    int64_t n = 0;

    double share = 0;

    SCS_TRY(solve_blend(s, method, &share, &n));
    method->blend = fmin(share, most_blend);
    if (share > most_blend)
        scs_session_say(s,
                        "blend %.4f, by leaving out %lld groups in turn (%.4f, but the model has "
                        "seen them: %g at most)",
                        method->blend, (long long)n, share, most_blend);
    else
        scs_session_say(s, "blend %.4f, by leaving out %lld groups in turn%s", method->blend,
                        (long long)n,
                        share > 0 ? "" : ": the model adds nothing to the sources' own changes");
    return SCS_OK;
}

/* Power before rule: a rule is tried with the power that it will have. Models without a latent
 * space work in gene space, where nothing is decoded. */
scs_status scs_screen_method(scs_session *s, int decode, scs_method *method)
{
    *method = scs_shift_method_from_config(s->config);
    method->decode = decode;
    method->learnt_latent = s->model != NULL;
    if (!scs_session_model_has_latent(s))
        *method = scs_predict_in_gene_space(*method);
    SCS_TRY(make_mixed(s, method));
    if (method->shift == SCS_SHIFT_AUTO)
        SCS_TRY(resolve_auto(s, method));
    else if (method->power == SCS_POWER_AUTO && scs_rule_shift_at(method->shift)->uses_power)
        SCS_TRY(choose_power(s, method));
    else if (scs_rule_shift_at(method->shift)->uses_convergence)
        SCS_TRY(choose_convergence(s, method));
    SCS_TRY(correct(s, method));
    if (scs_rule_decode_at(method->decode)->uses_share && method->blend == SCS_BLEND_AUTO)
        SCS_TRY(choose_blend(s, method));
    return scs_collective_ok();
}
