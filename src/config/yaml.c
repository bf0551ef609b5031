/** YAML onto the config (src/config/yaml.h has what is understood): a text and its places, nodes
 *  of the parsed tree, then the walk, from single items up to the whole file.
 *
 *  Every message begins with the place of the node that it is about, which libyaml keeps as a
 *  line counted from 0.
 */
#include "src/config/yaml.h"

#include "src/base/names.h"
#include "src/config/key_meant.h"
#include "src/config/value.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

/* One YAML text, parsed, and the places in it. */
typedef struct source {
    yaml_document_t doc;
    const char *file; /**< NULL for --set; borrowed, as are the next two */
    const char *set;  /**< the whole argument of --set, or NULL */
    const char *text; /**< the YAML */
} source;

/* Levels of nesting that are read; a config has four. */
enum { MAX_DEPTH = 32 };

/* Where "--max-hours train.max_hours=8" has its key: behind the option that it was made from. */
static const char *key_of(const char *set)
{
    size_t option = strncmp(set, "--", 2) == 0 ? strcspn(set, " =") : 0;

    return option && set[option] == ' ' ? set + option + 1 : set;
}

/* "FILE:LINE" of a line counted from 0, or "--set KEY". A path that is too long is cut,
 * its line never. */
static scs_where locate_line(const source *src, size_t line)
{
    scs_where where = {.base = src->file, .line = src->file ? (int)line + 1 : 0};
    int key = src->set ? (int)strcspn(src->set, "=") : 0;

    if (src->file)
        snprintf(where.text, sizeof where.text, "%.*s:%zu", SCS_WHERE_MAX - 24, src->file,
                 line + 1);
    else if (src->set && key_of(src->set) > src->set)
        snprintf(where.text, sizeof where.text, "%.*s",
                 (int)strcspn(src->set, " ") < 80 ? (int)strcspn(src->set, " ") : 80, src->set);
    else
        snprintf(where.text, sizeof where.text, "--set %.*s", key < 80 ? key : 80, src->set);
    return where;
}

/* Where a node was written. */
static scs_where locate(const source *src, const yaml_node_t *node)
{
    return locate_line(src, node->start_mark.line);
}

/* Line breaks among the first n bytes. */
static size_t count_lines(const char *text, size_t n)
{
    size_t lines = 0;

    for (size_t i = 0; i < n && text[i]; i++)
        lines += text[i] == '\n';
    return lines;
}

/* Whether a line's indentation holds a tab, the usual reason for libyaml's "cannot start any
 * token". @param line counted from 0 */
static bool is_tab_indented(const char *text, size_t line)
{
    for (; line > 0 && text; line--) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return text && text[strspn(text, " ")] == '\t';
}

/* What libyaml found, on the line where it found it. Its reader (bad UTF-8, control characters)
 * reports an offset in bytes instead of a line. */
static scs_status fail_parse(const source *src, const yaml_parser_t *parser)
{
    bool reader = parser->error == YAML_READER_ERROR;
    size_t line =
        reader ? count_lines(src->text, parser->problem_offset) : parser->problem_mark.line;
    scs_where where = locate_line(src, line);

    if (parser->error == YAML_MEMORY_ERROR)
        return SCS_FAIL(SCS_ENOMEM, "%s: out of memory", where.text);
    return SCS_FAIL(SCS_EARG, "%s: not valid YAML: %s%s%s%s", where.text,
                    parser->context ? parser->context : "", parser->context ? ", " : "",
                    parser->problem ? parser->problem : "unknown problem",
                    is_tab_indented(src->text, line) ? "; indent with spaces, not tabs"
                    : src->set ? "; a text with such signs needs quotes, as in --set \"KEY=','\""
                               : "");
}

/* 1 where a mapping or list begins, -1 where one ends. */
static int depth_change(yaml_event_type_t type)
{
    if (type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT)
        return 1;
    return type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT ? -1 : 0;
}

/* Read the text event by event, before any tree is made of it: depth and number of documents are
 * known without the memory and time of a tree. */
static scs_status check_events(const source *src, yaml_parser_t *parser)
{
    int depth = 0, documents = 0;
    bool done = false;

    while (!done) {
        yaml_event_t event;
        scs_where where;

        if (!yaml_parser_parse(parser, &event))
            return fail_parse(src, parser);
        where = locate_line(src, event.start_mark.line);
        depth += depth_change(event.type);
        documents += event.type == YAML_DOCUMENT_START_EVENT;
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        SCS_REQUIRE(depth <= MAX_DEPTH, SCS_EARG, "%s: nested deeper than %d levels", where.text,
                    MAX_DEPTH);
        SCS_REQUIRE(documents <= 1, SCS_EARG, "%s: a second YAML document starts; only one is read",
                    where.text);
    }
    return SCS_OK;
}

/* A parser at the start of the text; the caller deletes it. UTF-8 whatever a byte order mark
 * says. */
static scs_status start_parser(const source *src, yaml_parser_t *parser)
{
    SCS_REQUIRE(yaml_parser_initialize(parser), SCS_ENOMEM, "out of memory for YAML");
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)src->text, strlen(src->text));
    return SCS_OK;
}

/* Parse src->text into src->doc, which the caller deletes. SCS_EARG with the line: what is not
 * YAML, a second document, or nesting beyond any config's. */
static scs_status parse(source *src)
{
    yaml_parser_t parser;
    scs_status st;

    SCS_TRY(start_parser(src, &parser));
    st = check_events(src, &parser);
    yaml_parser_delete(&parser);
    SCS_TRY(st);
    SCS_TRY(start_parser(src, &parser));
    if (!yaml_parser_load(&parser, &src->doc))
        st = fail_parse(src, &parser);
    yaml_parser_delete(&parser);
    return st;
}

/* "a mapping", "a list" or "text", for messages. */
static const char *kind_of(const yaml_node_t *node)
{
    return node->type == YAML_MAPPING_NODE    ? "a mapping"
           : node->type == YAML_SEQUENCE_NODE ? "a list"
                                              : "text";
}

/* An empty value, as after "hold_out:" with nothing below it; "~" and "null" as well, unless
 * quoted. */
static bool is_nothing(const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;

    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (strcmp(text, "") == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

/* The text of a scalar exactly as it was written. SCS_EARG if the node is none, or holds a NUL
 * ("\0" in double quotes). @param what for the message  @param[out] text borrowed from the
 * document */
static scs_status read_text(const source *src, const yaml_node_t *node, const char *what,
                            const char **text)
{
    SCS_REQUIRE(node->type == YAML_SCALAR_NODE, SCS_EARG, "%s: %s is %s; expected plain text",
                locate(src, node).text, what, kind_of(node));
    *text = (const char *)node->data.scalar.value;
    SCS_REQUIRE(strlen(*text) == node->data.scalar.length, SCS_EARG, "%s: %s holds a NUL character",
                locate(src, node).text, what);
    return SCS_OK;
}

/* Number of pairs of a mapping, or of items of a list. */
static int count_items(const yaml_node_t *node)
{
    if (node->type == YAML_MAPPING_NODE)
        return (int)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    return (int)(node->data.sequence.items.top - node->data.sequence.items.start);
}

/* Item i of a list. With an alias it may be a node that stands elsewhere: so does its place. */
static const yaml_node_t *item_at(source *src, const yaml_node_t *list, int i)
{
    return yaml_document_get_node(&src->doc, list->data.sequence.items.start[i]);
}

/* Pair i of a mapping. SCS_EARG for a key that stood there before: libyaml would keep both.
 * O(pairs) each, for mappings of a few keys.
 * @param[out] name borrowed  @param[out] where the key's place */
static scs_status read_pair(source *src, const yaml_node_t *map, int i, const char **name,
                            const yaml_node_t **value, scs_where *where)
{
    const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
    const yaml_node_t *key = yaml_document_get_node(&src->doc, pair[i].key);
    const char *before = NULL;

    SCS_TRY(read_text(src, key, "a key", name));
    *where = locate(src, key);
    *value = yaml_document_get_node(&src->doc, pair[i].value);
    for (int j = 0; j < i; j++) {
        const yaml_node_t *other = yaml_document_get_node(&src->doc, pair[j].key);

        SCS_TRY(read_text(src, other, "a key", &before));
        SCS_REQUIRE(strcmp(before, *name) != 0, SCS_EARG,
                    "%s: %s stands here twice (first on line %zu)", where->text, *name,
                    other->start_mark.line + 1);
    }
    return SCS_OK;
}

/* A list of names replaces what was there. An empty list is refused: it could mean all or none. */
static scs_status apply_names(source *src, scs_config *config, const scs_key *key,
                              const yaml_node_t *list)
{
    scs_names *names = (scs_names *)(void *)((char *)config + key->offset);
    scs_where where = locate(src, list);
    const char *text = NULL;

    if (count_items(list) == 0)
        return scs_value_refuse(key, "an empty list", &where);
    scs_names_clear(names);
    for (int i = 0; i < count_items(list); i++) {
        SCS_TRY(read_text(src, item_at(src, list, i), "an item of the list", &text));
        SCS_REQUIRE(scs_names_find(names, text) < 0, SCS_EARG,
                    "%s: %s.%s: %s stands in the list twice",
                    locate(src, item_at(src, list, i)).text, key->section, key->name, text);
        SCS_TRY(scs_names_add(names, text));
    }
    return SCS_OK;
}

/* The member of a record with this name, or NULL. */
static const scs_field *find_field(const scs_record *record, const char *name)
{
    for (int f = 0; f < record->n_field; f++)
        if (strcmp(record->field[f].name, name) == 0)
            return &record->field[f];
    return NULL;
}

/* "unknown key pth in data.inputs, which is a list of {path, species, orthologs}" */
static scs_status fail_field(const scs_key *key, const char *name, const scs_where *where)
{
    char full[80], allowed[256];

    return SCS_FAIL(SCS_EARG, "%s: unknown key %s in %s, which is %s", where->text, name,
                    scs_key_full_name(key, full, sizeof full),
                    scs_key_allowed(key, allowed, sizeof allowed));
}

/* A list for one member; an empty one is refused, as for any key. */
static scs_status apply_field_names(source *src, scs_config *config, const scs_key *key, int32_t i,
                                    const scs_field *field, const yaml_node_t *list)
{
    char full[80];
    const char *text = NULL;

    SCS_REQUIRE(count_items(list) > 0, SCS_EARG, "%s: %s: %s is an empty list",
                locate(src, list).text, scs_key_full_name(key, full, sizeof full), field->name);
    for (int k = 0; k < count_items(list); k++) {
        const yaml_node_t *node = item_at(src, list, k);

        SCS_TRY(read_text(src, node, field->name, &text));
        SCS_REQUIRE(*text, SCS_EARG, "%s: %s: %s has an empty item", locate(src, node).text,
                    scs_key_full_name(key, full, sizeof full), field->name);
        SCS_REQUIRE(scs_names_find(scs_value_field_names(config, key, i, field), text) < 0,
                    SCS_EARG, "%s: %s: %s stands in the list twice", locate(src, node).text,
                    scs_key_full_name(key, full, sizeof full), text);
        SCS_TRY(scs_value_add_to_field(config, key, i, field, text));
    }
    return SCS_OK;
}

/* Members of record i from {name: text, ...}; an empty value leaves the member unset. */
static scs_status apply_fields(source *src, scs_config *config, const scs_key *key, int32_t i,
                               const yaml_node_t *map)
{
    for (int p = 0; p < count_items(map); p++) {
        const char *name = NULL, *text = NULL;
        const scs_field *field;
        const yaml_node_t *value = NULL;
        scs_where where;

        SCS_TRY(read_pair(src, map, p, &name, &value, &where));
        field = find_field(key->record, name);
        if (!field)
            return fail_field(key, name, &where);
        if (field->list && value->type == YAML_SEQUENCE_NODE) {
            SCS_TRY(apply_field_names(src, config, key, i, field, value));
            continue;
        }
        SCS_TRY(read_text(src, value, name, &text));
        SCS_TRY(scs_value_set_field(config, key, i, field, is_nothing(value) ? "" : text, &where));
    }
    return SCS_OK;
}

/* Record i from a mapping or, in short form, from a plain string. */
static scs_status apply_record(source *src, scs_config *config, const scs_key *key, int32_t i,
                               const yaml_node_t *node)
{
    scs_where where = locate(src, node);
    const char *text = NULL;

    if (node->type == YAML_MAPPING_NODE) {
        SCS_TRY(apply_fields(src, config, key, i, node));
    } else if (node->type == YAML_SCALAR_NODE && key->record->short_form) {
        SCS_TRY(read_text(src, node, "an item", &text));
        SCS_TRY(scs_value_set_field(config, key, i, &key->record->field[0], text, &where));
    } else {
        char what[48];

        snprintf(what, sizeof what, "a list with %s in it", kind_of(node));
        return scs_value_refuse(key, what, &where);
    }
    return scs_value_check_record(config, key, i, &where);
}

/* The names and values of a record that is itself a map. One that is mapped to nothing is refused:
 * whether its cells go or stay cannot be told. */
static scs_status apply_map(source *src, scs_config *config, const scs_key *key, int32_t i,
                            const yaml_node_t *map)
{
    const scs_field *field = key->record->field;
    char full[80];

    scs_key_full_name(key, full, sizeof full);
    SCS_REQUIRE(map->type == YAML_MAPPING_NODE && count_items(map) > 0, SCS_EARG,
                "%s: %s: %s has %s; expected {%s: %s, ...}", locate(src, map).text, full,
                scs_value_field(config, key, i, &field[0]),
                map->type == YAML_MAPPING_NODE ? "nothing below it" : kind_of(map), field[1].name,
                field[2].name);
    for (int p = 0; p < count_items(map); p++) {
        const char *from = NULL, *to = NULL;
        const yaml_node_t *value = NULL;
        scs_where where;

        SCS_TRY(read_pair(src, map, p, &from, &value, &where));
        SCS_TRY(read_text(src, value, from, &to));
        SCS_REQUIRE(*from && !is_nothing(value) && *to, SCS_EARG,
                    "%s: %s: '%s' has no name; expected {%s: %s, ...} (data.filter leaves cells "
                    "out)",
                    where.text, full, from, field[1].name, field[2].name);
        SCS_TRY(scs_value_add_to_field(config, key, i, &field[1], from));
        SCS_TRY(scs_value_add_to_field(config, key, i, &field[2], to));
    }
    return SCS_OK;
}

/* Records that are written as a map: one for each of its pairs. */
static scs_status apply_pairs(source *src, scs_config *config, const scs_key *key,
                              const yaml_node_t *node)
{
    const scs_field *field = key->record->field;
    scs_where where = locate(src, node);

    if (node->type != YAML_MAPPING_NODE)
        return scs_value_refuse(key, kind_of(node), &where);
    scs_value_clear(config, key);
    SCS_TRY(scs_value_reserve(config, key, count_items(node)));
    for (int i = 0; i < count_items(node); i++) {
        const char *name = NULL, *text = NULL;
        const yaml_node_t *value = NULL;

        SCS_TRY(read_pair(src, node, i, &name, &value, &where));
        SCS_TRY(scs_value_set_field(config, key, i, &field[0], name, &where));
        if (key->record->form == SCS_RECORD_MAPS) {
            SCS_TRY(apply_map(src, config, key, i, value));
        } else {
            SCS_TRY(read_text(src, value, name, &text));
            SCS_TRY(scs_value_set_field(config, key, i, &field[1], is_nothing(value) ? "" : text,
                                        &where));
        }
        SCS_TRY(scs_value_check_record(config, key, i, &where));
    }
    return SCS_OK;
}

/* A list of records replaces what was there; nothing below the key empties it. */
static scs_status apply_records(source *src, scs_config *config, const scs_key *key,
                                const yaml_node_t *node)
{
    scs_where where = locate(src, node);

    if (is_nothing(node)) {
        scs_value_clear(config, key);
        return SCS_OK;
    }
    if (key->record->form != SCS_RECORD_ITEMS)
        return apply_pairs(src, config, key, node);
    /* One item needs no list around it. */
    if (node->type == YAML_MAPPING_NODE ||
        (node->type == YAML_SCALAR_NODE && key->record->short_form)) {
        scs_value_clear(config, key);
        SCS_TRY(scs_value_reserve(config, key, 1));
        return apply_record(src, config, key, 0, node);
    }
    if (node->type != YAML_SEQUENCE_NODE)
        return scs_value_refuse(key, kind_of(node), &where);
    scs_value_clear(config, key);
    SCS_TRY(scs_value_reserve(config, key, count_items(node)));
    for (int i = 0; i < count_items(node); i++)
        SCS_TRY(apply_record(src, config, key, i, item_at(src, node, i)));
    return SCS_OK;
}

/* Any key's value: lists here, scalars by src/config/value.c. */
static scs_status apply_value(source *src, scs_config *config, const scs_key *key,
                              const yaml_node_t *node)
{
    scs_where where = locate(src, node);
    const char *text = NULL;
    char name[80];

    if (key->type == SCS_KEY_RECORDS)
        return apply_records(src, config, key, node);
    if (key->type == SCS_KEY_NAMES && node->type == YAML_SEQUENCE_NODE)
        return apply_names(src, config, key, node);
    if (node->type != YAML_SCALAR_NODE)
        return scs_value_refuse(key, kind_of(node), &where);
    SCS_TRY(read_text(src, node, scs_key_full_name(key, name, sizeof name), &text));
    return scs_value_set(config, key, text, &where);
}

/* With what may have been meant, else where all keys are listed. */
static scs_status fail_unknown(const char *name, const scs_where *where)
{
    char nearest[80];

    if (scs_key_meant_nearest(name, nearest, sizeof nearest))
        return SCS_FAIL(SCS_EARG, "%s: unknown key %s; did you mean %s?", where->text, name,
                        nearest);
    return SCS_FAIL(SCS_EARG, "%s: unknown key %s; see scscreen --help for all keys", where->text,
                    name);
}

/* Pairs of a section are keys. 256 bytes hold every key of the table: a longer name is cut and
 * unknown. */
static scs_status apply_section(source *src, scs_config *config, const char *section,
                                const yaml_node_t *map)
{
    for (int p = 0; p < count_items(map); p++) {
        const char *name = NULL;
        char full[256];
        const yaml_node_t *value = NULL;
        scs_where where;
        const scs_key *key;

        SCS_TRY(read_pair(src, map, p, &name, &value, &where));
        snprintf(full, sizeof full, "%s.%s", section, name);
        key = scs_key_find(full);
        if (!key)
            return fail_unknown(full, &where);
        SCS_TRY(apply_value(src, config, key, value));
    }
    return SCS_OK;
}

/* Pairs of the whole text are sections, or keys that have none. A key of a section that was
 * written without it ("batch: 64") does not get here by its full name, but "train.batch: 64"
 * does: said as such. An empty section is none. */
static scs_status apply_root(source *src, scs_config *config, const yaml_node_t *root)
{
    for (int p = 0; p < count_items(root); p++) {
        const char *name = NULL;
        const yaml_node_t *value = NULL;
        scs_where where;

        SCS_TRY(read_pair(src, root, p, &name, &value, &where));
        if (!scs_key_is_section(name)) {
            const scs_key *key = scs_key_find(name);

            if (!key)
                return fail_unknown(name, &where);
            SCS_REQUIRE(!key->name, SCS_EARG, "%s: write %s: below %s:, not %s:", where.text,
                        key->name, key->section, name);
            SCS_TRY(apply_value(src, config, key, value));
        } else if (value->type == YAML_MAPPING_NODE) {
            SCS_TRY(apply_section(src, config, name, value));
        } else if (!is_nothing(value)) {
            return SCS_FAIL(SCS_EARG, "%s: %s is %s; write its keys below it", where.text, name,
                            kind_of(value));
        }
    }
    return SCS_OK;
}

/* An empty file is a config of defaults; a file that is a list or a plain text is not, and most
 * likely another file. */
scs_status scs_yaml_apply(scs_config *config, const char *file, const char *text)
{
    source src = {.file = file, .text = text};
    scs_status st = SCS_OK;
    yaml_node_t *root;

    SCS_TRY(parse(&src));
    root = yaml_document_get_root_node(&src.doc);
    if (root && root->type == YAML_MAPPING_NODE)
        st = apply_root(&src, config, root);
    else if (root && !is_nothing(root))
        st = SCS_FAIL(SCS_EARG, "%s: this is %s; expected sections such as data: and train:",
                      locate(&src, root).text, kind_of(root));
    yaml_document_delete(&src.doc);
    return st;
}

/* The value of a --set whose text is parsed. No text at all makes no document: the empty text,
 * or the empty list. */
static scs_status apply_set(source *src, scs_config *config, const scs_key *key)
{
    yaml_node_t *root = yaml_document_get_root_node(&src->doc);
    scs_where where = locate_line(src, 0);

    if (root)
        return apply_value(src, config, key, root);
    if (key->type != SCS_KEY_RECORDS)
        return scs_value_set(config, key, "", &where);
    scs_value_clear(config, key);
    return SCS_OK;
}

/* The name is cut at 256 bytes and then unknown. The value is parsed as a YAML text of its own,
 * so that lists and quotes work as in a file. */
scs_status scs_yaml_apply_set(scs_config *config, const char *set)
{
    const char *equals = strchr(set, '=');
    source src = {.set = set, .text = equals ? equals + 1 : ""};
    scs_where where = locate_line(&src, 0);
    char name[256];
    const scs_key *key;
    scs_status st;

    SCS_REQUIRE(equals, SCS_EARG, "%s: expected section.key=value", where.text);
    snprintf(name, sizeof name, "%.*s", (int)(equals - key_of(set)), key_of(set));
    key = scs_key_find(name);
    if (!key)
        return fail_unknown(name, &where);
    SCS_TRY(parse(&src));
    st = apply_set(&src, config, key);
    yaml_document_delete(&src.doc);
    return st;
}
