#include "src/config_yaml.h"

#include "src/config_value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

/* The text that libyaml's emitter hands over, and whether a call failed. */
typedef struct printer {
    yaml_emitter_t emitter;
    FILE *out;
    bool failed;
} printer;

static int write_text(void *data, unsigned char *text, size_t n)
{
    return fwrite(text, 1, n, data) == n;
}

/* Emit an event that a libyaml initialiser has made (`made` is its return code). */
static void emit(printer *p, int made, yaml_event_t *event)
{
    if (p->failed) {
        if (made)
            yaml_event_delete(event);
    } else if (!made || !yaml_emitter_emit(&p->emitter, event)) {
        p->failed = true;
    }
}

/* Plain where any YAML reader would take the text for text, a number that is one, or a boolean that
 * is one. */
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

/* as_is: a number, boolean or word of the table, which needs no quotes. */
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

static void open_map(printer *p)
{
    yaml_event_t event;

    emit(p, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE),
         &event);
}

static void close_map(printer *p)
{
    yaml_event_t event;

    emit(p, yaml_mapping_end_event_initialize(&event), &event);
}

static void open_list(printer *p)
{
    yaml_event_t event;

    emit(p, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE),
         &event);
}

static void close_list(printer *p)
{
    yaml_event_t event;

    emit(p, yaml_sequence_end_event_initialize(&event), &event);
}

static void put_record(printer *p, const scs_config *config, const scs_key *key, int32_t i)
{
    open_map(p);
    for (int f = 0; f < key->record->n_field; f++) {
        const scs_field *field = &key->record->field[f];
        const char *text = scs_value_field(config, key, i, field);

        if (text) {
            put(p, field->name, true);
            put(p, text, false);
        }
    }
    close_map(p);
}

static void put_list(printer *p, const scs_config *config, const scs_key *key)
{
    const scs_names *names = (const scs_names *)(const void *)((const char *)config + key->offset);

    open_list(p);
    for (int32_t i = 0; i < scs_value_count(config, key); i++) {
        if (key->type == SCS_KEY_NAMES)
            put(p, names->name[i], false);
        else
            put_record(p, config, key, i);
    }
    close_list(p);
}

static void put_value(printer *p, const scs_config *config, const scs_key *key)
{
    bool is_list = key->type == SCS_KEY_RECORDS || key->type == SCS_KEY_NAMES;
    bool is_text = key->type == SCS_KEY_TEXT || key->type == SCS_KEY_PATH;
    char text[64];

    put(p, key->name ? key->name : key->section, true);
    if (key->type == SCS_KEY_RECORDS || (is_list && scs_value_count(config, key) > 0))
        put_list(p, config, key);
    else
        put(p, scs_value_text(config, key, text, sizeof text), !is_text);
}

/* Sections whose keys are all left out do not appear. */
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

static void put_document(printer *p, const scs_config *config, int affects)
{
    yaml_event_t event;

    emit(p, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), &event);
    emit(p, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1), &event);
    put_config(p, config, affects);
    emit(p, yaml_document_end_event_initialize(&event, 1), &event);
    emit(p, yaml_stream_end_event_initialize(&event), &event);
}

scs_status scs_yaml_print(const scs_config *config, int affects, char **yaml)
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
        return SCS_FAIL(SCS_EARG, "%s: cannot be written as YAML (a path that is not UTF-8?)",
                        config->file);
    }
    return SCS_OK;
}
