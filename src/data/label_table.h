/** data.labels: columns of obs that stand in a table of their own, joined to the cells by barcode.
 *
 *  A table has a row of column names, then a row for each cell. Where barcode_column is not given
 *  the first column names the cell; so it does in what R's write.table leaves, whose row of names
 *  is one field shorter than the others. With file_column a row belongs to the input of that name
 *  (its path, its file's name, or that without its ending), and inputs that the table does not
 *  name are no concern of it; without, a row belongs to whichever input has a cell of the name.
 *
 *  An empty field is a missing value. What does not fit is never passed over in silence: cells
 *  without a row and rows without a cell are counted and told, and a cell that several rows could
 *  mean, or a row that several cells could, is refused.
 *
 *  All functions are Local: they are called where data.inputs are described, in one process.
 */
#ifndef SCS_LABEL_TABLE_H
#define SCS_LABEL_TABLE_H

#include "src/data/h5ad.h"

/** All tables of a config, with the columns that are wanted of them. */
typedef struct scs_label_tables scs_label_tables;

/** Read the tables of data.labels.
 *  @param wanted obs columns that the config asks for
 *  @param[out] tables caller destroys; NULL after an error, and where there is no data.labels
 *  @return SCS_EDATA: a table that cannot be read, lacks a column that it is said to have, holds
 *          none that is wanted, or names a cell twice; SCS_ENOMEM */
SCS_MUST_USE scs_status scs_label_table_load(const scs_config *config, const scs_names *wanted,
                                             scs_label_tables **tables);
/** Free them; NULL is let through. */
void scs_label_table_destroy(scs_label_tables **tables);

/** Whether a table has this column for input i, in place of the file. NULL has none. */
bool scs_label_table_has(const scs_label_tables *tables, int32_t i, const char *column);
/** Whether some table calls a column so, before data.rename. */
bool scs_label_table_names(const scs_label_tables *tables, const char *column);
/** Whether any table is about input i. */
bool scs_label_table_concerns(const scs_label_tables *tables, int32_t i);

/** Find the rows of an input's cells.
 *  @param cells the names of its rows, in their order; borrowed until the next call
 *  @param file the input's path  @return SCS_EDATA: none is found, or one is not the only one */
SCS_MUST_USE scs_status scs_label_table_match(scs_label_tables *tables, int32_t i, const char *file,
                                              const scs_names *cells);
/** A column for the cells of the last match; a cell without a row has none.
 *  @param[out] labels empty before; caller clears, also after an error */
SCS_MUST_USE scs_status scs_label_table_labels(const scs_label_tables *tables, const char *column,
                                               scs_labels *labels);
/** What fitted and what did not, a line for each table and for each input that lacks rows.
 *  @param[in,out] notes appended */
SCS_MUST_USE scs_status scs_label_table_describe(const scs_label_tables *tables, scs_names *notes);

#endif
