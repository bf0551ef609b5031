/** One value of a configuration: from text into the struct, and back. All functions are Local. */
#ifndef SCS_VALUE_H
#define SCS_VALUE_H

#include "src/config/key.h"

enum { SCS_WHERE_MAX = 512 };

/** Where a value was written, for messages and relative paths. */
typedef struct scs_where {
    char text[SCS_WHERE_MAX]; /**< "FILE:LINE" or "--set" */
    const char
        *base; /**< paths are relative to this file's folder; NULL: to the working directory */
    int line;  /**< 0 if not in a file */
} scs_where;

/** Set any key but a list. SCS_EARG: one line with place, key, value and what is allowed. */
SCS_MUST_USE scs_status scs_value_set(scs_config *config, const scs_key *key, const char *text,
                                      const scs_where *where);
/** The value as text that scs_value_set takes back. @return out, or the config's own string */
const char *scs_value_text(const scs_config *config, const scs_key *key, char *out, size_t size);
/** Fail because `what` stands where a value of this key is expected. */
SCS_MUST_USE scs_status scs_value_refuse(const scs_key *key, const char *what,
                                         const scs_where *where);

/** Empty a list of names or records. */
void scs_value_clear(scs_config *config, const scs_key *key);
/** Make room for n zeroed records (the list must be empty). */
SCS_MUST_USE scs_status scs_value_reserve(scs_config *config, const scs_key *key, int32_t n);
/** Set one member of record i. */
SCS_MUST_USE scs_status scs_value_set_field(scs_config *config, const scs_key *key, int32_t i,
                                            const scs_field *field, const char *text,
                                            const scs_where *where);
/** Member of record i, NULL if not set. */
const char *scs_value_field(const scs_config *config, const scs_key *key, int32_t i,
                            const scs_field *field);
/** After all members are set: note the line, refuse what lacks a required member. */
SCS_MUST_USE scs_status scs_value_check_record(scs_config *config, const scs_key *key, int32_t i,
                                               const scs_where *where);
/** Keys that contradict each other: SCS_EARG. */
int32_t scs_value_count(const scs_config *config, const scs_key *key);

#endif
