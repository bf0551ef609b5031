#include "src/plan_rows.h"
#include "src/predict.h"
#include "src/selection.h"
#include "src/treatments.h"

#include <stdlib.h>

enum { SPECIES, CELL_TYPES, PERTURBATIONS, N_LIST };

/* The list keeps no capacity: it always has room for the next power of two. */
static scs_status make_room(scs_plan *plan)
{
    scs_combination *grown;

    if ((plan->n & (plan->n - 1)) != 0)
        return SCS_OK;
    grown = scs_reallocate(plan->item, plan->n ? 2 * plan->n : 1, sizeof *grown);
    SCS_REQUIRE(grown, SCS_ENOMEM, "out of memory for %lld combinations", (long long)plan->n);
    plan->item = grown;
    return SCS_OK;
}

scs_status scs_plan_add_treated(const scs_atlas *atlas, int32_t species, int32_t cell_type,
                                const scs_combination *what, scs_plan *plan)
{
    int32_t control = scs_atlas_group(atlas, species, cell_type, atlas->control);
    int32_t observed = scs_atlas_group(atlas, species, cell_type, what->condition);
    scs_combination row = *what;

    row.species = species;
    row.cell_type = cell_type;
    row.control_group = control >= 0 && atlas->group[control].held_out ? -1 : control;
    row.observed_group = observed;
    row.held_out = observed >= 0 && atlas->group[observed].held_out;
    SCS_TRY(make_room(plan));
    plan->item[plan->n++] = row;
    return SCS_OK;
}

scs_status scs_plan_add(const scs_atlas *atlas, int32_t species, int32_t cell_type,
                        int32_t condition, scs_plan *plan)
{
    scs_combination what = {.condition = condition,
                            .perturbation = scs_atlas_perturbation(atlas, condition),
                            .second = -1,
                            .dose = scs_atlas_dose(atlas, condition)};

    return scs_plan_add_treated(atlas, species, cell_type, &what, plan);
}

scs_status scs_plan_seen(const scs_atlas *atlas, scs_plan *plan)
{
    for (int32_t g = 0; g < atlas->n_group; g++) {
        const scs_group *group = &atlas->group[g];

        if (group->condition == atlas->control || group->held_out)
            continue;
        SCS_TRY(scs_plan_add(atlas, group->species, group->cell_type, group->condition, plan));
        if (plan->item[plan->n - 1].control_group < 0)
            plan->n--;
    }
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
    return 2 * pass * (scs_decode_mode_at(config->screen.decode)->needs_baseline ? 2 : 1);
}

static void set_costs(const scs_config *config, const scs_atlas *atlas, const scs_arch *arch,
                      scs_plan *plan)
{
    for (int64_t i = 0; i < plan->n; i++) {
        scs_combination *c = &plan->item[i];
        int64_t n_cell = c->control_group < 0 ? 0 : atlas->group[c->control_group].count;

        c->cost = estimate_cost(config, arch, n_cell);
    }
}

/* Everything but the control, which cannot be asked for. */
static scs_status select_perturbations(scs_selection *s, int32_t control)
{
    const char *name = s->names->name[control];

    SCS_TRY(scs_selection_make(s));
    SCS_REQUIRE(!s->named[control], SCS_EARG,
                "screen.perturbations: \"%s\" is the control; name only what is to be predicted",
                name);
    s->chosen[control] = false;
    return SCS_OK;
}

/* A species and cell type with control cells, or asked for by name. */
static bool has_rows(const scs_atlas *atlas, const scs_selection *list, int32_t species,
                     int32_t type)
{
    int32_t control = scs_atlas_group(atlas, species, type, atlas->control);

    if (!list[SPECIES].chosen[species] || !list[CELL_TYPES].chosen[type])
        return false;
    return (control >= 0 && !atlas->group[control].held_out) ||
           (list[CELL_TYPES].named[type] &&
            (list[SPECIES].named[species] || atlas->species.n == 1));
}

static scs_status add_grid(const scs_atlas *atlas, const scs_selection *list,
                           const scs_treatments *what, scs_plan *plan)
{
    for (int32_t s = 0; s < atlas->species.n; s++)
        for (int32_t t = 0; t < atlas->cell_types.n; t++)
            for (int64_t k = 0; k < what->n && has_rows(atlas, list, s, t); k++)
                SCS_TRY(scs_plan_add_treated(atlas, s, t, &what->item[k], plan));
    return SCS_OK;
}

static scs_status add_selected(const scs_config *config, const scs_atlas *atlas, scs_plan *plan)
{
    scs_selection list[N_LIST] = {[SPECIES] = {.key = "screen.species",
                                               .noun = "species",
                                               .wanted = &config->screen.species,
                                               .names = &atlas->species},
                                  [CELL_TYPES] = {.key = "screen.cell_types",
                                                  .noun = "cell type",
                                                  .wanted = &config->screen.cell_types,
                                                  .names = &atlas->cell_types},
                                  [PERTURBATIONS] = {.key = "screen.perturbations",
                                                     .noun = "condition",
                                                     .wanted = &config->screen.perturbations,
                                                     .names = scs_atlas_perturbations(atlas)}};
    scs_treatments what = {0};
    scs_status st;

    SCS_GO(st, scs_treatments_create(config, atlas, &plan->pairs, &what));
    SCS_GO(st, scs_selection_make(&list[SPECIES]));
    SCS_GO(st, scs_selection_make(&list[CELL_TYPES]));
    SCS_GO(st, select_perturbations(&list[PERTURBATIONS],
                                    scs_atlas_perturbation(atlas, atlas->control)));
    SCS_GO(st, scs_treatments_choose(&what, list[PERTURBATIONS].chosen));
    SCS_GO(st, add_grid(atlas, list, &what, plan));
done:
    scs_treatments_clear(&what);
    for (int i = 0; i < N_LIST; i++)
        scs_selection_clear(&list[i]);
    return st;
}

static int by_labels(const void *a, const void *b)
{
    const scs_combination *x = a, *y = b;

    if (x->species != y->species)
        return x->species < y->species ? -1 : 1;
    if (x->cell_type != y->cell_type)
        return x->cell_type < y->cell_type ? -1 : 1;
    return scs_treatment_order(x, y);
}

/* Into the order of a plan; rows that were asked for twice are there once. */
static void sort_rows(scs_plan *plan)
{
    int64_t n = 0;

    qsort(plan->item, (size_t)plan->n, sizeof *plan->item, by_labels);
    for (int64_t i = 0; i < plan->n; i++)
        if (n == 0 || by_labels(&plan->item[n - 1], &plan->item[i]) != 0)
            plan->item[n++] = plan->item[i];
    plan->n = n;
}

static scs_status add_listed(const scs_config *config, const scs_atlas *atlas, scs_plan *plan)
{
    SCS_REQUIRE(config->screen.cell_types.n + config->screen.perturbations.n +
                        config->screen.species.n ==
                    0,
                SCS_EARG,
                "screen.combinations names the rows one by one; take screen.cell_types, "
                "perturbations and species out");
    SCS_TRY(scs_plan_read(config, atlas, plan));
    if (plan->n > 0)
        sort_rows(plan);
    return SCS_OK;
}

static scs_status fill(const scs_config *config, const scs_atlas *atlas, const scs_arch *arch,
                       scs_plan *plan)
{
    bool listed = config->screen.combinations && *config->screen.combinations;

    SCS_TRY(listed ? add_listed(config, atlas, plan) : add_selected(config, atlas, plan));
    SCS_REQUIRE(plan->n > 0, SCS_EARG,
                "nothing to screen: no chosen species and cell type has control cells, or there is "
                "no perturbation");
    set_costs(config, atlas, arch, plan);
    return SCS_OK;
}

scs_status scs_plan_create(const scs_config *config, const scs_atlas *atlas, const scs_arch *arch,
                           scs_plan **plan)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*plan, 1));
    st = fill(config, atlas, arch, *plan);
    if (st != SCS_OK)
        scs_plan_destroy(plan);
    return st;
}

void scs_plan_clear(scs_plan *plan)
{
    free(plan->item);
    scs_names_clear(&plan->pairs);
    scs_names_clear(&plan->sources);
    scs_names_clear(&plan->reasons);
    *plan = (scs_plan){0};
}

void scs_plan_destroy(scs_plan **plan)
{
    if (*plan)
        scs_plan_clear(*plan);
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
