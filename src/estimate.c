#include "src/estimate.h"

#include <math.h>
#include <stdlib.h>

int32_t scs_control_of(const scs_estimate *e, int32_t type)
{
    return scs_usable_group(e->atlas, e->species, type, e->atlas->control);
}

int32_t scs_perturbed_of(const scs_estimate *e, int32_t type)
{
    return type == e->leave_out ? -1 : scs_usable_group(e->atlas, e->species, type, e->condition);
}

bool scs_is_paired(const scs_estimate *e, int32_t type)
{
    return scs_control_of(e, type) >= 0 && scs_perturbed_of(e, type) >= 0;
}

/* Whether any type has control cells. */
static bool has_controls(const scs_estimate *e)
{
    int32_t n;
    const int32_t *type = scs_atlas_types(e->atlas, e->species, e->atlas->control, &n);

    for (int32_t i = 0; i < n; i++)
        if (scs_control_of(e, type[i]) >= 0)
            return true;
    return false;
}

/* There may be a hundred types, of which few show the perturbation: only those are looked at. */
bool scs_can_estimate(const scs_estimate *e)
{
    bool pairs = scs_shift_rule_at(e->method->shift)->needs_pairs;
    int32_t n;
    const int32_t *type = scs_atlas_types(e->atlas, e->species, e->condition, &n);

    for (int32_t i = 0; i < n; i++)
        if (pairs ? scs_is_paired(e, type[i])
                  : scs_perturbed_of(e, type[i]) >= 0 && has_controls(e))
            return true;
    return false;
}

void scs_sources_add(scs_sources *sources, int32_t group, double weight)
{
    int32_t i = 0;

    while (i < sources->n && sources->group[i] != group)
        i++;
    if (i == sources->n) {
        sources->group[sources->n++] = group;
        sources->weight[i] = 0;
    }
    sources->weight[i] += weight;
}

/* Mean over types of perturbed means - mean over types of control means: the expectation of scGen's
 * resampling. The target's control cells count, as there. */
static scs_status add_balanced(const scs_estimate *e, double scale, scs_sources *sources)
{
    int32_t n_control = 0, n_perturbed = 0;

    for (int32_t t = 0; t < e->atlas->cell_types.n; t++) {
        n_control += scs_control_of(e, t) >= 0;
        n_perturbed += scs_perturbed_of(e, t) >= 0;
    }
    for (int32_t t = 0; t < e->atlas->cell_types.n; t++) {
        if (scs_control_of(e, t) >= 0)
            scs_sources_add(sources, scs_control_of(e, t), -scale / n_control);
        if (scs_perturbed_of(e, t) >= 0)
            scs_sources_add(sources, scs_perturbed_of(e, t), scale / n_perturbed);
    }
    return SCS_OK;
}

static double distance_of(const scs_estimate *e, int32_t type)
{
    return scs_control_distance(e, scs_control_of(e, type));
}

double scs_nearest_distance(const scs_estimate *e)
{
    double nearest = INFINITY;
    int32_t n;
    const int32_t *type = scs_atlas_types(e->atlas, e->species, e->condition, &n);

    for (int32_t i = 0; i < n; i++)
        if (scs_is_paired(e, type[i]))
            nearest = fmin(nearest, distance_of(e, type[i]));
    return nearest;
}

/* Of squared distances. The usual power needs no pow(): shifts are estimated millions of times. */
static double closeness(double nearest, double distance, double power)
{
    double ratio = nearest / distance;

    return power == 4 ? ratio * ratio : pow(ratio, power / 2);
}

/* Weights of paired types: they sum to 1. @param type [n]  @param[out] weight [n] */
typedef scs_status weigh(const scs_estimate *e, const int32_t *type, int32_t n, double *weight);

/* 1 / distance^power, relative to the nearest, so that it neither overflows nor vanishes; a type at
 * distance 0 leaves nothing to the others (unless power is 0). */
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

static scs_status weigh_alike(const scs_estimate *e, const int32_t *type, int32_t n, double *weight)
{
    (void)e;
    (void)type;
    for (int32_t i = 0; i < n; i++)
        weight[i] = 1. / n;
    return SCS_OK;
}

/* Weighted mean over paired types of perturbed mean - control mean. */
static scs_status add_pairs(const scs_estimate *e, weigh *weigh_types, double scale,
                            scs_sources *sources)
{
    int32_t n_seen, n = 0, *type = sources->type;
    const int32_t *seen = scs_atlas_types(e->atlas, e->species, e->condition, &n_seen);
    double *weight = sources->share;

    for (int32_t i = 0; i < n_seen; i++)
        if (scs_is_paired(e, seen[i]))
            type[n++] = seen[i];
    SCS_TRY(weigh_types(e, type, n, weight));
    for (int32_t i = 0; i < n; i++) {
        scs_sources_add(sources, scs_perturbed_of(e, type[i]), scale * weight[i]);
        scs_sources_add(sources, scs_control_of(e, type[i]), -scale * weight[i]);
    }
    return SCS_OK;
}

static scs_status add_nearest(const scs_estimate *e, double scale, scs_sources *sources)
{
    return add_pairs(e, weigh_by_closeness, scale, sources);
}

static scs_status add_paired(const scs_estimate *e, double scale, scs_sources *sources)
{
    return add_pairs(e, weigh_alike, scale, sources);
}

static scs_status add_regression(const scs_estimate *e, double scale, scs_sources *sources)
{
    return add_pairs(e, scs_regression_weights, scale, sources);
}

static const scs_shift_rule rules[] = {
    [SCS_SHIFT_NEAREST] = {.name = "nearest",
                           .needs_pairs = true,
                           .uses_power = true,
                           .tried_by_auto = true,
                           .add = add_nearest},
    [SCS_SHIFT_PAIRED] = {.name = "paired",
                          .needs_pairs = true,
                          .tried_by_auto = true,
                          .add = add_paired},
    [SCS_SHIFT_BALANCED] = {.name = "balanced", .tried_by_auto = true, .add = add_balanced},
    [SCS_SHIFT_REGRESSION] = {.name = "regression",
                              .needs_pairs = true,
                              .tried_by_auto = true,
                              .add = add_regression},
};
_Static_assert(sizeof rules / sizeof *rules == SCS_N_SHIFT, "a row for each scs_shift_method");

const scs_shift_rule *scs_shift_rule_at(int shift)
{
    return shift >= 0 && shift < SCS_N_SHIFT ? &rules[shift] : NULL;
}

scs_status scs_estimate_add(const scs_estimate *e, double scale, scs_sources *sources)
{
    return scs_shift_rule_at(e->method->shift)->add(e, scale, sources);
}
