#include "src/config_yaml.h"

#include "src/config_source.h"
#include "src/names.h"

#include <stdio.h>
#include <string.h>

static scs_status apply_names(scs_source *src, scs_config *config, const scs_key *key,
                              const yaml_node_t *list)
{
    scs_names *names = (scs_names *)(void *)((char *)config + key->offset);
    scs_where where = scs_source_where(src, list);
    const char *text = NULL;

    if (scs_node_count(list) == 0)
        return scs_value_refuse(key, "an empty list", &where);
    scs_names_clear(names);
    for (int i = 0; i < scs_node_count(list); i++) {
        SCS_TRY(scs_node_text(src, scs_node_item(src, list, i), "an item of the list", &text));
        SCS_REQUIRE(
            scs_names_find(names, text) < 0, SCS_EARG, "%s: %s.%s: %s stands in the list twice",
            scs_source_where(src, scs_node_item(src, list, i)).text, key->section, key->name, text);
        SCS_TRY(scs_names_add(names, text));
    }
    return SCS_OK;
}

static const scs_field *find_field(const scs_record *record, const char *name)
{
    for (int f = 0; f < record->n_field; f++)
        if (strcmp(record->field[f].name, name) == 0)
            return &record->field[f];
    return NULL;
}

static scs_status fail_field(const scs_key *key, const char *name, const scs_where *where)
{
    char full[80], allowed[256];

    return SCS_FAIL(SCS_EARG, "%s: unknown key %s in %s, which is %s", where->text, name,
                    scs_key_full_name(key, full, sizeof full),
                    scs_key_allowed(key, allowed, sizeof allowed));
}

static scs_status apply_fields(scs_source *src, scs_config *config, const scs_key *key, int32_t i,
                               const yaml_node_t *map)
{
    for (int p = 0; p < scs_node_count(map); p++) {
        const char *name = NULL, *text = NULL;
        const scs_field *field;
        const yaml_node_t *value = NULL;
        scs_where where;

        SCS_TRY(scs_node_pair(src, map, p, &name, &value, &where));
        field = find_field(key->record, name);
        if (!field)
            return fail_field(key, name, &where);
        SCS_TRY(scs_node_text(src, value, name, &text));
        SCS_TRY(scs_value_set_field(config, key, i, field, scs_node_is_nothing(value) ? "" : text,
                                    &where));
    }
    return SCS_OK;
}

static scs_status apply_record(scs_source *src, scs_config *config, const scs_key *key, int32_t i,
                               const yaml_node_t *node)
{
    scs_where where = scs_source_where(src, node);
    const char *text = NULL;

    if (node->type == YAML_MAPPING_NODE) {
        SCS_TRY(apply_fields(src, config, key, i, node));
    } else if (node->type == YAML_SCALAR_NODE && key->record->short_form) {
        SCS_TRY(scs_node_text(src, node, "an item", &text));
        SCS_TRY(scs_value_set_field(config, key, i, &key->record->field[0], text, &where));
    } else {
        char what[48];

        snprintf(what, sizeof what, "a list with %s in it", scs_node_kind(node));
        return scs_value_refuse(key, what, &where);
    }
    return scs_value_check_record(config, key, i, &where);
}

static scs_status apply_records(scs_source *src, scs_config *config, const scs_key *key,
                                const yaml_node_t *node)
{
    scs_where where = scs_source_where(src, node);

    if (scs_node_is_nothing(node)) {
        scs_value_clear(config, key);
        return SCS_OK;
    }
    if (node->type != YAML_SEQUENCE_NODE)
        return scs_value_refuse(key, scs_node_kind(node), &where);
    scs_value_clear(config, key);
    SCS_TRY(scs_value_reserve(config, key, scs_node_count(node)));
    for (int i = 0; i < scs_node_count(node); i++)
        SCS_TRY(apply_record(src, config, key, i, scs_node_item(src, node, i)));
    return SCS_OK;
}

static scs_status apply_value(scs_source *src, scs_config *config, const scs_key *key,
                              const yaml_node_t *node)
{
    scs_where where = scs_source_where(src, node);
    const char *text = NULL;
    char name[80];

    if (key->type == SCS_KEY_RECORDS)
        return apply_records(src, config, key, node);
    if (key->type == SCS_KEY_NAMES && node->type == YAML_SEQUENCE_NODE)
        return apply_names(src, config, key, node);
    if (node->type != YAML_SCALAR_NODE)
        return scs_value_refuse(key, scs_node_kind(node), &where);
    SCS_TRY(scs_node_text(src, node, scs_key_full_name(key, name, sizeof name), &text));
    return scs_value_set(config, key, text, &where);
}

static scs_status fail_unknown(const char *name, const scs_where *where)
{
    char nearest[80];

    if (scs_key_nearest(name, nearest, sizeof nearest))
        return SCS_FAIL(SCS_EARG, "%s: unknown key %s; did you mean %s?", where->text, name,
                        nearest);
    return SCS_FAIL(SCS_EARG, "%s: unknown key %s; see scscreen --help for all keys", where->text,
                    name);
}

static scs_status apply_section(scs_source *src, scs_config *config, const char *section,
                                const yaml_node_t *map)
{
    for (int p = 0; p < scs_node_count(map); p++) {
        const char *name = NULL;
        char full[256];
        const yaml_node_t *value = NULL;
        scs_where where;
        const scs_key *key;

        SCS_TRY(scs_node_pair(src, map, p, &name, &value, &where));
        snprintf(full, sizeof full, "%s.%s", section, name);
        key = scs_key_find(full);
        if (!key)
            return fail_unknown(full, &where);
        SCS_TRY(apply_value(src, config, key, value));
    }
    return SCS_OK;
}

static scs_status apply_root(scs_source *src, scs_config *config, const yaml_node_t *root)
{
    for (int p = 0; p < scs_node_count(root); p++) {
        const char *name = NULL;
        const yaml_node_t *value = NULL;
        scs_where where;

        SCS_TRY(scs_node_pair(src, root, p, &name, &value, &where));
        if (!scs_key_is_section(name)) {
            const scs_key *key = scs_key_find(name);

            if (!key)
                return fail_unknown(name, &where);
            SCS_REQUIRE(!key->name, SCS_EARG, "%s: write %s: below %s:, not %s:", where.text,
                        key->name, key->section, name);
            SCS_TRY(apply_value(src, config, key, value));
        } else if (value->type == YAML_MAPPING_NODE) {
            SCS_TRY(apply_section(src, config, name, value));
        } else if (!scs_node_is_nothing(value)) {
            return SCS_FAIL(SCS_EARG, "%s: %s is %s; write its keys below it", where.text, name,
                            scs_node_kind(value));
        }
    }
    return SCS_OK;
}

scs_status scs_yaml_apply(scs_config *config, const char *file, const char *text)
{
    scs_source src = {.file = file, .text = text};
    scs_status st = SCS_OK;
    yaml_node_t *root;

    SCS_TRY(scs_source_parse(&src));
    root = yaml_document_get_root_node(&src.doc);
    if (root && root->type == YAML_MAPPING_NODE)
        st = apply_root(&src, config, root);
    else if (root && !scs_node_is_nothing(root))
        st = SCS_FAIL(SCS_EARG, "%s: this is %s; expected sections such as data: and train:",
                      scs_source_where(&src, root).text, scs_node_kind(root));
    yaml_document_delete(&src.doc);
    return st;
}

static scs_status apply_set(scs_source *src, scs_config *config, const scs_key *key)
{
    yaml_node_t *root = yaml_document_get_root_node(&src->doc);
    scs_where where = scs_source_locate(src, 0);

    if (root)
        return apply_value(src, config, key, root);
    if (key->type != SCS_KEY_RECORDS)
        return scs_value_set(config, key, "", &where);
    scs_value_clear(config, key);
    return SCS_OK;
}

scs_status scs_yaml_apply_set(scs_config *config, const char *set)
{
    const char *equals = strchr(set, '=');
    scs_source src = {.set = set, .text = equals ? equals + 1 : ""};
    scs_where where = scs_source_locate(&src, 0);
    char name[256];
    const scs_key *key;
    scs_status st;

    SCS_REQUIRE(equals, SCS_EARG, "%s: expected section.key=value", where.text);
    snprintf(name, sizeof name, "%.*s", (int)(equals - set), set);
    key = scs_key_find(name);
    if (!key)
        return fail_unknown(name, &where);
    SCS_TRY(scs_source_parse(&src));
    st = apply_set(&src, config, key);
    yaml_document_delete(&src.doc);
    return st;
}
