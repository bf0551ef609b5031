/* The expected squared error of a shift that several rules weighed. All functions are Local.
 *
 * With m the mixed model's prediction of t, the best linear one, t - m is uncorrelated with every
 * sum of groups whose level cancels. So for another prediction o from the same groups
 *
 *     E(t - o)^2 = E(t - m)^2 + E(m - o)^2
 *
 * and of the mean a m + (1 - a) o, whose error is (t - m) + (1 - a) (m - o),
 *
 *     E = (1 - (1 - a)^2) E(t - m)^2 + (1 - a)^2 E(t - o)^2.
 *
 * The first is the model's variance; the second a quadratic form in the few weights of the other
 * rules (scs_mixed_expect), so that a mean of all groups needs no square of them. */
#include "src/screen/shift_error.h"

#include "src/atlas/atlas.h"
#include "src/screen/correction.h"
#include "src/screen/mixed_atlas.h"
#include "src/screen/shift.h"

#include <math.h>

/* What other types or species say of one perturbation, at its own dose. */
static bool is_one_piece(const scs_atlas *atlas, const scs_method *method,
                         const scs_combination *target, const scs_sources *sources)
{
    scs_shift_component part[SCS_MAX_PARTS];

    return !target->pair &&
           (sources->kind == SCS_SOURCE_OWN || sources->kind == SCS_SOURCE_DONORS) &&
           scs_shift_components(atlas, method, target, part) == 1 && part[0].share == 1;
}

/* Of the rules but the mixed model. */
static scs_status expect_others(const scs_atlas *atlas, const scs_method *method,
                                const scs_combination *target, const scs_mixed_target *asked,
                                double *variance)
{
    scs_method others = *method;
    scs_sources *sources;
    scs_status st;

    others.share[SCS_SHIFT_MIXED] = others.share[SCS_SHIFT_LIMITED] = 0;
    SCS_TRY(scs_shift_sources_create(atlas, &sources));
    SCS_GO(st, scs_shift_sources_find(atlas, &others, target, sources));
    SCS_GO(st, scs_mixed_atlas_expect(method->mixed, asked, sources, variance));
done:
    scs_shift_sources_destroy(&sources);
    return st;
}

/* Of the rules as they were weighed. Where the others' error is not known, the mixed model's stands
 * for all if it has half of them. */
static scs_status expect_all(const scs_atlas *atlas, const scs_method *method,
                             const scs_combination *target, const scs_sources *sources,
                             double *variance)
{
    double rest = 1 - sources->modelled, others = NAN;
    scs_mixed_target asked = {target->control_group, target->perturbation, target->dose, -1};

    *variance = sources->variance;
    if (rest < 1e-9 || !is_one_piece(atlas, method, target, sources))
        return SCS_OK;
    if (sources->modelled == 0)
        return scs_mixed_atlas_expect(method->mixed, &asked, sources, variance);
    SCS_TRY(expect_others(atlas, method, target, &asked, &others));
    if (!isnan(others))
        *variance = (1 - rest * rest) * *variance + rest * rest * others;
    else if (rest > .5)
        *variance = NAN;
    return SCS_OK;
}

scs_status scs_shift_error_variance(const scs_atlas *atlas, const scs_method *method,
                                    const scs_combination *target, const scs_sources *sources,
                                    double *variance)
{
    SCS_TRY(expect_all(atlas, method, target, sources, variance));
    *variance *= scs_correction_error(method->correction, target, sources);
    return SCS_OK;
}
