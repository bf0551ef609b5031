#include "src/estimate.h"

#include <math.h>
#include <stdlib.h>

const char *scs_shift_name(int shift)
{
    static const char *const names[SCS_N_SHIFT] = {"nearest", "paired", "balanced", "regression"};

    return names[shift];
}

/* Predicts groups that were seen from the others. */
typedef struct trial {
    const scs_atlas *atlas;
    scs_method method;
    scs_sources *sources;
    double *delta;         /* [n_latent] */
    double missed, shifts; /* sums of squares */
} trial;

/* The group as if it had never been seen; its own cells would be no test. */
static scs_status add_group(trial *t, int32_t group)
{
    const scs_atlas *a = t->atlas;
    const scs_group *g = &a->group[group];
    int32_t control = scs_usable_group(a, g->species, g->cell_type, a->control);
    scs_combination target = {.species = g->species,
                              .cell_type = g->cell_type,
                              .condition = g->condition,
                              .control_group = control};
    const double *seen = scs_group_mean(a, group), *still;

    if (control < 0 || g->held_out || g->condition == a->control)
        return SCS_OK;
    SCS_TRY(scs_sources_find(a, &t->method, &target, t->sources));
    if (t->sources->kind == SCS_SOURCE_SELF)
        return SCS_OK;
    scs_sources_shift(a, t->sources, t->delta);
    still = scs_group_mean(a, control);
    for (int32_t j = 0; j < a->n_latent; j++) {
        double truth = seen[j] - still[j], off = t->delta[j] - truth;

        t->missed += off * off;
        t->shifts += truth * truth;
    }
    return SCS_OK;
}

static scs_status try_method(trial *t, double *error)
{
    t->missed = t->shifts = 0;
    for (int32_t g = 0; g < t->atlas->n_group; g++)
        SCS_TRY(add_group(t, g));
    *error = t->shifts > 0 ? t->missed / t->shifts : NAN;
    return SCS_OK;
}

scs_status scs_choose_shift(const scs_atlas *atlas, const scs_method *method, int *chosen,
                            double *error)
{
    trial t = {.atlas = atlas, .method = *method};
    scs_status st;

    *chosen = 0;
    SCS_GO(st, scs_sources_create(atlas, &t.sources));
    SCS_GO(st, SCS_ALLOC(t.delta, atlas->n_latent));
    for (int i = 0; i < SCS_N_SHIFT; i++) {
        t.method.shift = i;
        SCS_GO(st, try_method(&t, &error[i]));
        if (error[i] < error[*chosen])
            *chosen = i;
    }
done:
    free(t.delta);
    scs_sources_destroy(&t.sources);
    return st;
}
