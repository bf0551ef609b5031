#include "src/estimate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

scs_method scs_method_from_config(const scs_config *config)
{
    return (scs_method){.shift = config->screen.shift,
                        .cross_species = config->screen.cross_species,
                        .ridge = config->screen.ridge,
                        .decode = config->screen.decode,
                        .blend = config->screen.blend};
}

static scs_status allocate(const scs_atlas *atlas, scs_sources *sources)
{
    sources->capacity = atlas->n_group;
    SCS_TRY(SCS_ALLOC(sources->group, atlas->n_group));
    return SCS_ALLOC(sources->weight, atlas->n_group);
}

scs_status scs_sources_create(const scs_atlas *atlas, scs_sources **sources)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*sources, 1));
    st = allocate(atlas, *sources);
    if (st != SCS_OK)
        scs_sources_destroy(sources);
    return st;
}

void scs_sources_destroy(scs_sources **sources)
{
    if (*sources) {
        free((*sources)->group);
        free((*sources)->weight);
    }
    free(*sources);
    *sources = NULL;
}

static scs_estimate of_donor(const scs_estimate *own, int32_t species)
{
    scs_estimate e = *own;

    e.species = species;
    e.leave_out = -1;
    return e;
}

static bool is_donor(const scs_estimate *own, int32_t species)
{
    scs_estimate e = of_donor(own, species);

    return species != own->species && scs_can_estimate(&e);
}

static void append(scs_sources *sources, const char *before, const char *name)
{
    size_t used = strlen(sources->text);

    snprintf(sources->text + used, SCS_SOURCE_MAX - used, "%s%s", before, name);
}

/* How far a donor's control cells are: those of the target's type, or (same_type false) of its
 * nearest type that saw the perturbation. */
static double donor_distance(const scs_estimate *own, int32_t species, int32_t type, bool same_type)
{
    scs_estimate e = of_donor(own, species);
    int32_t control = scs_control_of(&e, type);

    if (!same_type)
        return scs_nearest_distance(&e);
    if (control < 0)
        return INFINITY;
    return scs_squared_distance(scs_group_mean(own->atlas, control), own->target,
                                own->atlas->n_latent);
}

/* @return -1 where no donor has control cells of the target's type, or there is no donor at all */
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

static scs_status ask_all_donors(const scs_estimate *own, scs_sources *sources)
{
    int32_t n = 0;

    for (int32_t s = 0; s < own->atlas->species.n; s++)
        n += is_donor(own, s);
    for (int32_t s = 0; s < own->atlas->species.n; s++) {
        scs_estimate e = of_donor(own, s);

        if (!is_donor(own, s))
            continue;
        append(sources, sources->text[0] ? "+" : "donors: ", own->atlas->species.name[s]);
        SCS_TRY(scs_estimate_add(&e, 1. / n, sources));
    }
    return SCS_OK;
}

/* Half of the way from the donor's perturbed cells of the same type, carried over by the mean
 * difference of the two species' control cells, to the target's controls (Lotfollahi et al. 2019,
 * figure 6). */
static void add_carried(const scs_estimate *own, const scs_estimate *donor,
                        const scs_combination *target, scs_sources *sources)
{
    int32_t n_type = own->atlas->cell_types.n, n = 0;

    for (int32_t t = 0; t < n_type; t++)
        n += scs_control_of(own, t) >= 0 && scs_control_of(donor, t) >= 0;
    for (int32_t t = 0; t < n_type; t++)
        if (scs_control_of(own, t) >= 0 && scs_control_of(donor, t) >= 0) {
            scs_sources_add(sources, scs_control_of(own, t), .5 / n);
            scs_sources_add(sources, scs_control_of(donor, t), -.5 / n);
        }
    scs_sources_add(sources, scs_perturbed_of(donor, target->cell_type), .5);
    scs_sources_add(sources, target->control_group, -.5);
}

/* One species speaks. Without perturbed cells of the target's type, or controls that both species
 * have, half and half is not defined. */
static scs_status ask_donor(const scs_estimate *own, int32_t species, const scs_combination *target,
                            scs_sources *sources)
{
    scs_estimate e = of_donor(own, species);
    bool average = own->method->cross_species == SCS_CROSS_AVERAGE &&
                   scs_perturbed_of(&e, target->cell_type) >= 0 &&
                   scs_control_of(&e, target->cell_type) >= 0;

    append(sources, average ? "average: " : "donors: ", own->atlas->species.name[species]);
    sources->kind = average ? SCS_SOURCE_AVERAGE : SCS_SOURCE_DONORS;
    SCS_TRY(scs_estimate_add(&e, average ? .5 : 1, sources));
    if (average)
        add_carried(own, &e, target, sources);
    return SCS_OK;
}

static scs_status ask_donors(const scs_estimate *own, const scs_combination *target,
                             scs_sources *sources)
{
    int32_t nearest = nearest_donor(own, target->cell_type, true);

    if (nearest < 0)
        nearest = nearest_donor(own, target->cell_type, false);
    if (nearest < 0)
        return SCS_OK;
    if (own->method->cross_species != SCS_CROSS_MEAN)
        return ask_donor(own, nearest, target, sources);
    sources->kind = SCS_SOURCE_DONORS;
    return ask_all_donors(own, sources);
}

static void ask_self(const scs_atlas *atlas, const scs_combination *target, scs_sources *sources)
{
    int32_t perturbed =
        scs_usable_group(atlas, target->species, target->cell_type, target->condition);

    if (perturbed < 0)
        return;
    sources->kind = SCS_SOURCE_SELF;
    append(sources, "", "self");
    scs_sources_add(sources, perturbed, 1);
    scs_sources_add(sources, target->control_group, -1);
}

scs_status scs_sources_find(const scs_atlas *atlas, const scs_method *method,
                            const scs_combination *target, scs_sources *sources)
{
    scs_estimate own = {atlas,
                        method,
                        target->species,
                        target->cell_type,
                        target->condition,
                        scs_group_mean(atlas, target->control_group)};

    sources->kind = SCS_SOURCE_NONE;
    sources->n = 0;
    sources->text[0] = '\0';
    if (scs_can_estimate(&own)) {
        sources->kind = SCS_SOURCE_OWN;
        append(sources, "", "own");
        return scs_estimate_add(&own, 1, sources);
    }
    SCS_TRY(ask_donors(&own, target, sources));
    if (sources->kind == SCS_SOURCE_NONE)
        ask_self(atlas, target, sources);
    return SCS_OK;
}

void scs_sources_shift(const scs_atlas *atlas, const scs_sources *sources, double *delta)
{
    int32_t d = atlas->n_latent;

    memset(delta, 0, sizeof *delta * (size_t)d);
    for (int32_t i = 0; i < sources->n; i++)
        for (int32_t j = 0; j < d; j++)
            delta[j] += sources->weight[i] * scs_group_mean(atlas, sources->group[i])[j];
}

void scs_sources_genes(const scs_atlas *atlas, const scs_sources *sources, const float *values,
                       double *change)
{
    int64_t n = atlas->n_gene;

    memset(change, 0, sizeof *change * (size_t)n);
    for (int32_t i = 0; i < sources->n; i++)
        for (int64_t g = 0; g < n; g++)
            change[g] += sources->weight[i] * values[sources->group[i] * n + g];
}
