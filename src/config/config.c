/** Everything a run is told: reading a config, printing it, comparing two of them, and the help.
 *
 *  All of it walks the one table of keys (src/config/key.h) and leaves single values to
 *  src/config/value.c and YAML to src/config/yaml.c. What is here besides is what concerns
 *  several keys at once: defaults before the file, the file before --set, and the rules between
 *  keys.
 */
#include "src/base/file.h"
#include "src/base/names.h"
#include "src/base/text.h"
#include "src/config/key.h"
#include "src/config/path.h"
#include "src/config/rule.h"
#include "src/config/value.h"
#include "src/config/yaml.h"
#include "scscreen/config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <yaml.h>

/* ---- reading ---- */

/* What rows must have been measured with, to be ranked by a number. Ranks that are not listed
 * need nothing. */
static const struct {
    bool cells;        /* single cells in latent space, not only group means */
    bool permutations; /* of labels, for p-values */
} needs[SCS_N_RANK_BY] = {
    [SCS_RANK_ENERGY_DISTANCE] = {.cells = true},
    [SCS_RANK_P_VALUE] = {.cells = true, .permutations = true},
    [SCS_RANK_Q_VALUE] = {.cells = true, .permutations = true},
};

/* Asking for a ranking that the model or the screen cannot give is said at once, not after hours
 * of training. */
static scs_status check_rank_by(const scs_config *c)
{
    bool cells = needs[c->screen.rank_by].cells;
    bool permutations = needs[c->screen.rank_by].permutations;

    SCS_REQUIRE(c->model.kind != SCS_MODEL_MEAN || !cells, SCS_EARG,
                "%s: screen.rank_by: model.kind: mean has no latent cells, so neither p-values nor "
                "energy distances; delta_norm is there",
                c->file);
    SCS_REQUIRE(!permutations || c->screen.permutations > 0, SCS_EARG,
                "%s: screen.rank_by asks for p-values, but screen.permutations is 0", c->file);
    return SCS_OK;
}

/* By labels, by the value of an obs column, or by both: but never by half of either. */
static scs_status check_hold_out(const scs_config *config, int32_t i)
{
    const scs_named_combination *item = &config->hold_out[i];
    char place[512];

    scs_key_place(config, "hold_out", item->line, place, sizeof place);
    if (item->column || item->value.n) {
        SCS_REQUIRE(item->column && item->value.n, SCS_EARG,
                    "%s: item %d has a %s, but no %s: name both, as {column: split, value: test}",
                    place, i + 1, item->column ? "column" : "value",
                    item->column ? "value" : "column");
        return SCS_OK;
    }
    SCS_REQUIRE(item->cell_type.n && item->condition.n, SCS_EARG,
                "%s: item %d has no %s (\"*\": all), nor column and value of obs", place, i + 1,
                item->cell_type.n ? "condition" : "cell_type");
    return SCS_OK;
}

/* @param text NULL: not given  @param[out] number then as it was */
static scs_status read_limit(const char *place, const char *what, const char *text, double *number)
{
    SCS_REQUIRE(!text || scs_text_number(text, number), SCS_EARG,
                "%s: %s is '%s'; expected a number", place, what, text);
    return SCS_OK;
}

/* One condition of data.filter: that it asks for something, and its limits are numbers in order. */
static scs_status check_filter(const scs_config *config, int32_t i)
{
    const scs_filter *item = &config->data.filter[i];
    double min = -HUGE_VAL, max = HUGE_VAL;
    char place[512];

    scs_key_place(config, "data.filter", item->line, place, sizeof place);
    SCS_REQUIRE(item->in.n || item->not_in.n || item->min || item->max, SCS_EARG,
                "%s: item %d says nothing of the column %s: add in, not_in, min or max", place,
                i + 1, item->column);
    SCS_TRY(read_limit(place, "min", item->min, &min));
    SCS_TRY(read_limit(place, "max", item->max, &max));
    SCS_REQUIRE(min <= max, SCS_EARG, "%s: min %s is above max %s", place, item->min, item->max);
    return SCS_OK;
}

/* One column cannot tell two things of a cell. Columns that are not set are empty. */
static scs_status check_columns(const scs_config *config)
{
    const struct {
        const char *key, *column;
    } roles[] = {{"data.cell_type", config->data.cell_type},
                 {"data.condition", config->data.condition},
                 {"data.species", config->data.species},
                 {"data.dose", config->data.dose}};

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        for (size_t k = 0; k < i; k++)
            SCS_REQUIRE(!*roles[i].column || strcmp(roles[i].column, roles[k].column) != 0,
                        SCS_EARG, "%s: %s and %s are both the column '%s'; each needs its own",
                        config->file, roles[k].key, roles[i].key, roles[i].column);
    return SCS_OK;
}

/* Keys that are sound one by one and contradict each other. SCS_EARG, without a line where it is no
 * single line's fault. */
static scs_status check_keys(const scs_config *config)
{
    SCS_TRY(check_columns(config));
    for (int32_t i = 0; i < config->n_hold_out; i++)
        SCS_TRY(check_hold_out(config, i));
    for (int32_t i = 0; i < config->data.n_filter; i++)
        SCS_TRY(check_filter(config, i));
    SCS_REQUIRE(config->screen.bootstrap != 1, SCS_EARG,
                "%s: screen.bootstrap is 1; a standard error needs 2 replicates or more (0: none)",
                config->file);
    SCS_REQUIRE(!*config->screen.perturbation_features || config->screen.shift == SCS_SHIFT_AUTO ||
                    scs_rule_shift_at(config->screen.shift)->needs_mixed,
                SCS_EARG,
                "%s: screen.perturbation_features is for screen.shift: auto, mixed or limited; the "
                "other rules do not know it",
                config->file);
    SCS_REQUIRE(!*config->model.load || config->model.kind == SCS_MODEL_VAE, SCS_EARG,
                "%s: model.load: model.kind: %s has no weights to load; take one of the two out",
                config->file, config->model.kind == SCS_MODEL_PCA ? "pca" : "mean");
    return check_rank_by(config);
}

/* The two types that own memory besides a text. */
static bool is_list(const scs_key *key)
{
    return key->type == SCS_KEY_RECORDS || key->type == SCS_KEY_NAMES;
}

/* The defaults are texts and take the way of all values: a default out of its own range cannot
 * exist. Lists without one start empty. */
static scs_status set_defaults(scs_config *config)
{
    scs_where where = {.text = "default"};

    for (int i = 0; scs_key_at(i); i++)
        if (scs_key_at(i)->fallback)
            SCS_TRY(scs_value_set(config, scs_key_at(i), scs_key_at(i)->fallback, &where));
    return SCS_OK;
}

/* What keys stand for with a data.source, where they are not set. */
static const struct {
    int source;
    const char *key, *value;
} source_defaults[] = {
    {SCS_SOURCE_CELLXGENE, "data.matrix", "raw"},
    {SCS_SOURCE_CELLXGENE, "data.species", "organism"},
    {SCS_SOURCE_CELLXGENE, "data.condition", "disease"},
    {SCS_SOURCE_CELLXGENE, "data.control", "normal"},
};

/* Set before the file is read, as defaults are: whatever the user writes comes later. */
static scs_status set_source_defaults(scs_config *config, int source)
{
    scs_where where = {.text = "data.source"};

    for (size_t i = 0; i < sizeof source_defaults / sizeof *source_defaults; i++)
        if (source_defaults[i].source == source)
            SCS_TRY(scs_value_set(config, scs_key_find(source_defaults[i].key),
                                  source_defaults[i].value, &where));
    return SCS_OK;
}

/* Later wins: defaults, then the file, then --set in the order given. */
static scs_status fill(scs_config *config, const char *file, const char *text,
                       const char *const *sets, int n_set, int source)
{
    SCS_TRY(scs_text_copy(file, &config->file));
    SCS_TRY(set_defaults(config));
    SCS_TRY(set_source_defaults(config, source));
    SCS_TRY(scs_yaml_apply(config, file, text));
    for (int i = 0; i < n_set; i++)
        SCS_TRY(scs_yaml_apply_set(config, sets[i]));
    return check_keys(config);
}

/* @param has_paths as scs_config has it */
static scs_status parse(const char *file, const char *text, const char *const *sets, int n_set,
                        bool has_paths, scs_config **config)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*config, 1));
    (*config)->has_paths = has_paths;
    st = fill(*config, file, text, sets, n_set, SCS_SOURCE_ANY);
    if (st == SCS_OK && (*config)->data.source != SCS_SOURCE_ANY) {
        int source = (*config)->data.source; /* which may stand anywhere: all once more */

        scs_config_destroy(config);
        SCS_TRY(SCS_ALLOC(*config, 1));
        (*config)->has_paths = has_paths;
        st = fill(*config, file, text, sets, n_set, source);
    }
    if (st != SCS_OK)
        scs_config_destroy(config);
    return st;
}

scs_status scs_config_parse(const char *file, const char *text, const char *const *sets, int n_set,
                            scs_config **config)
{
    return parse(file, text, sets, n_set, false, config);
}

scs_status scs_config_parse_sent(const char *file, const char *text, const char *const *sets,
                                 int n_set, scs_config **config)
{
    return parse(file, text, sets, n_set, true, config);
}

/* Bytes of a config that are read at most: far more than any has, far less than a data file
 * named by mistake. */
enum { CONFIG_MAX = 4 << 20 };

/* The commonest mistake of a first try: the data where the config belongs. SCS_EARG says how to
 * name them. What cannot be read is left to the reading. */
static scs_status refuse_data(const char *file)
{
    const char *what = NULL, *advice = "scscreen check FILE.h5ad says what a file of cells holds, "
                                       "scscreen inspect what results are";
    const scs_file_format *format;
    struct stat info;

    if (stat(file, &info) != 0 || !(S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)))
        return SCS_OK; /* a pipe is read once */
    if (S_ISDIR(info.st_mode)) {
        what = "a folder";
        advice = "a folder of cells holds matrix.mtx, barcodes.tsv and features.tsv or genes.tsv, "
                 "plain or gzipped";
    } else if ((format = scs_file_format_of(file)) != NULL)
        what = format->what;
    SCS_REQUIRE(!what, SCS_EARG,
                "%s: is %s, and a config (YAML) belongs here: a text file, say my.yaml, with the "
                "line `data: {inputs: [FILE.h5ad]}`; %s",
                file, what, advice);
    return SCS_OK;
}

/* @param[out] text of the file, malloc'ed; NULL: not wanted */
scs_status scs_config_load(const char *file, const char *const *sets, int n_set,
                           scs_config **config, char **text)
{
    char *read = NULL;
    scs_status st;

    *config = NULL;
    SCS_TRY(refuse_data(file));
    SCS_TRY(scs_text_read(file, CONFIG_MAX, &read));
    if (strncmp(read, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
        memmove(read, read + 3, strlen(read + 3) + 1);
    st = scs_config_parse(file, read, sets, n_set, config);
    if (st == SCS_OK && text)
        *text = read;
    else
        free(read);
    return st;
}

/* Free what a key's member owns; numbers own nothing. */
static void clear_key(scs_config *config, const scs_key *key)
{
    if (is_list(key))
        scs_value_clear(config, key);
    if (key->type == SCS_KEY_TEXT || key->type == SCS_KEY_PATH)
        free(*(char **)(void *)((char *)config + key->offset));
}

/* By the table: what a key owns is freed by its type. */
void scs_config_destroy(scs_config **config)
{
    if (!*config)
        return;
    for (int i = 0; scs_key_at(i); i++)
        clear_key(*config, scs_key_at(i));
    free((*config)->file);
    free(*config);
    *config = NULL;
}

/* ---- printing ---- */

/* libyaml's emitter and the stream that its text goes to. `failed` is kept through all events,
 * so that the walk over the table needs no status of its own. */
typedef struct printer {
    yaml_emitter_t emitter;
    FILE *out;
    bool failed;
    scs_status path; /* of the last path that was quoted; nothing is after one that could not be */
} printer;

/* libyaml's handler. @return 1, or 0 for a failure, as libyaml counts it */
static int write_text(void *data, unsigned char *text, size_t n)
{
    return fwrite(text, 1, n, data) == n;
}

/* Emit an event that a libyaml initialiser has made (`made` is its return code). The emitter
 * takes over what the event owns; after a failure it is deleted here. */
static void emit(printer *p, int made, yaml_event_t *event)
{
    if (p->failed) {
        if (made)
            yaml_event_delete(event);
    } else if (!made || !yaml_emitter_emit(&p->emitter, event)) {
        p->failed = true;
    }
}

/* Whether a text needs no quotes: any YAML reader, also one of YAML 1.1 with its many booleans,
 * takes it for text. Only what is certain: a letter first, then letters, digits and _./+-.
 * Everything else is quoted.
 * @param as_is a number, boolean or word of the table, which is meant to be read as one */
static bool is_plain(const char *text, bool as_is)
{
    static const char *const special[] = {"true", "false", "yes", "no", "on",
                                          "off",  "null",  "y",   "n"};

    if (as_is)
        return true;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (strcasecmp(text, special[i]) == 0)
            return false;
    return ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z')) &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-") ==
               strlen(text);
}

/* A scalar event. @param as_is see is_plain */
static void put(printer *p, const char *text, bool as_is)
{
    yaml_event_t event;
    int plain = is_plain(text, as_is);

    emit(p,
         yaml_scalar_event_initialize(
             &event, NULL, NULL, (const unsigned char *)text, (int)strlen(text), plain, 1,
             plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE),
         &event);
}

/* Block style throughout: one key a line, so that two printed configs can be compared line by
 * line. */
static void open_map(printer *p)
{
    yaml_event_t event;

    emit(p, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE),
         &event);
}

/* The end of it. */
static void close_map(printer *p)
{
    yaml_event_t event;

    emit(p, yaml_mapping_end_event_initialize(&event), &event);
}

/* Block style too: an item a line. */
static void open_list(printer *p)
{
    yaml_event_t event;

    emit(p, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE),
         &event);
}

/* The end of it. */
static void close_list(printer *p)
{
    yaml_event_t event;

    emit(p, yaml_sequence_end_event_initialize(&event), &event);
}

/* One name as text, several as a list, none not at all. */
static void put_field_names(printer *p, const char *field, const scs_names *names)
{
    if (names->n == 0)
        return;
    put(p, field, true);
    if (names->n > 1)
        open_list(p);
    for (scs_lidx k = 0; k < names->n; k++)
        put(p, names->name[k], false);
    if (names->n > 1)
        close_list(p);
}

/* A value that is text. */
static void put_text(printer *p, const char *text)
{
    put(p, text, false);
}

/* A path, as a text that is read as it. */
static void put_path(printer *p, const char *path)
{
    char *text = NULL;

    if (p->failed)
        return;
    p->path = scs_path_quote(path, &text);
    p->failed = p->path != SCS_OK;
    if (!p->failed)
        put(p, text, false);
    free(text);
}

/* {name: text, ...}: members that are not set are left out. */
static void put_record(printer *p, const scs_config *config, const scs_key *key, int32_t i)
{
    open_map(p);
    for (int f = 0; f < key->record->n_field; f++) {
        const scs_field *field = &key->record->field[f];

        if (field->list) {
            put_field_names(p, field->name, scs_value_field_names(config, key, i, field));
        } else if (scs_value_field(config, key, i, field)) {
            put(p, field->name, true);
            (field->is_path ? put_path : put_text)(p, scs_value_field(config, key, i, field));
        }
    }
    close_map(p);
}

/* What a record is written as where the list is a map: its first field stands for its place. */
static void put_pair(printer *p, const scs_config *config, const scs_key *key, int32_t i)
{
    const scs_field *field = key->record->field;

    put(p, scs_value_field(config, key, i, &field[0]), false);
    if (key->record->form == SCS_RECORD_PAIRS) {
        put(p, scs_value_field(config, key, i, &field[1]), false);
        return;
    }
    open_map(p);
    for (scs_lidx k = 0; k < scs_value_field_names(config, key, i, &field[1])->n; k++) {
        put(p, scs_value_field_names(config, key, i, &field[1])->name[k], false);
        put(p, scs_value_field_names(config, key, i, &field[2])->name[k], false);
    }
    close_map(p);
}

/* Items in their order, names or records. */
static void put_list(printer *p, const scs_config *config, const scs_key *key)
{
    const scs_names *names = (const scs_names *)(const void *)((const char *)config + key->offset);

    if (key->type == SCS_KEY_RECORDS && key->record->form != SCS_RECORD_ITEMS) {
        open_map(p);
        for (int32_t i = 0; i < scs_value_count(config, key); i++)
            put_pair(p, config, key, i);
        close_map(p);
        return;
    }
    open_list(p);
    for (int32_t i = 0; i < scs_value_count(config, key); i++) {
        if (key->type == SCS_KEY_NAMES)
            put(p, names->name[i], false);
        else
            put_record(p, config, key, i);
    }
    close_list(p);
}

/* "key: value". An empty list of names is printed as its word (all); an empty list of records as
 * []. */
static void put_value(printer *p, const scs_config *config, const scs_key *key)
{
    char text[64];

    put(p, key->name ? key->name : key->section, true);
    if (key->type == SCS_KEY_RECORDS || (is_list(key) && scs_value_count(config, key) > 0))
        put_list(p, config, key);
    else if (key->type == SCS_KEY_PATH)
        put_path(p, scs_value_text(config, key, text, sizeof text));
    else
        put(p, scs_value_text(config, key, text, sizeof text), key->type != SCS_KEY_TEXT);
}

/* Rows of a section stand together in the table, so a new section is one that differs from the
 * row before. Sections whose keys are all left out do not appear.
 * @param affects scs_affects bits; 0: all keys */
static void put_config(printer *p, const scs_config *config, int affects)
{
    const char *section = NULL; /* the open one */

    open_map(p);
    for (int i = 0; scs_key_at(i); i++) {
        const scs_key *key = scs_key_at(i);

        if (affects && !(key->affects & affects))
            continue;
        if (section && strcmp(section, key->section) != 0) {
            close_map(p);
            section = NULL;
        }
        if (key->name && !section) {
            section = key->section;
            put(p, section, true);
            open_map(p);
        }
        put_value(p, config, key);
    }
    if (section)
        close_map(p);
    close_map(p);
}

/* The one document of the one stream, without "---". */
static void put_document(printer *p, const scs_config *config, int affects)
{
    yaml_event_t event;

    emit(p, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), &event);
    emit(p, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1), &event);
    put_config(p, config, affects);
    emit(p, yaml_document_end_event_initialize(&event, 1), &event);
    emit(p, yaml_stream_end_event_initialize(&event), &event);
}

/* Lines are as long as they come (width -1) and UTF-8 is not escaped: the text is compared and
 * hashed as well as read. SCS_EARG where libyaml refuses, which is for bytes that are not UTF-8.
 * @param[out] yaml malloc'ed; NULL after a failure */
static scs_status print_yaml(const scs_config *config, int affects, char **yaml)
{
    printer p = {.failed = false};
    size_t size = 0;

    *yaml = NULL;
    p.out = open_memstream(yaml, &size);
    SCS_REQUIRE(p.out, SCS_ENOMEM, "out of memory for the config's text");
    if (yaml_emitter_initialize(&p.emitter)) {
        yaml_emitter_set_output(&p.emitter, write_text, p.out);
        yaml_emitter_set_unicode(&p.emitter, 1);
        yaml_emitter_set_width(&p.emitter, -1);
        put_document(&p, config, affects);
        yaml_emitter_delete(&p.emitter);
    } else {
        p.failed = true;
    }
    if (fclose(p.out) != 0 || p.failed) {
        free(*yaml);
        *yaml = NULL;
        SCS_TRY(p.path);
        return SCS_FAIL(SCS_EARG, "%s: cannot be written as YAML (a path that is not UTF-8?)",
                        config->file);
    }
    return SCS_OK;
}

scs_status scs_config_print(const scs_config *config, char **yaml)
{
    return print_yaml(config, SCS_AFFECTS_NOTHING, yaml);
}

scs_status scs_config_print_affecting(const scs_config *config, int affects, char **yaml)
{
    return print_yaml(config, affects, yaml);
}

/* ---- comparing ---- */

/* NULL, a member that is not set, equals only NULL. */
static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Records in order, member by member; paths aside, as in scs_config_differences. */
static bool same_records(const scs_config *a, const scs_config *b, const scs_key *key)
{
    int32_t n = scs_value_count(a, key);

    if (n != scs_value_count(b, key))
        return false;
    for (int32_t i = 0; i < n; i++)
        for (int f = 0; f < key->record->n_field; f++) {
            const scs_field *field = &key->record->field[f];

            if (field->list ? !scs_names_equal(scs_value_field_names(a, key, i, field),
                                               scs_value_field_names(b, key, i, field))
                            : !field->is_path && !same_text(scs_value_field(a, key, i, field),
                                                            scs_value_field(b, key, i, field)))
                return false;
        }
    return true;
}

/* By their text, in which equal values are equal: the type need not be looked at. */
static bool same_value(const scs_config *before, const scs_config *now, const scs_key *key)
{
    char old[64], new[64];

    if (key->type == SCS_KEY_RECORDS)
        return same_records(before, now, key);
    if (key->type == SCS_KEY_NAMES)
        return scs_names_equal((const scs_names *)((const char *)before + key->offset),
                               (const scs_names *)((const char *)now + key->offset));
    return same_text(scs_value_text(before, key, old, sizeof old),
                     scs_value_text(now, key, new, sizeof new));
}

/* "name (before, now after)" at the end of out; of lists only the name. What does not fit is
 * cut. */
static void add_difference(const scs_config *before, const scs_config *now, const scs_key *key,
                           char *out, size_t size)
{
    char name[80];
    size_t used = strlen(out);

    used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
                             scs_key_full_name(key, name, sizeof name));
    if (!is_list(key) && used < size) {
        char old[64], new[64];

        snprintf(out + used, size - used, " (%s, now %s)",
                 scs_value_text(before, key, old, sizeof old),
                 scs_value_text(now, key, new, sizeof new));
    }
}

/* Cut to what fits. Paths are passed over: a file is known by its checksum. */
char *scs_config_differences(const scs_config *before, const scs_config *now, int affects,
                             char *out, size_t size)
{
    out[0] = '\0';
    for (int i = 0; scs_key_at(i) && strlen(out) + 1 < size; i++) {
        const scs_key *key = scs_key_at(i);

        if ((key->affects & affects) && key->type != SCS_KEY_PATH && !same_value(before, now, key))
            add_difference(before, now, key, out, size);
    }
    return out;
}

/* ---- help ---- */

/* Three lines: name, what it is for, what it may be and its default. */
static void help_key(const scs_key *key, FILE *out)
{
    char allowed[256];
    const char *value = key->fallback && key->fallback[0]                      ? key->fallback
                        : key->fallback                                        ? "\"\""
                        : key->record && key->record->form != SCS_RECORD_ITEMS ? "{}"
                                                                               : "[]";

    fprintf(out, "  %s\n      %s.\n      %s; default %s\n", key->name ? key->name : "(a list)",
            key->help, scs_key_allowed(key, allowed, sizeof allowed), value);
}

/* The section's name stands before its first key; hold_out, which is a key without a name, is
 * its own section. */
void scs_config_help(FILE *out)
{
    const char *section = "";

    for (int i = 0; scs_key_at(i); i++) {
        const scs_key *key = scs_key_at(i);

        if (strcmp(section, key->section) != 0)
            fprintf(out, "%s:\n", key->section);
        section = key->section;
        help_key(key, out);
    }
}
