/** Rows of a tab- or comma-separated text file: ortholog tables, wanted combinations, gene sets.
 *
 *  The whole file is read, and rows are cut in place: a field is a pointer into the text, valid
 *  until the table is closed. What is understood:
 *
 *      # a comment: a line that begins with #; empty lines are skipped as well
 *      gene_a,gene_b,type                the first row decides: tab if it has one, else comma
 *      Isg15,"Gm, 9706",one2many         quotes of CSV, "" for one within them
 *
 *  Lines end in \n or \r\n; a byte order mark is skipped. Rows may differ in their number of
 *  fields. A file whose name ends in .gz is inflated first (src/base/gzfile.h).
 *
 *  The text is untrusted: length (64 KiB a line), fields (256) and encoding (UTF-8) of every line
 *  are checked. SCS_EDATA, "FILE:LINE: ...". All functions are Local.
 */
#ifndef SCS_TABLE_H
#define SCS_TABLE_H

#include "scscreen/status.h"

#include <stdbool.h>

/** Fields of a row at most. */
enum { SCS_TABLE_FIELDS = 256 };

/** A file, and its current row. */
typedef struct scs_table {
    const char *path; /**< for messages; borrowed */
    char *text;       /**< owned; fields point into it */
    char *next;       /**< the rest that was not read yet */
    char delimiter;   /**< tab or comma; 0 before the first row */
    int64_t line;     /**< of the current row, from 1; comments count */
    int n_field;
    char *field[SCS_TABLE_FIELDS]; /**< [n_field] of the current row, without quotes */
} scs_table;

/** Read the whole file, at most `max` bytes of text. SCS_EDATA if it cannot be read, is larger or
 * no text; SCS_ENOMEM. */
SCS_MUST_USE scs_status scs_table_open(const char *path, int64_t max, scs_table *table);
/** Free the text, and with it all fields. */
void scs_table_close(scs_table *table);
/** The next row that is neither empty nor a comment. SCS_EDATA for a line that breaks a rule.
 *  @param[out] found false at the end of the file */
SCS_MUST_USE scs_status scs_table_next(scs_table *table, bool *found);

#endif
