#include "src/parts.h"

#include "src/dose.h"
#include "src/estimate.h"

#include <math.h>

typedef struct taking {
    const scs_atlas *atlas;
    const scs_method *method;
    const scs_combination *target;
    bool part;     /* the target's own cells may speak */
    bool anywhere; /* other species may speak */
} taking;

static bool can_say(const taking *t, int32_t condition)
{
    const scs_combination *c = t->target;
    scs_estimate e = {.atlas = t->atlas,
                      .method = t->method,
                      .species = c->species,
                      .leave_out = c->cell_type,
                      .condition = condition};

    if (t->part && scs_usable_group(t->atlas, c->species, c->cell_type, condition) >= 0)
        return true;
    if (scs_can_estimate(&e))
        return true;
    e.leave_out = -1;
    for (e.species = 0; t->anywhere && e.species < t->atlas->species.n; e.species++)
        if (e.species != c->species && scs_can_estimate(&e))
            return true;
    return false;
}

static void add(const taking *t, int32_t condition, double share, scs_part *part, int32_t *n)
{
    scs_combination one = *t->target;

    one.condition = condition;
    if (condition >= 0) {
        one.perturbation = scs_atlas_perturbation(t->atlas, condition);
        one.dose = scs_atlas_dose(t->atlas, condition);
    }
    one.pair = 0;
    one.part = t->part;
    part[(*n)++] = (scs_part){one, share};
}

/* @return whether the dose lies between 0 and one that something can be said about */
static bool add_between(const taking *t, int32_t perturbation, scs_part *part, int32_t *n)
{
    const scs_doses *d = &t->atlas->doses;
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

/* One perturbation at the target's dose. @return whether anything can be said */
static bool add_single(taking *t, int32_t perturbation, scs_part *part, int32_t *n)
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

int32_t scs_parts(const scs_atlas *atlas, const scs_method *method, const scs_combination *target,
                  scs_part *part)
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
