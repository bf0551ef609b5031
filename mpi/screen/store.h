/** An open result file, for the files that make up result_file.h. */
#ifndef SCS_STORE_H
#define SCS_STORE_H

#include "mpi/job/session.h"
#include "mpi/screen/done_map.h"
#include "scscreen/comm.h"

#include <hdf5.h>

/** A field of an open file, and how its rows lie in memory. */
typedef struct scs_open_field {
    scs_result_field field;
    hid_t set, type;
    int64_t cols; /**< at least 1 */
    int64_t row_bytes;
} scs_open_field;

struct scs_result_file {
    const char *path; /**< borrowed */
    const scs_result_head *head;
    hid_t file, transfer;
    bool together;
    int32_t n;
    scs_open_field field[SCS_RESULT_FIELDS];
    void *buffer; /**< [buffer_bytes] rows of a field, read or put together to be written */
    int64_t buffer_bytes;
};

/* screen.h5ad in the making: blocks of rows are written by whoever has them, in any order. */

typedef struct scs_result_file scs_result_file;

/** Open it on one rank, to read. Local. */
SCS_MUST_USE scs_status scs_store_file_open_alone(const char *path, const scs_result_head *head,
                                                  scs_result_file **file);
/** Flush and close; a file opened alone is only closed (and comm may be NULL). Collective where the
 * file was opened together. Call it also after a failure, and look at the status. */
SCS_MUST_USE scs_status scs_store_file_close(scs_comm *comm, scs_result_file **file);
/** Write all rows of a field of one number a row. Local. */
SCS_MUST_USE scs_status scs_store_file_put_column(scs_result_file *file, const char *path,
                                                  const double *values);

/** Bytes [begin, end) of the file that hold each field's rows, in the fields' order, then those
 * that change when the file is opened. Local.
 *  @param[out] range [SCS_RESULT_FIELDS + 1]  @param[out] n how many */
SCS_MUST_USE scs_status scs_store_file_ranges(scs_result_file *file, int64_t (*range)[2],
                                              int32_t *n);

/* Where a screen's rows go: screen.h5ad.part and screen.h5ad.done, until all are there. */

typedef struct scs_screen_store {
    const scs_session *session;
    const scs_result_head *head;
    char path[4096], part[4200], done_path[4200];
    int fd; /**< of rank 0: the unfinished file; -1 elsewhere */
    int64_t block_rows, n_block;
    uint64_t *sum;  /**< [n_block] of the blocks that this job wrote here, else 0 */
    uint8_t *done;  /**< [n_block] written and compared by an earlier job; alike on ranks */
    int64_t n_done; /**< how many of them */
    bool resumed;
    scs_result_file *file;
    scs_done_map *map;
} scs_screen_store;

/** Go on with what a stopped job left, or begin. SCS_EARG, SCS_EDATA where that was another screen;
 * SCS_ECREATE: no room. Close it even after a failure.
 *  @param unit_first [n_unit + 1] of permutations; borrowed, as head. Collective. */
SCS_MUST_USE scs_status scs_store_open(const scs_session *session, const scs_result_head *head,
                                       const int64_t *unit_first, int64_t n_unit,
                                       scs_screen_store *store);
/** Write a block and note it as done. Local. */
SCS_MUST_USE scs_status scs_store_put(scs_screen_store *store, int64_t block,
                                      const scs_result_rows *rows);
/** Close the file and compare what this job wrote. On rank 0 the numbers of all rows are read back,
 * if `numbers` is not NULL; then the file gets its name and the map is removed. Collective. */
SCS_MUST_USE scs_status scs_store_commit(scs_screen_store *store, scs_result_rows *numbers);
/** Close what is open; what is done stays for the next job. Collective. */
SCS_MUST_USE scs_status scs_store_close(scs_screen_store *store);

#endif
