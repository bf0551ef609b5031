/* Weights of a shift are over perturbed and control groups, of either sign (a mixed model asks all
 * groups). Donors are its perturbed groups of the right condition, weights brought to a sum of 1. A
 * perturbation that no group shows has been told from like ones: then those of largest weight are
 * donors, at most MOST_LIKE, whose counts are kept while cells are made. */
#include "src/cells/donors.h"

#include "src/screen/shift.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_LIKE = 8 };

/* Whether a condition is one that the combination is put together from. */
static bool is_shown(const scs_shift_component *part, int32_t n_part, int32_t condition)
{
    for (int32_t i = 0; i < n_part; i++)
        if (part[i].target.condition == condition)
            return true;
    return false;
}

static void add(const scs_atlas *a, int32_t group, double weight, scs_donors *d)
{
    const scs_group *g = &a->group[group];

    d->group[d->n] = group;
    d->control[d->n] = scs_atlas_usable_group(a, g->species, g->cell_type, a->control);
    d->weight[d->n++] = weight;
}

/* The perturbed group of largest weight that is not a donor yet; the first of equal ones; -1: none
 * has a weight above 0. */
static int32_t heaviest(const scs_atlas *a, const scs_sources *sources, const scs_donors *d)
{
    int32_t best = -1;

    for (int32_t i = 0; i < sources->n; i++) {
        const scs_group *g = &a->group[sources->group[i]];
        bool taken = false;

        for (int32_t k = 0; k < d->n; k++)
            taken |= d->group[k] == sources->group[i];
        if (!taken && sources->weight[i] > 0 && g->count > 0 && g->condition != a->control &&
            (best < 0 || sources->weight[i] > sources->weight[best]))
            best = i;
    }
    return best;
}

static void add_like(const scs_atlas *a, const scs_sources *sources, scs_donors *d)
{
    for (int32_t i; d->n < MOST_LIKE && (i = heaviest(a, sources, d)) >= 0;)
        add(a, sources->group[i], sources->weight[i], d);
}

scs_status scs_donors_find(const scs_atlas *atlas, const scs_method *method,
                           const scs_combination *target, const scs_sources *sources,
                           scs_donors *donors)
{
    scs_shift_component part[SCS_MAX_PARTS];
    int32_t n_part = scs_shift_components(atlas, method, target, part);
    double sum = 0;

    *donors = (scs_donors){0};
    SCS_TRY(SCS_ALLOC(donors->group, sources->n));
    SCS_TRY(SCS_ALLOC(donors->control, sources->n));
    SCS_TRY(SCS_ALLOC(donors->weight, sources->n));
    for (int pass = 0; pass < 2 && donors->n == 0; pass++)
        for (int32_t i = 0; i < sources->n; i++) {
            const scs_group *g = &atlas->group[sources->group[i]];
            double weight = pass == 0 ? sources->weight[i] : 1;

            if (weight > 0 && g->count > 0 && g->condition != atlas->control &&
                is_shown(part, n_part, g->condition))
                add(atlas, sources->group[i], weight, donors);
        }
    if (donors->n == 0)
        add_like(atlas, sources, donors);
    for (int32_t i = 0; i < donors->n; i++)
        sum += donors->weight[i];
    for (int32_t i = 0; i < donors->n; i++)
        donors->weight[i] /= sum;
    return SCS_OK;
}

void scs_donors_clear(scs_donors *donors)
{
    free(donors->group);
    free(donors->control);
    free(donors->weight);
    *donors = (scs_donors){0};
}

double scs_donors_library_factor(const scs_donors *donors, const double *library)
{
    double sum = 0, weight = 0;

    for (int32_t i = 0; i < donors->n; i++) {
        int32_t control = donors->control[i];

        if (control < 0 || library[control] <= 0 || library[donors->group[i]] <= 0)
            continue;
        sum += donors->weight[i] * log(library[donors->group[i]] / library[control]);
        weight += donors->weight[i];
    }
    return weight > 0 ? exp(sum / weight) : 1;
}
