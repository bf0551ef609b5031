/** Where a screen's rows go: screen.h5ad.part and screen.h5ad.done, until all are there. */
#ifndef SCS_SCREEN_STORE_H
#define SCS_SCREEN_STORE_H

#include "mpi/done_map.h"
#include "mpi/result_file.h"
#include "mpi/session.h"

typedef struct scs_screen_store {
    const scs_session *session;
    const scs_result_head *head;
    char path[4096], part[4200], done_path[4200];
    int lock, fd; /**< of rank 0: the folder, and the unfinished file; -1 elsewhere */
    int64_t block_rows, n_block;
    uint64_t *sum;  /**< [n_block] of the blocks that this job wrote here, else 0 */
    uint8_t *done;  /**< [n_block] written and compared by an earlier job; alike on ranks */
    int64_t n_done; /**< how many of them */
    bool resumed;
    scs_result_file *file;
    scs_done_map *map;
} scs_screen_store;

/** Go on with what a stopped job left, or begin. SCS_EARG, SCS_EDATA where that was another screen;
 * SCS_ECREATE: no room, or another job is at work there. Close it even after a failure.
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
/** Remove what a stopped screen left in output.dir. Rank 0 alone. Local. */
SCS_MUST_USE scs_status scs_store_remove(const scs_session *session);

#endif
