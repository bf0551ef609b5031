#include "src/estimate.h"
#include "src/failure.h"

#include <math.h>
#include <stdlib.h>

double scs_power_tried(int i)
{
    static const double power[SCS_N_POWER] = {1, 2, 3, 4, 6, 8, 12, 16};

    return power[i];
}

/* Groups that were seen are predicted from the others. */
typedef struct trials {
    const scs_atlas *atlas;
    scs_method method;
    int32_t n;
    int32_t *group; /* [n] */
    double *missed; /* [n] squared length of what the prediction misses; 0: no test */
    double *shift;  /* [n] and of the shift itself */
} trials;

/* The group as if it had never been seen. */
static scs_combination target_of(const scs_atlas *a, int32_t group)
{
    const scs_group *g = &a->group[group];

    return (scs_combination){.species = g->species,
                             .cell_type = g->cell_type,
                             .condition = g->condition,
                             .control_group =
                                 scs_usable_group(a, g->species, g->cell_type, a->control)};
}

/* Its own cells would be no test. @param delta [n_latent] scratch */
static scs_status try_group(const trials *t, int32_t i, scs_sources *sources, double *delta)
{
    const scs_atlas *a = t->atlas;
    scs_combination target = target_of(a, t->group[i]);
    const double *seen = scs_group_mean(a, t->group[i]);
    const double *still = scs_group_mean(a, target.control_group);

    t->missed[i] = t->shift[i] = 0;
    SCS_TRY(scs_sources_find(a, &t->method, &target, sources));
    if (sources->kind == SCS_SOURCE_SELF)
        return SCS_OK;
    scs_sources_shift(a, sources, delta);
    for (int32_t j = 0; j < a->n_latent; j++) {
        double truth = seen[j] - still[j], off = delta[j] - truth;

        t->missed[i] += off * off;
        t->shift[i] += truth * truth;
    }
    return SCS_OK;
}

static scs_status leave_out(const trials *t, int32_t i)
{
    scs_sources *sources = NULL;
    double *delta = NULL;
    scs_status st;

    SCS_GO(st, scs_sources_create(t->atlas, &sources));
    SCS_GO(st, SCS_ALLOC(delta, t->atlas->n_latent));
    SCS_GO(st, try_group(t, i, sources, delta));
done:
    free(delta);
    scs_sources_destroy(&sources);
    return st;
}

static scs_status try_method(const trials *t, double *error)
{
    double missed = 0, shift = 0;
    scs_failure failed = {0};

#pragma omp parallel for schedule(dynamic)
    for (int32_t i = 0; i < t->n; i++)
        scs_failure_note(&failed, i, leave_out(t, i));
    SCS_TRY(scs_failure_raise(&failed));
    for (int32_t i = 0; i < t->n; i++) {
        missed += t->missed[i];
        shift += t->shift[i];
    }
    *error = shift > 0 ? missed / shift : NAN;
    return SCS_OK;
}

/* Perturbed groups with controls that others may learn from too, evenly spread ones. */
static void list_groups(trials *t)
{
    const scs_atlas *a = t->atlas;
    int32_t n = 0;

    for (int32_t g = 0; g < a->n_group; g++)
        if (!a->group[g].held_out && a->group[g].condition != a->control &&
            target_of(a, g).control_group >= 0)
            t->group[n++] = g;
    t->n = n < SCS_SHIFT_TRIALS ? n : SCS_SHIFT_TRIALS;
    for (int64_t i = 0; i < t->n; i++)
        t->group[i] = t->group[i * n / t->n];
}

static scs_status open_trials(const scs_atlas *atlas, const scs_method *method, trials *t)
{
    *t = (trials){.atlas = atlas, .method = *method};
    SCS_TRY(SCS_ALLOC(t->group, atlas->n_group));
    SCS_TRY(SCS_ALLOC(t->missed, atlas->n_group));
    SCS_TRY(SCS_ALLOC(t->shift, atlas->n_group));
    list_groups(t);
    return SCS_OK;
}

static void close_trials(trials *t)
{
    free(t->group);
    free(t->missed);
    free(t->shift);
}

scs_status scs_choose_shift(const scs_atlas *atlas, const scs_method *method, int *chosen,
                            double *error)
{
    trials t = {0};
    scs_status st;

    *chosen = 0;
    SCS_GO(st, open_trials(atlas, method, &t));
    for (int i = 0; i < SCS_N_SHIFT; i++) {
        error[i] = NAN;
        if (!scs_shift_rule_at(i)->tried_by_auto)
            continue;
        t.method.shift = i;
        SCS_GO(st, try_method(&t, &error[i]));
        if (error[i] < error[*chosen])
            *chosen = i;
    }
done:
    close_trials(&t);
    return st;
}

scs_status scs_choose_power(const scs_atlas *atlas, const scs_method *method, int *chosen,
                            double *error)
{
    trials t = {0};
    scs_status st;

    *chosen = SCS_USUAL_POWER;
    SCS_GO(st, open_trials(atlas, method, &t));
    t.method.shift = SCS_SHIFT_NEAREST;
    for (int i = 0; i < SCS_N_POWER; i++) {
        t.method.power = scs_power_tried(i);
        SCS_GO(st, try_method(&t, &error[i]));
    }
    for (int i = 0; i < SCS_N_POWER; i++)
        if (error[i] < error[*chosen])
            *chosen = i;
done:
    close_trials(&t);
    return st;
}
