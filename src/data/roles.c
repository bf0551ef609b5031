/* What becomes of each cell: training, validation, held out, or unused.
 *
 * First cells that lack a label are unused. Then hold_out takes all cells of its combinations,
 * which neither training nor the atlas's shifts see and which are scored afterwards. Of the rest,
 * the round(validation * n) cells with the smallest random keys are for validation: keys are
 * f(seed, global cell id), so that the split is the same on any number of ranks.
 *
 * What cannot be learnt from is refused here, before a network is trained for hours: no control
 * cells, no training cells, a perturbation with all of its cells held out (unless it is a pair
 * whose parts are seen, which is predicted as their sum). All functions are Local.
 */
#include "src/data/notes.h"
#include "src/base/random.h"
#include "src/data/dataset_internal.h"
#include "src/data/dose.h"
#include "src/data/pairing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A hold-out as positions of labels. species -1: every species; dose NaN: every dose. */
typedef struct target {
    scs_lidx species, cell_type, perturbation;
    double dose;
} target;

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
    if (config->hold_out[i].line > 0)
        snprintf(out, size, "%s:%d: hold_out", config->file, config->hold_out[i].line);
    else
        snprintf(out, size, "--set hold_out");
    return out;
}

/* @param what of the label, for the message
 *  @param[out] at position in names */
static scs_status find_label(const scs_config *config, int32_t i, const char *what,
                             const scs_names *names, const char *name, scs_lidx *at)
{
    char where[256], hint[400];

    *at = scs_names_find(names, name);
    SCS_REQUIRE(*at >= 0, SCS_EDATA, "%s: no cell has the %s '%s'; there is %s",
                place(config, i, where, sizeof where), what, name,
                scs_notes_hint(names, name, hint, sizeof hint));
    return SCS_OK;
}

/* "0.1, 1, 10": the doses at which cells show the perturbation. Cut off where `out` is full.
 *  @return out */
static char *list_doses(const scs_dose_list *doses, int32_t perturbation, char *out, size_t size)
{
    char dose[SCS_DOSE_TEXT];
    size_t used = 0;

    out[0] = '\0';
    for (int32_t c = 0; c < doses->n && used < size; c++)
        if (doses->perturbation[c] == perturbation)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
                                     scs_dose_text(doses->dose[c], dose));
    return out;
}

/* A dose is a number, not a label: "1.0" finds cells of dose 1. */
static scs_status find_dose(const scs_config *config, const scs_dataset *d, int32_t i, target *t)
{
    const char *text = config->hold_out[i].dose;
    char where[256], list[400];

    SCS_REQUIRE(d->doses.n > 0, SCS_EDATA,
                "%s: a dose, but the data have none; name their obs column as data.dose",
                place(config, i, where, sizeof where));
    SCS_REQUIRE(scs_dose_parse(text, &t->dose), SCS_EDATA,
                "%s: '%s' is no dose; expected a number above 0",
                place(config, i, where, sizeof where), text);
    SCS_REQUIRE(scs_dose_list_find(&d->doses, t->perturbation, t->dose) >= 0, SCS_EDATA,
                "%s: no cell shows %s at dose %s; there are %s",
                place(config, i, where, sizeof where), config->hold_out[i].condition, text,
                list_doses(&d->doses, t->perturbation, list, sizeof list));
    return SCS_OK;
}

/* @param[in,out] t zeroed to "every" before; the control cannot be held out, it is what all
 *         predictions start from */
static scs_status find_target(const scs_config *config, const scs_dataset *d, int32_t i, target *t)
{
    const scs_named_combination *named = &config->hold_out[i];
    char where[256];

    SCS_TRY(find_label(config, i, "cell type", &d->cell_types, named->cell_type, &t->cell_type));
    SCS_TRY(
        find_label(config, i, "condition", perturbations(d), named->condition, &t->perturbation));
    if (named->species)
        SCS_TRY(find_label(config, i, "species", &d->species, named->species, &t->species));
    SCS_REQUIRE(t->perturbation != scs_dose_list_perturbation(&d->doses, d->control), SCS_EDATA,
                "%s: '%s' is the control; only perturbations can be held out",
                place(config, i, where, sizeof where), named->condition);
    return named->dose ? find_dose(config, d, i, t) : SCS_OK;
}

/* The cell has all of its labels. */
static bool is_target(const scs_dataset *d, int64_t c, const target *t)
{
    return d->cell_type[c] == t->cell_type &&
           scs_dose_list_perturbation(&d->doses, d->cell_condition[c]) == t->perturbation &&
           (isnan(t->dose) || d->doses.dose[d->cell_condition[c]] == t->dose) &&
           (t->species < 0 || d->cell_species[c] == t->species);
}

/* A combination that no cell has is refused: it would be scored against nothing. */
static scs_status hold_out(const scs_config *config, int32_t i, scs_dataset *d)
{
    const scs_named_combination *named = &config->hold_out[i];
    char where[256];
    int64_t n = 0;
    target t = {-1, -1, -1, NAN};

    SCS_TRY(find_target(config, d, i, &t));
    for (int64_t c = 0; c < d->n_cell; c++)
        if (d->role[c] != SCS_ROLE_UNUSED && is_target(d, c, &t)) {
            d->role[c] = SCS_ROLE_HELD_OUT;
            n++;
        }
    SCS_REQUIRE(n > 0, SCS_EDATA, "%s: no cell is %s under %s%s%s",
                place(config, i, where, sizeof where), named->cell_type, named->condition,
                named->species ? " in " : "", named->species ? named->species : "");
    return SCS_OK;
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
                      "a label, %lld are for validation",
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
 * learn them.
 *  @param seen [perturbations] training cells */
static scs_status check_seen(const scs_dataset *d, const scs_pairing *pairing, const int64_t *seen)
{
    int32_t control = scs_dose_list_perturbation(&d->doses, d->control);

    SCS_REQUIRE(seen[control] > 0, SCS_EDATA,
                "no control cells: every cell of '%s' lacks its cell type or species",
                perturbations(d)->name[control]);
    for (scs_lidx k = 0; k < perturbations(d)->n; k++)
        SCS_REQUIRE(seen[k] > 0 || is_sum(pairing, k, seen), SCS_EDATA,
                    "perturbation '%s' has no cells left to learn from: all are held out or lack a "
                    "label; hold out fewer of its combinations",
                    perturbations(d)->name[k]);
    return SCS_OK;
}

/* Counted over all species and types: a shift may come from any of them. */
static scs_status check_conditions(const scs_config *config, const scs_dataset *d)
{
    const char *separator = config->screen.order > 1 ? config->screen.pair_separator : NULL;
    int64_t *seen = NULL;
    scs_pairing pairing = {0};
    scs_status st;

    SCS_GO(st, SCS_ALLOC(seen, perturbations(d)->n));
    for (int64_t c = 0; c < d->n_cell; c++)
        if (d->role[c] == SCS_ROLE_TRAIN)
            seen[scs_dose_list_perturbation(&d->doses, d->cell_condition[c])]++;
    SCS_GO(st,
           scs_pairing_create(perturbations(d), scs_dose_list_perturbation(&d->doses, d->control),
                              separator, &pairing));
    SCS_GO(st, check_seen(d, &pairing, seen));
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
    memset(d->role, SCS_ROLE_TRAIN, (size_t)d->n_cell);
    mark_unused(d);
    for (int32_t i = 0; i < config->n_hold_out; i++)
        SCS_TRY(hold_out(config, i, d));
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
