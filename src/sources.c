#include "src/dose.h"
#include "src/estimate.h"
#include "src/profile.h"
#include "src/vector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

scs_method scs_method_from_config(const scs_config *config)
{
    return (scs_method){.shift = config->screen.shift,
                        .power = config->screen.nearest_power,
                        .cross_species = config->screen.cross_species,
                        .ridge = config->screen.ridge,
                        .decode = config->screen.decode,
                        .blend = config->screen.blend,
                        .magnitude = scs_profile_magnitude(config),
                        .variance = config->screen.variance,
                        .products = config->screen.products};
}

static scs_status allocate(int32_t n_group, int32_t n_type, scs_sources *sources)
{
    sources->capacity = n_group;
    SCS_TRY(SCS_ALLOC(sources->group, n_group));
    SCS_TRY(SCS_ALLOC(sources->weight, n_group));
    SCS_TRY(SCS_ALLOC(sources->type, n_type));
    return SCS_ALLOC(sources->share, n_type);
}

static scs_status create(int32_t n_group, int32_t n_type, scs_sources **sources)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*sources, 1));
    st = allocate(n_group, n_type, *sources);
    if (st != SCS_OK)
        scs_sources_destroy(sources);
    return st;
}

scs_status scs_sources_create(const scs_atlas *atlas, scs_sources **sources)
{
    return create(atlas->n_group, atlas->cell_types.n, sources);
}

scs_status scs_sources_copy(const scs_sources *from, scs_sources **to)
{
    SCS_TRY(create(from->n, 0, to));
    (*to)->kind = from->kind;
    (*to)->n = from->n;
    memcpy((*to)->group, from->group, (size_t)from->n * sizeof *from->group);
    memcpy((*to)->weight, from->weight, (size_t)from->n * sizeof *from->weight);
    memcpy((*to)->text, from->text, sizeof from->text);
    return SCS_OK;
}

void scs_sources_destroy(scs_sources **sources)
{
    if (*sources) {
        free((*sources)->group);
        free((*sources)->weight);
        free((*sources)->type);
        free((*sources)->share);
    }
    free(*sources);
    *sources = NULL;
}

/* What a shift is learnt from, in the words of the result's column `source`. */
static const struct {
    const char *word;
    bool other_species;
} kinds[] = {
    [SCS_SOURCE_NONE] = {.word = ""},
    [SCS_SOURCE_OWN] = {.word = "own"},
    [SCS_SOURCE_DONORS] = {.word = "donors", .other_species = true},
    [SCS_SOURCE_AVERAGE] = {.word = "average", .other_species = true},
    [SCS_SOURCE_SELF] = {.word = "self"},
    [SCS_SOURCE_MEASURED] = {.word = "measured"},
};
_Static_assert(sizeof kinds / sizeof *kinds == SCS_N_SOURCE_KIND, "a row for each kind");

/* Append two words to the text, as far as there is room. */
static void say(scs_sources *sources, const char *before, const char *name)
{
    size_t used = strlen(sources->text);
    const char *const words[] = {before, name};

    for (int i = 0; i < 2; i++)
        for (const char *c = words[i]; *c && used + 1 < SCS_SOURCE_MAX; c++)
            sources->text[used++] = *c;
    sources->text[used] = '\0';
}

void scs_sources_tell(scs_sources *sources, scs_source_kind kind, const char *species)
{
    bool more = sources->text[0] != '\0';

    sources->kind = kind;
    say(sources, more ? "+" : kinds[kind].word, species && !more ? ": " : "");
    say(sources, species ? species : "", "");
}

/* The target's own cells. @return whether there are any */
static bool ask_self(const scs_atlas *atlas, const scs_part *part, scs_sources *sources)
{
    const scs_combination *t = &part->target;
    int32_t perturbed = scs_usable_group(atlas, t->species, t->cell_type, t->condition);

    if (perturbed < 0)
        return false;
    scs_sources_tell(sources, t->part ? SCS_SOURCE_MEASURED : SCS_SOURCE_SELF, NULL);
    scs_sources_add(sources, perturbed, part->share);
    scs_sources_add(sources, t->control_group, -part->share);
    return true;
}

/* Add what is known of one part. @param[out] sources its kind and text are this part's */
static scs_status ask(const scs_atlas *atlas, const scs_method *method, const scs_part *part,
                      scs_sources *sources)
{
    const scs_combination *target = &part->target;
    scs_estimate own = {.atlas = atlas,
                        .method = method,
                        .species = target->species,
                        .leave_out = target->cell_type,
                        .condition = target->condition,
                        .target_group = target->control_group,
                        .target = scs_group_mean(atlas, target->control_group)};

    sources->kind = SCS_SOURCE_NONE;
    sources->text[0] = '\0';
    if (target->part && ask_self(atlas, part, sources))
        return SCS_OK;
    if (scs_can_estimate(&own)) {
        scs_sources_tell(sources, SCS_SOURCE_OWN, NULL);
        return scs_estimate_add(&own, part->share, sources);
    }
    SCS_TRY(scs_ask_donors(&own, part, sources));
    if (sources->kind == SCS_SOURCE_NONE)
        (void)ask_self(atlas, part, sources);
    return SCS_OK;
}

/* In words: "measured", "own (doses 0.1, 1)", "measured + own". @param text [n] of each part */
static void describe(const scs_part *part, char (*text)[SCS_SOURCE_MAX], int32_t n,
                     scs_sources *sources)
{
    char one[SCS_SOURCE_MAX], before[SCS_SOURCE_MAX] = "", dose[SCS_DOSE_TEXT];

    sources->text[0] = '\0';
    for (int32_t i = 0, k; i < n; i = k) {
        size_t used = (size_t)snprintf(one, sizeof one, "%s", text[i]);

        for (k = i + 1; k < n && part[k].target.perturbation == part[i].target.perturbation; k++)
            if (strcmp(text[k], text[i]) != 0)
                used += (size_t)snprintf(one + used, sizeof one - used, " and %s", text[k]);
        if (part[i].share < 1 && used < sizeof one)
            snprintf(one + used, sizeof one - used, k - i > 1 ? " (doses %s, " : " (doses 0, ",
                     scs_dose_text(part[i].target.dose, dose));
        used = strlen(one);
        if (part[i].share < 1 && used < sizeof one)
            snprintf(one + used, sizeof one - used, "%s)",
                     scs_dose_text(part[k - 1].target.dose, dose));
        if (strcmp(one, before) != 0)
            say(sources, i ? " + " : "", one);
        memcpy(before, one, sizeof before);
    }
}

/* That of all parts, or the one that is furthest away. */
static scs_source_kind join_kinds(scs_source_kind a, scs_source_kind b)
{
    if (a == b)
        return a;
    return kinds[a].other_species || kinds[b].other_species ? SCS_SOURCE_DONORS : SCS_SOURCE_OWN;
}

scs_status scs_sources_find(const scs_atlas *atlas, const scs_method *method,
                            const scs_combination *target, scs_sources *sources)
{
    scs_part part[SCS_MAX_PARTS];
    char text[SCS_MAX_PARTS][SCS_SOURCE_MAX];
    int32_t n = scs_parts(atlas, method, target, part);
    scs_source_kind kind = SCS_SOURCE_NONE;

    sources->kind = SCS_SOURCE_NONE;
    sources->n = 0;
    sources->text[0] = '\0';
    for (int32_t i = 0; i < n; i++) {
        SCS_TRY(ask(atlas, method, &part[i], sources));
        if (sources->kind == SCS_SOURCE_NONE) {
            sources->n = 0;
            return SCS_OK;
        }
        kind = i ? join_kinds(kind, sources->kind) : sources->kind;
        memcpy(text[i], sources->text, SCS_SOURCE_MAX);
    }
    sources->kind = kind;
    if (n > 1 || (n == 1 && part[0].share < 1))
        describe(part, text, n, sources);
    return SCS_OK;
}

void scs_sources_shift(const scs_atlas *atlas, const scs_sources *sources, double *delta)
{
    int32_t d = atlas->n_latent;

    memset(delta, 0, sizeof *delta * (size_t)d);
    for (int32_t i = 0; i < sources->n; i++)
        scs_vector_add(delta, scs_group_mean(atlas, sources->group[i]), sources->weight[i], d);
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
