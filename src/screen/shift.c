/* Shifts: where each is learnt from, and by which weights. All functions are Local.
 *
 * Every rule of screen.shift ends in a weighted sum of group means (scs_sources). That one form
 * is what all else rests on: the same weights hold in latent space, in gene space, for means
 * drawn anew (permutations, bootstrap) and for the error of the sum. With s_t = perturbed mean -
 * control mean of a cell type t, over types seen in both conditions, the target's own left out:
 *
 *     nearest      sum_t w_t s_t, w ~ 1 / distance^power of control means
 *     paired       the same with equal weights
 *     balanced     mean of perturbed means - mean of control means, over all types that have them:
 *                  the exact expectation of scGen's resampling (Lotfollahi et al. 2019)
 *     regression   s regressed on control means (scVIDR: Kana et al., Patterns 2023), with a ridge
 *                  penalty, as a few types span few of the latent directions; in the dual form the
 *                  prediction is a weighted sum of the s_t
 *     converging   paired, and a share of what sets the target's controls apart from the others'
 *     mixed        the best linear predictor of a mixed model of all shifts and control means of
 *                  all species (mixed.h)
 *     limited      the same, and what no gene has more of than noise, beside the weights (limit.h)
 *
 * Several rules together are the weighted mean of theirs (choose_shift.c).
 * A target is first taken to pieces (scs_shift_components): a pair of perturbations into its two,
 * a dose that was not measured into its neighbours. Each piece is then looked for in this order,
 * and the first that has an answer gives it: the target's own cells (pieces only), other types of
 * its species, other species, its own cells. Where the mixed model has the word, it answers for
 * pieces in their place, at the target's own dose. What was used is kept in words for the result's
 * column `source`. Held-out groups are never used (scs_atlas_usable_group).
 *
 * Kinds of sources, as the result names them:
 *     own         other cell types of the species
 *     donors      other species: the nearest by controls of the same type, or the mean of all
 *     average     another species, by the published half-and-half rule
 *     measured    the type's own cells under the pieces of a pair or beside a dose
 *     like        perturbations of like features (screen.perturbation_features), where no cell
 *                 shows the target's own
 *     self        nothing but the target's own cells shows the perturbation: no prediction of
 *                 what was not seen, but of what was
 *
 * Cost of one estimate: the types that show the condition, times one distance each (looked up),
 * then O(sources x n_latent) for the shift itself.
 */
#include "src/screen/shift.h"

#include "src/base/vector.h"
#include "src/config/profile.h"
#include "src/config/rule.h"
#include "src/data/dose.h"
#include "src/kernels/lapack.h"
#include "src/screen/limit.h"
#include "src/screen/mixed_atlas.h"
#include "src/screen/pooled_weights.h"
#include "src/screen/predict.h"
#include "scscreen/latent.h"
#include "scscreen/screen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A type's controls, -1 where they may not be used. */
static int32_t control_of(const scs_estimate *e, int32_t type)
{
    return scs_atlas_usable_group(e->atlas, e->species, type, e->atlas->control);
}

/* n control means less their mean, so that the ridge does not pull towards the origin of latent
 * space.
 * @param[out] centred [n, d]  @param[out] centre [d] */
static void centre_controls(const scs_estimate *e, const int32_t *type, int32_t n, double *centred,
                            double *centre)
{
    int32_t d = e->atlas->n_latent;

    for (int32_t j = 0; j < d; j++) {
        centre[j] = 0;
        for (int32_t i = 0; i < n; i++)
            centre[j] += scs_atlas_group_mean(e->atlas, control_of(e, type[i]))[j] / n;
        for (int32_t i = 0; i < n; i++)
            centred[(int64_t)i * d + j] =
                scs_atlas_group_mean(e->atlas, control_of(e, type[i]))[j] - centre[j];
    }
}

/* kernel = C C' + ridge trace(C C') / n on the diagonal: the ridge is in units of the mean
 * squared distance of control means from their mean, whatever the scale of latent space.
 * @return trace */
static double fill_kernel(const double *centred, int32_t n, int32_t d, double ridge, double *kernel)
{
    double trace = 0;

    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < n; k++)
            kernel[i * n + k] = scs_vector_dot(centred + i * d, centred + k * d, d);
    for (int64_t i = 0; i < n; i++)
        trace += kernel[i * n + i];
    for (int64_t i = 0; i < n; i++)
        kernel[i * n + i] += ridge * trace / n;
    return trace;
}

/* Kernel x weight = right-hand side, by Cholesky. SCS_EINTERNAL.
 * @param weight [n] the right-hand side C (target - centre), then the solution
 * @param kernel [n, n] destroyed */
static scs_status solve(double *kernel, int32_t n, double *weight)
{
    int one = 1, info = 0;

    dposv_("U", &n, &one, kernel, &n, weight, &n, &info);
    SCS_REQUIRE(info == 0, SCS_EINTERNAL, "regression of shifts on %d control means failed (%d)", n,
                info);
    return SCS_OK;
}

/* Predicted shift = mean shift + sum a_i (shift_i - mean shift): one weight for each shift.
 * @param weight [n] a, then the weights, which sum to 1 */
static void to_weights(double *weight, int32_t n)
{
    double mean = 0;

    for (int32_t i = 0; i < n; i++)
        mean += weight[i] / n;
    for (int32_t i = 0; i < n; i++)
        weight[i] += 1. / n - mean;
}

/* Weights of paired types by ridge regression of their shifts on their control means, evaluated
 * at the target: a = (K + ridge tr(K) / n I)^-1 C (target - centre), K = C C'. O(n^2 d + n^3).
 * @param type [n] paired types  @param[out] weight [n] they sum to 1 */
static scs_status regression_weights(const scs_estimate *e, const int32_t *type, int32_t n,
                                     double *weight)
{
    int32_t d = e->atlas->n_latent;
    double *centred = NULL, *centre = NULL, *kernel = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(centred, (int64_t)n * d));
    SCS_GO(st, SCS_ALLOC(centre, d));
    SCS_GO(st, SCS_ALLOC(kernel, (int64_t)n * n));
    centre_controls(e, type, n, centred, centre);
    for (int32_t j = 0; j < d; j++)
        centre[j] = e->target[j] - centre[j];
    for (int32_t i = 0; i < n; i++)
        weight[i] = scs_vector_dot(centred + (int64_t)i * d, centre, d);
    /* Without spread among the controls (one type) there is nothing to regress on. */
    if (fill_kernel(centred, n, d, e->method->ridge, kernel) > 0)
        SCS_GO(st, solve(kernel, n, weight));
    to_weights(weight, n);
done:
    free(kernel);
    free(centre);
    free(centred);
    return st;
}

/* Above so many control groups no table of distances is made, which would fill the memory: they
 * are measured when they are asked for. */
enum { MOST_MEASURED = 2048 };

/* Squared Euclidean distance of two groups' mean expression. O(n_gene). */
static double gene_distance(const scs_atlas *a, int32_t g, int32_t h)
{
    const float *x = scs_atlas_group_gene_mean(a, g), *y = scs_atlas_group_gene_mean(a, h);
    double d = 0;

    for (int32_t i = 0; i < a->n_gene; i++)
        d += ((double)x[i] - y[i]) * ((double)x[i] - y[i]);
    return d;
}

/* Where each control group stands in the table of distances; -1 for other groups. */
static scs_status number_controls(scs_atlas *a)
{
    if (!a->control_at)
        SCS_TRY(SCS_ALLOC(a->control_at, a->n_group));
    a->n_control = 0;
    for (int32_t g = 0; g < a->n_group; g++)
        a->control_at[g] = a->group[g].condition == a->control ? a->n_control++ : -1;
    return SCS_OK;
}

/* O(controls^2 n_gene), once: a shift then looks distances up, millions of times. Threads take
 * rows; each pair is measured by one of them. Calling it again measures again. */
scs_status scs_shift_measure_controls(scs_atlas *a)
{
    int64_t n;

    SCS_TRY(number_controls(a));
    a->by_expression = true;
    n = a->n_control;
    if (n > MOST_MEASURED)
        return SCS_OK;
    if (!a->control_distance)
        SCS_TRY(SCS_ALLOC(a->control_distance, n * n));
#pragma omp parallel for schedule(dynamic)
    for (int32_t g = 0; g < a->n_group; g++)
        for (int32_t h = 0; a->control_at[g] >= 0 && h < g; h++)
            if (a->control_at[h] >= 0)
                a->control_distance[a->control_at[g] * n + a->control_at[h]] =
                    a->control_distance[a->control_at[h] * n + a->control_at[g]] =
                        gene_distance(a, g, h);
    return SCS_OK;
}

/* Squared distance of a control group from the target's: by mean expression where the atlas has
 * been asked to measure it (screen.distance: genes), else in latent space. */
static double control_distance_of(const scs_estimate *e, int32_t group)
{
    const scs_atlas *a = e->atlas;

    if (!a->by_expression)
        return scs_vector_squared_distance(scs_atlas_group_mean(a, group), e->target, a->n_latent);
    if (!a->control_distance)
        return gene_distance(a, group, e->target_group);
    return a->control_distance[(int64_t)a->control_at[group] * a->n_control +
                               a->control_at[e->target_group]];
}

/* A type's cells under the condition, -1 where they may not be used; never the target's own. */
static int32_t perturbed_of(const scs_estimate *e, int32_t type)
{
    return type == e->leave_out ? -1
                                : scs_atlas_usable_group(e->atlas, e->species, type, e->condition);
}

/* Whether the type was seen, and may be used, in both conditions. */
static bool is_paired(const scs_estimate *e, int32_t type)
{
    return control_of(e, type) >= 0 && perturbed_of(e, type) >= 0;
}

/* Whether any type of the species has control cells. */
static bool has_controls(const scs_estimate *e)
{
    int32_t n;
    const int32_t *type = scs_atlas_types(e->atlas, e->species, e->atlas->control, &n);

    for (int32_t i = 0; i < n; i++)
        if (control_of(e, type[i]) >= 0)
            return true;
    return false;
}

/* Whether the rule has something to go by in this species: a pair, or any perturbed and any
 * control cells. There may be a hundred types, of which few show the perturbation: only those
 * are looked at. */
static bool rule_can(const scs_estimate *e, const scs_rule_shift *rule)
{
    int32_t n;
    const int32_t *type = scs_atlas_types(e->atlas, e->species, e->condition, &n);

    if (rule->needs_mixed &&
        !(e->method->mixed && scs_mixed_atlas_has(e->method->mixed, e->target_group)))
        return false;
    for (int32_t i = 0; i < n; i++)
        if (rule->needs_pairs ? is_paired(e, type[i])
                              : perturbed_of(e, type[i]) >= 0 && has_controls(e))
            return true;
    return false;
}

static double able_share(const scs_estimate *e, int shift)
{
    double share = scs_shift_rule_share(e->method, shift);

    return share > 0 && rule_can(e, scs_rule_shift_at(shift)) ? share : 0;
}

/* Whether a rule that has all species in it can be asked: this one may show no pairs. */
static bool can_anywhere(const scs_estimate *e, int shift)
{
    for (int32_t s = 0; s < e->atlas->species.n; s++) {
        scs_estimate there = *e;

        there.species = s;
        there.leave_out = s == e->species ? e->leave_out : -1;
        if (able_share(&there, shift) > 0)
            return true;
    }
    return false;
}

/* Whether the species can say anything about this condition. */
static bool can_estimate(const scs_estimate *e)
{
    for (int i = 0; i < SCS_N_SHIFT; i++)
        if (able_share(e, i) > 0)
            return true;
    return false;
}

/* Adds to a group's weight. Where a group is in the list is an index that is never cleared: it
 * holds only where the list agrees (Briggs and Torczon, 1993). */
static void sources_add(scs_sources *sources, int32_t group, double weight)
{
    int32_t i = sources->at[group];

    if (i >= sources->n || sources->group[i] != group) {
        i = sources->at[group] = sources->n++;
        sources->group[i] = group;
        sources->weight[i] = sources->limits.shrunk[i] = 0;
        sources->limits.denoised[i] = sources->limits.whole[i] = 0;
    }
    sources->weight[i] += weight;
}

/* Mean over types of perturbed means - mean over types of control means: the expectation of
 * scGen's resampling. The two averages run over different types where some were seen in one
 * condition alone; the target's control cells count, its perturbed ones do not: as there. */
static scs_status add_balanced(const scs_estimate *e, double scale, scs_sources *sources)
{
    int32_t n_control = 0, n_perturbed = 0;

    for (int32_t t = 0; t < e->atlas->cell_types.n; t++) {
        n_control += control_of(e, t) >= 0;
        n_perturbed += perturbed_of(e, t) >= 0;
    }
    for (int32_t t = 0; t < e->atlas->cell_types.n; t++) {
        if (control_of(e, t) >= 0)
            sources_add(sources, control_of(e, t), -scale / n_control);
        if (perturbed_of(e, t) >= 0)
            sources_add(sources, perturbed_of(e, t), scale / n_perturbed);
    }
    return SCS_OK;
}

/* Squared distance of a type's controls from the target's. */
static double distance_of(const scs_estimate *e, int32_t type)
{
    return control_distance_of(e, control_of(e, type));
}

/* Squared distance of the paired type nearest to the target; INFINITY where there is none. */
static double nearest_distance(const scs_estimate *e)
{
    double nearest = INFINITY;
    int32_t n;
    const int32_t *type = scs_atlas_types(e->atlas, e->species, e->condition, &n);

    for (int32_t i = 0; i < n; i++)
        if (is_paired(e, type[i]))
            nearest = fmin(nearest, distance_of(e, type[i]));
    return nearest;
}

/* (nearest / distance)^power, from squared distances and at most 1. The usual power needs no
 * pow(): shifts are estimated millions of times. */
static double closeness(double nearest, double distance, double power)
{
    double ratio = nearest / distance;

    return power == 4 ? ratio * ratio : pow(ratio, power / 2);
}

/* Weights of paired types: they sum to 1. @param type [n]  @param[out] weight [n] */
typedef scs_status weigh(const scs_estimate *e, const int32_t *type, int32_t n, double *weight);

/* 1 / distance^power, relative to the nearest, so that it neither overflows nor vanishes, and
 * normalised to a sum of 1. A type at distance 0 leaves nothing to the others (unless power is
 * 0). */
static scs_status weigh_by_closeness(const scs_estimate *e, const int32_t *type, int32_t n,
                                     double *weight)
{
    double nearest = INFINITY, all = 0;

    for (int32_t i = 0; i < n; i++) {
        weight[i] = distance_of(e, type[i]);
        nearest = fmin(nearest, weight[i]);
    }
    for (int32_t i = 0; i < n; i++) {
        weight[i] = weight[i] <= nearest ? 1 : closeness(nearest, weight[i], e->method->power);
        all += weight[i];
    }
    for (int32_t i = 0; i < n; i++)
        weight[i] /= all;
    return SCS_OK;
}

/* Each the same. */
static scs_status weigh_alike(const scs_estimate *e, const int32_t *type, int32_t n, double *weight)
{
    (void)e;
    (void)type;
    for (int32_t i = 0; i < n; i++)
        weight[i] = 1. / n;
    return SCS_OK;
}

/* Weighted mean over paired types of perturbed mean - control mean, times scale. Uses the
 * sources' scratch (type, share). */
static scs_status add_pairs(const scs_estimate *e, weigh *weigh_types, double scale,
                            scs_sources *sources)
{
    int32_t n_seen, n = 0, *type = sources->type;
    const int32_t *seen = scs_atlas_types(e->atlas, e->species, e->condition, &n_seen);
    double *weight = sources->share;

    for (int32_t i = 0; i < n_seen; i++)
        if (is_paired(e, seen[i]))
            type[n++] = seen[i];
    SCS_TRY(weigh_types(e, type, n, weight));
    for (int32_t i = 0; i < n; i++) {
        sources_add(sources, perturbed_of(e, type[i]), scale * weight[i]);
        sources_add(sources, control_of(e, type[i]), -scale * weight[i]);
    }
    return SCS_OK;
}

/* The default: closeness of control means says which types respond alike. */
static scs_status add_nearest(const scs_estimate *e, double scale, scs_sources *sources)
{
    return add_pairs(e, weigh_by_closeness, scale, sources);
}

/* As whoever has not seen which of a type's cells are perturbed; the target's own are among those
 * that permutations move. */
static scs_status weigh_pools(const scs_estimate *e, const int32_t *type, int32_t n, double *weight)
{
    const scs_group *of = &e->atlas->group[e->target_group];
    scs_pool target = {e->target_group,
                       scs_atlas_usable_group(e->atlas, of->species, of->cell_type, e->condition)},
             *source;
    scs_status st;

    SCS_TRY(SCS_ALLOC(source, n));
    for (int32_t i = 0; i < n; i++)
        source[i] = (scs_pool){control_of(e, type[i]), perturbed_of(e, type[i])};
    st = scs_pooled_weights(e->atlas, &target, source, n, weight);
    free(source);
    return st;
}

/* Plain mean, but for p-values. */
static scs_status add_paired(const scs_estimate *e, double scale, scs_sources *sources)
{
    return add_pairs(e, e->method->exchangeable ? weigh_pools : weigh_alike, scale, sources);
}

/* paired + beta (mean of the sources' controls - the target's): a response that brings types
 * together takes a share of what sets the target apart. Not across species, whose controls differ
 * by more than types do. */
static scs_status add_converging(const scs_estimate *e, double scale, scs_sources *sources)
{
    double beta = scale * e->method->convergence;
    int32_t n_seen, n = 0;
    const int32_t *seen = scs_atlas_types(e->atlas, e->species, e->condition, &n_seen);

    SCS_TRY(add_paired(e, scale, sources));
    if (e->atlas->group[e->target_group].species != e->species)
        return SCS_OK;
    for (int32_t i = 0; i < n_seen; i++)
        n += is_paired(e, seen[i]);
    for (int32_t i = 0; i < n_seen; i++)
        if (is_paired(e, seen[i]))
            sources_add(sources, control_of(e, seen[i]), beta / n);
    sources_add(sources, e->target_group, -beta);
    return SCS_OK;
}

/* Weights may be negative: the fit may lie outside the types. */
static scs_status add_regression(const scs_estimate *e, double scale, scs_sources *sources)
{
    return add_pairs(e, regression_weights, scale, sources);
}

/* What is no more than rounding of the largest is left away. */
static void add_weights(const double *weight, int32_t n_group, double scale, scs_sources *sources)
{
    double largest = 0;

    for (int32_t g = 0; g < n_group; g++)
        largest = fmax(largest, fabs(weight[g]));
    for (int32_t g = 0; g < n_group; g++)
        if (fabs(weight[g]) > 1e-9 * largest)
            sources_add(sources, g, scale * weight[g]);
}

/* Of several pieces the sum, as of the weights. */
static scs_status add_common(const double *common, int32_t n, double scale, scs_sources *sources)
{
    if (!sources->common)
        SCS_TRY(SCS_ALLOC(sources->common, n));
    sources->n_common = n;
    for (int32_t i = 0; i < n; i++)
        sources->common[i] += scale * common[i];
    return SCS_OK;
}

/* The limits of what has been asked, beside its weights. Groups of no weight come to the list with
 * 0. */
static void add_limits(const scs_mixed_atlas *mixed, const scs_mixed_target *target,
                       const scs_mixed_group_weights *of, int32_t n_group, double scale,
                       scs_sources *sources)
{
    scs_limits *limits = &sources->limits;

    limits->mixed = mixed;
    limits->control_group = target->control_group;
    limits->share = scale;
    for (int32_t g = 0; g < n_group; g++) {
        if (of->weight[g] == 0 && of->shrunk[g] == 0 && of->denoised[g] == 0)
            continue;
        sources_add(sources, g, 0);
        limits->shrunk[sources->at[g]] = scale * of->shrunk[g];
        limits->denoised[sources->at[g]] = scale * of->denoised[g];
        limits->whole[sources->at[g]] = scale * (of->weight[g] + of->shrunk[g]);
    }
}

/* The mixed model's weights, times scale; the sources' variance becomes its own. */
static scs_status ask_mixed(const scs_atlas *atlas, const scs_mixed_atlas *mixed,
                            const scs_mixed_target *target, bool limited, double scale,
                            scs_sources *sources)
{
    int32_t n_common = scs_mixed_atlas_weighs_all(mixed) ? scs_mixed_atlas_contexts(mixed) : 0;
    scs_mixed_group_weights of = {0};
    scs_status st;

    SCS_GO(st, SCS_ALLOC(of.weight, atlas->n_group));
    if (n_common > 0)
        SCS_GO(st, SCS_ALLOC(of.common, n_common));
    if (limited) {
        SCS_GO(st, SCS_ALLOC(of.shrunk, atlas->n_group));
        SCS_GO(st, SCS_ALLOC(of.denoised, atlas->n_group));
    }
    SCS_GO(st, scs_mixed_atlas_weigh(mixed, target, &of));
    add_weights(of.weight, atlas->n_group, scale, sources);
    if (limited)
        add_limits(mixed, target, &of, atlas->n_group, scale, sources);
    if (n_common > 0)
        SCS_GO(st, add_common(of.common, n_common, scale, sources));
    sources->has_common = sources->has_common && of.has_common;
    sources->variance = of.variance;
    sources->modelled += scale;
done:
    free(of.denoised);
    free(of.shrunk);
    free(of.common);
    free(of.weight);
    return st;
}

static scs_mixed_target mixed_target(const scs_estimate *e, int32_t left_out)
{
    return (scs_mixed_target){e->target_group, scs_atlas_perturbation(e->atlas, e->condition),
                              scs_atlas_dose(e->atlas, e->condition), left_out};
}

static scs_status ask_model(const scs_estimate *e, bool limited, double scale, scs_sources *sources)
{
    const scs_group *of = &e->atlas->group[e->target_group];
    scs_mixed_target target =
        mixed_target(e, scs_atlas_usable_group(e->atlas, of->species, of->cell_type, e->condition));

    return ask_mixed(e->atlas, e->method->mixed, &target, limited, scale, sources);
}

static scs_status add_mixed(const scs_estimate *e, double scale, scs_sources *sources)
{
    return ask_model(e, false, scale, sources);
}

/* Doses and very large atlases have no parts that could be limited: the model as it is. */
static scs_status add_limited(const scs_estimate *e, double scale, scs_sources *sources)
{
    return ask_model(e, scs_mixed_atlas_tells_parts(e->method->mixed), scale, sources);
}

typedef scs_status adder(const scs_estimate *e, double scale, scs_sources *sources);

/* How each rule weighs: adds scale x its weights to the sources, asked only where there are types
 * it can learn from. What else there is to know of a rule is in src/config/rule.c. SCS_ENOMEM,
 * SCS_EINTERNAL. */
static adder *const add_rule[] = {
    [SCS_SHIFT_NEAREST] = add_nearest,       [SCS_SHIFT_PAIRED] = add_paired,
    [SCS_SHIFT_BALANCED] = add_balanced,     [SCS_SHIFT_REGRESSION] = add_regression,
    [SCS_SHIFT_CONVERGING] = add_converging, [SCS_SHIFT_MIXED] = add_mixed,
    [SCS_SHIFT_LIMITED] = add_limited,
};

_Static_assert(sizeof add_rule / sizeof *add_rule == SCS_N_SHIFT,
               "a function for each scs_shift_method");

double scs_shift_rule_share(const scs_method *method, int shift)
{
    return method->shift == SCS_SHIFT_AUTO ? method->share[shift] : method->shift == shift;
}

double scs_shift_rule_mixed_share(const scs_method *method)
{
    return scs_shift_rule_share(method, SCS_SHIFT_MIXED) +
           scs_shift_rule_share(method, SCS_SHIFT_LIMITED);
}

bool scs_shift_rule_fixed(const scs_method *method)
{
    return method->shift == SCS_SHIFT_AUTO || scs_rule_shift_at(method->shift)->learns;
}

bool scs_shift_rule_knows_error(const scs_method *method)
{
    return method->mixed && scs_predict_share(method) <= .5;
}

/* Add scale x the estimate's weights to the sources: those of all rules that can be asked. The last
 * of the table comes first, as it names most groups. */
static scs_status estimate_add(const scs_estimate *e, double scale, scs_sources *sources)
{
    double share[SCS_N_SHIFT], all = 0;

    for (int i = 0; i < SCS_N_SHIFT && e->weigh; i++)
        all += share[i] = scs_rule_shift_at(i)->needs_mixed && can_anywhere(e, i)
                              ? scs_shift_rule_share(e->method, i)
                              : able_share(e, i);
    for (int i = SCS_N_SHIFT - 1; i >= 0 && e->weigh; i--)
        if (share[i] > 0)
            SCS_TRY(add_rule[i](e, scale * share[i] / all, sources));
    return SCS_OK;
}

/* A target while it is taken to pieces. */
typedef struct taking {
    const scs_atlas *atlas;
    const scs_method *method;
    const scs_combination *target;
    bool part;     /* the target's own cells may be used */
    bool anywhere; /* other species may be used */
} taking;

/* Whether a shift under the condition can be estimated, in the places that are allowed: the
 * target's own cells, other types of its species, other species. */
static bool can_say(const taking *t, int32_t condition)
{
    const scs_combination *c = t->target;
    scs_estimate e = {.atlas = t->atlas,
                      .method = t->method,
                      .species = c->species,
                      .leave_out = c->cell_type,
                      .condition = condition,
                      .target_group = c->control_group};

    if (t->part && scs_atlas_usable_group(t->atlas, c->species, c->cell_type, condition) >= 0)
        return true;
    if (can_estimate(&e))
        return true;
    e.leave_out = -1;
    for (e.species = 0; t->anywhere && e.species < t->atlas->species.n; e.species++)
        if (e.species != c->species && can_estimate(&e))
            return true;
    return false;
}

/* One more piece: the target as if it were of this condition. @param share of its shift */
static void add(const taking *t, int32_t condition, double share, scs_shift_component *part,
                int32_t *n)
{
    scs_combination one = *t->target;

    one.condition = condition;
    if (condition >= 0) {
        one.perturbation = scs_atlas_perturbation(t->atlas, condition);
        one.dose = scs_atlas_dose(t->atlas, condition);
    }
    one.pair = 0;
    one.part = t->part;
    part[(*n)++] = (scs_shift_component){one, share};
}

/* The neighbouring doses about which something is known, with shares by the way between them on
 * the scale log(1 + dose); without a lower one, between no shift at dose 0 and the higher one.
 * @return whether the dose lies between 0 and one that something is known of */
static bool add_between(const taking *t, int32_t perturbation, scs_shift_component *part,
                        int32_t *n)
{
    const scs_dose_list *d = &t->atlas->doses;
    int32_t below = -1, above = -1;
    double dose = t->target->dose, low = 0, way;
    taking beside = *t;

    beside.part = true;
    for (int32_t c = 0; c < d->n; c++) {
        if (d->perturbation[c] != perturbation || !can_say(&beside, c))
            continue;
        if (d->dose[c] < dose)
            below = c;
        else if (d->dose[c] > dose && above < 0)
            above = c;
    }
    if (above < 0)
        return false;
    if (below >= 0)
        low = d->dose[below];
    way = scs_dose_way(low, dose, d->dose[above]);
    if (below >= 0)
        add(&beside, below, 1 - way, part, n);
    add(&beside, above, way, part, n);
    return true;
}

/* One perturbation at the target's dose: first as the species itself knows it (measured dose,
 * then between doses), then as any species does. @return whether anything is known */
static bool add_single(taking *t, int32_t perturbation, scs_shift_component *part, int32_t *n)
{
    int32_t condition = scs_atlas_condition(t->atlas, perturbation, t->target->dose);

    for (int anywhere = 0; anywhere < 2; anywhere++) {
        t->anywhere = anywhere;
        if (condition >= 0 && can_say(t, condition)) {
            add(t, condition, 1, part, n);
            return true;
        }
        if (add_between(t, perturbation, part, n))
            return true;
    }
    if (condition < 0)
        return false;
    add(t, condition, 1, part, n); /* its own cells, or nothing */
    return true;
}

/* Where nothing can be in between (no doses, no pair) the target stands for itself; a component
 * that is part of a sum is not taken to pieces again. */
int32_t scs_shift_components(const scs_atlas *atlas, const scs_method *method,
                             const scs_combination *target, scs_shift_component *part)
{
    taking t = {atlas, method, target, target->part || target->pair > 0, false};
    int32_t n = 0;

    if (!target->pair && (atlas->doses.n == 0 || target->part)) {
        add(&t, target->condition, 1, part, &n);
        return n;
    }
    if (!add_single(&t, target->perturbation, part, &n) ||
        (target->pair && !add_single(&t, target->second, part, &n)))
        return 0;
    return n;
}

/* ---- other species ---- */

/* The same question of another species, in which no type is left out. */
static scs_estimate of_donor(const scs_estimate *own, int32_t species)
{
    scs_estimate e = *own;

    e.species = species;
    e.leave_out = -1;
    return e;
}

/* Whether another species can answer it: itself it is none. */
static bool is_donor(const scs_estimate *own, int32_t species)
{
    scs_estimate e = of_donor(own, species);

    return species != own->species && can_estimate(&e);
}

/* How far a donor's control cells are: those of the target's type (INFINITY without them), or,
 * with same_type false, those of its nearest type that saw the perturbation. */
static double donor_distance(const scs_estimate *own, int32_t species, int32_t type, bool same_type)
{
    scs_estimate e = of_donor(own, species);
    int32_t control = control_of(&e, type);

    if (!same_type)
        return nearest_distance(&e);
    if (control < 0)
        return INFINITY;
    return control_distance_of(own, control);
}

/* The donor whose controls are nearest; of equal ones the first species.
 * @return -1 where no donor has control cells of the target's type, or there is no donor at all */
static int32_t nearest_donor(const scs_estimate *own, int32_t type, bool same_type)
{
    double nearest = INFINITY;
    int32_t best = -1;

    for (int32_t s = 0; s < own->atlas->species.n; s++) {
        double distance;

        if (!is_donor(own, s))
            continue;
        distance = donor_distance(own, s, type, same_type);
        if (distance < nearest || (!same_type && best < 0)) {
            nearest = distance;
            best = s;
        }
    }
    return best;
}

/* Appends two words to the text, as far as there is room: what is cut is only for readers. */
static void say(scs_sources *sources, const char *before, const char *name)
{
    size_t used = strlen(sources->text);
    const char *const words[] = {before, name};

    for (int i = 0; i < 2; i++)
        for (const char *c = words[i]; *c && used + 1 < SCS_SOURCE_MAX; c++)
            sources->text[used++] = *c;
    sources->text[used] = '\0';
}

/* What a shift is learnt from, in the words of the result's column `source`. */
static const struct {
    const char *word;
    bool other_species;
} kinds[] = {
    [SCS_SOURCE_NONE] = {.word = ""},
    [SCS_SOURCE_OWN] = {.word = "own"},
    [SCS_SOURCE_DONORS] = {.word = "donors", .other_species = true},
    [SCS_SOURCE_AVERAGE] = {.word = "average", .other_species = true},
    [SCS_SOURCE_SELF] = {.word = "self"},
    [SCS_SOURCE_MEASURED] = {.word = "measured"},
    [SCS_SOURCE_LIKE] = {.word = "like"},
};

/* Notes what the shift is learnt from, as kind and in words: "own", "donors: a", then "+b".
 * @param species whose groups they are; NULL: the target's own */
static void sources_tell(scs_sources *sources, scs_source_kind kind, const char *species)
{
    bool more = sources->text[0] != '\0';

    sources->kind = kind;
    say(sources, more ? "+" : kinds[kind].word, species && !more ? ": " : "");
    say(sources, species ? species : "", "");
}

/* cross_species: mean. The mean of all donors' estimates, each species with the same share. */
static scs_status ask_all_donors(const scs_estimate *own, double share, scs_sources *sources)
{
    int32_t n = 0;

    for (int32_t s = 0; s < own->atlas->species.n; s++)
        n += is_donor(own, s);
    for (int32_t s = 0; s < own->atlas->species.n; s++) {
        scs_estimate e = of_donor(own, s);

        if (!is_donor(own, s))
            continue;
        sources_tell(sources, SCS_SOURCE_DONORS, own->atlas->species.name[s]);
        SCS_TRY(estimate_add(&e, share / n, sources));
    }
    return SCS_OK;
}

/* The published rule's second half: half of the way from the donor's perturbed cells of the
 * same type, carried over by the mean difference of the two species' control cells, to the
 * target's controls (Lotfollahi et al. 2019, figure 6). With the donor's own half before it,
 *
 *     z = 1/2 (control + delta_donor) + 1/2 (perturbed_donor + mean over types of (own - donor
 * controls))
 *
 * @param own, donor the question as each species is asked it */
static void add_carried(const scs_estimate *own, const scs_estimate *donor,
                        const scs_shift_component *part, scs_sources *sources)
{
    int32_t n_type = own->atlas->cell_types.n, n = 0;
    double half = .5 * part->share;

    for (int32_t t = 0; t < n_type; t++)
        n += control_of(own, t) >= 0 && control_of(donor, t) >= 0;
    for (int32_t t = 0; t < n_type; t++)
        if (control_of(own, t) >= 0 && control_of(donor, t) >= 0) {
            sources_add(sources, control_of(own, t), half / n);
            sources_add(sources, control_of(donor, t), -half / n);
        }
    sources_add(sources, perturbed_of(donor, part->target.cell_type), half);
    sources_add(sources, part->target.control_group, -half);
}

/* One species' estimate. The half-and-half rule (cross_species: average) is not defined without
 * perturbed cells of the target's type, or without controls that both species have: then the
 * donor's estimate is taken alone. */
static scs_status ask_donor(const scs_estimate *own, int32_t species,
                            const scs_shift_component *part, scs_sources *sources)
{
    scs_estimate e = of_donor(own, species);
    int32_t type = part->target.cell_type;
    bool average = own->method->cross_species == SCS_CROSS_AVERAGE && perturbed_of(&e, type) >= 0 &&
                   control_of(&e, type) >= 0;

    sources_tell(sources, average ? SCS_SOURCE_AVERAGE : SCS_SOURCE_DONORS,
                 own->atlas->species.name[species]);
    SCS_TRY(estimate_add(&e, part->share * (average ? .5 : 1), sources));
    if (average)
        add_carried(own, &e, part, sources);
    return SCS_OK;
}

/* The mixed model has all species in it. @return whether any other one saw the condition */
static bool name_donors(const scs_estimate *own, scs_sources *sources)
{
    for (int32_t s = 0; s < own->atlas->species.n; s++)
        if (is_donor(own, s))
            sources_tell(sources, SCS_SOURCE_DONORS, own->atlas->species.name[s]);
    return sources->kind == SCS_SOURCE_DONORS;
}

/* The species that saw the piece's condition, as method->cross_species wants them, named in the
 * sources' text. The kind stays NONE where there is none. */
static scs_status ask_donors(const scs_estimate *own, const scs_shift_component *part,
                             scs_sources *sources)
{
    int32_t nearest;

    if (scs_shift_rule_mixed_share(own->method) > 0 && own->method->mixed) {
        bool limited = scs_shift_rule_share(own->method, SCS_SHIFT_LIMITED) > 0;

        if (!name_donors(own, sources) || !own->weigh)
            return SCS_OK;
        return (limited ? add_limited : add_mixed)(own, part->share, sources);
    }
    nearest = nearest_donor(own, part->target.cell_type, true);
    if (nearest < 0)
        nearest = nearest_donor(own, part->target.cell_type, false);
    if (nearest < 0)
        return SCS_OK;
    if (own->method->cross_species != SCS_CROSS_MEAN)
        return ask_donor(own, nearest, part, sources);
    return ask_all_donors(own, part->share, sources);
}

/* Nothing is resolved here: what is `auto` depends on the data. */
scs_method scs_shift_method_from_config(const scs_config *config)
{
    return (scs_method){.shift = config->screen.shift,
                        .power = config->screen.nearest_power,
                        .cross_species = config->screen.cross_species,
                        .ridge = config->screen.ridge,
                        .decode = config->screen.decode,
                        .blend = config->screen.blend,
                        .magnitude = scs_profile_magnitude(config),
                        .variance = config->screen.variance,
                        .products = config->screen.products};
}

/* Room for every group once: sources never grow while a shift is estimated. SCS_ENOMEM. */
static scs_status allocate(int32_t n_group, int32_t n_type, scs_sources *sources)
{
    sources->capacity = n_group;
    SCS_TRY(SCS_ALLOC(sources->group, n_group));
    SCS_TRY(SCS_ALLOC(sources->weight, n_group));
    SCS_TRY(SCS_ALLOC(sources->limits.shrunk, n_group));
    SCS_TRY(SCS_ALLOC(sources->limits.denoised, n_group));
    SCS_TRY(SCS_ALLOC(sources->limits.whole, n_group));
    SCS_TRY(SCS_ALLOC(sources->at, n_group));
    SCS_TRY(SCS_ALLOC(sources->type, n_type));
    return SCS_ALLOC(sources->share, n_type);
}

/* @param n_group the most groups that can be added; n_type size of the scratch, 0: none */
static scs_status create(int32_t n_group, int32_t n_type, scs_sources **sources)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*sources, 1));
    st = allocate(n_group, n_type, *sources);
    if (st != SCS_OK)
        scs_shift_sources_destroy(sources);
    return st;
}

/* Made once for a thread and used for many targets. */
scs_status scs_shift_sources_create(const scs_atlas *atlas, scs_sources **sources)
{
    return create(atlas->n_group, atlas->cell_types.n, sources);
}

/* Keeps what matters for long; no scratch and no room for more. */
scs_status scs_shift_sources_copy(const scs_sources *from, scs_sources **to)
{
    SCS_TRY(create(from->n, 0, to));
    (*to)->kind = from->kind;
    (*to)->variance = from->variance;
    (*to)->modelled = from->modelled;
    (*to)->n = from->n;
    (*to)->limits.mixed = from->limits.mixed;
    (*to)->limits.control_group = from->limits.control_group;
    (*to)->limits.share = from->limits.share;
    memcpy((*to)->group, from->group, (size_t)from->n * sizeof *from->group);
    memcpy((*to)->weight, from->weight, (size_t)from->n * sizeof *from->weight);
    memcpy((*to)->limits.shrunk, from->limits.shrunk, (size_t)from->n * sizeof *from->weight);
    memcpy((*to)->limits.denoised, from->limits.denoised, (size_t)from->n * sizeof *from->weight);
    memcpy((*to)->limits.whole, from->limits.whole, (size_t)from->n * sizeof *from->weight);
    memcpy((*to)->text, from->text, sizeof from->text);
    (*to)->has_common = from->has_common;
    return from->common ? add_common(from->common, from->n_common, 1, *to) : SCS_OK;
}

void scs_shift_sources_destroy(scs_sources **sources)
{
    if (*sources) {
        free((*sources)->group);
        free((*sources)->weight);
        free((*sources)->limits.shrunk);
        free((*sources)->limits.denoised);
        free((*sources)->limits.whole);
        free((*sources)->at);
        free((*sources)->type);
        free((*sources)->share);
        free((*sources)->common);
    }
    free(*sources);
    *sources = NULL;
}

_Static_assert(sizeof kinds / sizeof *kinds == SCS_N_SOURCE_KIND, "a row for each kind");

/* The target's own cells under the piece's condition. @return whether there are any */
static bool ask_self(const scs_atlas *atlas, const scs_shift_component *part, bool weighed,
                     scs_sources *sources)
{
    const scs_combination *t = &part->target;
    int32_t perturbed = scs_atlas_usable_group(atlas, t->species, t->cell_type, t->condition);

    if (perturbed < 0)
        return false;
    sources_tell(sources, t->part ? SCS_SOURCE_MEASURED : SCS_SOURCE_SELF, NULL);
    if (weighed) {
        sources_add(sources, perturbed, part->share);
        sources_add(sources, t->control_group, -part->share);
    }
    return true;
}

/* The perturbation whose groups have the largest summed |weight|, but for one. @param sum
 * [perturbations]  @return -1 where all are 0 */
static int32_t largest_but(const double *sum, int32_t n, int32_t but)
{
    int32_t best = -1;

    for (int32_t p = 0; p < n; p++)
        if (p != but && sum[p] > 0 && (best < 0 || sum[p] > sum[best]))
            best = p;
    return best;
}

/* "like: a+b", the two perturbations that count most. */
static scs_status tell_like(const scs_atlas *a, const double *weight, scs_sources *sources)
{
    const scs_names *names = scs_atlas_perturbations(a);
    double *sum;
    int32_t first, second;

    SCS_TRY(SCS_ALLOC(sum, names->n));
    for (int32_t g = 0; g < a->n_group; g++)
        if (a->group[g].condition != a->control)
            sum[scs_atlas_perturbation(a, a->group[g].condition)] += fabs(weight[g]);
    first = largest_but(sum, names->n, -1);
    second = largest_but(sum, names->n, first);
    if (first >= 0)
        sources_tell(sources, SCS_SOURCE_LIKE, names->name[first]);
    if (second >= 0)
        sources_tell(sources, SCS_SOURCE_LIKE, names->name[second]);
    free(sum);
    return SCS_OK;
}

/* What the mixed model makes of like perturbations, where it knows them. It takes weights to say
 * which they are. */
static scs_status ask_like(const scs_estimate *own, const scs_shift_component *part,
                           scs_sources *sources)
{
    const scs_mixed_atlas *mixed = own->method->mixed;
    scs_mixed_group_weights of = {0};
    scs_mixed_target target;
    scs_status st;

    if (!mixed || !scs_mixed_atlas_knows_like(mixed) || own->condition < 0 ||
        !scs_mixed_atlas_has(mixed, own->target_group))
        return SCS_OK;
    target = mixed_target(own, -1);
    SCS_TRY(SCS_ALLOC(of.weight, own->atlas->n_group));
    SCS_GO(st, scs_mixed_atlas_weigh(mixed, &target, &of));
    SCS_GO(st, tell_like(own->atlas, of.weight, sources));
    if (sources->kind == SCS_SOURCE_LIKE && own->weigh) {
        add_weights(of.weight, own->atlas->n_group, part->share, sources);
        sources->has_common = false;
        sources->variance = of.variance;
        sources->modelled += part->share;
    }
done:
    free(of.weight);
    return st;
}

/* Adds what is known of one piece, from the first place that has an answer: its own cells (of
 * pieces alone), other types of the species, other species, its own cells at last (kind SELF).
 * @param[out] sources its kind and text are this piece's; kind NONE where nothing is known */
static scs_status ask(const scs_atlas *atlas, const scs_method *method,
                      const scs_shift_component *part, bool weighed, scs_sources *sources)
{
    const scs_combination *target = &part->target;
    scs_estimate own = {.atlas = atlas,
                        .method = method,
                        .species = target->species,
                        .leave_out = target->cell_type,
                        .condition = target->condition,
                        .target_group = target->control_group,
                        .target = scs_atlas_group_mean(atlas, target->control_group),
                        .weigh = weighed};

    sources->variance = NAN;
    sources->kind = SCS_SOURCE_NONE;
    sources->text[0] = '\0';
    if (target->part && ask_self(atlas, part, weighed, sources))
        return SCS_OK;
    if (can_estimate(&own)) {
        sources_tell(sources, SCS_SOURCE_OWN, NULL);
        return estimate_add(&own, part->share, sources);
    }
    SCS_TRY(ask_donors(&own, part, sources));
    if (sources->kind == SCS_SOURCE_NONE)
        (void)ask_self(atlas, part, weighed, sources);
    return sources->kind == SCS_SOURCE_NONE ? ask_like(&own, part, sources) : SCS_OK;
}

/* In words: "measured", "own (doses 0.1, 1)", "measured + own". Components of one perturbation
 * are one entry, with the doses that the row lies between.
 * @param text [n] of each component */
static void describe(const scs_shift_component *part, char (*text)[SCS_SOURCE_MAX], int32_t n,
                     scs_sources *sources)
{
    char one[SCS_SOURCE_MAX], before[SCS_SOURCE_MAX] = "", dose[SCS_DOSE_TEXT];

    sources->text[0] = '\0';
    for (int32_t i = 0, k; i < n; i = k) {
        size_t used = (size_t)snprintf(one, sizeof one, "%s", text[i]);

        for (k = i + 1; k < n && part[k].target.perturbation == part[i].target.perturbation; k++)
            if (strcmp(text[k], text[i]) != 0)
                used += (size_t)snprintf(one + used, sizeof one - used, " and %s", text[k]);
        if (part[i].share < 1 && used < sizeof one)
            snprintf(one + used, sizeof one - used, k - i > 1 ? " (doses %s, " : " (doses 0, ",
                     scs_dose_text(part[i].target.dose, dose));
        used = strlen(one);
        if (part[i].share < 1 && used < sizeof one)
            snprintf(one + used, sizeof one - used, "%s)",
                     scs_dose_text(part[k - 1].target.dose, dose));
        if (strcmp(one, before) != 0)
            say(sources, i ? " + " : "", one);
        memcpy(before, one, sizeof before);
    }
}

/* The kind of several pieces: that of all, or the one that is furthest away (other species,
 * then other types). */
static scs_source_kind join_kinds(scs_source_kind a, scs_source_kind b)
{
    if (a == b)
        return a;
    if (a == SCS_SOURCE_LIKE || b == SCS_SOURCE_LIKE)
        return SCS_SOURCE_LIKE;
    return kinds[a].other_species || kinds[b].other_species ? SCS_SOURCE_DONORS : SCS_SOURCE_OWN;
}

/* Whether the mixed model answers for the piece: a dose between others, a perturbation of a pair.
 * It has all groups on either side in it, where the piece alone would have the noise of a few. */
static bool is_modelled(const scs_method *method, const scs_combination *target,
                        const scs_shift_component *part)
{
    return (part->share < 1 || target->pair) && method->mixed &&
           scs_shift_rule_mixed_share(method) >= .5 &&
           scs_mixed_atlas_has(method->mixed, target->control_group);
}

/* One perturbation of the target, at the target's dose. */
static scs_status add_modelled(const scs_atlas *atlas, const scs_method *method,
                               const scs_combination *target, int32_t perturbation,
                               scs_sources *sources)
{
    int32_t own =
        target->condition < 0
            ? -1
            : scs_atlas_usable_group(atlas, target->species, target->cell_type, target->condition);
    scs_mixed_target asked = {target->control_group, perturbation, target->dose, own};

    return ask_mixed(atlas, method->mixed, &asked, false, 1, sources);
}

/* One piece's kind and words, its weights, and what its variance adds. Of the pieces that the mixed
 * model answers for, the first of each perturbation brings the weights of all.
 * @param first of its perturbation */
static scs_status find_piece(const scs_atlas *atlas, const scs_method *method,
                             const scs_combination *target, const scs_shift_component *part,
                             bool first, bool weighed, scs_sources *sources, double *variance)
{
    bool modelled = weighed && is_modelled(method, target, part);

    SCS_TRY(ask(atlas, method, part, weighed && !modelled, sources));
    if (!modelled || sources->kind == SCS_SOURCE_NONE) {
        *variance += part->share * part->share * sources->variance;
        return SCS_OK;
    }
    if (!first)
        return SCS_OK;
    SCS_TRY(add_modelled(atlas, method, target, part->target.perturbation, sources));
    *variance += sources->variance;
    return SCS_OK;
}

/* All pieces or nothing: a sum of which one piece is unknown would be a shift of something
 * else. */
static scs_status find(const scs_atlas *atlas, const scs_method *method,
                       const scs_combination *target, bool weighed, scs_sources *sources)
{
    scs_shift_component part[SCS_MAX_PARTS];
    char text[SCS_MAX_PARTS][SCS_SOURCE_MAX];
    int32_t n = scs_shift_components(atlas, method, target, part);
    scs_source_kind kind = SCS_SOURCE_NONE;
    double variance = 0;

    sources->kind = SCS_SOURCE_NONE;
    sources->n = 0;
    sources->variance = NAN;
    sources->modelled = 0;
    sources->text[0] = '\0';
    sources->limits.mixed = NULL;
    sources->has_common = true;
    for (int32_t i = 0; i < sources->n_common; i++)
        sources->common[i] = 0;
    for (int32_t i = 0; i < n; i++) {
        bool first = i == 0 || part[i - 1].target.perturbation != part[i].target.perturbation;

        SCS_TRY(find_piece(atlas, method, target, &part[i], first, weighed, sources, &variance));
        if (sources->kind == SCS_SOURCE_NONE) {
            sources->n = 0;
            return SCS_OK;
        }
        kind = i ? join_kinds(kind, sources->kind) : sources->kind;
        memcpy(text[i], sources->text, SCS_SOURCE_MAX);
    }
    sources->kind = kind;
    sources->variance = n ? variance : NAN;
    if (n > 1) /* limits are those of one piece */
        sources->limits.mixed = NULL;
    if (n > 1 || (n == 1 && part[0].share < 1))
        describe(part, text, n, sources);
    return SCS_OK;
}

scs_status scs_shift_sources_find(const scs_atlas *atlas, const scs_method *method,
                                  const scs_combination *target, scs_sources *sources)
{
    return find(atlas, method, target, true, sources);
}

scs_status scs_shift_sources_name(const scs_atlas *atlas, const scs_method *method,
                                  const scs_combination *target, scs_sources *sources)
{
    return find(atlas, method, target, false, sources);
}

/* O(sources x n_latent), in the order of the sources. */
void scs_shift_sources_latent(const scs_atlas *atlas, const scs_sources *sources, double *delta)
{
    int32_t d = atlas->n_latent;

    memset(delta, 0, sizeof *delta * (size_t)d);
    for (int32_t i = 0; i < sources->n; i++)
        scs_vector_add(delta, scs_atlas_group_mean(atlas, sources->group[i]), sources->weight[i],
                       d);
}

/* O(sources x n_gene). With variances the weights are not squared: that is not the variance of
 * the sum but the sources' change of variances. */
void scs_shift_sources_genes(const scs_atlas *atlas, const scs_sources *sources,
                             const float *values, double *change)
{
    scs_vector_sum_rows(values, atlas->n_gene, sources->group, sources->weight, sources->n, change);
}

scs_status scs_shift_sources_change(const scs_atlas *atlas, const scs_sources *sources,
                                    double *change)
{
    scs_shift_sources_genes(atlas, sources, atlas->gene_mean, change);
    return scs_limit_apply(atlas, sources, change);
}
