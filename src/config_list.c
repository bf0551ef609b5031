#include "src/config_value.h"

#include "src/names.h"
#include "src/text.h"

#include <stdlib.h>

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

/* The address of the pointer to the first record. */
static void **list_of(const scs_config *config, const scs_key *key)
{
    return (void **)(void *)((char *)(uintptr_t)config + key->offset);
}

static char **field_of(const scs_config *config, const scs_key *key, int32_t i,
                       const scs_field *field)
{
    char *record = (char *)*list_of(config, key) + (size_t)i * key->record->size;

    return (char **)(void *)(record + field->offset);
}

void scs_value_clear(scs_config *config, const scs_key *key)
{
    if (key->type == SCS_KEY_NAMES) {
        scs_names_clear((scs_names *)(void *)((char *)config + key->offset));
        return;
    }
    for (int32_t i = 0; i < *count_of(config, key); i++)
        for (int f = 0; f < key->record->n_field; f++)
            free(*field_of(config, key, i, &key->record->field[f]));
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
    char **out = field_of(config, key, i, field);

    free(*out);
    *out = NULL;
    if (text[0] == '\0')
        return SCS_OK;
    return scs_text_resolve(field->is_path ? where->base : NULL, text, out);
}

const char *scs_value_field(const scs_config *config, const scs_key *key, int32_t i,
                            const scs_field *field)
{
    return *field_of(config, key, i, field);
}

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
