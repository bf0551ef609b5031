/* The grid of a validation (grid.h): choosing what can be held out, and dealing it to models. All
 * functions are Local.
 *
 * Whether a combination can be learnt is asked of the same code that a screen learns from
 * (scs_shift_sources_find, by `paired`, which needs the least), on a view of the atlas in which
 * what a model holds out is held out: so that the two cannot disagree. What cannot be scored is
 * kept as a line of notes, not dropped in silence.
 *
 * With protocol combination, n combinations and folds f there are ceil(n / f) models, and model m
 * holds out m, m + M, m + 2 M, ... (M models): neighbours in the list, which share cell type or
 * species, are held out by different models. With the others there is a model for each context,
 * dose or perturbation of which a row is scored, in the order of their labels (of doses:
 * ascending).
 */
#include "src/crossval/grid.h"

#include "src/base/names.h"
#include "src/base/text.h"
#include "src/config/value.h"
#include "src/data/dose.h"
#include "src/data/pairing.h"
#include "src/screen/plan.h"
#include "src/screen/treatments.h"
#include "scscreen/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPECIES, CELL_TYPES, PERTURBATIONS, N_LIST };

/* What is used while a grid is made. */
typedef struct making {
    const scs_config *config;
    scs_grid *grid;
    scs_atlas view; /* the atlas as a model sees it; shares all but `group` */
    scs_selection list[N_LIST];
    scs_treatments what;  /* also: which labels are pairs */
    scs_sources *sources; /* scratch */
    double *dose;         /* [n_dose] ascending, each once */
    int32_t n_dose;
    int64_t n_held, room; /* of grid->held */
} making;

/* Whether the group's perturbation can be learnt from it: its control is there as well. */
static bool is_paired(const scs_atlas *a, const scs_group *g)
{
    return scs_atlas_usable_group(a, g->species, g->cell_type, a->control) >= 0;
}

/* The group and its controls have the cells that validate.min_cells asks for. */
static bool is_large(const making *m, const scs_group *g)
{
    int32_t control = scs_atlas_group(&m->view, g->species, g->cell_type, m->view.control);

    return g->count >= m->config->validate.min_cells &&
           m->view.group[control].count >= m->config->validate.min_cells;
}

/* Whether the config selects the group; controls never are. */
static bool is_chosen(const making *m, const scs_group *g)
{
    const scs_atlas *a = &m->view;

    return g->condition != a->control && is_paired(a, g) && is_large(m, g) &&
           m->list[SPECIES].chosen[g->species] && m->list[CELL_TYPES].chosen[g->cell_type] &&
           m->list[PERTURBATIONS].chosen[scs_atlas_perturbation(a, g->condition)];
}

/* Whether the target can be learnt from other groups, and from other doses; its own cells do
 * not count: its held_out is set for the question and put back. */
static scs_status is_learnable(making *m, const scs_combination *target, bool *learnable)
{
    scs_method method = scs_shift_method_from_config(m->config);
    bool *held_out = &m->view.group[target->observed_group].held_out, kept = *held_out;
    scs_status st;

    method.shift = SCS_SHIFT_PAIRED;
    *held_out = true;
    st = scs_shift_sources_find(&m->view, &method, target, m->sources);
    *held_out = kept;
    *learnable = m->sources->kind != SCS_SOURCE_NONE;
    return st;
}

/* A line for the user that says why the combination is left out; labels are escaped. */
static scs_status add_note(making *m, const scs_combination *c)
{
    const scs_atlas *a = &m->view;
    char line[512], escaped[512], what[200];

    scs_plan_treatment_text(a, &m->grid->plan->pairs, c, what, sizeof what);
    snprintf(line, sizeof line, "%s, %s, %s cannot be scored: no other group shows %s",
             a->species.name[c->species], a->cell_types.name[c->cell_type], what, what);
    return scs_names_add(&m->grid->notes, scs_text_escape(line, escaped, sizeof escaped));
}

/* The group as a row of the plan (a pair's, where screen.order is 2), as a screen would make it.
 * Where it cannot be learnt there is a note instead, except where nobody could learn it. */
static scs_status add_row(making *m, const scs_group *g)
{
    const scs_atlas *a = &m->view;
    scs_plan *plan = m->grid->plan;
    bool learnable = true;

    m->what.n = 0;
    SCS_TRY(scs_treatments_add(&m->what, scs_atlas_perturbation(a, g->condition),
                               scs_atlas_dose(a, g->condition)));
    SCS_TRY(scs_plan_add_treated(a, g->species, g->cell_type, &m->what.item[0], plan));
    if (m->config->validate.protocol != SCS_PROTOCOL_PERTURBATION)
        SCS_TRY(is_learnable(m, &plan->item[plan->n - 1], &learnable));
    if (learnable)
        return SCS_OK;
    SCS_TRY(add_note(m, &plan->item[plan->n - 1]));
    plan->n--;
    return SCS_OK;
}

/* ---- models ---- */

/* Room for so many models, and for every row once. */
static scs_status reserve_models(scs_grid *grid, int64_t n_model, int64_t n_row)
{
    SCS_TRY(SCS_ALLOC(grid->row_first, n_model + 1));
    SCS_TRY(SCS_ALLOC(grid->held_first, n_model + 1));
    return SCS_ALLOC(grid->row, n_row);
}

/* One more group of the model that is being made. */
static scs_status add_held(making *m, int32_t group)
{
    scs_grid *grid = m->grid;

    if (m->n_held == m->room) {
        int64_t room = 2 * m->room + 64;
        int32_t *grown = scs_reallocate(grid->held, room, sizeof *grown);

        SCS_REQUIRE(grown, SCS_ENOMEM, "out of memory: groups that are held out");
        grid->held = grown;
        m->room = room;
    }
    grid->held[m->n_held++] = group;
    return SCS_OK;
}

/* ---- protocol combination ---- */

/* Every selected combination by itself, in the order of the groups: by species, cell type,
 * condition. */
static scs_status add_combinations(making *m)
{
    for (int32_t g = 0; g < m->view.n_group; g++)
        if (is_chosen(m, &m->view.group[g]))
            SCS_TRY(add_row(m, &m->view.group[g]));
    return SCS_OK;
}

/* For qsort. */
static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* Model m holds out rows m, m + M, ... */
static scs_status deal_combinations(making *m)
{
    scs_grid *grid = m->grid;
    int64_t n = grid->plan->n, folds = m->config->validate.folds, at = 0;

    grid->n_model = (n + folds - 1) / folds;
    SCS_TRY(reserve_models(grid, grid->n_model, n));
    for (int64_t k = 0; k < grid->n_model; k++) {
        for (int64_t i = k; i < n; i += grid->n_model) {
            grid->row[at++] = i;
            SCS_TRY(add_held(m, grid->plan->item[i].observed_group));
        }
        grid->row_first[k + 1] = at;
        grid->held_first[k + 1] = m->n_held;
        qsort(grid->held + grid->held_first[k], (size_t)(m->n_held - grid->held_first[k]),
              sizeof *grid->held, ascending);
    }
    return SCS_OK;
}

/* Whether each of a model's combinations can be learnt though the others are held out too.
 * SCS_EARG tells what to change. */
static scs_status check_model(making *m, int64_t model)
{
    const scs_grid *grid = m->grid;
    bool learnable;

    for (int64_t k = 0; k < scs_grid_size(grid, model); k++) {
        const scs_combination *c = scs_grid_item(grid, model, k);

        SCS_TRY(is_learnable(m, c, &learnable));
        SCS_REQUIRE(learnable, SCS_EARG,
                    "%s: validate.folds: with %lld combinations held out at once no group is left "
                    "to learn %s from; hold out fewer",
                    m->config->file, (long long)m->config->validate.folds,
                    scs_plan_perturbation_label(&m->view, &grid->plan->pairs, c));
    }
    return SCS_OK;
}

/* Before anything is trained: a grid takes hours. */
static scs_status check_models(making *m)
{
    const scs_grid *grid = m->grid;

    for (int64_t k = 0; k < grid->n_model; k++) {
        int64_t n;
        const int32_t *held = scs_grid_held(grid, k, &n);

        for (int64_t i = 0; i < n; i++)
            m->view.group[held[i]].held_out = true;
        SCS_TRY(check_model(m, k));
        for (int64_t i = 0; i < n; i++)
            m->view.group[held[i]].held_out = false;
    }
    return SCS_OK;
}

/* ---- the other protocols: a model for each fold ---- */

/* For qsort; doses are finite. */
static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Doses of all perturbations, ascending, each once. */
static scs_status list_doses(making *m)
{
    const scs_atlas *a = &m->view;

    SCS_REQUIRE(a->doses.n > 0, SCS_EARG,
                "%s: validate.protocol: dose, but the data have none; name their obs column as "
                "data.dose",
                m->config->file);
    SCS_TRY(SCS_ALLOC(m->dose, a->conditions.n));
    for (int32_t c = 0; c < a->conditions.n; c++)
        if (c != a->control)
            m->dose[m->n_dose++] = scs_atlas_dose(a, c);
    qsort(m->dose, (size_t)m->n_dose, sizeof *m->dose, by_size);
    for (int32_t i = 0, n = m->n_dose, last = m->n_dose = 0; i < n; last = i++)
        if (i == 0 || m->dose[i] > m->dose[last])
            m->dose[m->n_dose++] = m->dose[i];
    return SCS_OK;
}

/* What could be held out together, whether or not a row of it is scored. */
static int32_t count_folds(const making *m)
{
    const scs_atlas *a = &m->view;

    switch (m->config->validate.protocol) {
    case SCS_PROTOCOL_CONTEXT:
        return a->species.n *
               (m->config->validate.context == SCS_CONTEXT_SPECIES ? 1 : a->cell_types.n);
    case SCS_PROTOCOL_DOSE:
        return m->n_dose;
    default:
        return scs_atlas_perturbations(a)->n;
    }
}

/* The one fold that the group is scored in. */
static int32_t fold_of(const making *m, const scs_group *g)
{
    const scs_atlas *a = &m->view;
    double dose;
    int32_t i = 0;

    switch (m->config->validate.protocol) {
    case SCS_PROTOCOL_CONTEXT:
        return m->config->validate.context == SCS_CONTEXT_SPECIES
                   ? g->species
                   : g->species * a->cell_types.n + g->cell_type;
    case SCS_PROTOCOL_DOSE:
        for (dose = scs_atlas_dose(a, g->condition); m->dose[i] < dose; i++)
            ;
        return i;
    default:
        return scs_atlas_perturbation(a, g->condition);
    }
}

/* Whether the fold holds the group out: its own, and of a pair's two perturbations either. */
static bool is_held(const making *m, int32_t fold, const scs_group *g)
{
    const scs_pair_label *pair = NULL;

    if (g->condition == m->view.control)
        return false;
    if (fold_of(m, g) == fold)
        return true;
    if (m->config->validate.protocol == SCS_PROTOCOL_PERTURBATION)
        pair = scs_pairing_of(&m->what.pairing, scs_atlas_perturbation(&m->view, g->condition));
    return pair && (pair->first == fold || pair->second == fold);
}

/* A fold becomes a model where one of its rows is scored. */
static scs_status add_fold(making *m, int32_t fold)
{
    scs_grid *grid = m->grid;
    scs_group *group = m->view.group;
    int64_t first = grid->plan->n, held = m->n_held;

    for (int32_t g = 0; g < m->view.n_group; g++)
        group[g].held_out = is_held(m, fold, &group[g]);
    for (int32_t g = 0; g < m->view.n_group; g++)
        if (group[g].held_out && fold_of(m, &group[g]) == fold && is_chosen(m, &group[g]))
            SCS_TRY(add_row(m, &group[g]));
    for (int32_t g = 0; g < m->view.n_group && grid->plan->n > first; g++)
        if (group[g].held_out)
            SCS_TRY(add_held(m, g));
    if (m->n_held > held) {
        grid->n_model++;
        grid->row_first[grid->n_model] = grid->plan->n;
        grid->held_first[grid->n_model] = m->n_held;
    }
    return SCS_OK;
}

/* Rows come in the order of the folds, so that each model's stand together. */
static scs_status add_folds(making *m)
{
    int32_t n;

    SCS_REQUIRE(m->config->validate.folds == 1, SCS_EARG,
                "%s: validate.folds goes with validate.protocol: combination; the others hold out "
                "one context, dose or perturbation at a time",
                m->config->file);
    if (m->config->validate.protocol == SCS_PROTOCOL_DOSE)
        SCS_TRY(list_doses(m));
    n = count_folds(m);
    SCS_TRY(reserve_models(m->grid, n, m->view.n_group));
    for (int32_t f = 0; f < n; f++)
        SCS_TRY(add_fold(m, f));
    for (int64_t i = 0; i < m->grid->plan->n; i++)
        m->grid->row[i] = i;
    return SCS_OK;
}

/* ---- all of it ---- */

/* By validate.species, cell_types and perturbations. SCS_EARG for names that do not exist; the
 * nearest one that does is suggested. */
static scs_status open_making(making *m, const scs_atlas *a)
{
    const scs_config *config = m->config;

    m->list[SPECIES] = (scs_selection){.key = "validate.species",
                                       .noun = "species",
                                       .wanted = &config->validate.species,
                                       .names = &a->species};
    m->list[CELL_TYPES] = (scs_selection){.key = "validate.cell_types",
                                          .noun = "cell type",
                                          .wanted = &config->validate.cell_types,
                                          .names = &a->cell_types};
    m->list[PERTURBATIONS] = (scs_selection){.key = "validate.perturbations",
                                             .noun = "condition",
                                             .wanted = &config->validate.perturbations,
                                             .names = scs_atlas_perturbations(a)};
    m->view = *a;
    m->view.group = NULL;
    SCS_TRY(SCS_ALLOC(m->grid->plan, 1));
    SCS_TRY(SCS_ALLOC(m->view.group, a->n_group));
    memcpy(m->view.group, a->group, (size_t)a->n_group * sizeof *a->group);
    for (int i = 0; i < N_LIST; i++)
        SCS_TRY(scs_names_selection_make(&m->list[i]));
    SCS_TRY(scs_treatments_create(config, a, &m->grid->plan->pairs, &m->what));
    return scs_shift_sources_create(a, &m->sources);
}

/* What was used while the grid was made; the grid stays. */
static void close_making(making *m)
{
    free(m->view.group);
    free(m->dose);
    scs_shift_sources_destroy(&m->sources);
    scs_treatments_clear(&m->what);
    for (int i = 0; i < N_LIST; i++)
        scs_names_selection_clear(&m->list[i]);
}

/* Rows first, then models: by the protocol. */
static scs_status make(making *m)
{
    bool alone = m->config->validate.protocol == SCS_PROTOCOL_COMBINATION;

    SCS_TRY(alone ? add_combinations(m) : add_folds(m));
    SCS_REQUIRE(
        m->grid->plan->n > 0, SCS_EARG,
        "nothing to validate: no selected combination was observed beside another group "
        "with the same perturbation, each with validate.min_cells (%lld) cells and controls",
        (long long)m->config->validate.min_cells);
    if (!alone)
        return SCS_OK;
    SCS_TRY(deal_combinations(m));
    return check_models(m);
}

/* A line for combinations that validate.min_cells leaves out. */
static scs_status note_small(making *m)
{
    char line[200];
    int64_t n = 0;

    for (int32_t g = 0; g < m->view.n_group; g++) {
        const scs_group *group = &m->view.group[g];

        n += group->condition != m->view.control && is_paired(&m->view, group) &&
             !is_large(m, group);
    }
    if (n == 0)
        return SCS_OK;
    snprintf(line, sizeof line,
             "%lld combinations are not held out: they or their controls have fewer than "
             "validate.min_cells (%lld) cells",
             (long long)n, (long long)m->config->validate.min_cells);
    return scs_names_add(&m->grid->notes, line);
}

/* Nothing is trained yet: a grid that cannot work is refused here. On failure *grid is NULL. */
scs_status scs_grid_create(const scs_config *config, const scs_atlas *atlas, scs_grid **grid)
{
    making m = {.config = config};
    scs_status st;

    SCS_TRY(SCS_ALLOC(*grid, 1));
    m.grid = *grid;
    SCS_GO(st, open_making(&m, atlas));
    SCS_GO(st, note_small(&m));
    SCS_GO(st, make(&m));
done:
    close_making(&m);
    if (st != SCS_OK)
        scs_grid_destroy(grid);
    return st;
}

void scs_grid_destroy(scs_grid **grid)
{
    if (!*grid)
        return;
    scs_plan_destroy(&(*grid)->plan);
    scs_names_clear(&(*grid)->notes);
    free((*grid)->row_first);
    free((*grid)->row);
    free((*grid)->held_first);
    free((*grid)->held);
    free(*grid);
    *grid = NULL;
}

int64_t scs_grid_size(const scs_grid *grid, int64_t model)
{
    return grid->row_first[model + 1] - grid->row_first[model];
}

int64_t scs_grid_row(const scs_grid *grid, int64_t model, int64_t k)
{
    return grid->row[grid->row_first[model] + k];
}

const scs_combination *scs_grid_item(const scs_grid *grid, int64_t model, int64_t k)
{
    return &grid->plan->item[scs_grid_row(grid, model, k)];
}

const int32_t *scs_grid_held(const scs_grid *grid, int64_t model, int64_t *n)
{
    *n = grid->held_first[model + 1] - grid->held_first[model];
    return grid->held + grid->held_first[model];
}

/* One member of record i of hold_out, through the key table as a config file would set it. */
static scs_status set_hold_out(scs_config *config, int32_t i, const char *name, const char *text)
{
    static const scs_where nowhere = {.text = "validate"};
    const scs_key *key = scs_key_find("hold_out");

    for (int f = 0; f < key->record->n_field; f++)
        if (strcmp(key->record->field[f].name, name) == 0)
            return scs_value_set_field(config, key, i, &key->record->field[f], text, &nowhere);
    return SCS_FAIL(SCS_EINTERNAL, "hold_out has no %s", name);
}

/* By name and not by number: the config that results is what a user would write, is stored with
 * the model, and is checked as such. A dose is written as doses are read. */
scs_status scs_grid_hold_out(const scs_grid *grid, const scs_atlas *atlas, int64_t model,
                             scs_config *config)
{
    const scs_key *key = scs_key_find("hold_out");
    int64_t n;
    const int32_t *held = scs_grid_held(grid, model, &n);

    scs_value_clear(config, key);
    SCS_TRY(scs_value_reserve(config, key, (int32_t)n));
    for (int32_t i = 0; i < n; i++) {
        const scs_group *g = &atlas->group[held[i]];
        int32_t perturbation = scs_atlas_perturbation(atlas, g->condition);
        char dose[SCS_DOSE_TEXT] = "";

        if (atlas->doses.n)
            scs_dose_text(scs_atlas_dose(atlas, g->condition), dose);
        SCS_TRY(set_hold_out(config, i, "species", atlas->species.name[g->species]));
        SCS_TRY(set_hold_out(config, i, "cell_type", atlas->cell_types.name[g->cell_type]));
        SCS_TRY(set_hold_out(config, i, "condition",
                             scs_atlas_perturbations(atlas)->name[perturbation]));
        SCS_TRY(set_hold_out(config, i, "dose", dose));
    }
    return SCS_OK;
}

/* The first combination stands for the model; labels are not escaped. */
char *scs_grid_describe(const scs_grid *grid, const scs_atlas *atlas, int64_t model, char *out,
                        size_t size)
{
    const scs_combination *c = scs_grid_item(grid, model, 0);
    long long more = scs_grid_size(grid, model) - 1;
    int at = snprintf(out, size, "%s, %s, %s", atlas->species.name[c->species],
                      atlas->cell_types.name[c->cell_type], atlas->conditions.name[c->condition]);

    if (more && at >= 0 && at < (int)size)
        snprintf(out + at, size - (size_t)at, " and %lld more", more);
    return out;
}
