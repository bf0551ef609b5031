/* What becomes of each cell: training, validation, held out, or unused.
 *
 * First cells that lack a label are unused. Then hold_out takes all cells of its combinations, or
 * those for which an obs column has a value, which neither training nor the atlas's shifts see and
 * which are scored afterwards; where a column cuts a group in two, its cells are set aside. Of the
 * rest, the round(validation * n) cells with the smallest random keys are for validation: keys are
 * f(seed, global cell id), so that the split is the same on any number of ranks.
 *
 * What cannot be learnt from is refused here, before a network is trained for hours: no control
 * cells, no training cells, a perturbation with all of its cells held out (unless it is a pair
 * whose parts are seen, which is predicted as their sum). All functions are Local.
 */
#include "src/data/notes.h"
#include "src/base/random.h"
#include "src/config/key.h"
#include "src/data/dataset_internal.h"
#include "src/data/dose.h"
#include "src/data/pairing.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One list of a hold-out, looked up. Owned; zeroed: every label. */
typedef struct chosen {
    bool *all;        /* [labels] NULL: every one */
    bool *named;      /* [labels] those of them that are named in full, not by a glob */
    const char *noun; /* for messages */
    const scs_names *names;
} chosen;

/* A hold-out as positions of labels. */
typedef struct target {
    chosen species, cell_type, perturbation, value;
    double *dose; /* [n_dose]; n_dose 0: every dose */
    int32_t n_dose;
    const scs_cell_column *column; /* or NULL */
} target;

/* Zeroed is let through. */
static void clear_target(target *t)
{
    chosen *all[] = {&t->species, &t->cell_type, &t->perturbation, &t->value};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        free(all[i]->all);
        free(all[i]->named);
    }
    free(t->dose);
}

/* Labels that hold_out and messages name conditions by. */
static const scs_names *perturbations(const scs_dataset *d)
{
    return scs_dose_list_perturbations(&d->doses, &d->conditions);
}

/* A missing label is legal in AnnData (code -1); such a cell belongs to no group. */
static void mark_unused(scs_dataset *d)
{
    d->n_unused = 0;
    for (int64_t c = 0; c < d->n_cell; c++)
        if (d->cell_species[c] < 0 || d->cell_type[c] < 0 || d->cell_condition[c] < 0) {
            d->role[c] = SCS_ROLE_UNUSED;
            d->n_unused++;
        }
}

/* ---- hold_out ---- */

/* Where the user wrote hold-out i: "FILE:LINE: hold_out" or "--set hold_out".
 *  @return out */
static char *place(const scs_config *config, int32_t i, char *out, size_t size)
{
    return scs_key_place(config, "hold_out", config->hold_out[i].line, out, size);
}

/* What fnmatch would take for more than a name. */
static bool is_glob(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

/* One name or glob. A label may itself look like a glob: a full name comes first. */
static scs_status choose(const scs_config *config, int32_t i, const char *name, chosen *list)
{
    scs_lidx at = scs_names_find(list->names, name);
    char where[256], hint[400];
    bool found = at >= 0;

    if (found)
        list->all[at] = list->named[at] = true;
    for (scs_lidx k = 0; at < 0 && is_glob(name) && k < list->names->n; k++)
        if (fnmatch(name, list->names->name[k], 0) == 0)
            list->all[k] = found = true;
    SCS_REQUIRE(found, SCS_EDATA, "%s: no cell has the %s '%s'; there is %s",
                place(config, i, where, sizeof where), list->noun, name,
                scs_notes_hint(list->names, name, hint, sizeof hint));
    return SCS_OK;
}

/* @param wanted names or globs; none: all
 *  @param noun of the label, for the message */
static scs_status choose_all(const scs_config *config, int32_t i, const scs_names *wanted,
                             const char *noun, const scs_names *names, chosen *list)
{
    list->noun = noun;
    list->names = names;
    if (wanted->n == 0)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(list->all, names->n));
    SCS_TRY(SCS_ALLOC(list->named, names->n));
    for (scs_lidx k = 0; k < wanted->n; k++)
        SCS_TRY(choose(config, i, wanted->name[k], list));
    return SCS_OK;
}

/* No list takes everything. */
static bool is_chosen(const chosen *list, int32_t at)
{
    return !list->all || list->all[at];
}

/* "0.1, 1, 10": the doses at which cells show the chosen perturbations. Cut off where `out` is
 * full.
 *  @return out */
static char *list_doses(const scs_dose_list *doses, const target *t, char *out, size_t size)
{
    char dose[SCS_DOSE_TEXT];
    size_t used = 0;

    out[0] = '\0';
    for (int32_t c = 0; c < doses->n && used < size; c++)
        if (doses->dose[c] > 0 && is_chosen(&t->perturbation, doses->perturbation[c]))
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
                                     scs_dose_text(doses->dose[c], dose));
    return out;
}

/* Whether some cell shows a chosen perturbation at this dose: exactly, as doses are labels. */
static bool is_shown(const scs_dose_list *doses, const target *t, double dose)
{
    for (int32_t c = 0; c < doses->n; c++)
        if (doses->dose[c] == dose && is_chosen(&t->perturbation, doses->perturbation[c]))
            return true;
    return false;
}

/* Doses are numbers, not labels: "1.0" finds cells of dose 1. */
static scs_status find_doses(const scs_config *config, const scs_dataset *d, int32_t i, target *t)
{
    const scs_named_combination *named = &config->hold_out[i];
    char where[256], list[400], what[200];

    if (named->dose.n == 0)
        return SCS_OK;
    place(config, i, where, sizeof where);
    SCS_REQUIRE(d->doses.n > 0, SCS_EDATA,
                "%s: a dose, but the data have none; name their obs column as data.dose", where);
    SCS_TRY(SCS_ALLOC(t->dose, named->dose.n));
    for (; t->n_dose < named->dose.n; t->n_dose++) {
        const char *text = named->dose.name[t->n_dose];
        double *dose = &t->dose[t->n_dose];

        SCS_REQUIRE(scs_dose_parse(text, dose), SCS_EDATA,
                    "%s: '%s' is no dose; expected a number above 0", where, text);
        SCS_REQUIRE(is_shown(&d->doses, t, *dose), SCS_EDATA,
                    "%s: no cell shows %s at dose %s; there are %s", where,
                    scs_names_list(&named->condition, 4, what, sizeof what), text,
                    list_doses(&d->doses, t, list, sizeof list));
    }
    return SCS_OK;
}

/* The control cannot be held out by its name, it is what all predictions start from; globs pass
 * over it. By a column alone its cells can be set aside. */
static scs_status choose_perturbations(const scs_config *config, const scs_dataset *d, int32_t i,
                                       target *t)
{
    const scs_named_combination *named = &config->hold_out[i];
    int32_t control = scs_dose_list_perturbation(&d->doses, d->control);
    char where[256];

    SCS_TRY(
        choose_all(config, i, &named->condition, "condition", perturbations(d), &t->perturbation));
    if (!t->perturbation.all)
        return SCS_OK;
    SCS_REQUIRE(!t->perturbation.named[control], SCS_EDATA,
                "%s: '%s' is the control; only perturbations can be held out",
                place(config, i, where, sizeof where), perturbations(d)->name[control]);
    t->perturbation.all[control] = false;
    return SCS_OK;
}

/* @param[in,out] t zeroed to "every" before */
static scs_status find_target(const scs_config *config, const scs_dataset *d, int32_t i, target *t)
{
    const scs_named_combination *named = &config->hold_out[i];

    for (int32_t k = 0; named->column && k < d->n_column; k++)
        if (strcmp(d->column[k].name, named->column) == 0)
            t->column = &d->column[k];
    if (named->column) {
        SCS_REQUIRE(t->column, SCS_EINTERNAL, "the column %s was not read", named->column);
        SCS_TRY(choose_all(config, i, &named->value, named->column, &t->column->values, &t->value));
    }
    SCS_TRY(choose_all(config, i, &named->cell_type, "cell type", &d->cell_types, &t->cell_type));
    SCS_TRY(choose_all(config, i, &named->species, "species", &d->species, &t->species));
    SCS_TRY(choose_perturbations(config, d, i, t));
    return find_doses(config, d, i, t);
}

/* No doses given: every one. */
static bool has_dose(const target *t, double dose)
{
    for (int32_t k = 0; k < t->n_dose; k++)
        if (t->dose[k] == dose)
            return true;
    return t->n_dose == 0;
}

/* The cell fits all that is given. Its labels are there. */
static bool is_target(const scs_dataset *d, int64_t c, const target *t)
{
    int32_t condition = d->cell_condition[c];

    return is_chosen(&t->cell_type, d->cell_type[c]) &&
           is_chosen(&t->species, d->cell_species[c]) &&
           is_chosen(&t->perturbation, scs_dose_list_perturbation(&d->doses, condition)) &&
           (t->n_dose == 0 || has_dose(t, d->doses.dose[condition])) &&
           (!t->column || (t->column->value[c] >= 0 && is_chosen(&t->value, t->column->value[c])));
}

/* "B under drug in m": the item in words, for a message. @return out */
static char *item_text(const scs_named_combination *named, char *out, size_t size)
{
    char type[120], condition[120], species[120], value[120];

    snprintf(out, size, "%s%s%s%s%s%s%s%s",
             named->cell_type.n ? scs_names_list(&named->cell_type, 4, type, sizeof type)
                                : "any cell type",
             named->condition.n ? " under " : "",
             scs_names_list(&named->condition, 4, condition, sizeof condition),
             named->species.n ? " in " : "",
             scs_names_list(&named->species, 4, species, sizeof species),
             named->column ? " with " : "", named->column ? named->column : "",
             named->column ? " " : "");
    if (named->column)
        strncat(out, scs_names_list(&named->value, 4, value, sizeof value), size - strlen(out) - 1);
    return out;
}

/* A label that is named in full takes a cell, else the item says something that is not so.
 *  @param taken [labels] it took one */
static scs_status check_taken(const scs_config *config, int32_t i, const chosen *list,
                              const bool *taken)
{
    char where[256], text[512];

    for (scs_lidx k = 0; list->named && k < list->names->n; k++)
        SCS_REQUIRE(!list->named[k] || taken[k], SCS_EDATA,
                    "%s: no cell is %s for the %s '%s'; take it out of the item",
                    place(config, i, where, sizeof where),
                    item_text(&config->hold_out[i], text, sizeof text), list->noun,
                    list->names->name[k]);
    return SCS_OK;
}

/* The target's cells are held out. A combination that no cell has is refused: it would be scored
 * against nothing. An item that only repeats others is told: it was perhaps meant to name other
 * cells.
 *  @param taken_type, taken_perturbation scratch, [labels] zeroed */
static scs_status hold_out_target(const scs_config *config, int32_t i, const target *t,
                                  scs_dataset *d, bool *taken_type, bool *taken_perturbation)
{
    char where[256], text[512];
    int64_t n = 0, fresh = 0;

    for (int64_t c = 0; c < d->n_cell; c++)
        if (d->role[c] != SCS_ROLE_UNUSED && is_target(d, c, t)) {
            fresh += d->role[c] != SCS_ROLE_HELD_OUT;
            d->role[c] = SCS_ROLE_HELD_OUT;
            taken_type[d->cell_type[c]] = true;
            taken_perturbation[scs_dose_list_perturbation(&d->doses, d->cell_condition[c])] = true;
            n++;
        }
    SCS_REQUIRE(n > 0, SCS_EDATA, "%s: no cell is %s", place(config, i, where, sizeof where),
                item_text(&config->hold_out[i], text, sizeof text));
    if (fresh == 0)
        SCS_TRY(scs_notes_add(d, "%s: item %d, %s, takes no cell that the items before it do not",
                              place(config, i, where, sizeof where), i + 1,
                              item_text(&config->hold_out[i], text, sizeof text)));
    SCS_TRY(check_taken(config, i, &t->cell_type, taken_type));
    return check_taken(config, i, &t->perturbation, taken_perturbation);
}

static scs_status hold_out(const scs_config *config, int32_t i, scs_dataset *d)
{
    bool *type = NULL, *perturbation = NULL;
    target t = {0};
    scs_status st;

    SCS_GO(st, find_target(config, d, i, &t));
    SCS_GO(st, SCS_ALLOC(type, d->cell_types.n));
    SCS_GO(st, SCS_ALLOC(perturbation, perturbations(d)->n));
    SCS_GO(st, hold_out_target(config, i, &t, d, type, perturbation));
done:
    clear_target(&t);
    free(type);
    free(perturbation);
    return st;
}

/* ---- groups that a column cuts in two ---- */

enum { KEPT = 1, TAKEN = 2 };

static int64_t group_of(const scs_dataset *d, int64_t c)
{
    return ((int64_t)d->cell_species[c] * d->cell_types.n + d->cell_type[c]) * d->conditions.n +
           d->cell_condition[c];
}

/* Controls that are held out to the last cell leave nothing to predict from. */
static scs_status refuse_lost_controls(const scs_dataset *d, const uint8_t *seen)
{
    for (int64_t k = 0; k < (int64_t)d->species.n * d->cell_types.n; k++)
        SCS_REQUIRE(seen[k * d->conditions.n + d->control] != TAKEN, SCS_EDATA,
                    "hold_out: by its column it takes all control cells of %s in species %s, which "
                    "its predictions start from; add condition: \"*\" to the item, which takes "
                    "perturbed cells alone",
                    d->cell_types.name[k % d->cell_types.n], d->species.name[k / d->cell_types.n]);
    return SCS_OK;
}

/* A row is scored by all cells of its group. Where some of them are held out and some are not, the
 * former are set aside: nothing sees them. */
static void set_aside(const uint8_t *seen, scs_dataset *d)
{
    for (int64_t c = 0; c < d->n_cell; c++)
        if (d->role[c] == SCS_ROLE_HELD_OUT && seen[group_of(d, c)] == (KEPT | TAKEN)) {
            d->role[c] = SCS_ROLE_UNUSED;
            d->n_set_aside++;
        }
    d->n_unused += d->n_set_aside;
}

static scs_status split_groups(scs_dataset *d)
{
    uint8_t *seen;
    scs_status st;

    SCS_TRY(SCS_ALLOC(seen, (int64_t)d->species.n * d->cell_types.n * d->conditions.n));
    for (int64_t c = 0; c < d->n_cell; c++)
        if (d->role[c] != SCS_ROLE_UNUSED)
            seen[group_of(d, c)] |= d->role[c] == SCS_ROLE_HELD_OUT ? TAKEN : KEPT;
    st = refuse_lost_controls(d, seen);
    if (st == SCS_OK)
        set_aside(seen, d);
    free(seen);
    return st;
}

/* ---- validation ---- */

/* The smallest round(validation * n) random keys of the training cells become validation cells. */
static scs_status split_validation(const scs_config *config, scs_dataset *d)
{
    scs_stream stream = {.seed = (uint64_t)config->train.seed, .purpose = SCS_RANDOM_SPLIT};
    int64_t *cell = NULL, *order = NULL, n = 0, n_valid;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(cell, d->n_cell));
    for (int64_t c = 0; c < d->n_cell; c++)
        if (d->role[c] == SCS_ROLE_TRAIN)
            cell[n++] = c;
    SCS_GO(st, SCS_ALLOC(order, n));
    SCS_GO(st, scs_random_order_cells(&stream, cell, n, order));
    /* Half a cell counts as one. */
    n_valid = llround(config->train.validation * (double)n);
    for (int64_t k = 0; k < n_valid; k++)
        d->role[cell[order[k]]] = SCS_ROLE_VALID;
    if (n_valid == n)
        st = SCS_FAIL(SCS_EDATA,
                      "no cells left to train on: %lld of %lld cells are held out, %lld lack "
                      "a label or are set aside, %lld are for validation",
                      (long long)(d->n_cell - d->n_unused - n), (long long)d->n_cell,
                      (long long)d->n_unused, (long long)n_valid);
done:
    free(cell);
    free(order);
    return st;
}

/* ---- what has to be there ---- */

/* Whether both perturbations of a pair can be learnt from.
 *  @param seen [perturbations] training cells */
static bool is_sum(const scs_pairing *pairing, int32_t label, const int64_t *seen)
{
    const scs_pair_label *pair = scs_pairing_of(pairing, label);

    return pair && seen[pair->first] > 0 && seen[pair->second] > 0;
}

/* Each perturbation needs cells that are not held out: the control to start from, others to
 * learn them, unless like ones are known.
 *  @param like screen.perturbation_features is there  @param seen [perturbations] training cells */
static scs_status check_seen(const scs_dataset *d, const scs_pairing *pairing, bool like,
                             const int64_t *seen)
{
    int32_t control = scs_dose_list_perturbation(&d->doses, d->control);

    SCS_REQUIRE(seen[control] > 0, SCS_EDATA,
                "no control cells: every cell of '%s' lacks its cell type or species",
                perturbations(d)->name[control]);
    for (scs_lidx k = 0; k < perturbations(d)->n; k++)
        SCS_REQUIRE(seen[k] > 0 || like || is_sum(pairing, k, seen), SCS_EDATA,
                    "perturbation '%s' has no cells left to learn from: all are held out or lack a "
                    "label; hold out fewer of its combinations",
                    perturbations(d)->name[k]);
    return SCS_OK;
}

/* Counted over all species and types: a shift may come from any of them. */
static scs_status check_conditions(const scs_config *config, const scs_dataset *d)
{
    int64_t *seen = NULL;
    scs_pairing pairing = {0};
    scs_status st;

    SCS_GO(st, SCS_ALLOC(seen, perturbations(d)->n));
    for (int64_t c = 0; c < d->n_cell; c++)
        if (d->role[c] == SCS_ROLE_TRAIN)
            seen[scs_dose_list_perturbation(&d->doses, d->cell_condition[c])]++;
    SCS_GO(st,
           scs_pairing_create(perturbations(d), scs_dose_list_perturbation(&d->doses, d->control),
                              scs_pairing_separator(config), &pairing));
    SCS_GO(st, check_seen(d, &pairing, *config->screen.perturbation_features, seen));
done:
    scs_pairing_clear(&pairing);
    free(seen);
    return st;
}

/* Note what has perturbed cells but no control to predict from: it is left out of the screen. */
static scs_status note_types_without_control(scs_dataset *d)
{
    int64_t n = (int64_t)d->species.n * d->cell_types.n;
    scs_status st = SCS_OK;
    uint8_t *seen; /* 1: any cell, 2: control cells */

    SCS_TRY(SCS_ALLOC(seen, n));
    for (int64_t c = 0; c < d->n_cell; c++)
        if (d->role[c] != SCS_ROLE_UNUSED)
            seen[(int64_t)d->cell_species[c] * d->cell_types.n + d->cell_type[c]] |=
                d->cell_condition[c] == d->control ? 3 : 1;
    for (int64_t k = 0; k < n && st == SCS_OK; k++)
        if (seen[k] == 1)
            st = scs_notes_add(
                d, "no control cells of %s in species %s: nothing is predicted for it",
                d->cell_types.name[k % d->cell_types.n], d->species.name[k / d->cell_types.n]);
    free(seen);
    return st;
}

/* From the beginning each time: cross-validation holds out one fold after the other in one
 * dataset.
 * @param all every perturbation has to be seen in training */
static scs_status give_roles(const scs_config *config, bool all, scs_dataset *d)
{
    bool by_column = false;

    memset(d->role, SCS_ROLE_TRAIN, (size_t)d->n_cell);
    mark_unused(d);
    d->n_set_aside = 0;
    for (int32_t i = 0; i < config->n_hold_out; i++) {
        SCS_TRY(hold_out(config, i, d));
        by_column |= config->hold_out[i].column != NULL;
    }
    if (by_column)
        SCS_TRY(split_groups(d));
    if (all)
        SCS_TRY(check_conditions(config, d));
    return split_validation(config, d);
}

scs_status scs_roles_hold_out(const scs_config *config, scs_dataset *d)
{
    return give_roles(config, true, d);
}

/* Controls cannot be held out, so that they are there. */
scs_status scs_roles_hold_out_fold(const scs_config *config, scs_dataset *d)
{
    return give_roles(config, false, d);
}

/* "A+ctrl" and "ctrl+A" would leak: one is held out, the other trained on. So twins are refused
 * whatever screen.order is. */
static scs_status refuse_twins(const scs_config *config, const scs_dataset *d)
{
    scs_pairing pairing = {0};

    SCS_TRY(scs_pairing_create(perturbations(d), scs_dose_list_perturbation(&d->doses, d->control),
                               config->screen.pair_separator, &pairing));
    scs_pairing_clear(&pairing);
    return SCS_OK;
}

/* Notes only here: with other hold-outs the types without controls are the same. */
scs_status scs_roles_assign(const scs_config *config, scs_dataset *d)
{
    if (config->screen.pair_separator)
        SCS_TRY(refuse_twins(config, d));
    SCS_TRY(SCS_ALLOC(d->role, d->n_cell));
    SCS_TRY(scs_roles_hold_out(config, d));
    return note_types_without_control(d);
}

bool scs_roles_has_say(const scs_dataset *d, bool controls, int64_t cell)
{
    return d->role[cell] < SCS_ROLE_HELD_OUT &&
           (!controls || d->cell_condition[cell] == d->control);
}
