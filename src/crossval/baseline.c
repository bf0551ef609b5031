/* Plain baselines as weighted sums of group means (baseline.h). All functions are Local.
 *
 * Weights are collected for all groups and then listed, O(groups) a row; `additive` goes through
 * the types that show each of the type's other perturbations, O(its shifts x types).
 */
#include "src/crossval/baseline.h"

#include "src/atlas/atlas.h"
#include "src/screen/shift.h"
#include "scscreen/screen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A question, and the answer as it is put together. */
typedef struct asking {
    const scs_atlas *atlas;
    const scs_combination *target;
    double *weight; /* [n_group] */
} asking;

/* weight x (group's mean - its control's). The group has a control that can be used. */
static void add_shift(const asking *q, int32_t group, double weight)
{
    q->weight[group] += weight;
    q->weight[scs_atlas_usable_control(q->atlas, group)] -= weight;
}

/* Whether the group is of another perturbation, or another type, than the target. */
static bool is_other(const asking *q, int32_t group)
{
    const scs_group *g = &q->atlas->group[group];
    const scs_combination *t = q->target;

    return group != t->observed_group &&
           (g->species != t->species || g->cell_type != t->cell_type ||
            scs_atlas_perturbation(q->atlas, g->condition) != t->perturbation);
}

/* Of the target's own species and type. */
static bool is_own(const asking *q, int32_t group)
{
    const scs_group *g = &q->atlas->group[group];

    return g->species == q->target->species && g->cell_type == q->target->cell_type;
}

/* Which groups a mean runs over, the nearest first. */
enum { OWN, SPECIES, ANYWHERE, N_PLACE };

/* Whether a mean over this place takes the group. */
static bool is_in(const asking *q, int32_t group, int place)
{
    if (scs_atlas_usable_control(q->atlas, group) < 0 || !is_other(q, group))
        return false;
    return place == OWN       ? is_own(q, group)
           : place == SPECIES ? q->atlas->group[group].species == q->target->species
                              : true;
}

/* Mean shift of the first place that shows any. @return the place, N_PLACE: none */
static int add_others(const asking *q)
{
    for (int place = OWN; place < N_PLACE; place++) {
        int32_t n = 0;

        for (int32_t g = 0; g < q->atlas->n_group; g++)
            n += is_in(q, g, place);
        for (int32_t g = 0; g < q->atlas->n_group && n; g++)
            if (is_in(q, g, place))
                add_shift(q, g, 1. / n);
        if (n)
            return place;
    }
    return N_PLACE;
}

/* A group of the condition in another type of the species; -1 where it cannot be used. */
static int32_t other_type(const asking *q, int32_t condition, int32_t type)
{
    int32_t g = type == q->target->cell_type
                    ? -1
                    : scs_atlas_usable_group(q->atlas, q->target->species, type, condition);

    return g >= 0 && scs_atlas_usable_control(q->atlas, g) >= 0 ? g : -1;
}

/* Weight x the mean shift of the species' other types under the condition. @return how many */
static int32_t add_other_types(const asking *q, int32_t condition, double weight)
{
    int32_t n_seen, n = 0;
    const int32_t *type = scs_atlas_types(q->atlas, q->target->species, condition, &n_seen);

    for (int32_t i = 0; i < n_seen; i++)
        n += other_type(q, condition, type[i]) >= 0;
    for (int32_t i = 0; i < n_seen && weight != 0; i++)
        if (other_type(q, condition, type[i]) >= 0)
            add_shift(q, other_type(q, condition, type[i]), weight / n);
    return n;
}

/* What the type adds to a perturbation's effect: mean over its other perturbations, as far as other
 * types show them, of its shift less theirs. */
static void add_type_effect(const asking *q)
{
    int32_t n = 0;

    for (int32_t g = 0; g < q->atlas->n_group; g++)
        n += is_in(q, g, OWN) && add_other_types(q, q->atlas->group[g].condition, 0) > 0;
    for (int32_t g = 0; g < q->atlas->n_group && n; g++) {
        int32_t condition = q->atlas->group[g].condition;

        if (!is_in(q, g, OWN) || add_other_types(q, condition, 0) == 0)
            continue;
        add_shift(q, g, 1. / n);
        add_other_types(q, condition, -1. / n);
    }
}

/* Weights so far become sources. */
static void list(const asking *q, scs_source_kind kind, const char *text, scs_sources *sources)
{
    sources->kind = kind;
    sources->n = 0;
    sources->variance = NAN;
    snprintf(sources->text, sizeof sources->text, "%s", text);
    for (int32_t g = 0; g < q->atlas->n_group; g++)
        if (q->weight[g] != 0) {
            sources->group[sources->n] = g;
            sources->weight[sources->n++] = q->weight[g];
        }
}

/* `mean_others`: what is shared by all perturbations that are seen, the nearest place first. */
static void find_others(const asking *q, scs_sources *sources)
{
    static const scs_source_kind kind[] = {[OWN] = SCS_SOURCE_OWN,
                                           [SPECIES] = SCS_SOURCE_OWN,
                                           [ANYWHERE] = SCS_SOURCE_DONORS,
                                           [N_PLACE] = SCS_SOURCE_NONE};
    static const char *const text[] = {[OWN] = "other perturbations",
                                       [SPECIES] = "all of the species",
                                       [ANYWHERE] = "all",
                                       [N_PLACE] = ""};
    int place = add_others(q);

    list(q, kind[place], text[place], sources);
}

/* One piece of the target: its own cells where it may speak for itself (as for a pair's parts), the
 * species' other types, else what another species says. @return whether anything is known */
static scs_status add_perturbation(const asking *q, const scs_method *paired,
                                   const scs_shift_component *part, scs_sources *sources,
                                   bool *known)
{
    const scs_combination *c = &part->target;
    int32_t own = scs_atlas_usable_group(q->atlas, c->species, c->cell_type, c->condition);

    *known = true;
    if (c->part && own >= 0 && scs_atlas_usable_control(q->atlas, own) >= 0) {
        add_shift(q, own, part->share);
        return SCS_OK;
    }
    if (c->condition >= 0 && add_other_types(q, c->condition, part->share) > 0)
        return SCS_OK;
    SCS_TRY(scs_shift_sources_find(q->atlas, paired, c, sources));
    for (int32_t i = 0; i < sources->n; i++)
        q->weight[sources->group[i]] += part->share * sources->weight[i];
    *known = sources->kind != SCS_SOURCE_NONE;
    return SCS_OK;
}

/* All pieces or none. A pair is the sum of its two (Ahlmann-Eltze et al.: additive). */
static scs_status find_additive(const asking *q, scs_sources *sources)
{
    static const scs_method paired = {.shift = SCS_SHIFT_PAIRED};
    scs_shift_component part[SCS_MAX_PARTS];
    int32_t n = scs_shift_components(q->atlas, &paired, q->target, part);
    bool known = n > 0;

    for (int32_t i = 0; i < n && known; i++)
        SCS_TRY(add_perturbation(q, &paired, &part[i], sources, &known));
    if (!known) {
        memset(q->weight, 0, (size_t)q->atlas->n_group * sizeof *q->weight);
        find_others(q, sources);
        return SCS_OK;
    }
    if (!q->target->pair)
        add_type_effect(q);
    list(q, SCS_SOURCE_OWN, "perturbation + type", sources);
    return SCS_OK;
}

/* Weights are zeroed for each question. */
scs_status scs_baseline_find(const scs_atlas *atlas, scs_baseline baseline,
                             const scs_combination *target, scs_sources *sources)
{
    asking q = {.atlas = atlas, .target = target};
    scs_status st = SCS_OK;

    SCS_TRY(SCS_ALLOC(q.weight, atlas->n_group));
    if (baseline == SCS_BASELINE_ADDITIVE)
        st = find_additive(&q, sources);
    else
        find_others(&q, sources);
    free(q.weight);
    return st;
}
