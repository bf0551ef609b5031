/** The one table of configuration keys, and what can be asked of a row of it.
 *
 *  A key is a row: section and name, type, where its value lies in scs_config, default, range or
 *  words, what it affects, and the sentence of --help. Everything else follows from the rows:
 *  parsing and its messages (src/config/value.c, src/config/yaml.c), --set, --print-config,
 *  --help, the man page and doc/config.md, what a stopped run may go on with and which models of
 *  a grid are trained again (scs_affects). A key that is not in the table does not exist; one
 *  that is cannot be forgotten anywhere.
 *
 *  The table is constant data: nothing here fails but by returning NULL, and any thread may
 *  read. All functions are Local.
 */
#ifndef SCS_KEY_H
#define SCS_KEY_H

#include "scscreen/config.h"

/** What a value is, and so what lies at the row's offset into scs_config. */
typedef enum scs_key_type {
    SCS_KEY_INT,    /**< int64_t in [min, max]; a word stands for 0 */
    SCS_KEY_POWER,  /**< the same, and a power of two */
    SCS_KEY_NUMBER, /**< double in [min, max]; a word stands for word_value */
    SCS_KEY_BOOL,   /**< bool */
    SCS_KEY_TEXT,   /**< char *, at least min bytes; with words: one of them ("layers/NAME" allows
                       any NAME) */
    SCS_KEY_PATH,   /**< char *, at least min bytes, expanded (path.h) and resolved against the
                       config's folder or, with from_here, the working directory; a word is kept as
                       it is */
    SCS_KEY_CHOICE, /**< int, an enum: what one of `choice` stands for */
    SCS_KEY_NAMES,  /**< scs_names; the word stands for the empty list */
    SCS_KEY_RECORDS /**< pointer to an array of structs, and its int32_t count */
} scs_key_type;

/** A member of a record: a char *, or (list) an scs_names. */
typedef struct scs_field {
    const char *name;       /**< as it stands in YAML */
    size_t offset;          /**< into the record */
    bool is_path, required; /**< as SCS_KEY_PATH; refused where absent */
    bool list;              /**< one name or several */
} scs_field;

/** How a list of records is written. */
typedef enum scs_record_form {
    SCS_RECORD_ITEMS, /**< a list of {field: value, ...} */
    SCS_RECORD_PAIRS, /**< {FIRST: SECOND, ...}: a record for each pair, of its two fields */
    SCS_RECORD_MAPS   /**< {FIRST: {SECOND: THIRD, ...}, ...}: a record for each FIRST, whose other
                           two fields are lists of the same length */
} scs_record_form;

/** A struct whose members are text or lists of it, as {path: a.h5ad, species: human}. */
typedef struct scs_record {
    size_t size; /**< bytes of the struct */
    int n_field;
    const scs_field *field; /**< [n_field] */
    int form;               /**< scs_record_form */
    bool short_form;        /**< a plain string stands for the first field */
    bool has_line;          /**< the struct has a member for its line in the file */
    size_t line;            /**< its offset: an int */
} scs_record;

/** A word of a choice. */
typedef struct scs_word {
    const char *text;
    int value; /**< of the enum that the member of scs_config is */
} scs_word;

/** A row of the table. */
typedef struct scs_key {
    const char *section, *name; /**< name NULL: the section is itself the key (hold_out) */
    int affects;                /**< scs_affects bits */
    int type;                   /**< scs_key_type */
    size_t offset;              /**< into scs_config */
    const char *fallback;     /**< the default, as text that scs_value_set takes; NULL: no items */
    double min, max;          /**< both ends belong to the range */
    const char *words;        /**< "all", "X|raw|layers/NAME", or NULL */
    const scs_word *choice;   /**< of SCS_KEY_CHOICE; ends with text NULL */
    size_t choice_row;        /**< bytes from a word to the next: rows may hold more */
    double word_value;        /**< what the word stands for (SCS_KEY_NUMBER) */
    const scs_record *record; /**< of SCS_KEY_RECORDS */
    size_t count;             /**< offset of a record list's int32_t count */
    bool from_here;           /**< of SCS_KEY_PATH */
    const char *help;         /**< one sentence without its full stop */
} scs_key;

/* ---- rows ---- */

/** Row i of the table, NULL past its end: `for (int i = 0; scs_key_at(i); i++)`. Rows of a section
 * stand together, in the order in which they are printed. */
const scs_key *scs_key_at(int i);
/** "train.batch" or "hold_out", cut to fit. @param[out] out [size]  @return out */
char *scs_key_full_name(const scs_key *key, char *out, size_t size);
/** "FILE:LINE: KEY" of an item of a list, "--set KEY" where it was given there (line 0), cut to
 * fit.
 *  @param[out] out [size]  @return out */
char *scs_key_place(const scs_config *config, const char *key, int line, char *out, size_t size);
/** The key with this full name, or NULL. */
const scs_key *scs_key_find(const char *full_name);
/** Whether a section with keys in it has this name ("hold_out" is none: it is a key). */
bool scs_key_is_section(const char *name);

/* ---- values of a row ---- */

/** What a value may be, in words, for messages and --help: "auto or a whole number from 1 to
 * 65536", "one of X|raw|layers/NAME", "a list of {path, species, orthologs}". @return out */
char *scs_key_allowed(const scs_key *key, char *out, size_t size);
/** Whether the text is one of key->words, exactly. */
bool scs_key_has_word(const scs_key *key, const char *text);
/** The word after this one, which may stand at the head of a longer row; its text is NULL at the
 * end. @param key SCS_KEY_CHOICE  @param word key->choice or what this returned */
const scs_word *scs_key_choice_next(const scs_key *key, const scs_word *word);
/** The word of a choice with this text, or NULL. @param key SCS_KEY_CHOICE */
const scs_word *scs_key_choice_find(const scs_key *key, const char *text);
/** The text of the word that stands for the value, or NULL. */
const char *scs_key_choice_text(const scs_key *key, int value);

#endif
