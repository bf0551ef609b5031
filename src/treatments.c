#include "src/treatments.h"

#include "src/dose.h"

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

static bool is_observed(const char *word)
{
    return strcmp(word, "observed") == 0;
}

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

scs_status scs_treatments_create(const scs_config *config, const scs_atlas *atlas, scs_names *pairs,
                                 scs_treatments *treatments)
{
    const char *separator = config->screen.order > 1 ? config->screen.pair_separator : NULL;

    *treatments = (scs_treatments){.atlas = atlas, .config = config, .pairs = pairs};
    SCS_TRY(check_doses(config, atlas));
    return scs_pairing_create(scs_atlas_perturbations(atlas),
                              scs_atlas_perturbation(atlas, atlas->control), separator,
                              &treatments->pairing);
}

void scs_treatments_clear(scs_treatments *treatments)
{
    scs_pairing_clear(&treatments->pairing);
    free(treatments->item);
    *treatments = (scs_treatments){0};
}

/* One dose. @param label in the data, -1: none */
static scs_status add_at(scs_treatments *t, scs_combination what, int32_t label, double dose)
{
    what.dose = dose;
    what.condition = label < 0 ? -1 : scs_atlas_condition(t->atlas, label, dose);
    return append(t, &what);
}

/* The doses at which cells show a label; of a pair without one, those that its two share. */
static scs_status add_observed(scs_treatments *t, scs_combination what, int32_t label)
{
    const scs_doses *d = &t->atlas->doses;
    int32_t shown = label < 0 ? what.perturbation : label;

    for (int32_t c = 0; c < d->n; c++)
        if (d->perturbation[c] == shown &&
            (label >= 0 || scs_doses_find(d, what.second, d->dose[c]) >= 0))
            SCS_TRY(add_at(t, what, label, d->dose[c]));
    return SCS_OK;
}

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

scs_status scs_treatments_add(scs_treatments *t, int32_t label, double dose)
{
    const scs_pair_label *pair = scs_pairing_of(&t->pairing, label);

    if (pair)
        return scs_treatments_add_pair(t, pair->first, pair->second, dose);
    return add(t, (scs_combination){.perturbation = label, .second = -1}, label, dose);
}

int scs_treatment_order(const void *a, const void *b)
{
    const scs_combination *x = a, *y = b;
    int32_t second = x->pair ? x->second : -1, other = y->pair ? y->second : -1;

    if (x->perturbation != y->perturbation)
        return x->perturbation < y->perturbation ? -1 : 1;
    if (second != other)
        return second < other ? -1 : 1;
    return (x->dose > y->dose) - (x->dose < y->dose);
}

static void sort_unique(scs_treatments *t)
{
    int64_t n = 0;

    if (t->n > 0)
        qsort(t->item, (size_t)t->n, sizeof *t->item, scs_treatment_order);
    for (int64_t i = 0; i < t->n; i++)
        if (n == 0 || scs_treatment_order(&t->item[n - 1], &t->item[i]) != 0)
            t->item[n++] = t->item[i];
    t->n = n;
}

/* Pairs whose label was chosen though one of its singles was not. */
static bool is_covered(const scs_treatments *t, const bool *chosen, int32_t label)
{
    const scs_pair_label *pair = scs_pairing_of(&t->pairing, label);

    return pair && chosen[pair->first] && chosen[pair->second];
}

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
