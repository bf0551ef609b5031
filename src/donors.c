/* What other species say. */
#include "src/estimate.h"

#include <math.h>

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
    return scs_control_distance(own, control);
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

static scs_status ask_all_donors(const scs_estimate *own, double share, scs_sources *sources)
{
    int32_t n = 0;

    for (int32_t s = 0; s < own->atlas->species.n; s++)
        n += is_donor(own, s);
    for (int32_t s = 0; s < own->atlas->species.n; s++) {
        scs_estimate e = of_donor(own, s);

        if (!is_donor(own, s))
            continue;
        scs_sources_tell(sources, SCS_SOURCE_DONORS, own->atlas->species.name[s]);
        SCS_TRY(scs_estimate_add(&e, share / n, sources));
    }
    return SCS_OK;
}

/* Half of the way from the donor's perturbed cells of the same type, carried over by the mean
 * difference of the two species' control cells, to the target's controls (Lotfollahi et al. 2019,
 * figure 6). */
static void add_carried(const scs_estimate *own, const scs_estimate *donor, const scs_part *part,
                        scs_sources *sources)
{
    int32_t n_type = own->atlas->cell_types.n, n = 0;
    double half = .5 * part->share;

    for (int32_t t = 0; t < n_type; t++)
        n += scs_control_of(own, t) >= 0 && scs_control_of(donor, t) >= 0;
    for (int32_t t = 0; t < n_type; t++)
        if (scs_control_of(own, t) >= 0 && scs_control_of(donor, t) >= 0) {
            scs_sources_add(sources, scs_control_of(own, t), half / n);
            scs_sources_add(sources, scs_control_of(donor, t), -half / n);
        }
    scs_sources_add(sources, scs_perturbed_of(donor, part->target.cell_type), half);
    scs_sources_add(sources, part->target.control_group, -half);
}

/* One species speaks. Without perturbed cells of the target's type, or controls that both species
 * have, half and half is not defined. */
static scs_status ask_donor(const scs_estimate *own, int32_t species, const scs_part *part,
                            scs_sources *sources)
{
    scs_estimate e = of_donor(own, species);
    int32_t type = part->target.cell_type;
    bool average = own->method->cross_species == SCS_CROSS_AVERAGE &&
                   scs_perturbed_of(&e, type) >= 0 && scs_control_of(&e, type) >= 0;

    scs_sources_tell(sources, average ? SCS_SOURCE_AVERAGE : SCS_SOURCE_DONORS,
                     own->atlas->species.name[species]);
    SCS_TRY(scs_estimate_add(&e, part->share * (average ? .5 : 1), sources));
    if (average)
        add_carried(own, &e, part, sources);
    return SCS_OK;
}

scs_status scs_ask_donors(const scs_estimate *own, const scs_part *part, scs_sources *sources)
{
    int32_t nearest = nearest_donor(own, part->target.cell_type, true);

    if (nearest < 0)
        nearest = nearest_donor(own, part->target.cell_type, false);
    if (nearest < 0)
        return SCS_OK;
    if (own->method->cross_species != SCS_CROSS_MEAN)
        return ask_donor(own, nearest, part, sources);
    return ask_all_donors(own, part->share, sources);
}
