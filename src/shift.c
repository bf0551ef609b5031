#include "scscreen/screen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* One species' estimate for one combination. */
typedef struct estimate {
    const scs_atlas *atlas;
    int method;
    int32_t species;   /* whose groups are used */
    int32_t leave_out; /* cell type that must not show its perturbed cells: the target's, or -1 */
    int32_t condition;
    const double *target; /* [n_latent] control mean of the combination */
} estimate;

static const double *group_mean(const scs_atlas *a, int32_t group)
{
    return a->mean + (int64_t)group * a->n_latent;
}

/* Mean of a group that may be used, or NULL. */
static const double *usable_mean(const scs_atlas *a, int32_t species, int32_t type,
                                 int32_t condition)
{
    int32_t g = scs_atlas_group(a, species, type, condition);

    return g < 0 || a->group[g].held_out ? NULL : group_mean(a, g);
}

static const double *control_mean(const estimate *e, int32_t type)
{
    return usable_mean(e->atlas, e->species, type, e->atlas->control);
}

static const double *perturbed_mean(const estimate *e, int32_t type)
{
    return type == e->leave_out ? NULL : usable_mean(e->atlas, e->species, type, e->condition);
}

static bool is_paired(const estimate *e, int32_t type)
{
    return control_mean(e, type) && perturbed_mean(e, type);
}

static void add(double *to, const double *what, double weight, int32_t n)
{
    for (int32_t j = 0; j < n; j++)
        to[j] += weight * what[j];
}

static double squared_distance(const double *a, const double *b, int32_t n)
{
    double d = 0;

    for (int32_t j = 0; j < n; j++)
        d += (a[j] - b[j]) * (a[j] - b[j]);
    return d;
}

/* Whether the species can say anything about this condition. */
static bool can_estimate(const estimate *e)
{
    int32_t n_control = 0, n_perturbed = 0;

    for (int32_t t = 0; t < e->atlas->cell_types.n; t++) {
        if (e->method != SCS_SHIFT_BALANCED && is_paired(e, t))
            return true;
        n_control += control_mean(e, t) != NULL;
        n_perturbed += perturbed_mean(e, t) != NULL;
    }
    return e->method == SCS_SHIFT_BALANCED && n_control > 0 && n_perturbed > 0;
}

/* delta += scale (mean over types of perturbed means - mean over types of control means): the
 * expectation of scGen's resampling. The target's control cells count, as there. */
static void add_balanced(const estimate *e, double scale, double *delta)
{
    int32_t n_control = 0, n_perturbed = 0, d = e->atlas->n_latent;

    for (int32_t t = 0; t < e->atlas->cell_types.n; t++) {
        n_control += control_mean(e, t) != NULL;
        n_perturbed += perturbed_mean(e, t) != NULL;
    }
    for (int32_t t = 0; t < e->atlas->cell_types.n; t++) {
        if (control_mean(e, t))
            add(delta, control_mean(e, t), -scale / n_control, d);
        if (perturbed_mean(e, t))
            add(delta, perturbed_mean(e, t), scale / n_perturbed, d);
    }
}

/* Weight of a paired type. 1 / d^2 of squared distances, relative to the nearest, so that it
 * neither overflows nor vanishes; a type at distance 0 leaves nothing to the others. */
static double type_weight(const estimate *e, int32_t type, double nearest)
{
    double distance;

    if (e->method == SCS_SHIFT_PAIRED)
        return 1;
    distance = squared_distance(control_mean(e, type), e->target, e->atlas->n_latent);
    if (distance <= nearest)
        return 1;
    return (nearest / distance) * (nearest / distance);
}

static double nearest_distance(const estimate *e)
{
    double nearest = INFINITY;

    for (int32_t t = 0; t < e->atlas->cell_types.n; t++)
        if (is_paired(e, t))
            nearest =
                fmin(nearest, squared_distance(control_mean(e, t), e->target, e->atlas->n_latent));
    return nearest;
}

/* delta += scale (weighted mean over paired types of perturbed mean - control mean) */
static void add_paired(const estimate *e, double scale, double *delta)
{
    double nearest = nearest_distance(e), all = 0;

    for (int32_t t = 0; t < e->atlas->cell_types.n; t++)
        if (is_paired(e, t))
            all += type_weight(e, t, nearest);
    for (int32_t t = 0; t < e->atlas->cell_types.n; t++) {
        double weight;

        if (!is_paired(e, t))
            continue;
        weight = scale * type_weight(e, t, nearest) / all;
        add(delta, perturbed_mean(e, t), weight, e->atlas->n_latent);
        add(delta, control_mean(e, t), -weight, e->atlas->n_latent);
    }
}

static void add_estimate(const estimate *e, double scale, double *delta)
{
    if (e->method == SCS_SHIFT_BALANCED)
        add_balanced(e, scale, delta);
    else
        add_paired(e, scale, delta);
}

static estimate donor(const estimate *own, int32_t species)
{
    estimate e = *own;

    e.species = species;
    e.leave_out = -1;
    return e;
}

static void append(char *source, const char *before, const char *name)
{
    size_t used = strlen(source);

    snprintf(source + used, SCS_SOURCE_MAX - used, "%s%s", before, name);
}

/* Mean over the other species that can say something. @return false when there is none */
static bool ask_donors(const estimate *own, double *delta, char *source)
{
    const scs_atlas *a = own->atlas;
    int32_t n = 0;

    for (int32_t s = 0; s < a->species.n; s++) {
        estimate e = donor(own, s);

        if (s == own->species || !can_estimate(&e))
            continue;
        append(source, n ? "+" : "donors: ", a->species.name[s]);
        n++;
    }
    for (int32_t s = 0; s < a->species.n; s++) {
        estimate e = donor(own, s);

        if (s != own->species && can_estimate(&e))
            add_estimate(&e, 1. / n, delta);
    }
    return n > 0;
}

static scs_status ask_self(const estimate *own, int32_t type, double *delta, char *source)
{
    const scs_atlas *a = own->atlas;
    const double *perturbed = usable_mean(a, own->species, type, own->condition);

    SCS_REQUIRE(perturbed, SCS_EDATA,
                "no shift for %s, %s, %s: no species has cells of that condition outside hold_out "
                "beside controls of the same cell type",
                a->species.name[own->species], a->cell_types.name[type],
                a->conditions.name[own->condition]);
    add(delta, perturbed, 1, a->n_latent);
    add(delta, own->target, -1, a->n_latent);
    append(source, "", "self");
    return SCS_OK;
}

scs_status scs_shift(const scs_atlas *atlas, int method, const scs_combination *target,
                     double *delta, char *source)
{
    estimate own = {atlas,
                    method,
                    target->species,
                    target->cell_type,
                    target->condition,
                    group_mean(atlas, target->control_group)};

    source[0] = '\0';
    memset(delta, 0, sizeof *delta * (size_t)atlas->n_latent);
    if (can_estimate(&own)) {
        add_estimate(&own, 1, delta);
        append(source, "", "own");
        return SCS_OK;
    }
    if (ask_donors(&own, delta, source))
        return SCS_OK;
    return ask_self(&own, target->cell_type, delta, source);
}
