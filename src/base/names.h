/** Lists of names, and looking names up. All functions are Local. */
#ifndef SCS_NAMES_H
#define SCS_NAMES_H

#include "scscreen/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Names that a user wrote against the names there are. */

/** One of the config's screen lists. */
typedef struct scs_selection {
    const char *key;         /**< for messages: "screen.cell_types", "wanted.csv:3" */
    const char *noun;        /**< "cell type" */
    const scs_names *wanted; /**< names or globs; n = 0: all */
    const scs_names *names;
    bool *chosen; /**< [names->n] owned */
    bool *named;  /**< [names->n] owned: chosen by its full name */
} scs_selection;

/** Fill chosen and named. SCS_EARG for a name that is not there, or a glob that matches none. */
SCS_MUST_USE scs_status scs_names_selection_make(scs_selection *selection);
void scs_names_selection_clear(scs_selection *selection);
/** Fail: this name is not there; suggest one, or list some. */
SCS_MUST_USE scs_status scs_names_selection_unknown(const scs_selection *selection,
                                                    const char *name);

/** Append a copy of `name`; amortised growth. @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_names_add(scs_names *names, const char *name);
/** Deep copy; `to` must be empty. */
SCS_MUST_USE scs_status scs_names_copy(const scs_names *from, scs_names *to);
/** Whether both hold the same names in the same order. */
bool scs_names_equal(const scs_names *a, const scs_names *b);
/** Free everything and leave an empty list. */
void scs_names_clear(scs_names *names);
/** Position of `name`, or -1. Linear; for long lists use scs_index. */
scs_lidx scs_names_find(const scs_names *names, const char *name);
/** Add if absent. @param[out] at its position */
SCS_MUST_USE scs_status scs_names_intern(scs_names *names, const char *name, scs_lidx *at);
/** The name nearest to `name` by edit distance (case-insensitive), or NULL when none is near enough
 * to suggest. */
const char *scs_names_nearest(const scs_names *names, const char *name);
/** "a, b, c, ... (12 in all)" into out, at most `shown` names. @return out */
char *scs_names_list(const scs_names *names, scs_lidx shown, char *out, size_t size);

/** A sorted look-up over a list of names; borrows the list. */
typedef struct scs_index {
    const scs_names *names;
    scs_lidx *order; /**< [n] positions in lexicographic (strcmp) order */
} scs_index;

SCS_MUST_USE scs_status scs_names_index_create(const scs_names *names, scs_index *index);
void scs_names_index_clear(scs_index *index);
/** Position of `name` (the first, if it stands there twice), or -1. */
scs_lidx scs_names_index_find(const scs_index *index, const char *name);
/** Position of a name that stands in the list twice, or -1. */
scs_lidx scs_names_index_duplicate(const scs_index *index);

#endif
