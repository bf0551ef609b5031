/** Notes of a data set, and hints. All functions are Local. */
#ifndef SCS_NOTES_H
#define SCS_NOTES_H

#include "scscreen/dataset.h"

/** Add a line to the notes. */
SCS_MUST_USE scs_status scs_notes_add(scs_dataset *d, const char *format, ...) SCS_PRINTF(2, 3);
/** "what there is: a, b, c; did you mean a?" for a name that is not in the list. @return out */
char *scs_notes_hint(const scs_names *names, const char *wrong, char *out, size_t size);

#endif
