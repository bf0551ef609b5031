/* Labels that name two perturbations, as data sets of pairs have them: "A+B", with single ones as
 * "A" or as "A+CONTROL".
 *
 * A separator may be part of a name as well ("HLA-A" with "-"): every place where it stands is
 * tried, and a label is a pair only where both sides are labels of single perturbations in these
 * data. So a label is never cut on a guess, and one whose sides are no labels is a perturbation
 * of its own. Whether two labels name one thing is asked of all their pieces, however many there
 * are and in whatever order.
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

/* What stands between two separators of a label. */
typedef struct piece {
    const char *text; /* not terminated */
    size_t n;
} piece;

/* Whether a label goes on at `rest` with the whole control: its own separators do not cut it.
 *  @param[out] next what comes behind it, NULL: nothing */
static bool goes_on_with(const scs_pairing *p, const char *rest, const char *control,
                         const char **next)
{
    size_t n = strlen(control), m = strlen(p->separator);

    if (strncmp(rest, control, n) != 0 ||
        (rest[n] && (strncmp(rest + n, p->separator, m) != 0 || !rest[n + m])))
        return false;
    *next = rest[n] ? rest + n + m : NULL;
    return true;
}

/* A label's pieces but the control, which adds nothing: "A+ctrl", "ctrl+A" are A alone.
 *  @param[out] pieces [strlen(label) + 1]  @return how many */
static int32_t cut(const scs_pairing *p, const char *label, const char *control, piece *pieces)
{
    int32_t n = 0;

    for (const char *rest = label; rest;) {
        const char *at;

        if (goes_on_with(p, rest, control, &rest))
            continue;
        at = next_split(p, rest, rest);
        pieces[n++] = (piece){rest, at ? (size_t)(at - rest) : strlen(rest)};
        rest = at ? at + strlen(p->separator) : NULL;
    }
    return n;
}

/* @param[out] text malloc'ed */
static scs_status join(const scs_pairing *p, const piece *pieces, int32_t n, char **text)
{
    size_t size = 1, used = 0;

    for (int32_t i = 0; i < n; i++)
        size += pieces[i].n + (i ? strlen(p->separator) : 0);
    SCS_TRY(SCS_ALLOC(*text, (int64_t)size));
    for (int32_t i = 0; i < n; i++)
        used += (size_t)snprintf(*text + used, size - used, "%s%.*s", i ? p->separator : "",
                                 (int)pieces[i].n, pieces[i].text);
    return SCS_OK;
}

/* By their bytes. */
static int by_text(const void *a, const void *b)
{
    const piece *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->n < y->n ? x->n : y->n);

    return order ? order : (x->n > y->n) - (x->n < y->n);
}

/* A label's name, whether it has one piece, and its form: labels of one form name one thing. */
static scs_status name_label(scs_pairing *p, int32_t i, int32_t control, scs_names *forms)
{
    const char *label = p->labels->name[i];
    piece *pieces = NULL;
    char *name = NULL, *form = NULL;
    int32_t n = 1;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(pieces, (int64_t)strlen(label) + 1));
    pieces[0] = (piece){label, strlen(label)};
    if (p->separator && i != control)
        n = cut(p, label, p->labels->name[control], pieces);
    SCS_GO(st, join(p, pieces, n, &name));
    SCS_GO(st, scs_names_add(&p->name, name));
    p->single[i] = i != control && n == 1;
    qsort(pieces, (size_t)n, sizeof *pieces, by_text);
    SCS_GO(st, n ? join(p, pieces, n, &form) : scs_text_copy(p->labels->name[control], &form));
    SCS_GO(st, scs_names_add(forms, form));
done:
    free(pieces);
    free(name);
    free(form);
    return st;
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

/* "HLA-A-ctrl" is of one perturbation, whose name holds the separator, where neither of its pieces
 * is one: the control beside it says so. */
static void add_singles(scs_pairing *p, int32_t control)
{
    int32_t a, b;

    for (int32_t i = 0; i < p->labels->n; i++)
        if (i != control && !p->single[i] && strcmp(p->name.name[i], p->labels->name[i]) != 0)
            p->single[i] = !scs_pairing_parse(p, p->name.name[i], &a, &b);
}

/* Two labels of one pair would be two rows of one combination: refused, as where a name that holds
 * the separator is given in another way. "A+B+ctrl" is a pair too. */
static scs_status find_pairs(scs_pairing *p, int32_t control)
{
    for (int32_t i = 0; i < p->labels->n; i++) {
        scs_pair_label pair = {.label = i};

        if (i != control && !p->single[i] &&
            scs_pairing_parse(p, p->name.name[i], &pair.first, &pair.second))
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

/* "pair" of a form "A+B". */
static const char *kind_of(const scs_pairing *p, const char *form)
{
    const char *at = next_split(p, form, form);

    return !at                                              ? "perturbation"
           : next_split(p, form, at + strlen(p->separator)) ? "combination"
                                                            : "pair";
}

/* "A" and "A+ctrl", "A+B+C" and "C+A+B", "ctrl+ctrl" and the control in one data set name the same
 * cells' state twice.
 *  @param forms of all labels */
static scs_status refuse_twins(const scs_pairing *p, const scs_names *forms)
{
    scs_index index = {0};
    scs_status st;

    SCS_TRY(scs_names_index_create(forms, &index));
    st = SCS_OK;
    for (int32_t k = 1; k < forms->n && st == SCS_OK; k++) {
        int32_t a = index.order[k - 1], b = index.order[k];

        if (strcmp(forms->name[a], forms->name[b]) == 0)
            st = SCS_FAIL(SCS_EARG,
                          "data.condition: \"%s\" and \"%s\" name the same %s; give them one label",
                          p->labels->name[a], p->labels->name[b], kind_of(p, forms->name[a]));
    }
    scs_names_index_clear(&index);
    return st;
}

/* Without a separator there are names, but no pairs. */
static scs_status fill(scs_pairing *p, int32_t control, scs_names *forms)
{
    SCS_TRY(SCS_ALLOC(p->single, p->labels->n));
    SCS_TRY(SCS_ALLOC(p->pair, p->labels->n));
    for (int32_t i = 0; i < p->labels->n; i++)
        SCS_TRY(name_label(p, i, control, forms));
    if (!p->separator)
        return SCS_OK;
    SCS_TRY(refuse_twins(p, forms));
    add_singles(p, control);
    return find_pairs(p, control);
}

scs_status scs_pairing_create(const scs_names *labels, int32_t control, const char *separator,
                              scs_pairing *pairing)
{
    scs_names forms = {0};
    scs_status st;

    *pairing = (scs_pairing){.labels = labels, .separator = separator};
    st = fill(pairing, control, &forms);
    scs_names_clear(&forms);
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
