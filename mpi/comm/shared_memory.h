/** Blocks of memory that the ranks of a node see as they are, without messages. */
#ifndef SCS_SHARED_MEMORY_H
#define SCS_SHARED_MEMORY_H

#include "scscreen/comm.h"

#include <stdbool.h>

/** What a rank tells the others of its block. */
typedef struct scs_shared_card {
    int64_t pid, fd, size; /**< fd -1: this rank could not; bytes */
    uint64_t token;
} scs_shared_card;

/** Every rank's block, as far as it can be seen from here. */
typedef struct scs_shared_memory {
    int32_t n_rank, rank;
    bool together; /**< blocks of all ranks of the node are in `block`; alike on all ranks */
    void **block;  /**< [n_rank] own, and others' of the node; NULL elsewhere */
    scs_shared_card *card; /**< [n_rank] */
} scs_shared_memory;

/** A zeroed block of `size` bytes for this rank, aligned to a cache line. Where memory cannot be
 * shared (no /proc, ranks in containers of their own), every rank sees its own block alone.
 * Collective. */
SCS_MUST_USE scs_status scs_shared_memory_create(scs_comm *comm, int64_t size,
                                                 scs_shared_memory *shared);
/** Local: others may go on using this rank's block. */
void scs_shared_memory_clear(scs_shared_memory *shared);

#endif
