/** Lists of names (genes, cell types, conditions, species, columns), looking names up, and
 *  choosing among them by what a user wrote.
 *
 *  scs_names itself is in scscreen/status.h: a plain array of owned texts, whose order is the
 *  numbering that codes and matrices refer to. A list of types or conditions is short and
 *  searched as it is; for genes (tens of thousands) there is scs_index.
 *
 *  All functions are Local. The only failure, unless said otherwise, is SCS_ENOMEM.
 */
#ifndef SCS_NAMES_H
#define SCS_NAMES_H

#include "scscreen/status.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- lists ---- */

/** Append a copy of `name`; doubles the room when it is full. Also SCS_EDATA above 2^30 names. */
SCS_MUST_USE scs_status scs_names_add(scs_names *names, const char *name);
/** Deep copy; `to` must be empty, and is so again after a failure. */
SCS_MUST_USE scs_status scs_names_copy(const scs_names *from, scs_names *to);
/** Whether both hold the same names in the same order. */
bool scs_names_equal(const scs_names *a, const scs_names *b);
/** Free everything and leave an empty list. */
void scs_names_clear(scs_names *names);
/** Position of `name`, or -1. Linear. */
scs_lidx scs_names_find(const scs_names *names, const char *name);
/** Add if absent; linear. @param[out] at its position */
SCS_MUST_USE scs_status scs_names_intern(scs_names *names, const char *name, scs_lidx *at);

/* ---- lists in messages ---- */

/** The name nearest to `name` by edit distance (case ignored), for "did you mean": the first of the
 * nearest, at most (length + 1) / 3 edits away; NULL when none is that near. Borrowed. */
const char *scs_names_nearest(const scs_names *names, const char *name);
/** "a, b, c, ... (12 in all)" into out, escaped, at most `shown` names and no more than fit.
 *  @return out */
char *scs_names_list(const scs_names *names, scs_lidx shown, char *out, size_t size);

/* ---- a look-up in logarithmic time ---- */

/** A sorted view of a list, which it borrows and which must not change meanwhile. */
typedef struct scs_index {
    const scs_names *names;
    scs_lidx *order; /**< [n] owned: positions in strcmp's order; equal names by position */
} scs_index;

/** Sort: O(n log n). */
SCS_MUST_USE scs_status scs_names_index_create(const scs_names *names, scs_index *index);
/** Free the order; a zeroed index may be cleared too. */
void scs_names_index_clear(scs_index *index);
/** Position of `name` (the first, if the list has it twice), or -1. */
scs_lidx scs_names_index_find(const scs_index *index, const char *name);
/** All names of a list once, sorted by bytes. @param[out] out empty before */
SCS_MUST_USE scs_status scs_names_sort_unique(const scs_names *all, scs_names *out);
/** Position of a name that the list has twice (of the later one), or -1. */
scs_lidx scs_names_index_duplicate(const scs_index *index);

/* ---- what a user wrote, against the names that exist ---- */

/** One of the config's screen lists, such as `cell_types: [B, CD4*]`, or a column of a table. */
typedef struct scs_selection {
    const char *key;         /**< for messages: "screen.cell_types", "wanted.csv:3"; borrowed */
    const char *noun;        /**< for messages: "cell type"; borrowed */
    const scs_names *wanted; /**< names or globs (fnmatch); n = 0: all; borrowed */
    const scs_names *names;  /**< what exists; borrowed */
    bool *chosen;            /**< [names->n] owned */
    bool *named; /**< [names->n] owned: chosen by its full name, not by a glob or "all" */
} scs_selection;

/** Fail with SCS_EARG: `KEY: there is no NOUN "NAME"; did you mean "..."?`, or a list of those that
 * exist where none is near. */
SCS_MUST_USE scs_status scs_names_selection_unknown(const scs_selection *selection,
                                                    const char *name);
/** Fill chosen and named. SCS_EARG for a name that does not exist, or a glob that matches none;
 * what was allocated is then still the selection's, to be cleared. */
SCS_MUST_USE scs_status scs_names_selection_make(scs_selection *selection);
/** Free chosen and named. */
void scs_names_selection_clear(scs_selection *selection);

#endif
