/* The grid of a validation (grid.h): choosing what can be held out, and dealing it to models. All
 * functions are Local.
 *
 * Whether a combination can be learnt is asked of the same code that a screen learns from
 * (scs_shift_sources_find, by `paired`, which needs the least), on a view of the atlas in which
 * the combinations of a model are held out: so that the two cannot disagree. What cannot be held
 * out is kept as a line of notes, not dropped in silence.
 *
 * With n combinations and folds f there are ceil(n / f) models, and model m holds out m, m + M,
 * m + 2 M, ... (M models): neighbours in the list, which share cell type or species, are held out
 * by different models.
 */
#include "src/crossval/grid.h"

#include "src/base/names.h"
#include "src/base/text.h"
#include "src/config/value.h"
#include "src/data/dose.h"
#include "src/screen/plan.h"
#include "scscreen/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPECIES, CELL_TYPES, PERTURBATIONS, N_LIST };

/* Whether the group's perturbation can be learnt from it: its control is there as well. */
static bool is_paired(const scs_atlas *a, const scs_group *g)
{
    return scs_atlas_group(a, g->species, g->cell_type, a->control) >= 0;
}

/* The atlas as a model sees it: its combinations are held out. Shares all but `group` with the
 * atlas; the caller frees view->group. SCS_ENOMEM.
 * @param model -1: nothing is held out yet */
static scs_status view_create(const scs_grid *grid, const scs_atlas *a, int64_t model,
                              scs_atlas *view)
{
    *view = *a;
    view->group = NULL; /* the one array of its own */
    SCS_TRY(SCS_ALLOC(view->group, a->n_group));
    memcpy(view->group, a->group, (size_t)a->n_group * sizeof *a->group);
    for (int64_t k = 0; model >= 0 && k < scs_grid_size(grid, model); k++)
        view->group[scs_grid_item(grid, model, k)->observed_group].held_out = true;
    return SCS_OK;
}

/* Whether the target can be learnt from other groups, and from other doses; its own cells do
 * not count.
 * @param view its held_out is set for the question and put back */
static scs_status is_learnable(const scs_config *config, scs_atlas *view,
                               const scs_combination *target, scs_sources *sources, bool *learnable)
{
    scs_method method = scs_shift_method_from_config(config);
    bool *held_out = &view->group[target->observed_group].held_out, kept = *held_out;
    scs_status st;

    method.shift = SCS_SHIFT_PAIRED;
    *held_out = true;
    st = scs_shift_sources_find(view, &method, target, sources);
    *held_out = kept;
    *learnable = sources->kind != SCS_SOURCE_NONE;
    return st;
}

/* A line for the user that says why the combination is left out; labels are escaped. */
static scs_status add_note(scs_grid *grid, const scs_atlas *a, const scs_combination *c)
{
    char line[512], escaped[512], what[200];

    scs_plan_treatment_text(a, &grid->plan->pairs, c, what, sizeof what);
    snprintf(line, sizeof line, "%s, %s, %s cannot be held out: no other group shows %s",
             a->species.name[c->species], a->cell_types.name[c->cell_type], what, what);
    return scs_names_add(&grid->notes, scs_text_escape(line, escaped, sizeof escaped));
}

/* Whether the config selects the group; controls never are. */
static bool is_chosen(const scs_atlas *a, const scs_selection *list, const scs_group *g)
{
    return g->condition != a->control && is_paired(a, g) && list[SPECIES].chosen[g->species] &&
           list[CELL_TYPES].chosen[g->cell_type] &&
           list[PERTURBATIONS].chosen[scs_atlas_perturbation(a, g->condition)];
}

/* A pair's row, where screen.order is 2, else the condition's own: as a screen would make it.
 * Its groups are set as well. */
static scs_status add_group(const scs_atlas *a, const scs_group *g, scs_plan_treatments *what,
                            scs_plan *plan)
{
    what->n = 0;
    SCS_TRY(scs_plan_treatments_add(what, scs_atlas_perturbation(a, g->condition),
                                    scs_atlas_dose(a, g->condition)));
    return scs_plan_add_treated(a, g->species, g->cell_type, &what->item[0], plan);
}

/* Observed combinations beside controls; what is seen nowhere else cannot be learnt and becomes
 * a note. They come in the order of the groups: by species, cell type, condition. SCS_EARG
 * where nothing is left. */
static scs_status add_testable(const scs_config *config, scs_atlas *view, const scs_selection *list,
                               scs_plan_treatments *what, scs_sources *sources, scs_grid *grid)
{
    scs_plan *plan = grid->plan;
    bool learnable;

    for (int32_t g = 0; g < view->n_group; g++) {
        if (!is_chosen(view, list, &view->group[g]))
            continue;
        SCS_TRY(add_group(view, &view->group[g], what, plan));
        SCS_TRY(is_learnable(config, view, &plan->item[plan->n - 1], sources, &learnable));
        if (learnable)
            continue;
        SCS_TRY(add_note(grid, view, &plan->item[plan->n - 1]));
        plan->n--;
    }
    SCS_REQUIRE(plan->n > 0, SCS_EARG,
                "nothing to validate: no selected combination was observed beside another group "
                "with the same perturbation");
    return SCS_OK;
}

/* By validate.species, cell_types and perturbations. SCS_EARG for names that do not exist; the
 * nearest one that does is suggested. */
static scs_status select_testable(const scs_config *config, const scs_atlas *a, scs_grid *grid)
{
    scs_selection list[N_LIST] = {[SPECIES] = {.key = "validate.species",
                                               .noun = "species",
                                               .wanted = &config->validate.species,
                                               .names = &a->species},
                                  [CELL_TYPES] = {.key = "validate.cell_types",
                                                  .noun = "cell type",
                                                  .wanted = &config->validate.cell_types,
                                                  .names = &a->cell_types},
                                  [PERTURBATIONS] = {.key = "validate.perturbations",
                                                     .noun = "condition",
                                                     .wanted = &config->validate.perturbations,
                                                     .names = scs_atlas_perturbations(a)}};
    scs_plan_treatments what = {0};
    scs_sources *sources = NULL;
    scs_atlas view = {0};
    scs_status st;

    for (int i = 0; i < N_LIST; i++)
        SCS_GO(st, scs_names_selection_make(&list[i]));
    SCS_GO(st, scs_plan_treatments_create(config, a, &grid->plan->pairs, &what));
    SCS_GO(st, scs_shift_sources_create(a, &sources));
    SCS_GO(st, view_create(grid, a, -1, &view));
    SCS_GO(st, add_testable(config, &view, list, &what, sources, grid));
done:
    free(view.group);
    scs_shift_sources_destroy(&sources);
    scs_plan_treatments_clear(&what);
    for (int i = 0; i < N_LIST; i++)
        scs_names_selection_clear(&list[i]);
    return st;
}

/* Whether each of a model's combinations can be learnt though the others are held out too.
 * SCS_EARG tells what to change. */
static scs_status check_model(const scs_config *config, const scs_grid *grid, int64_t model,
                              scs_atlas *view, scs_sources *sources)
{
    bool learnable;

    for (int64_t k = 0; k < scs_grid_size(grid, model); k++) {
        const scs_combination *c = scs_grid_item(grid, model, k);

        SCS_TRY(is_learnable(config, view, c, sources, &learnable));
        SCS_REQUIRE(learnable, SCS_EARG,
                    "%s: validate.folds: with %lld combinations held out at once no group is left "
                    "to learn %s from; hold out fewer",
                    config->file, (long long)config->validate.folds,
                    scs_plan_perturbation_label(view, &grid->plan->pairs, c));
    }
    return SCS_OK;
}

/* Before anything is trained: a grid takes hours. */
static scs_status check_models(const scs_config *config, const scs_atlas *a, const scs_grid *grid)
{
    scs_sources *sources = NULL;
    scs_atlas view = {0};
    scs_status st;

    SCS_GO(st, scs_shift_sources_create(a, &sources));
    for (int64_t m = 0; m < grid->n_model; m++) {
        SCS_GO(st, view_create(grid, a, m, &view));
        SCS_GO(st, check_model(config, grid, m, &view, sources));
        free(view.group);
        view.group = NULL;
    }
done:
    free(view.group);
    scs_shift_sources_destroy(&sources);
    return st;
}

/* Nothing is trained yet: a grid that cannot work is refused here. On failure *grid is NULL. */
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

/* Combinations model, model + n_model, ... of the plan. */
int64_t scs_grid_size(const scs_grid *grid, int64_t model)
{
    return (grid->plan->n - model + grid->n_model - 1) / grid->n_model;
}

const scs_combination *scs_grid_item(const scs_grid *grid, int64_t model, int64_t k)
{
    return &grid->plan->item[model + k * grid->n_model];
}

/* One record of hold_out, through the key table as a config file would set it.
 * @param row its members are borrowed */
static scs_status set_hold_out(scs_config *config, const scs_key *key, int32_t i,
                               const scs_named_combination *row)
{
    static const scs_where nowhere = {.text = "validate"};

    for (int f = 0; f < key->record->n_field; f++) {
        const scs_field *field = &key->record->field[f];
        const char *name = *(char *const *)((const char *)row + field->offset);

        SCS_TRY(scs_value_set_field(config, key, i, field, name, &nowhere));
    }
    return SCS_OK;
}

/* By name and not by number: the config that results is what a user would write, is stored with
 * the model, and is checked as such. A dose is written as doses are read. */
scs_status scs_grid_hold_out(const scs_grid *grid, const scs_atlas *atlas, int64_t model,
                             scs_config *config)
{
    const scs_key *key = scs_key_find("hold_out");
    int32_t n = (int32_t)scs_grid_size(grid, model);

    scs_value_clear(config, key);
    SCS_TRY(scs_value_reserve(config, key, n));
    for (int32_t i = 0; i < n; i++) {
        const scs_combination *c = scs_grid_item(grid, model, i);
        char dose[SCS_DOSE_TEXT] = "";
        scs_named_combination row = {
            .species = atlas->species.name[c->species],
            .cell_type = atlas->cell_types.name[c->cell_type],
            .condition = (char *)scs_plan_perturbation_label(atlas, &grid->plan->pairs, c),
            .dose = dose};

        if (atlas->doses.n)
            scs_dose_text(c->dose, dose);
        SCS_TRY(set_hold_out(config, key, i, &row));
    }
    return SCS_OK;
}
