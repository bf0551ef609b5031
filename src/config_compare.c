#include "src/config_value.h"
#include "src/names.h"

#include <stdio.h>
#include <string.h>

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_records(const scs_config *a, const scs_config *b, const scs_key *key)
{
    int32_t n = scs_value_count(a, key);

    if (n != scs_value_count(b, key))
        return false;
    for (int32_t i = 0; i < n; i++)
        for (int f = 0; f < key->record->n_field; f++) {
            const scs_field *field = &key->record->field[f];

            if (!field->is_path &&
                !same_text(scs_value_field(a, key, i, field), scs_value_field(b, key, i, field)))
                return false;
        }
    return true;
}

static bool is_list(const scs_key *key)
{
    return key->type == SCS_KEY_RECORDS || key->type == SCS_KEY_NAMES;
}

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

/* "name (before, now after)" at the end of out. */
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
