/** Names that a user wrote against the names there are. All functions are Local. */
#ifndef SCS_SELECTION_H
#define SCS_SELECTION_H

#include "src/names.h"

#include <stdbool.h>

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
SCS_MUST_USE scs_status scs_selection_make(scs_selection *selection);
void scs_selection_clear(scs_selection *selection);
/** Fail: this name is not there; suggest one, or list some. */
SCS_MUST_USE scs_status scs_selection_unknown(const scs_selection *selection, const char *name);

#endif
