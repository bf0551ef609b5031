/** Notes of a data set, and hints for names that it does not have. All functions are Local. */
#ifndef SCS_NOTES_H
#define SCS_NOTES_H

#include "src/data/repeated.h"

/** Add a line to the notes, escaped. @return SCS_OK or SCS_ENOMEM */
SCS_MUST_USE scs_status scs_notes_add(scs_dataset *d, const char *format, ...) SCS_PRINTF(2, 3);
/** "a, b, c; did you mean a?": what there is instead of a name that is not in the list.
 *  @param[out] out [size] cut off where it is full  @return out */
char *scs_notes_hint(const scs_names *names, const char *wrong, char *out, size_t size);

/** Notes on inputs whose cells are read twice: a file that is listed again, by its path or by
 *  another name, files that hold the same bytes, those that have cells in common or hold one twice,
 *  and, where cells were not compared, those that look like copies of one.
 *  @param checksums [d->n_input] of the files' bytes
 *  @param repeated  [d->n_input] or NULL: cells were not compared */
SCS_MUST_USE scs_status scs_notes_repeated(scs_dataset *d, const scs_h5ad *const *metas,
                                           char *const *checksums, const scs_repeated *repeated);

/** Notes on the labels of a column that may be one thing twice: those that differ only in case, in
 *  spaces and dashes, in how letters are encoded or in the order of the names that a separator
 * joins, with their cells; on a column that gives most cells a label of their own; on those that
 * stand for a missing value ("nan", "NA", "None", "") though they are labels; and on those that
 * sound like a control beside another one.
 *  @param names     the column's labels  @param code [d->n_cell] of each cell, -1: none
 *  @param separator of names in a label, NULL: none
 *  @param control   the control's label, which adds nothing to a joined label; NULL: not of
 *                   conditions */
SCS_MUST_USE scs_status scs_notes_labels(scs_dataset *d, const char *column, const scs_names *names,
                                         const int32_t *code, const char *separator,
                                         const char *control);

#endif
