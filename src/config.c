#include "scscreen/config.h"

#include "src/config_value.h"
#include "src/config_yaml.h"
#include "src/text.h"

#include <stdlib.h>
#include <string.h>

enum { CONFIG_MAX = 4 << 20 };

static scs_status set_defaults(scs_config *config)
{
    scs_where where = {.text = "default"};

    for (int i = 0; scs_key_at(i); i++)
        if (scs_key_at(i)->fallback)
            SCS_TRY(scs_value_set(config, scs_key_at(i), scs_key_at(i)->fallback, &where));
    return SCS_OK;
}

static scs_status fill(scs_config *config, const char *file, const char *text,
                       const char *const *sets, int n_set)
{
    SCS_TRY(scs_text_copy(file, &config->file));
    SCS_TRY(set_defaults(config));
    SCS_TRY(scs_yaml_apply(config, file, text));
    for (int i = 0; i < n_set; i++)
        SCS_TRY(scs_yaml_apply_set(config, sets[i]));
    return scs_config_check(config);
}

scs_status scs_config_parse(const char *file, const char *text, const char *const *sets, int n_set,
                            scs_config **config)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*config, 1));
    st = fill(*config, file, text, sets, n_set);
    if (st != SCS_OK)
        scs_config_destroy(config);
    return st;
}

scs_status scs_config_load(const char *file, const char *const *sets, int n_set,
                           scs_config **config, char **text)
{
    char *read = NULL;
    scs_status st;

    *config = NULL;
    SCS_TRY(scs_text_read(file, CONFIG_MAX, &read));
    st = scs_config_parse(file, read, sets, n_set, config);
    if (st == SCS_OK && text)
        *text = read;
    else
        free(read);
    return st;
}

static void clear_key(scs_config *config, const scs_key *key)
{
    if (key->type == SCS_KEY_NAMES || key->type == SCS_KEY_RECORDS)
        scs_value_clear(config, key);
    if (key->type == SCS_KEY_TEXT || key->type == SCS_KEY_PATH)
        free(*(char **)(void *)((char *)config + key->offset));
}

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

scs_status scs_config_print(const scs_config *config, char **yaml)
{
    return scs_yaml_print(config, SCS_AFFECTS_NOTHING, yaml);
}

scs_status scs_config_print_affecting(const scs_config *config, int affects, char **yaml)
{
    return scs_yaml_print(config, affects, yaml);
}

static void help_key(const scs_key *key, FILE *out)
{
    char allowed[256];
    const char *value = !key->fallback ? "[]" : key->fallback[0] ? key->fallback : "\"\"";

    fprintf(out, "  %s\n      %s.\n      %s; default %s\n", key->name ? key->name : "(a list)",
            key->help, scs_key_allowed(key, allowed, sizeof allowed), value);
}

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
