/* Labels that name two perturbations, as data sets of pairs have them: "A+B", with single ones as
 * "A" or as "A+CONTROL".
 *
 * A separator may be part of a name as well ("HLA-A" with "-"): every place where it stands is
 * tried, and a label is a pair only where both sides are labels of single perturbations in these
 * data. So a label is never cut on a guess, and one whose sides are no labels is a perturbation
 * of its own.
 *
 * Lookups by name are linear in the labels; pairs, of which a screen asks for every combination,
 * are found by binary search. All functions are Local.
 */
#include "src/data/pairing.h"

#include "src/base/names.h"
#include "src/base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *scs_pairing_separator(const scs_config *config)
{
    return config->screen.order > 1 ? config->screen.pair_separator : NULL;
}

/* The next place at or after `from` where a label has text on both sides of the separator, or
 * NULL. */
static const char *next_split(const scs_pairing *p, const char *label, const char *from)
{
    const char *at = p->separator ? strstr(from, p->separator) : NULL;

    if (at == label)
        at = strstr(at + 1, p->separator);
    return at && at[strlen(p->separator)] ? at : NULL;
}

/* Whether the n characters at text are all of `whole`. */
static bool is_text(const char *text, size_t n, const char *whole)
{
    return strlen(whole) == n && memcmp(text, whole, n) == 0;
}

/* "A+ctrl" and "ctrl+A" are A alone.
 *  @param[out] side, n the side that is not the control's label
 *  @return false if neither side is */
static bool beside_control(const scs_pairing *p, const char *label, const char *control,
                           const char **side, size_t *n)
{
    for (const char *at = label; (at = next_split(p, label, at)); at++) {
        const char *right = at + strlen(p->separator);

        if (is_text(label, (size_t)(at - label), control)) {
            *side = right;
            *n = strlen(right);
            return true;
        }
        if (strcmp(right, control) == 0) {
            *side = label;
            *n = (size_t)(at - label);
            return true;
        }
    }
    return false;
}

/* Names of singles, and which labels are singles: those without a separator, and those beside the
 * control. */
static scs_status name_labels(scs_pairing *p, int32_t control)
{
    for (int32_t i = 0; i < p->labels->n; i++) {
        const char *label = p->labels->name[i], *side = label;
        size_t n = strlen(label);
        bool trimmed = beside_control(p, label, p->labels->name[control], &side, &n);
        char *name;
        scs_status st;

        p->single[i] = i != control && (trimmed || !next_split(p, label, label));
        SCS_TRY(scs_text_copy_n(side, n, &name));
        st = scs_names_add(&p->name, name);
        free(name);
        SCS_TRY(st);
    }
    return SCS_OK;
}

/* The single of this name, or -1.
 *  @param text [n], not terminated */
static int32_t find_single(const scs_pairing *p, const char *text, size_t n)
{
    for (int32_t i = 0; i < p->name.n; i++)
        if (p->single[i] && is_text(text, n, p->name.name[i]))
            return i;
    return -1;
}

/* The first split whose two sides are different singles. */
bool scs_pairing_parse(const scs_pairing *p, const char *text, int32_t *a, int32_t *b)
{
    for (const char *at = text; (at = next_split(p, text, at)); at++) {
        const char *right = at + strlen(p->separator);
        int32_t x = find_single(p, text, (size_t)(at - text));
        int32_t y = find_single(p, right, strlen(right));

        if (x < 0 || y < 0 || x == y)
            continue;
        *a = x < y ? x : y;
        *b = x < y ? y : x;
        return true;
    }
    return false;
}

/* Ascending by first, then second. */
static int by_singles(const void *a, const void *b)
{
    const scs_pair_label *x = a, *y = b;

    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (x->second > y->second) - (x->second < y->second);
}

/* Two labels of one pair ("A+B" and "B+A") would be two rows of one combination: refused. */
static scs_status find_pairs(scs_pairing *p)
{
    for (int32_t i = 0; i < p->labels->n; i++) {
        scs_pair_label pair = {.label = i};

        if (!p->single[i] && scs_pairing_parse(p, p->labels->name[i], &pair.first, &pair.second))
            p->pair[p->n++] = pair;
    }
    if (p->n > 0)
        qsort(p->pair, (size_t)p->n, sizeof *p->pair, by_singles);
    for (int32_t k = 1; k < p->n; k++)
        SCS_REQUIRE(by_singles(&p->pair[k - 1], &p->pair[k]) != 0, SCS_EARG,
                    "data.condition: \"%s\" and \"%s\" name the same pair; give them one label",
                    p->labels->name[p->pair[k - 1].label], p->labels->name[p->pair[k].label]);
    return SCS_OK;
}

/* "A" and "A+ctrl" in one data set name the same cells' state twice. */
static scs_status refuse_twins(const scs_pairing *p)
{
    for (int32_t i = 0; i < p->labels->n; i++) {
        int32_t first = p->single[i] ? find_single(p, p->name.name[i], strlen(p->name.name[i])) : i;

        SCS_REQUIRE(first == i, SCS_EARG,
                    "data.condition: \"%s\" and \"%s\" name the same perturbation; give them one "
                    "label",
                    p->labels->name[first], p->labels->name[i]);
    }
    return SCS_OK;
}

/* "B+A" for "A+B", cut at `at`; malloc'ed. */
static scs_status swapped(const scs_pairing *p, const char *label, const char *at, char **text)
{
    size_t size = strlen(label) + 1;

    SCS_TRY(SCS_ALLOC(*text, (int64_t)size));
    snprintf(*text, size, "%s%s%.*s", at + strlen(p->separator), p->separator, (int)(at - label),
             label);
    return SCS_OK;
}

/* "A+B" and "B+A", also where "A" and "B" alone are no labels. */
static scs_status refuse_swapped(const scs_pairing *p)
{
    for (int32_t i = 0; i < p->labels->n; i++) {
        const char *label = p->labels->name[i];

        for (const char *at = label; (at = next_split(p, label, at)); at++) {
            char *other = NULL;
            int32_t twin;

            SCS_TRY(swapped(p, label, at, &other));
            twin = scs_names_find(p->labels, other);
            free(other);
            SCS_REQUIRE(twin < 0 || twin == i, SCS_EARG,
                        "data.condition: \"%s\" and \"%s\" name the same pair; give them one label",
                        label, p->labels->name[twin]);
        }
    }
    return SCS_OK;
}

/* Without a separator there are names, but no pairs. */
static scs_status fill(scs_pairing *p, int32_t control)
{
    SCS_TRY(SCS_ALLOC(p->single, p->labels->n));
    SCS_TRY(SCS_ALLOC(p->pair, p->labels->n));
    SCS_TRY(name_labels(p, control));
    if (!p->separator)
        return SCS_OK;
    SCS_TRY(refuse_twins(p));
    SCS_TRY(refuse_swapped(p));
    return find_pairs(p);
}

scs_status scs_pairing_create(const scs_names *labels, int32_t control, const char *separator,
                              scs_pairing *pairing)
{
    scs_status st;

    *pairing = (scs_pairing){.labels = labels, .separator = separator};
    st = fill(pairing, control);
    if (st != SCS_OK)
        scs_pairing_clear(pairing);
    return st;
}

void scs_pairing_clear(scs_pairing *p)
{
    scs_names_clear(&p->name);
    free(p->single);
    free(p->pair);
    *p = (scs_pairing){0};
}

const scs_pair_label *scs_pairing_of(const scs_pairing *p, int32_t label)
{
    for (int32_t k = 0; k < p->n; k++)
        if (p->pair[k].label == label)
            return &p->pair[k];
    return NULL;
}

/* The pairs are sorted, so that a pair in either order is one key. */
int32_t scs_pairing_label(const scs_pairing *p, int32_t a, int32_t b)
{
    scs_pair_label key = {a < b ? a : b, a < b ? b : a, -1};
    const scs_pair_label *found =
        p->n ? bsearch(&key, p->pair, (size_t)p->n, sizeof key, by_singles) : NULL;

    return found ? found->label : -1;
}

/* The data's own label where a pair was seen, in whichever order it names the two; else by the
 * numbers of the two, so that a pair has one text. */
scs_status scs_pairing_text(const scs_pairing *p, int32_t a, int32_t b, char **text)
{
    int32_t label = scs_pairing_label(p, a, b);
    const char *x = p->name.name[a < b ? a : b], *y = p->name.name[a < b ? b : a];
    size_t size = strlen(x) + strlen(p->separator) + strlen(y) + 1;

    if (label >= 0)
        return scs_text_copy(p->labels->name[label], text);
    SCS_TRY(SCS_ALLOC(*text, (int64_t)size));
    snprintf(*text, size, "%s%s%s", x, p->separator, y);
    return SCS_OK;
}
