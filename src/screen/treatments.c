/* Which treatments a screen gives: the chosen labels, at the doses that are wanted, and their pairs
 * (treatments.h). All functions are Local and give the same on every rank.
 *
 * A label that the data show is a condition, or several where there are doses. A pair, or a dose,
 * that no cell shows has none (condition -1): its shift is put together from others'.
 */
#include "src/screen/treatments.h"

#include "src/base/names.h"
#include "src/data/dose.h"
#include "src/data/pairing.h"
#include "scscreen/screen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The list keeps no capacity: it always has room for the next power of two. */
static scs_status append(scs_treatments *t, const scs_combination *what)
{
    if ((t->n & (t->n - 1)) == 0) {
        scs_combination *grown = scs_reallocate(t->item, t->n ? 2 * t->n : 1, sizeof *grown);

        SCS_REQUIRE(grown, SCS_ENOMEM, "out of memory for %lld treatments", (long long)t->n);
        t->item = grown;
    }
    t->item[t->n++] = *what;
    return SCS_OK;
}

/* The word of screen.doses that stands for the doses that cells show; all others are numbers. */
static bool is_observed(const char *word)
{
    return strcmp(word, "observed") == 0;
}

/* Here and not where the config is read, since only the data say whether there are doses.
 * SCS_EARG. */
static scs_status check_doses(const scs_config *config, const scs_atlas *atlas)
{
    const scs_names *doses = &config->screen.doses;
    double dose;

    SCS_REQUIRE(doses->n == 0 || atlas->doses.n > 0, SCS_EARG,
                "%s: screen.doses: the data have no doses; name their obs column as data.dose",
                config->file);
    for (int32_t i = 0; i < doses->n; i++)
        SCS_REQUIRE(is_observed(doses->name[i]) || scs_dose_parse(doses->name[i], &dose), SCS_EARG,
                    "%s: screen.doses: '%s' is no dose; expected numbers above 0, or observed",
                    config->file, doses->name[i]);
    return SCS_OK;
}

/* Clear it even after a failure: the pairing may be there in part. */
scs_status scs_treatments_create(const scs_config *config, const scs_atlas *atlas, scs_names *pairs,
                                 scs_treatments *treatments)
{
    *treatments = (scs_treatments){.atlas = atlas, .config = config, .pairs = pairs};
    SCS_TRY(check_doses(config, atlas));
    return scs_pairing_create(scs_atlas_perturbations(atlas),
                              scs_atlas_perturbation(atlas, atlas->control),
                              scs_pairing_separator(config), &treatments->pairing);
}

/* Pairs stay where they are: the labels belong to the plan. */
void scs_treatments_clear(scs_treatments *treatments)
{
    scs_pairing_clear(&treatments->pairing);
    free(treatments->item);
    *treatments = (scs_treatments){0};
}

/* At one dose. @param label in the data, -1: cells never show it */
static scs_status add_at(scs_treatments *t, scs_combination what, int32_t label, double dose)
{
    what.dose = dose;
    what.condition = label < 0 ? -1 : scs_atlas_condition(t->atlas, label, dose);
    return append(t, &what);
}

/* The doses at which cells show a label. Of a pair that no cells show, those that its two have
 * in common: nothing else could be measured. */
static scs_status add_observed(scs_treatments *t, scs_combination what, int32_t label)
{
    const scs_dose_list *d = &t->atlas->doses;
    int32_t shown = label < 0 ? what.perturbation : label;

    for (int32_t c = 0; c < d->n; c++)
        if (d->perturbation[c] == shown &&
            (label >= 0 || scs_dose_list_find(d, what.second, d->dose[c]) >= 0))
            SCS_TRY(add_at(t, what, label, d->dose[c]));
    return SCS_OK;
}

/* At the dose that is given, or (NaN) at those of screen.doses, or at those that are observed. */
static scs_status add(scs_treatments *t, scs_combination what, int32_t label, double dose)
{
    const scs_names *doses = &t->config->screen.doses;

    if (t->atlas->doses.n == 0 || !isnan(dose))
        return add_at(t, what, label, dose);
    if (doses->n == 0)
        return add_observed(t, what, label);
    for (int32_t i = 0; i < doses->n; i++) {
        double wanted;

        if (is_observed(doses->name[i]))
            SCS_TRY(add_observed(t, what, label));
        else if (scs_dose_parse(doses->name[i], &wanted))
            SCS_TRY(add_at(t, what, label, wanted));
    }
    return SCS_OK;
}

/* In ascending order of their labels, so that A+B and B+A are one. */
scs_status scs_treatments_add_pair(scs_treatments *t, int32_t a, int32_t b, double dose)
{
    scs_combination what = {.perturbation = a < b ? a : b, .second = a < b ? b : a};
    char *text;
    scs_status st;

    SCS_TRY(scs_pairing_text(&t->pairing, a, b, &text));
    st = scs_names_add(t->pairs, text);
    free(text);
    SCS_TRY(st);
    what.pair = t->pairs->n;
    return add(t, what, scs_pairing_label(&t->pairing, a, b), dose);
}

/* A label that is a pair in the data is one here only where screen.order is 2 (the pairing is
 * empty otherwise): else it is a perturbation like any other. */
scs_status scs_treatments_add(scs_treatments *t, int32_t label, double dose)
{
    const scs_pair_label *pair = scs_pairing_of(&t->pairing, label);

    if (pair)
        return scs_treatments_add_pair(t, pair->first, pair->second, dose);
    return add(t, (scs_combination){.perturbation = label, .second = -1}, label, dose);
}

/* Labels are compared by number, which is their order in the data. */
int scs_treatments_order(const void *a, const void *b)
{
    const scs_combination *x = a, *y = b;
    int32_t second = x->pair ? x->second : -1, other = y->pair ? y->second : -1;

    if (x->perturbation != y->perturbation)
        return x->perturbation < y->perturbation ? -1 : 1;
    if (second != other)
        return second < other ? -1 : 1;
    return (x->dose > y->dose) - (x->dose < y->dose);
}

/* By scs_treatments_order; what was chosen twice (by label and as a pair) is there once. */
static void sort_unique(scs_treatments *t)
{
    int64_t n = 0;

    if (t->n > 0)
        qsort(t->item, (size_t)t->n, sizeof *t->item, scs_treatments_order);
    for (int64_t i = 0; i < t->n; i++)
        if (n == 0 || scs_treatments_order(&t->item[n - 1], &t->item[i]) != 0)
            t->item[n++] = t->item[i];
    t->n = n;
}

/* Whether a label is a pair that comes anyway, as both of its singles are chosen. */
static bool is_covered(const scs_treatments *t, const bool *chosen, int32_t label)
{
    const scs_pair_label *pair = scs_pairing_of(&t->pairing, label);

    return pair && chosen[pair->first] && chosen[pair->second];
}

/* A control is never chosen, and is no single. */
scs_status scs_treatments_choose(scs_treatments *t, const bool *chosen)
{
    const scs_pairing *p = &t->pairing;

    for (int32_t a = 0; a < p->labels->n; a++) {
        if (chosen[a] && !is_covered(t, chosen, a))
            SCS_TRY(scs_treatments_add(t, a, NAN));
        for (int32_t b = a + 1; b < p->labels->n && p->separator && chosen[a] && p->single[a]; b++)
            if (chosen[b] && p->single[b])
                SCS_TRY(scs_treatments_add_pair(t, a, b, NAN));
    }
    sort_unique(t);
    return SCS_OK;
}
