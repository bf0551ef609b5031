/** One parsed YAML text and the places in it. All functions are Local.
 *
 *  Aliases are harmless: whoever walks the tree goes no deeper than the table of keys does. */
#ifndef SCS_CONFIG_SOURCE_H
#define SCS_CONFIG_SOURCE_H

#include "src/config_value.h"

#include <yaml.h>

typedef struct scs_source {
    yaml_document_t doc;
    const char *file; /**< NULL for --set; borrowed, as are the next two */
    const char *set;  /**< the whole argument of --set, or NULL */
    const char *text; /**< the YAML */
} scs_source;

/** Parse src->text into src->doc, which the caller deletes. SCS_EARG with the line: what is not
 * YAML, a second document, or nesting beyond any config's (libyaml takes quadratic time for it). */
SCS_MUST_USE scs_status scs_source_parse(scs_source *src);
/** "FILE:LINE" of a line counted from 0, or "--set KEY". */
scs_where scs_source_locate(const scs_source *src, size_t line);
scs_where scs_source_where(const scs_source *src, const yaml_node_t *node);

/** "a mapping", "a list" or "text". */
const char *scs_node_kind(const yaml_node_t *node);
/** An empty value, as after "hold_out:" with nothing below it. */
bool scs_node_is_nothing(const yaml_node_t *node);
/** The text of a scalar exactly as it was written. SCS_EARG if it is none. @param what for the
 * message */
SCS_MUST_USE scs_status scs_node_text(const scs_source *src, const yaml_node_t *node,
                                      const char *what, const char **text);

/** Number of pairs of a mapping, or of items of a list. */
int scs_node_count(const yaml_node_t *node);
const yaml_node_t *scs_node_item(scs_source *src, const yaml_node_t *list, int i);
/** Pair i of a mapping. SCS_EARG for a key that stood there before. @param[out] where the key's
 * place */
SCS_MUST_USE scs_status scs_node_pair(scs_source *src, const yaml_node_t *map, int i,
                                      const char **name, const yaml_node_t **value,
                                      scs_where *where);

#endif
