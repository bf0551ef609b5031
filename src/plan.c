#include "scscreen/screen.h"

#include <stdlib.h>

/* One of the config's screen lists against the names there are. */
typedef struct selection {
    const char *section, *key, *noun;
    const scs_names *wanted; /* n = 0: all */
    const scs_names *names;
    bool *chosen; /* [names->n] */
} selection;

static scs_status unknown_name(const selection *s, const char *name)
{
    const char *near = scs_names_nearest(s->names, name);
    char list[512];

    if (near)
        return SCS_FAIL(SCS_EARG, "%s.%s: there is no %s \"%s\"; did you mean \"%s\"?", s->section,
                        s->key, s->noun, name, near);
    return SCS_FAIL(SCS_EARG, "%s.%s: there is no %s \"%s\"; there are: %s", s->section, s->key,
                    s->noun, name, scs_names_list(s->names, 12, list, sizeof list));
}

static scs_status select_names(selection *s)
{
    SCS_TRY(SCS_ALLOC(s->chosen, s->names->n));
    for (int32_t i = 0; i < s->names->n; i++)
        s->chosen[i] = s->wanted->n == 0;
    for (int32_t i = 0; i < s->wanted->n; i++) {
        int32_t at = scs_names_find(s->names, s->wanted->name[i]);

        if (at < 0)
            return unknown_name(s, s->wanted->name[i]);
        s->chosen[at] = true;
    }
    return SCS_OK;
}

/* Everything but the control, which cannot be asked for. */
static scs_status select_perturbations(selection *s, int32_t control)
{
    const char *name = s->names->name[control];

    SCS_TRY(select_names(s));
    SCS_REQUIRE(scs_names_find(s->wanted, name) < 0, SCS_EARG,
                "%s.perturbations: \"%s\" is the control; name only what is to be predicted",
                s->section, name);
    s->chosen[control] = false;
    return SCS_OK;
}

/* Passes through the decoder (with and without the shift), then the covariance and its products
 * with the genes. */
static double estimate_cost(const scs_config *config, const scs_arch *arch, int64_t n_cell)
{
    double n = (double)n_cell, d = arch->n_hidden, g = arch->n_gene;
    double pass = n * d * (arch->n_latent + (arch->n_layer - 1) * d) + g * d;

    if (arch->output_relu)
        pass += n * g * d;
    else if (config->screen.variance)
        pass += (n + g) * d * d;
    return 2 * pass * (config->screen.decode == SCS_DECODE_EDIT ? 2 : 1);
}

static void add_combination(const scs_config *config, const scs_atlas *atlas, const scs_arch *arch,
                            int32_t control_group, int32_t condition, scs_plan *plan)
{
    const scs_group *control = &atlas->group[control_group];
    scs_combination *c = &plan->item[plan->n++];

    *c = (scs_combination){.species = control->species,
                           .cell_type = control->cell_type,
                           .condition = condition,
                           .control_group = control_group};
    c->observed_group = scs_atlas_group(atlas, control->species, control->cell_type, condition);
    c->held_out = c->observed_group >= 0 && atlas->group[c->observed_group].held_out;
    c->cost = estimate_cost(config, arch, control->count);
}

/* Control groups in turn: they are ordered by species and cell type. @param list species, cell
 * types, perturbations */
static scs_status add_combinations(const scs_config *config, const scs_atlas *atlas,
                                   const scs_arch *arch, const selection *list, scs_plan *plan)
{
    SCS_TRY(SCS_ALLOC(plan->item, (int64_t)atlas->n_group * atlas->conditions.n));
    for (int32_t g = 0; g < atlas->n_group; g++) {
        const scs_group *group = &atlas->group[g];

        if (group->condition != atlas->control || group->held_out ||
            !list[0].chosen[group->species] || !list[1].chosen[group->cell_type])
            continue;
        for (int32_t p = 0; p < atlas->conditions.n; p++)
            if (list[2].chosen[p])
                add_combination(config, atlas, arch, g, p, plan);
    }
    SCS_REQUIRE(plan->n > 0, SCS_EARG,
                "nothing to screen: no chosen species and cell type has control cells, or there is "
                "no perturbation");
    return SCS_OK;
}

/* @param list species, cell types, perturbations */
static scs_status create(const scs_config *config, const scs_atlas *atlas, const scs_arch *arch,
                         selection *list, scs_plan **plan)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*plan, 1));
    SCS_GO(st, select_names(&list[0]));
    SCS_GO(st, select_names(&list[1]));
    SCS_GO(st, select_perturbations(&list[2], atlas->control));
    SCS_GO(st, add_combinations(config, atlas, arch, list, *plan));
done:
    for (int i = 0; i < 3; i++)
        free(list[i].chosen);
    if (st != SCS_OK)
        scs_plan_destroy(plan);
    return st;
}

#define SELECTION(part, a)                                                                         \
    {                                                                                              \
        {#part, "species", "species", &config->part.species, &(a)->species, NULL},                 \
            {#part, "cell_types", "cell type", &config->part.cell_types, &(a)->cell_types, NULL},  \
        {                                                                                          \
#part, "perturbations", "condition", &config->part.perturbations, &(a)->conditions,    \
                NULL                                                                               \
        }                                                                                          \
    }

scs_status scs_plan_create(const scs_config *config, const scs_atlas *atlas, const scs_arch *arch,
                           scs_plan **plan)
{
    selection list[] = SELECTION(screen, atlas);

    return create(config, atlas, arch, list, plan);
}

scs_status scs_plan_create_grid(const scs_config *config, const scs_atlas *atlas,
                                const scs_arch *arch, scs_plan **plan)
{
    selection list[] = SELECTION(validate, atlas);

    return create(config, atlas, arch, list, plan);
}

void scs_plan_destroy(scs_plan **plan)
{
    if (*plan)
        free((*plan)->item);
    free(*plan);
    *plan = NULL;
}

void scs_plan_split(const scs_plan *plan, int32_t n_rank, int64_t *first)
{
    double total = 0, before = 0;
    int64_t row = 0;

    for (int64_t i = 0; i < plan->n; i++)
        total += plan->item[i].cost;
    for (int32_t r = 0; r < n_rank; r++) {
        /* A row goes to the rank in whose share its middle lies. */
        while (row < plan->n && before + plan->item[row].cost / 2 < total * r / n_rank)
            before += plan->item[row++].cost;
        first[r] = row;
    }
    first[0] = 0;
    first[n_rank] = plan->n;
}
