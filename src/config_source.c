#include "src/config_source.h"

#include <stdio.h>
#include <string.h>

enum { DEEPEST = 32 };

scs_where scs_source_locate(const scs_source *src, size_t line)
{
    scs_where where = {.base = src->file, .line = src->file ? (int)line + 1 : 0};
    int key = src->set ? (int)strcspn(src->set, "=") : 0;

    if (src->file)
        snprintf(where.text, sizeof where.text, "%.*s:%zu", SCS_WHERE_MAX - 24, src->file,
                 line + 1);
    else
        snprintf(where.text, sizeof where.text, "--set %.*s", key < 80 ? key : 80, src->set);
    return where;
}

scs_where scs_source_where(const scs_source *src, const yaml_node_t *node)
{
    return scs_source_locate(src, node->start_mark.line);
}

static size_t count_lines(const char *text, size_t n)
{
    size_t lines = 0;

    for (size_t i = 0; i < n && text[i]; i++)
        lines += text[i] == '\n';
    return lines;
}

/* Whether a line's indentation holds a tab, the usual reason for "cannot start any token". */
static bool is_tab_indented(const char *text, size_t line)
{
    for (; line > 0 && text; line--) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return text && text[strspn(text, " ")] == '\t';
}

static scs_status fail_parse(const scs_source *src, const yaml_parser_t *parser)
{
    bool reader = parser->error == YAML_READER_ERROR;
    size_t line =
        reader ? count_lines(src->text, parser->problem_offset) : parser->problem_mark.line;
    scs_where where = scs_source_locate(src, line);

    if (parser->error == YAML_MEMORY_ERROR)
        return SCS_FAIL(SCS_ENOMEM, "%s: out of memory", where.text);
    return SCS_FAIL(SCS_EARG, "%s: not valid YAML: %s%s%s%s", where.text,
                    parser->context ? parser->context : "", parser->context ? ", " : "",
                    parser->problem ? parser->problem : "unknown problem",
                    is_tab_indented(src->text, line) ? "; indent with spaces, not tabs" : "");
}

static int depth_change(yaml_event_type_t type)
{
    if (type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT)
        return 1;
    return type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT ? -1 : 0;
}

/* Read the text event by event, before any tree is made of it. */
static scs_status check_events(const scs_source *src, yaml_parser_t *parser)
{
    int depth = 0, documents = 0;
    bool done = false;

    while (!done) {
        yaml_event_t event;
        scs_where where;

        if (!yaml_parser_parse(parser, &event))
            return fail_parse(src, parser);
        where = scs_source_locate(src, event.start_mark.line);
        depth += depth_change(event.type);
        documents += event.type == YAML_DOCUMENT_START_EVENT;
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        SCS_REQUIRE(depth <= DEEPEST, SCS_EARG, "%s: nested deeper than %d levels", where.text,
                    DEEPEST);
        SCS_REQUIRE(documents <= 1, SCS_EARG, "%s: a second YAML document starts; only one is read",
                    where.text);
    }
    return SCS_OK;
}

static scs_status start(const scs_source *src, yaml_parser_t *parser)
{
    SCS_REQUIRE(yaml_parser_initialize(parser), SCS_ENOMEM, "out of memory for YAML");
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)src->text, strlen(src->text));
    return SCS_OK;
}

scs_status scs_source_parse(scs_source *src)
{
    yaml_parser_t parser;
    scs_status st;

    SCS_TRY(start(src, &parser));
    st = check_events(src, &parser);
    yaml_parser_delete(&parser);
    SCS_TRY(st);
    SCS_TRY(start(src, &parser));
    if (!yaml_parser_load(&parser, &src->doc))
        st = fail_parse(src, &parser);
    yaml_parser_delete(&parser);
    return st;
}

const char *scs_node_kind(const yaml_node_t *node)
{
    return node->type == YAML_MAPPING_NODE    ? "a mapping"
           : node->type == YAML_SEQUENCE_NODE ? "a list"
                                              : "text";
}

bool scs_node_is_nothing(const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;

    return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (strcmp(text, "") == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

scs_status scs_node_text(const scs_source *src, const yaml_node_t *node, const char *what,
                         const char **text)
{
    SCS_REQUIRE(node->type == YAML_SCALAR_NODE, SCS_EARG, "%s: %s is %s; expected plain text",
                scs_source_where(src, node).text, what, scs_node_kind(node));
    *text = (const char *)node->data.scalar.value;
    SCS_REQUIRE(strlen(*text) == node->data.scalar.length, SCS_EARG, "%s: %s holds a NUL character",
                scs_source_where(src, node).text, what);
    return SCS_OK;
}

int scs_node_count(const yaml_node_t *node)
{
    if (node->type == YAML_MAPPING_NODE)
        return (int)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    return (int)(node->data.sequence.items.top - node->data.sequence.items.start);
}

const yaml_node_t *scs_node_item(scs_source *src, const yaml_node_t *list, int i)
{
    return yaml_document_get_node(&src->doc, list->data.sequence.items.start[i]);
}

scs_status scs_node_pair(scs_source *src, const yaml_node_t *map, int i, const char **name,
                         const yaml_node_t **value, scs_where *where)
{
    const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
    const yaml_node_t *key = yaml_document_get_node(&src->doc, pair[i].key);
    const char *before = NULL;

    SCS_TRY(scs_node_text(src, key, "a key", name));
    *where = scs_source_where(src, key);
    *value = yaml_document_get_node(&src->doc, pair[i].value);
    for (int j = 0; j < i; j++) {
        const yaml_node_t *other = yaml_document_get_node(&src->doc, pair[j].key);

        SCS_TRY(scs_node_text(src, other, "a key", &before));
        SCS_REQUIRE(strcmp(before, *name) != 0, SCS_EARG,
                    "%s: %s stands here twice (first on line %zu)", where->text, *name,
                    other->start_mark.line + 1);
    }
    return SCS_OK;
}
