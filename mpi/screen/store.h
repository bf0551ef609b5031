/** Where a screen's rows go: screen.h5ad.part while they are made, in any order by whoever has
 * them, with screen.h5ad.done (done_map.h) beside it; screen.h5ad once all are there and compared.
 *
 *  Rank 0 writes the skeleton with all strings serially and reserves the full size: variable-length
 *  strings cannot be written through MPI-IO in HDF5 1.10, and a full disk under MPI-IO hangs or
 *  loses data silently. Then all ranks open it through MPI-IO and write numeric rows into
 *  contiguous, early allocated arrays, each rank by itself. Every block's bytes are summed when
 *  written, and read back and compared before the file gets its name.
 *
 *  While this is open nobody reads rows that another rank is writing: blocks that an earlier job
 *  has done are compared before the first is written, and new ones after all ranks have closed the
 *  file.
 */
#ifndef SCS_STORE_H
#define SCS_STORE_H

#include "mpi/job/session.h"
#include "mpi/screen/done_map.h"
#include "scscreen/comm.h"

#include <hdf5.h>

/** A field of an open file (a data set with a row for each combination), and how its rows lie in
 * memory. */
typedef struct scs_open_field {
    scs_result_field field;
    hid_t set, type; /**< of the file; of values in memory. Owned */
    int64_t cols;    /**< values of a row, at least 1 */
    int64_t row_bytes;
} scs_open_field;

/** An open result file. */
struct scs_result_file {
    const char *path; /**< borrowed, as head */
    const scs_result_head *head;
    hid_t file, transfer; /**< transfer: independent MPI-IO, or the default */
    scs_comm *comm; /**< borrowed: its ranks opened it together, through MPI-IO; NULL: alone */
    int32_t n;
    scs_open_field field[SCS_RESULT_FIELDS];
    void *buffer; /**< [buffer_bytes] rows of a field, read or put together to be written */
    int64_t buffer_bytes;
};

typedef struct scs_result_file scs_result_file;

/** Open it on one rank, to read. SCS_EIO, SCS_ENOMEM; close it even then. Local. */
SCS_MUST_USE scs_status scs_store_file_open_alone(const char *path, const scs_result_head *head,
                                                  scs_result_file **file);
/** Flush and close; a file opened alone is only closed. SCS_EIO: something may not be on the disk.
 * Call it also after a failure, and look at the status. Collective where the file was opened
 * together. */
SCS_MUST_USE scs_status scs_store_file_close(scs_result_file **file);
/** Write all rows of a field of one number a row. SCS_EINTERNAL: no such field; SCS_EIO. Local. */
SCS_MUST_USE scs_status scs_store_file_put_column(scs_result_file *file, const char *path,
                                                  const double *values);
/** Write rows of the late fields that have more than a number a row. SCS_EIO. Local. */
SCS_MUST_USE scs_status scs_store_file_put_late(scs_result_file *file, const scs_result_rows *rows);

/** Bytes [begin, end) of the file that hold each field's rows, in the fields' order, then those
 * that change when the file is opened. Local.
 *  @param[out] range [SCS_RESULT_FIELDS + 1]  @param[out] n how many */
SCS_MUST_USE scs_status scs_store_file_ranges(scs_result_file *file, int64_t (*range)[2],
                                              int32_t *n);

/** The unfinished file, its map, and what is known of its blocks. */
typedef struct scs_screen_store {
    const scs_session *session; /**< borrowed, as head */
    const scs_result_head *head;
    char path[4096], part[4200], done_path[4200]; /**< in output.dir */
    int fd;                      /**< of rank 0: the unfinished file; -1 elsewhere */
    int64_t block_rows, n_block; /**< rows of a block, a power of two that depends on genes and rows
                                    alone; the last may be shorter */
    uint64_t *sum;               /**< [n_block] of the blocks that this job wrote here, else 0 */
    uint8_t *done;  /**< [n_block] written and compared by an earlier job; alike on ranks */
    int64_t n_done; /**< how many of them */
    bool resumed;   /**< an earlier job's file goes on */
    scs_result_file *file;
    scs_done_map *map;
} scs_screen_store;

/** Go on with what a stopped job left, or begin. SCS_EARG, SCS_EDATA where that was another screen,
 * with what differs; SCS_ECREATE: no room, or another job is at work there; a damaged one costs a
 * warning and is begun anew. Close it even after a failure. Collective.
 *  @param unit_first [n_unit + 1] of permutations; borrowed, as head
 */
SCS_MUST_USE scs_status scs_store_open(const scs_session *session, const scs_result_head *head,
                                       const int64_t *unit_first, int64_t n_unit,
                                       scs_screen_store *store);
/** Write a block and note it as done, under a watchdog of this rank alone. SCS_EIO. Local; no two
 * threads of a rank at once. */
SCS_MUST_USE scs_status scs_store_put(scs_screen_store *store, int64_t block,
                                      const scs_result_rows *rows);
/** Close the file and compare what this job wrote, each rank its own blocks; then the file gets its
 * name and the map is removed. SCS_EIO where a block does not read back as it was written.
 * Collective.
 *  @param numbers on rank 0: delta_norm, score and confidence of all rows are read back into it, if
 * it is not NULL
 */
SCS_MUST_USE scs_status scs_store_commit(scs_screen_store *store, scs_result_rows *numbers);
/** Close what is open; what is done stays for the next job. A store that was never opened is let
 * through. Collective. */
SCS_MUST_USE scs_status scs_store_close(scs_screen_store *store);

#endif
