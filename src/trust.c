#include "src/trust.h"
#include "src/estimate.h"

#include <math.h>
#include <stdlib.h>

scs_trust scs_no_trust(void)
{
    return (scs_trust){.agreement = NAN,
                       .support = NAN,
                       .energy_distance = NAN,
                       .delta_se = NAN,
                       .p_value = NAN,
                       .q_value = NAN};
}

/* A source's perturbed group and the controls beside it. @return false where there is none */
static bool pair_of(const scs_atlas *a, int32_t group, const double **perturbed,
                    const double **control)
{
    const scs_group *g = &a->group[group];
    int32_t beside = scs_usable_group(a, g->species, g->cell_type, a->control);

    if (g->condition == a->control || beside < 0)
        return false;
    *perturbed = scs_group_mean(a, group);
    *control = scs_group_mean(a, beside);
    return true;
}

static double cosine(const double *a, const double *a0, const double *b, const double *b0,
                     int32_t n)
{
    double ab = 0, aa = 0, bb = 0;

    for (int32_t j = 0; j < n; j++) {
        ab += (a[j] - a0[j]) * (b[j] - b0[j]);
        aa += (a[j] - a0[j]) * (a[j] - a0[j]);
        bb += (b[j] - b0[j]) * (b[j] - b0[j]);
    }
    return aa > 0 && bb > 0 ? ab / (sqrt(aa) * sqrt(bb)) : 0;
}

static bool same_condition(const scs_atlas *a, int32_t group, int32_t other)
{
    return a->group[group].condition == a->group[other].condition;
}

double scs_agreement(const scs_atlas *atlas, const scs_sources *sources)
{
    const double *a, *a0, *b, *b0;
    double sum = 0;
    int64_t n = 0;

    for (int32_t i = 0; i < sources->n; i++) {
        if (!pair_of(atlas, sources->group[i], &a, &a0))
            continue;
        for (int32_t k = 0; k < i; k++)
            if (same_condition(atlas, sources->group[i], sources->group[k]) &&
                pair_of(atlas, sources->group[k], &b, &b0)) {
                sum += cosine(a, a0, b, b0, atlas->n_latent);
                n++;
            }
    }
    return n ? sum / (double)n : NAN;
}
