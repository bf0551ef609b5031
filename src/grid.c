#include "src/grid.h"

#include "src/config_value.h"
#include "src/plan_rows.h"
#include "src/selection.h"
#include "src/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { SPECIES, CELL_TYPES, PERTURBATIONS, N_LIST };

/* Whether the group's perturbation can be learnt from it: its control is there as well. */
static bool is_paired(const scs_atlas *a, const scs_group *g)
{
    return scs_atlas_group(a, g->species, g->cell_type, a->control) >= 0;
}

static bool is_held_out(const scs_grid *grid, int64_t model, int32_t group)
{
    for (int64_t k = 0; k < scs_grid_size(grid, model); k++)
        if (scs_grid_item(grid, model, k)->observed_group == group)
            return true;
    return false;
}

/* Is there a group that shows this perturbation, other than the target and what the model holds
 * out? @param model -1: it holds out the target alone */
static bool is_learnable(const scs_grid *grid, const scs_atlas *a, int64_t model,
                         const scs_combination *target)
{
    for (int32_t g = 0; g < a->n_group; g++)
        if (a->group[g].condition == target->condition && g != target->observed_group &&
            is_paired(a, &a->group[g]) && (model < 0 || !is_held_out(grid, model, g)))
            return true;
    return false;
}

static scs_status note(scs_grid *grid, const scs_atlas *a, const scs_combination *c)
{
    char line[512], escaped[512];

    snprintf(line, sizeof line, "%s, %s, %s cannot be held out: no other group shows %s",
             a->species.name[c->species], a->cell_types.name[c->cell_type],
             a->conditions.name[c->condition], a->conditions.name[c->condition]);
    return scs_names_add(&grid->notes, scs_text_escape(line, escaped, sizeof escaped));
}

/* Observed combinations beside controls; what is seen nowhere else cannot be learnt. They come in
 * the order of the groups: by species, cell type, condition. */
static scs_status add_testable(const scs_atlas *a, const scs_selection *list, scs_grid *grid)
{
    scs_plan *plan = grid->plan;

    for (int32_t g = 0; g < a->n_group; g++) {
        const scs_group *group = &a->group[g];

        if (group->condition == a->control || !is_paired(a, group) ||
            !list[SPECIES].chosen[group->species] || !list[CELL_TYPES].chosen[group->cell_type] ||
            !list[PERTURBATIONS].chosen[group->condition])
            continue;
        SCS_TRY(scs_plan_add(a, group->species, group->cell_type, group->condition, plan));
        if (is_learnable(grid, a, -1, &plan->item[plan->n - 1]))
            continue;
        SCS_TRY(note(grid, a, &plan->item[plan->n - 1]));
        plan->n--;
    }
    SCS_REQUIRE(plan->n > 0, SCS_EARG,
                "nothing to validate: no selected combination was observed beside another group "
                "with the same perturbation");
    return SCS_OK;
}

static scs_status select_testable(const scs_config *config, const scs_atlas *a, scs_grid *grid)
{
    scs_selection list[N_LIST] = {
        {"validate.species", "species", &config->validate.species, &a->species, NULL, NULL},
        {"validate.cell_types", "cell type", &config->validate.cell_types, &a->cell_types, NULL,
         NULL},
        {"validate.perturbations", "condition", &config->validate.perturbations, &a->conditions,
         NULL, NULL}};
    scs_status st;

    for (int i = 0; i < N_LIST; i++)
        SCS_GO(st, scs_selection_make(&list[i]));
    SCS_GO(st, add_testable(a, list, grid));
done:
    for (int i = 0; i < N_LIST; i++)
        scs_selection_clear(&list[i]);
    return st;
}

static scs_status check_models(const scs_config *config, const scs_atlas *a, const scs_grid *grid)
{
    for (int64_t i = 0; i < grid->plan->n; i++) {
        const scs_combination *c = &grid->plan->item[i];

        SCS_REQUIRE(is_learnable(grid, a, i % grid->n_model, c), SCS_EARG,
                    "%s: validate.folds: with %lld combinations held out at once no group is left "
                    "to learn %s from; hold out fewer",
                    config->file, (long long)config->validate.folds,
                    a->conditions.name[c->condition]);
    }
    return SCS_OK;
}

scs_status scs_grid_create(const scs_config *config, const scs_atlas *atlas, scs_grid **grid)
{
    int64_t folds = config->validate.folds;
    scs_status st;

    SCS_TRY(SCS_ALLOC(*grid, 1));
    SCS_GO(st, SCS_ALLOC((*grid)->plan, 1));
    SCS_GO(st, select_testable(config, atlas, *grid));
    (*grid)->n_model = ((*grid)->plan->n + folds - 1) / folds;
    SCS_GO(st, check_models(config, atlas, *grid));
    return SCS_OK;
done:
    scs_grid_destroy(grid);
    return st;
}

void scs_grid_destroy(scs_grid **grid)
{
    if (!*grid)
        return;
    scs_plan_destroy(&(*grid)->plan);
    scs_names_clear(&(*grid)->notes);
    free(*grid);
    *grid = NULL;
}

int64_t scs_grid_size(const scs_grid *grid, int64_t model)
{
    return (grid->plan->n - model + grid->n_model - 1) / grid->n_model;
}

const scs_combination *scs_grid_item(const scs_grid *grid, int64_t model, int64_t k)
{
    return &grid->plan->item[model + k * grid->n_model];
}

/* @param name of the three fields of a hold_out, in the order of its record */
static scs_status set_record(scs_config *config, const scs_key *key, int32_t i,
                             const char *const *name)
{
    static const scs_where nowhere = {.text = "validate"};

    for (int f = 0; f < key->record->n_field; f++)
        SCS_TRY(scs_value_set_field(config, key, i, &key->record->field[f], name[f], &nowhere));
    return SCS_OK;
}

scs_status scs_grid_hold_out(const scs_grid *grid, const scs_atlas *atlas, int64_t model,
                             scs_config *config)
{
    const scs_key *key = scs_key_find("hold_out");
    int32_t n = (int32_t)scs_grid_size(grid, model);

    scs_value_clear(config, key);
    SCS_TRY(scs_value_reserve(config, key, n));
    for (int32_t i = 0; i < n; i++) {
        const scs_combination *c = scs_grid_item(grid, model, i);
        const char *name[] = {atlas->cell_types.name[c->cell_type],
                              atlas->conditions.name[c->condition],
                              atlas->species.name[c->species]};

        SCS_TRY(set_record(config, key, i, name));
    }
    return SCS_OK;
}
