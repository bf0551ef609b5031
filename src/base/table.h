/** Rows of a tab- or comma-separated text file, cut in place. All functions are Local.
 *
 *  The text is untrusted: length, fields and encoding of every line are checked (SCS_EDATA,
 * "FILE:LINE: ..."). */
#ifndef SCS_TABLE_H
#define SCS_TABLE_H

#include "scscreen/status.h"

#include <stdbool.h>

enum { SCS_TABLE_FIELDS = 64 };

typedef struct scs_table {
    const char *path; /**< borrowed */
    char *text;       /**< owned; fields point into it */
    char *next;       /**< the rest that was not read yet */
    char delimiter;   /**< tab if the first row has one, else comma; 0 before it */
    int64_t line;     /**< of the current row, from 1 */
    int n_field;
    char *field[SCS_TABLE_FIELDS];
} scs_table;

/** Read the whole file, at most `max` bytes. SCS_EDATA if it cannot be read. */
SCS_MUST_USE scs_status scs_table_open(const char *path, int64_t max, scs_table *table);
void scs_table_close(scs_table *table);
/** The next row that is neither empty nor a # comment; *found false at the end. Quotes of CSV are
 * undone. */
SCS_MUST_USE scs_status scs_table_next(scs_table *table, bool *found);

#endif
