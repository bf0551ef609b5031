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

/* A copy that was saved anew has other bytes, but as many values: two experiments hardly ever do.
 */
static bool are_alike(const scs_h5ad *a, const scs_h5ad *b)
{
    return a->layout < SCS_LAYOUT_DENSE && b->layout < SCS_LAYOUT_DENSE && a->nnz > 0 &&
           a->nnz == b->nnz && a->n_row == b->n_row && a->n_var == b->n_var;
}

/* One in a hundred may be chance, or does no harm. */
static bool are_many(int64_t n, const scs_repeated *of)
{
    return n > 0 && n * 100 >= of->cells;
}

/* Cells that another input, or the same one, holds as well. */
static scs_status note_cells(scs_dataset *d, const scs_h5ad *const *metas, int32_t i,
                             const scs_repeated *r)
{
    const char *some =
        r->cells < d->first_cell[i + 1] - d->first_cell[i] ? " that were compared" : "";

    if (are_many(r->within, r))
        SCS_TRY(scs_notes_add(d,
                              "%s: %lld of its %lld cells%s have the values of another cell of it "
                              "in all genes: they count twice",
                              metas[i]->path, (long long)r->within, (long long)r->cells, some));
    if (are_many(r->shared, r))
        SCS_TRY(
            scs_notes_add(d,
                          "%s: %lld of its %lld cells%s have the values of a cell of %s%s in all "
                          "genes: they count twice; take one of the files out of "
                          "data.inputs, or the cells out of one (data.filter)",
                          metas[i]->path, (long long)r->shared, (long long)r->cells, some,
                          metas[r->with]->path, r->others ? " and other inputs" : ""));
    return SCS_OK;
}

/* Input i holds what input j before it does, by its bytes or by its numbers.
 *  @param[out] same its bytes are the same */
static scs_status note_copy(scs_dataset *d, const scs_h5ad *const *metas, int32_t i, int32_t j,
                            char *const *checksums, bool compared, bool *same)
{
    const char *path = metas[i]->path, *first = metas[j]->path;

    *same = strcmp(checksums[i], checksums[j]) == 0;
    if (!*same)
        return compared || !are_alike(metas[i], metas[j])
                   ? SCS_OK
                   : scs_notes_add(d,
                                   "%s has exactly as many cells, genes and values as %s; if it is "
                                   "a copy, its cells count twice",
                                   path, first);
    return strcmp(path, first) == 0
               ? scs_notes_add(
                     d, "%s: data.inputs lists it more than once; its cells count each time", path)
               : scs_notes_add(d,
                               "%s holds the same bytes as %s; its cells count twice: take one of "
                               "the two out of data.inputs",
                               path, first);
}

/* Listed twice, a file's cells count twice: that may be meant, as a weight, and is said. By its
 * bytes, since a link or a copy has another path; then by its cells. */
scs_status scs_notes_repeated(scs_dataset *d, const scs_h5ad *const *metas, char *const *checksums,
                              const scs_repeated *repeated)
{
    for (int32_t i = 0; i < d->n_input; i++) {
        bool same = false;

        for (int32_t j = 0; j < i && !same; j++)
            SCS_TRY(note_copy(d, metas, i, j, checksums, repeated != NULL, &same));
        if (repeated && !same)
            SCS_TRY(note_cells(d, metas, i, &repeated[i]));
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

/* Characters that are written for Latin text, look like it, or stand for a letter's name, with that
 * text; lower case, as their capitals are folded first. */
static const struct {
    uint32_t from, to;
    const char *text; /* as long for each of them, one after the other */
    int n;            /* bytes for each */
} spelt[] = {
    {0xB2, 0xB3, "23", 1},         {0xB5, 0xB5, "u", 1}, /* micro sign */
    {0xB9, 0xB9, "1", 1},          {0xDF, 0xDF, "ss", 2},
    {0x3AC, 0x3AF, "aehi", 1}, /* Greek, with accents and without */
    {0x3B1, 0x3B5, "abgde", 1},    {0x3B7, 0x3B7, "h", 1},
    {0x3B9, 0x3B9, "i", 1},        {0x3BA, 0x3BC, "klu", 1},
    {0x3BF, 0x3BF, "o", 1},        {0x430, 0x430, "a", 1}, /* Cyrillic */
    {0x432, 0x432, "b", 1},        {0x435, 0x435, "e", 1},
    {0x43A, 0x43A, "k", 1},        {0x43C, 0x43E, "mho", 1},
    {0x440, 0x443, "pcty", 1},     {0x445, 0x445, "x", 1},
    {0x451, 0x451, "e", 1},        {0x2010, 0x2015, "------", 1},
    {0x2018, 0x2019, "\'\'", 1},   {0x201C, 0x201D, "\"\"", 1},
    {0x2032, 0x2032, "\'", 1},     {0x2070, 0x2070, "0", 1},
    {0x2074, 0x2079, "456789", 1}, {0x2080, 0x2089, "0123456789", 1},
    {0x212A, 0x212B, "ka", 1}, /* kelvin and angstrom */
    {0x2212, 0x2212, "-", 1},      {0xFB00, 0xFB02, "fffifl", 2},
};

/* Blanks, marks that are put onto the letter before them, and what is not seen at all. */
static bool makes_no_difference(uint32_t c)
{
    return c == ' ' || c == '\t' || c == 0xA0 || c == 0xAD || (c >= 0x300 && c < 0x370) ||
           (c >= 0x2000 && c <= 0x200F) || c == 0x202F || c == 0x205F || c == 0x2060 ||
           c == 0x3000 || c == 0x3099 || c == 0x309A || c == 0xFEFF;
}

/* One character as others are compared with it, where one stands for it. */
static uint32_t fold(uint32_t c)
{
    if (c >= 0xFF01 && c <= 0xFF5E) /* full width */
        c -= 0xFEE0;
    if (c >= 'A' && c <= 'Z')
        return c + 'a' - 'A';
    if (c >= 0xC0 && c < 0x180 && c != 0xDF)
        return (uint32_t)(unsigned char)plain_letters[c - 0xC0];
    if (c == 0x1E9E)
        return 0xDF;
    if (c == 0x3C2 || c == 0x2126) /* the sigma of a word's end, ohm */
        return c == 0x3C2 ? 0x3C3 : 0x3C9;
    if ((c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F))
        return c + 32;
    return c >= 0x400 && c <= 0x40F ? c + 80 : c;
}

/* At the end of what is compared, 12 bytes of room for each. @return bytes */
static size_t put_folded(uint32_t c, char *out)
{
    size_t n = sizeof spelt / sizeof *spelt, k = 0;

    if (makes_no_difference(c))
        return 0;
    c = fold(c);
    if (c < 0x80) {
        *out = (char)c;
        return 1;
    }
    while (k < n && (c < spelt[k].from || c > spelt[k].to))
        k++;
    if (k < n) {
        memcpy(out, spelt[k].text + (c - spelt[k].from) * (uint32_t)spelt[k].n, (size_t)spelt[k].n);
        return (size_t)spelt[k].n;
    }
    return (size_t)snprintf(out, 12, "<%x>", (unsigned)c);
}

/* A Korean syllable is the same as the two or three letters that it is made of.
 *  @param[out] c [3] @return how many characters */
static int letters(uint32_t character, uint32_t *c)
{
    uint32_t k = character - 0xAC00;

    c[0] = character;
    if (character < 0xAC00 || character > 0xD7A3)
        return 1;
    c[0] = 0x1100 + k / 588;
    c[1] = 0x1161 + k % 588 / 28;
    c[2] = 0x11A7 + k % 28;
    return k % 28 ? 3 : 2;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '>' || c == '<';
}

/* "CD4_T", "CD4-T" and "CD4 T" are alike, "CD4-" and "CD4" are not, nor are "1-2" and "12".
 * @param[in,out] text folded */
static void drop_dashes(char *text)
{
    size_t to = 0;

    for (size_t k = 0; text[k]; k++) {
        bool dash = (text[k] == '-' || text[k] == '_') && to > 0 && is_word(text[to - 1]) &&
                    is_word(text[k + 1]);
        bool digits = dash && text[to - 1] >= '0' && text[to - 1] <= '9' && text[k + 1] >= '0' &&
                      text[k + 1] <= '9';

        if (!dash || digits)
            text[to++] = text[k];
    }
    text[to] = '\0';
}

/* A piece of a label as it is compared. @param[out] out [36 n + 1] */
static void put_piece(const char *label, size_t n, char *out)
{
    const unsigned char *at = (const unsigned char *)label;
    size_t used = 0;

    while (at < (const unsigned char *)label + n) {
        uint32_t c[3];
        int m = letters(next_character(&at), c);

        for (int k = 0; k < m; k++)
            used += put_folded(c[k], out + used);
    }
    out[used] = '\0';
    drop_dashes(out);
}

/* By the text that each points to. */
static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The form in which labels are compared: the pieces between separators in the order of their bytes,
 * without the control; the control's own form where nothing else is left.
 *  @param separator, control NULL: the label is one piece  @param[out] form of the label */
static scs_status folded(const char *label, const char *separator, const char *control,
                         scs_names *form)
{
    size_t n = strlen(label), m = separator ? strlen(separator) : 0, used = 0;
    size_t room = 37 * (n + 1); /* a byte becomes 36 at most, and separators */
    char **piece = NULL, *text = NULL, *joined = NULL, *next;
    int32_t n_piece = 0;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(piece, (int64_t)n + 1));
    SCS_GO(st, SCS_ALLOC(text, (int64_t)room));
    SCS_GO(st, SCS_ALLOC(joined, (int64_t)room));
    next = text;
    for (const char *at = label; at;) {
        const char *end = m && *at ? strstr(at + 1, separator) : NULL;

        piece[n_piece] = next;
        put_piece(at, end ? (size_t)(end - at) : strlen(at), next);
        next += strlen(next) + 1;
        n_piece += !control || strcmp(piece[n_piece], control) != 0;
        at = end ? end + m : NULL;
    }
    qsort(piece, (size_t)n_piece, sizeof *piece, by_text);
    for (int32_t k = 0; k < n_piece; k++)
        used += (size_t)snprintf(joined + used, room - used, "%s%s", k ? separator : "", piece[k]);
    st = scs_names_add(form, n_piece ? joined : control);
done:
    free(piece);
    free(text);
    free(joined);
    return st;
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

/* Labels of one cell each are what a column of barcodes or of other measurements has. A few are
 * rare types. */
static scs_status note_single(scs_dataset *d, const char *column, const scs_names *names,
                              const int64_t *count)
{
    const int few = 20;
    scs_lidx n = 0;

    for (scs_lidx k = 0; k < names->n; k++)
        n += count[k] == 1;
    return n < few || n <= names->n / 2
               ? SCS_OK
               : scs_notes_add(d,
                               "column %s: %d of its %d labels have a single cell; is it the right "
                               "column?",
                               column, n, names->n);
}

/* What controls are called, folded. */
static bool sounds_like_control(const char *form)
{
    static const char *const words[] = {"control",      "controls",    "ctrl",        "ctl",
                                        "untreated",    "vehicle",     "dmso",        "mock",
                                        "unstimulated", "unperturbed", "nontargeting"};

    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strcmp(form, words[k]) == 0)
            return true;
    return false;
}

/* Other labels than the control's: their cells may be controls as well. */
static scs_status note_controls(scs_dataset *d, const char *column, const scs_names *names,
                                const scs_names *form, const char *control, const int64_t *count)
{
    int32_t is = scs_names_find(names, control);

    for (scs_lidx k = 0; k < names->n; k++)
        if (is >= 0 && sounds_like_control(form->name[k]) &&
            strcmp(form->name[k], form->name[is]) != 0)
            SCS_TRY(
                scs_notes_add(d,
                              "column %s: '%s' (%lld cells) is taken for a perturbation, beside "
                              "the control '%s'; if they are controls too, give them one label "
                              "(data.map)",
                              column, names->name[k], (long long)count[k], control));
    return SCS_OK;
}

/* Each label beside the first that looks like it. */
static scs_status note_alike(scs_dataset *d, const char *column, const scs_names *names,
                             const scs_names *form, const int64_t *count, const char *separator)
{
    char order[80] = "";
    scs_index index = {0};
    scs_status st;

    if (separator)
        snprintf(order, sizeof order, " or the order of what '%.20s' joins", separator);
    SCS_TRY(scs_names_index_create(form, &index));
    for (scs_lidx i = 1, first = 0; i < form->n; i++) {
        scs_lidx a = index.order[first], b = index.order[i];

        if (strcmp(form->name[a], form->name[b]) != 0)
            first = i;
        else
            SCS_GO(st,
                   scs_notes_add(d,
                                 "column %s: '%s' (%lld cells) and '%s' (%lld cells) differ only "
                                 "in case, spaces, dashes%s the form of letters%s, and are two "
                                 "labels",
                                 column, names->name[a], (long long)count[a], names->name[b],
                                 (long long)count[b], separator ? "," : " or", order));
    }
    st = SCS_OK;
done:
    scs_names_index_clear(&index);
    return st;
}

/* Labels are compared in a form without what is easily overlooked; that form is never shown. */
scs_status scs_notes_labels(scs_dataset *d, const char *column, const scs_names *names,
                            const int32_t *code, const char *separator, const char *control)
{
    scs_names form = {0}, controls = {0};
    int64_t *count = NULL;
    scs_status st;

    if (control)
        SCS_GO(st, folded(control, NULL, NULL, &controls));
    SCS_GO(st, SCS_ALLOC(count, names->n));
    for (int64_t c = 0; c < d->n_cell; c++)
        if (code[c] >= 0)
            count[code[c]]++;
    for (scs_lidx k = 0; k < names->n; k++)
        SCS_GO(st, folded(names->name[k], separator, control ? controls.name[0] : NULL, &form));
    SCS_GO(st, note_missing(d, column, names, count));
    SCS_GO(st, note_single(d, column, names, count));
    SCS_GO(st, note_alike(d, column, names, &form, count, separator));
    if (control)
        SCS_GO(st, note_controls(d, column, names, &form, control, count));
done:
    free(count);
    scs_names_clear(&form);
    scs_names_clear(&controls);
    return st;
}
