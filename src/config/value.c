/** Text to value and back (src/config/value.h), by the type of the key.
 *
 *  For each type there is a set_* function that checks and stores, and, where the text is not
 *  simply what was stored, a *_text function that prints. Then the lists: names are an
 *  scs_names, records an array and a count, both reached through offsets of the table.
 */
#include "src/config/value.h"

#include "src/base/names.h"
#include "src/base/text.h"
#include "src/config/key.h"
#include "src/config/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A key's member of the struct. The callers cast it to what the row's type says: offsets and
 * types of the table belong together. */
static void *member(scs_config *config, const scs_key *key)
{
    return (char *)config + key->offset;
}

/* The same of a config that is only read. */
static const void *member_of(const scs_config *config, const scs_key *key)
{
    return (const char *)config + key->offset;
}

scs_status scs_value_refuse(const scs_key *key, const char *what, const scs_where *where)
{
    char name[80], allowed[256];

    return SCS_FAIL(SCS_EARG, "%s: %s is %s; expected %s", where->text,
                    scs_key_full_name(key, name, sizeof name), what,
                    scs_key_allowed(key, allowed, sizeof allowed));
}

/* The word that a text was meant as: the nearest of a choice, a layer by its name alone, and "raw"
 * as anndata's attributes have it. @param[out] out "" where there is none  @return out */
static char *meant(const scs_key *key, const char *text, char *out, size_t size)
{
    const char *nearest = NULL;
    scs_names words = {0};

    out[0] = '\0';
    for (const scs_word *w = key->choice; w && w->text; w = scs_key_choice_next(key, w))
        if (scs_names_add(&words, w->text) != SCS_OK)
            break;
    if (words.n > 0)
        nearest = scs_names_nearest(&words, text);
    else if (key->words && strstr(key->words, "layers/NAME") && *text && !strchr(text, '/'))
        nearest = strncasecmp(text, "raw", 3) == 0 ? "raw" : strcasecmp(text, "x") == 0 ? "X" : "";
    if (nearest)
        snprintf(out, size, "; did you mean %s%.100s?", *nearest ? nearest : "layers/",
                 *nearest ? "" : text);
    scs_names_clear(&words);
    return out;
}

/* "KEY is 'TEXT'; expected ...", the text cut at 190 bytes. */
static scs_status refuse_text(const scs_key *key, const char *text, const scs_where *where)
{
    char name[80], allowed[256], hint[160];

    return SCS_FAIL(SCS_EARG, "%s: %s is '%.190s'; expected %s%s", where->text,
                    scs_key_full_name(key, name, sizeof name), text,
                    scs_key_allowed(key, allowed, sizeof allowed),
                    meant(key, text, hint, sizeof hint));
}

/* Decimal digits and a sign, nothing else: strtoll alone would take leading blanks.
 * @return false for other text and for what int64_t cannot hold */
static bool read_int(const char *text, int64_t *value)
{
    char *end;

    if (text[0] == '\0' || text[strspn(text, "+-0123456789")] != '\0')
        return false;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

/* A word stands for 0, which is outside the range of most such keys. */
static scs_status set_int(const scs_key *key, const char *text, const scs_where *where,
                          int64_t *out)
{
    int64_t value = 0;

    if (!scs_key_has_word(key, text)) {
        bool good =
            read_int(text, &value) && (double)value >= key->min && (double)value <= key->max;

        if (!good || (key->type == SCS_KEY_POWER && (value & (value - 1)) != 0))
            return refuse_text(key, text, where);
    }
    *out = value;
    return SCS_OK;
}

/* Within the range, or a word. */
static scs_status set_number(const scs_key *key, const char *text, const scs_where *where,
                             double *out)
{
    double value = key->word_value;

    if (!scs_key_has_word(key, text) &&
        !(scs_text_number(text, &value) && value >= key->min && value <= key->max))
        return refuse_text(key, text, where);
    *out = value;
    return SCS_OK;
}

/* YAML 1.1's words in any case. */
static scs_status set_bool(const scs_key *key, const char *text, const scs_where *where, bool *out)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};

    for (int i = 0; i < 6; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *out = i % 2;
            return SCS_OK;
        }
    return refuse_text(key, text, where);
}

/* One of the key's words, exactly: no case, no abbreviations. */
static scs_status set_choice(const scs_key *key, const char *text, const scs_where *where, int *out)
{
    const scs_word *word = scs_key_choice_find(key, text);

    if (!word)
        return refuse_text(key, text, where);
    *out = word->value;
    return SCS_OK;
}

/* Free the old text only when the copy of the new one is there. */
static scs_status replace_text(char **out, const char *text)
{
    char *copy;

    SCS_TRY(scs_text_copy(text, &copy));
    free(*out);
    *out = copy;
    return SCS_OK;
}

/* "layers/NAME" among the words allows one more path part of any name: "layers/counts", not
 * "layers/a/b" or "layers/". */
static bool matches_open_word(const char *words, const char *text)
{
    const char *open = strstr(words, "/NAME"), *start = open;
    size_t n;

    if (!open)
        return false;
    while (start > words && start[-1] != '|')
        start--;
    n = (size_t)(open - start) + 1;
    return strncmp(start, text, n) == 0 && text[n] != '\0' && !strchr(text + n, '/');
}

/* The empty text is allowed where min is 0. */
static scs_status set_text(const scs_key *key, const char *text, const scs_where *where, char **out)
{
    bool known = !key->words || scs_key_has_word(key, text) || matches_open_word(key->words, text);

    if (!known || (double)strlen(text) < key->min)
        return refuse_text(key, text, where);
    return replace_text(out, text);
}

/* What has come from another process is a path already.
 * @param base NULL: the working directory  @param[out] path malloc'ed */
static scs_status make_path(const scs_config *config, const scs_key *key, const char *text,
                            const scs_where *where, const char *base, char **path)
{
    char place[SCS_WHERE_MAX + 80], name[80], *expanded = NULL;
    scs_status st;

    if (config->has_paths)
        return scs_text_resolve(base, text, path);
    snprintf(place, sizeof place, "%s: %s", where->text, scs_key_full_name(key, name, sizeof name));
    SCS_TRY(scs_path_expand(text, place, &expanded));
    st = scs_text_resolve(base, expanded, path);
    free(expanded);
    return st;
}

/* The empty text means no file and stays empty, where it is allowed. */
static scs_status set_path(const scs_config *config, const scs_key *key, const char *text,
                           const scs_where *where, char **out)
{
    char *path;

    if ((double)strlen(text) < key->min)
        return refuse_text(key, text, where);
    if (text[0] == '\0' || scs_key_has_word(key, text))
        return replace_text(out, text);
    SCS_TRY(make_path(config, key, text, where, key->from_here ? NULL : where->base, &path));
    free(*out);
    *out = path;
    return SCS_OK;
}

/* One name, or the word that stands for the empty list. src/config/yaml.c fills longer lists. */
static scs_status set_names(const scs_key *key, const char *text, scs_names *out)
{
    scs_names_clear(out);
    return scs_key_has_word(key, text) ? SCS_OK : scs_names_add(out, text);
}

/* A text for a list of records is refused: only --set with nothing after "=" empties one
 * (src/config/yaml.c). */
scs_status scs_value_set(scs_config *config, const scs_key *key, const char *text,
                         const scs_where *where)
{
    void *at = member(config, key);

    switch (key->type) {
    case SCS_KEY_INT:
    case SCS_KEY_POWER:
        return set_int(key, text, where, at);
    case SCS_KEY_NUMBER:
        return set_number(key, text, where, at);
    case SCS_KEY_BOOL:
        return set_bool(key, text, where, at);
    case SCS_KEY_CHOICE:
        return set_choice(key, text, where, at);
    case SCS_KEY_PATH:
        return set_path(config, key, text, where, at);
    case SCS_KEY_TEXT:
        return set_text(key, text, where, at);
    case SCS_KEY_NAMES:
        return text[0] ? set_names(key, text, at) : refuse_text(key, text, where);
    default:
        return refuse_text(key, text, where);
    }
}

/* The shortest text that reads back as the same double: 17 digits always do, most defaults need
 * fewer than 6. */
static void print_number(double value, char *out, size_t size)
{
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}

/* A value that a word stands for is printed as the word, whichever of the two was written. */
static const char *number_text(const scs_key *key, double value, char *out, size_t size)
{
    if (key->words && value == key->word_value)
        return key->words;
    print_number(value, out, size);
    return out;
}

/* The same for integers, whose words stand for 0. */
static const char *int_text(const scs_key *key, int64_t value, char *out, size_t size)
{
    if (key->words && value == 0)
        return key->words;
    snprintf(out, size, "%lld", (long long)value);
    return out;
}

/* Lists fall to the default: their word, or []. */
const char *scs_value_text(const scs_config *config, const scs_key *key, char *out, size_t size)
{
    const void *at = member_of(config, key);

    switch (key->type) {
    case SCS_KEY_INT:
    case SCS_KEY_POWER:
        return int_text(key, *(const int64_t *)at, out, size);
    case SCS_KEY_NUMBER:
        return number_text(key, *(const double *)at, out, size);
    case SCS_KEY_BOOL:
        return *(const bool *)at ? "true" : "false";
    case SCS_KEY_CHOICE:
        return scs_key_choice_text(key, *(const int *)at);
    case SCS_KEY_PATH:
    case SCS_KEY_TEXT:
        return *(char *const *)at;
    default:
        return key->words                                             ? key->words
               : key->record && key->record->form != SCS_RECORD_ITEMS ? "{}"
                                                                      : "[]";
    }
}

/* Where a record list's count is. */
static int32_t *count_of(scs_config *config, const scs_key *key)
{
    return (int32_t *)(void *)((char *)config + key->count);
}

int32_t scs_value_count(const scs_config *config, const scs_key *key)
{
    const char *at = (const char *)config;

    if (key->type == SCS_KEY_NAMES)
        return ((const scs_names *)(const void *)(at + key->offset))->n;
    return *(const int32_t *)(const void *)(at + key->count);
}

/* The address of the pointer to the first record. One function for reading and writing, hence
 * the cast that drops const. */
static void **list_of(const scs_config *config, const scs_key *key)
{
    return (void **)(void *)((char *)(uintptr_t)config + key->offset);
}

/* The address of a member of record i. */
static char **field_of(const scs_config *config, const scs_key *key, int32_t i,
                       const scs_field *field)
{
    char *record = (char *)*list_of(config, key) + (size_t)i * key->record->size;

    return (char **)(void *)(record + field->offset);
}

static scs_names *names_of(const scs_config *config, const scs_key *key, int32_t i,
                           const scs_field *field)
{
    return (scs_names *)(void *)field_of(config, key, i, field);
}

static void clear_field(const scs_config *config, const scs_key *key, int32_t i,
                        const scs_field *field)
{
    if (field->list) {
        scs_names_clear(names_of(config, key, i, field));
        return;
    }
    free(*field_of(config, key, i, field));
    *field_of(config, key, i, field) = NULL;
}

void scs_value_clear(scs_config *config, const scs_key *key)
{
    if (key->type == SCS_KEY_NAMES) {
        scs_names_clear((scs_names *)(void *)((char *)config + key->offset));
        return;
    }
    for (int32_t i = 0; i < *count_of(config, key); i++)
        for (int f = 0; f < key->record->n_field; f++)
            clear_field(config, key, i, &key->record->field[f]);
    free(*list_of(config, key));
    *list_of(config, key) = NULL;
    *count_of(config, key) = 0;
}

scs_status scs_value_reserve(scs_config *config, const scs_key *key, int32_t n)
{
    void *list = scs_allocate(n, key->record->size);

    SCS_REQUIRE(list, SCS_ENOMEM, "out of memory for a list of %d", n);
    *list_of(config, key) = list;
    *count_of(config, key) = n;
    return SCS_OK;
}

scs_status scs_value_set_field(scs_config *config, const scs_key *key, int32_t i,
                               const scs_field *field, const char *text, const scs_where *where)
{
    clear_field(config, key, i, field);
    if (text[0] == '\0')
        return SCS_OK;
    if (field->list)
        return scs_names_add(names_of(config, key, i, field), text);
    if (field->is_path)
        return make_path(config, key, text, where, where->base, field_of(config, key, i, field));
    return scs_text_copy(text, field_of(config, key, i, field));
}

scs_status scs_value_add_to_field(scs_config *config, const scs_key *key, int32_t i,
                                  const scs_field *field, const char *text)
{
    return scs_names_add(names_of(config, key, i, field), text);
}

const scs_names *scs_value_field_names(const scs_config *config, const scs_key *key, int32_t i,
                                       const scs_field *field)
{
    return names_of(config, key, i, field);
}

const char *scs_value_field(const scs_config *config, const scs_key *key, int32_t i,
                            const scs_field *field)
{
    return *field_of(config, key, i, field);
}

/* Items are counted from 1 in messages. */
scs_status scs_value_check_record(scs_config *config, const scs_key *key, int32_t i,
                                  const scs_where *where)
{
    char name[80];

    for (int f = 0; f < key->record->n_field; f++)
        SCS_REQUIRE(!key->record->field[f].required ||
                        scs_value_field(config, key, i, &key->record->field[f]),
                    SCS_EARG, "%s: %s: item %d has no %s", where->text,
                    scs_key_full_name(key, name, sizeof name), i + 1, key->record->field[f].name);
    if (key->record->has_line) {
        char *record = (char *)*list_of(config, key) + (size_t)i * key->record->size;

        *(int *)(void *)(record + key->record->line) = where->line;
    }
    return SCS_OK;
}

scs_status scs_value_put_records(const scs_config *config, const scs_key *key, scs_bytes *out)
{
    int32_t n = scs_value_count(config, key);

    SCS_TRY(scs_bytes_put_int(out, n));
    for (int32_t i = 0; i < n; i++)
        for (int f = 0; f < key->record->n_field; f++) {
            const scs_field *field = &key->record->field[f];

            SCS_TRY(field->list ? scs_bytes_put_names(out, names_of(config, key, i, field))
                                : scs_bytes_put_text(out, *field_of(config, key, i, field)));
        }
    return SCS_OK;
}

scs_status scs_value_get_records(scs_bytes *in, const scs_key *key, scs_config *config)
{
    int64_t n = 0;

    SCS_TRY(scs_bytes_get_within(in, 0, INT32_MAX, &n));
    scs_value_clear(config, key);
    SCS_TRY(scs_value_reserve(config, key, (int32_t)n));
    for (int32_t i = 0; i < n; i++)
        for (int f = 0; f < key->record->n_field; f++) {
            const scs_field *field = &key->record->field[f];

            SCS_TRY(field->list ? scs_bytes_get_names(in, names_of(config, key, i, field))
                                : scs_bytes_get_text(in, field_of(config, key, i, field)));
        }
    return SCS_OK;
}
