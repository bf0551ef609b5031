/** An AnnData whose rows lie on the ranks in any order: cells of the inputs with latent
 * coordinates, decoded cells, points in latent space. var are genes; its matrices are float32 and
 * dense.
 *
 *  Rank 0 alone writes, so rows travel to it: in rounds, in each of which every rank makes a block
 *  of its rows, all at once, and the blocks go to rank 0 one after the other. No rank holds more of
 *  what is made than one block (about 32 MiB, at least 256 rows), whatever the number of cells. The
 *  file is under its final name only when it is whole (scs_h5_out_commit). */
#ifndef SCS_CELL_TABLE_H
#define SCS_CELL_TABLE_H

#include "mpi/job/session.h"

#include <hdf5.h>

/** Some rows of this rank. */
typedef struct scs_cell_rows {
    int64_t n;
    const int64_t *cell; /**< [n] row in the file of each; NULL: first, first + 1, ... */
    int64_t first;
    const scs_real *rows; /**< [n, n_column] of the only matrix, where nothing has to be made */
} scs_cell_rows;

/** A matrix of the file. */
typedef struct scs_cell_matrix {
    const char *path; /**< "obsm/X_pca", "X" */
    int64_t n_column;
} scs_cell_matrix;

enum { SCS_CELL_MATRICES = 3 };

/** What is in the file; borrowed while it is written. */
typedef struct scs_cell_table {
    const scs_session *session;
    const char *file; /**< its name in output.dir */
    int64_t n_row;
    const scs_names *genes;                    /**< var */
    scs_cell_matrix matrix[SCS_CELL_MATRICES]; /**< path NULL after the last */
    int32_t n_part;
    const scs_cell_rows *part; /**< [n_part] this rank's; all ranks' together are all rows, once */
    /** Write obs into the new file, on rank 0; NULL: labels of all cells of the dataset, under
     * their own names (session->cell_names). */
    scs_status (*obs)(hid_t file, void *ctx);
    /** What else rank 0 writes into it, or NULL. */
    scs_status (*more)(hid_t file, void *ctx);
    /** Make rows [row, row + n) of a part, row a multiple of 256; NULL: they are in the parts.
     * Local. @param[out] out [matrices] [n, n_column] each */
    scs_status (*make)(void *ctx, int32_t part, int64_t row, int64_t n, scs_real *const *out);
    void *ctx;
} scs_cell_table;

/** Write it. SCS_ECREATE, SCS_EIO, SCS_ENOMEM, or as `make` fails. Collective. */
SCS_MUST_USE scs_status scs_cell_table_write(const scs_cell_table *table);
/** One name for each cell of several inputs: its own; where inputs share names, "-" and the number
 * of its input (from 0) follow. SCS_EDATA: a name too long; SCS_ENOMEM. Local.
 *  @param cells [n_input] of each input  @param[out] index appended */
SCS_MUST_USE scs_status scs_cell_table_names(const scs_names *const *cells, int32_t n_input,
                                             scs_names *index);
/** uns/scscreen of a file that is no screen: what it holds, version, commit, and model_checksum
 * where it is by a network. Rank 0. @param what "latent coordinates" */
SCS_MUST_USE scs_status scs_cell_table_facts(hid_t file, const scs_session *session,
                                             const char *what);

#endif
