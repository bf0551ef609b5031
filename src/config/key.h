/** The one table of configuration keys and what can be done with a row of it. All functions are
 * Local. */
#ifndef SCS_KEY_H
#define SCS_KEY_H

#include "scscreen/config.h"

typedef enum scs_key_type {
    SCS_KEY_INT,    /**< int64_t in [min, max]; a word stands for 0 */
    SCS_KEY_POWER,  /**< the same, and a power of two */
    SCS_KEY_NUMBER, /**< double in [min, max]; a word stands for word_value */
    SCS_KEY_BOOL,
    SCS_KEY_TEXT,   /**< char *; at least min bytes; words: nothing else is allowed ("layers/NAME"
                       allows any NAME) */
    SCS_KEY_PATH,   /**< char *; resolved against the config's folder; a word is kept as it is */
    SCS_KEY_CHOICE, /**< int: what a word stands for */
    SCS_KEY_NAMES,  /**< scs_names; the word stands for the empty list */
    SCS_KEY_RECORDS /**< array of structs and its int32_t count */
} scs_key_type;

/** A char * member of a record. */
typedef struct scs_field {
    const char *name;
    size_t offset;
    bool is_path, required;
} scs_field;

/** A struct whose members are all text. */
typedef struct scs_record {
    size_t size;
    int n_field;
    const scs_field *field;
    bool short_form; /**< a plain string stands for the first field */
    bool has_line;
    size_t line; /**< offset of an int that takes the line number */
} scs_record;

/** A word of a choice. */
typedef struct scs_word {
    const char *text;
    int value; /**< of the enum that the member of scs_config is */
} scs_word;

typedef struct scs_key {
    const char *section, *name; /**< name NULL: the section is itself the key (hold_out) */
    int affects;                /**< scs_affects bits */
    int type;                   /**< scs_key_type */
    size_t offset;              /**< into scs_config */
    const char *fallback;       /**< the default as text; NULL: empty list */
    double min, max;
    const char *words;      /**< "all", "X|raw|layers/NAME", or NULL */
    const scs_word *choice; /**< of SCS_KEY_CHOICE; ends with text NULL */
    double word_value;      /**< what the word stands for (SCS_KEY_NUMBER) */
    const scs_record *record;
    size_t count; /**< offset of a record list's int32_t count */
    const char *help;
} scs_key;

/** Row i of the table, NULL past its end. */
const scs_key *scs_key_at(int i);
/** "train.batch" or "hold_out", into out. @return out */
char *scs_key_full_name(const scs_key *key, char *out, size_t size);
/** The key with this full name, or NULL. */
const scs_key *scs_key_find(const char *full_name);
/** The full name (or section) nearest to a wrong one, or NULL. */
const char *scs_key_nearest(const char *wrong, char *out, size_t size);
bool scs_key_is_section(const char *name);
/** What a value may be, in words: "a whole number from 1 to 65536". @return out */
char *scs_key_allowed(const scs_key *key, char *out, size_t size);
/** Whether the text is one of key->words. */
bool scs_key_has_word(const scs_key *key, const char *text);
/** The word of a choice with this text, or NULL. */
const scs_word *scs_key_choice_find(const scs_word *choice, const char *text);
/** The text of the word that stands for the value, or NULL. */
const char *scs_key_choice_text(const scs_word *choice, int value);

#endif
