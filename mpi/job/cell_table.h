/** An AnnData of all cells of the inputs, in their order, without expression: obs with the cells'
 *  own names and labels, var, and one matrix of obsm, [n_cell, n_column] float32, whose rows lie on
 *  the ranks in any order.
 *
 *  Rank 0 alone writes, so rows travel to it 4,096 cells at a time, rank after rank, and no rank
 *  holds more than its own and two such blocks. The file is under its final name only when it is
 *  whole (scs_h5_out_commit). */
#ifndef SCS_CELL_TABLE_H
#define SCS_CELL_TABLE_H

#include "mpi/job/session.h"

#include <hdf5.h>

/** Rows of some cells of this rank. */
typedef struct scs_cell_rows {
    int64_t n;
    const int64_t *cell; /**< [n] global numbers; NULL: first, first + 1, ... */
    int64_t first;
    const scs_real *rows; /**< [n, n_column] */
} scs_cell_rows;

/** What is in the file; borrowed while it is written. */
typedef struct scs_cell_table {
    const scs_session *session; /**< its dataset, and cell_names (scs_preflight) */
    const char *file;           /**< its name in output.dir */
    const char *matrix;         /**< "obsm/X_pca" */
    int64_t n_column;
    int32_t n_part;
    const scs_cell_rows *part; /**< [n_part] this rank's; all ranks' together are all cells, once */
    /** What else rank 0 writes into the new file, or NULL. */
    scs_status (*more)(hid_t file, const void *ctx);
    const void *ctx;
} scs_cell_table;

/** Write it. A cell's name is its own; where inputs share names, "-" and the number of its input
 * (from 0) follow. SCS_ECREATE, SCS_EIO, SCS_ENOMEM. Collective. */
SCS_MUST_USE scs_status scs_cell_table_write(const scs_cell_table *table);

#endif
