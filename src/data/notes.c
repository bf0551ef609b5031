/* What a data set has to say to its user: notes that are printed once it is read, and hints in
 * refusals. Both hold labels that came out of a file, and are escaped before they reach a
 * terminal.
 *
 * A note changes nothing: labels that only look alike stay two labels, and what stands for a
 * missing value stays a label, since guessing wrong would merge cells without a word. Comparing
 * costs O(labels log labels) and one pass over the cells' codes.
 */
#include "src/data/notes.h"
#include "src/base/names.h"
#include "src/data/h5ad.h"
#include "src/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The whole line is escaped, as labels may stand anywhere in it; what is too long is cut. */
scs_status scs_notes_add(scs_dataset *d, const char *format, ...)
{
    char line[SCS_MESSAGE_MAX], escaped[SCS_MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return scs_names_add(&d->notes, scs_text_escape(line, escaped, sizeof escaped));
}

/* Two thirds of the room for the list, so that the nearest label always has its place. */
char *scs_notes_hint(const scs_names *names, const char *wrong, char *out, size_t size)
{
    const char *nearest = scs_names_nearest(names, wrong);
    char *end;

    scs_names_list(names, 12, out, size * 2 / 3);
    if (names->n == 0)
        snprintf(out, size, "no label at all");
    end = out + strlen(out);
    if (nearest)
        snprintf(end, size - (size_t)(end - out), "; did you mean %s?", nearest);
    return out;
}

/* Listed twice, a file's cells count twice: that may be meant, as a weight, and is said. By its
 * bytes, since a link or a copy has another path. */
scs_status scs_notes_repeated(scs_dataset *d, const scs_h5ad *const *metas, char *const *checksums)
{
    for (int32_t i = 0; i < d->n_input; i++)
        for (int32_t j = 0; j < i; j++) {
            const char *path = metas[i]->path, *first = metas[j]->path;

            if (strcmp(checksums[i], checksums[j]) != 0)
                continue;
            SCS_TRY(strcmp(path, first) == 0
                        ? scs_notes_add(d,
                                        "%s: data.inputs lists it more than once; its cells count "
                                        "each time",
                                        path)
                        : scs_notes_add(d,
                                        "%s holds the same bytes as %s; its cells count twice: "
                                        "take one of the two out of data.inputs",
                                        path, first));
            break;
        }
    return SCS_OK;
}

/* ---- labels that look alike ---- */

/* Letters U+00C0 to U+017F without their marks, in lower case. */
static const char plain_letters[] = "aaaaaaaceeeeiiiidnoooooxouuuuytsaaaaaaaceeeeiiiidnooooo/"
                                    "ouuuuytyaaaaaaccccccccddddeeeeeeeeeegggg"
                                    "gggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssss"
                                    "ssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

_Static_assert(sizeof plain_letters == 0x180 - 0xC0 + 1, "a letter each");

/* The next character of UTF-8 text; bytes that are none stand for themselves. */
static uint32_t next_character(const unsigned char **at)
{
    const unsigned char *c = *at;
    int more = c[0] >= 0xF0 ? 3 : c[0] >= 0xE0 ? 2 : c[0] >= 0xC0 ? 1 : 0;
    uint32_t value = more == 3 ? c[0] & 7U : more == 2 ? c[0] & 15U : more == 1 ? c[0] & 31U : c[0];

    for (int k = 1; k <= more; k++) {
        if ((c[k] & 0xC0) != 0x80) {
            ++*at;
            return c[0];
        }
        value = value << 6 | (c[k] & 63U);
    }
    *at += more + 1;
    return value;
}

/* One character as others are compared with it; 0: it makes no difference. */
static uint32_t fold(uint32_t c)
{
    if (c >= 0xFF01 && c <= 0xFF5E) /* full width */
        c -= 0xFEE0;
    if (c >= 'A' && c <= 'Z')
        return c + 'a' - 'A';
    if (c >= 0xC0 && c < 0x180)
        return (uint32_t)(unsigned char)plain_letters[c - 0xC0];
    if (c == 0xB5) /* micro sign, and the Greek letter */
        return 0x3BC;
    if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212)
        return '-';
    if (c == ' ' || c == '\t' || c == 0xA0 || c == 0x200B || c == 0xFEFF ||
        (c >= 0x300 && c < 0x370))
        return 0;
    return c >= 0x391 && c <= 0x3A9 ? c + 32 : c; /* Greek */
}

/* A label as it is compared: 4 bytes at most for each character. @param[out] out malloc'ed */
static scs_status folded(const char *label, char **out)
{
    const unsigned char *at = (const unsigned char *)label;
    size_t used = 0;

    SCS_TRY(SCS_ALLOC(*out, (int64_t)strlen(label) * 8 + 12));
    while (*at) {
        uint32_t c = fold(next_character(&at));

        if (c >= 0x80)
            used += (size_t)snprintf(*out + used, 12, "<%x>", (unsigned)c);
        else if (c)
            (*out)[used++] = (char)c;
    }
    (*out)[used] = '\0';
    return SCS_OK;
}

/* What pandas and R write for a missing value, once it has become text. */
static bool stands_for_missing(const char *label)
{
    static const char *const words[] = {"", "nan", "na", "none", "n/a", "null", "<na>"};

    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strcasecmp(label, words[k]) == 0)
            return true;
    return false;
}

/* @param count [names->n] cells of each label */
static scs_status note_missing(scs_dataset *d, const char *column, const scs_names *names,
                               const int64_t *count)
{
    for (scs_lidx k = 0; k < names->n; k++)
        if (stands_for_missing(names->name[k]))
            SCS_TRY(scs_notes_add(d,
                                  "column %s: '%s' (%lld cells) is taken for a label; if it stands "
                                  "for a missing value, store it as one",
                                  column, names->name[k], (long long)count[k]));
    return SCS_OK;
}

/* Each label beside the first that looks like it. */
static scs_status note_alike(scs_dataset *d, const char *column, const scs_names *names,
                             const scs_names *form, const int64_t *count)
{
    scs_index index = {0};
    scs_status st;

    SCS_TRY(scs_names_index_create(form, &index));
    for (scs_lidx i = 1, first = 0; i < form->n; i++) {
        scs_lidx a = index.order[first], b = index.order[i];

        if (strcmp(form->name[a], form->name[b]) != 0)
            first = i;
        else
            SCS_GO(st,
                   scs_notes_add(d,
                                 "column %s: '%s' (%lld cells) and '%s' (%lld cells) differ only "
                                 "in case, spaces or the form of letters, and are two labels",
                                 column, names->name[a], (long long)count[a], names->name[b],
                                 (long long)count[b]));
    }
    st = SCS_OK;
done:
    scs_names_index_clear(&index);
    return st;
}

/* Labels are compared in a form without what is easily overlooked; that form is never shown. */
scs_status scs_notes_labels(scs_dataset *d, const char *column, const scs_names *names,
                            const int32_t *code)
{
    scs_names form = {0};
    int64_t *count = NULL;
    char *text = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(count, names->n));
    for (int64_t c = 0; c < d->n_cell; c++)
        if (code[c] >= 0)
            count[code[c]]++;
    for (scs_lidx k = 0; k < names->n; k++) {
        SCS_GO(st, folded(names->name[k], &text));
        SCS_GO(st, scs_names_add(&form, text));
        free(text);
        text = NULL;
    }
    SCS_GO(st, note_missing(d, column, names, count));
    SCS_GO(st, note_alike(d, column, names, &form, count));
done:
    free(text);
    free(count);
    scs_names_clear(&form);
    return st;
}
