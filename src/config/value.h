/** One value of a configuration: from text into the struct, and back.
 *
 *  The bridge between a row of the table (src/config/key.h) and the member of scs_config at its
 *  offset. Text comes in from YAML, from --set and from the table's own defaults, all the same
 *  way; what goes out again is text that comes in as the same value.
 *
 *  A refusal is SCS_EARG and one line with place, key, value and what is allowed:
 *
 *      my.yaml:4: train.batch is '0'; expected a whole number from 1 to 1048576
 *
 *  Besides that, setting fails with SCS_ENOMEM; the old value then stays. All functions are
 *  Local.
 */
#ifndef SCS_VALUE_H
#define SCS_VALUE_H

#include "src/base/bytes.h"
#include "src/config/key.h"

enum { SCS_WHERE_MAX = 512 };

/** Where a value was written, for messages and relative paths. */
typedef struct scs_where {
    char text[SCS_WHERE_MAX]; /**< "FILE:LINE" or "--set KEY" */
    const char *base;         /**< paths are relative to this file's folder; NULL: to the working
                                 directory; borrowed */
    int line;                 /**< from 1; 0 if not in a file */
} scs_where;

/* ---- one value ---- */

/** Fail because `what` stands where a value of this key is expected. @param what "'0'", "a list" */
SCS_MUST_USE scs_status scs_value_refuse(const scs_key *key, const char *what,
                                         const scs_where *where);
/** Set any key but a list of records; a list of names becomes the one name, or empty for its word.
 */
SCS_MUST_USE scs_status scs_value_set(scs_config *config, const scs_key *key, const char *text,
                                      const scs_where *where);
/** The value as text that scs_value_set takes back; numbers as short as they can be. Of a list only
 * what stands for the empty one.
 *  @param[out] out [size] scratch  @return out, a constant, or the config's own string */
const char *scs_value_text(const scs_config *config, const scs_key *key, char *out, size_t size);

/* ---- lists of names or records ---- */

/** Number of items. */
int32_t scs_value_count(const scs_config *config, const scs_key *key);
/** Empty the list and free what it owns. */
void scs_value_clear(scs_config *config, const scs_key *key);
/** Make room for n zeroed records; the list must be empty. */
SCS_MUST_USE scs_status scs_value_reserve(scs_config *config, const scs_key *key, int32_t n);
/** Set one member of record i, a list to this one name; the empty text unsets it. */
SCS_MUST_USE scs_status scs_value_set_field(scs_config *config, const scs_key *key, int32_t i,
                                            const scs_field *field, const char *text,
                                            const scs_where *where);
/** Append to a member that is a list. SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_value_add_to_field(scs_config *config, const scs_key *key, int32_t i,
                                               const scs_field *field, const char *text);
/** A member that is a list; empty if not set. Borrowed. */
const scs_names *scs_value_field_names(const scs_config *config, const scs_key *key, int32_t i,
                                       const scs_field *field);
/** Member of record i that is no list, NULL if not set. Borrowed. */
const char *scs_value_field(const scs_config *config, const scs_key *key, int32_t i,
                            const scs_field *field);
/** After all members are set: note the line, refuse a record without a required member
 * ("data.inputs: item 2 has no path"). */
SCS_MUST_USE scs_status scs_value_check_record(scs_config *config, const scs_key *key, int32_t i,
                                               const scs_where *where);

/** All records of a list, for another process. SCS_ENOMEM.  @param key SCS_KEY_RECORDS */
SCS_MUST_USE scs_status scs_value_put_records(const scs_config *config, const scs_key *key,
                                              scs_bytes *out);
/** And back: they replace what is there; their lines in the file are not among what was put.
 * SCS_EDATA, SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_value_get_records(scs_bytes *in, const scs_key *key,
                                              scs_config *config);

#endif
