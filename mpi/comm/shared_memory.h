/** Blocks of memory that the ranks of a node read and write where they lie, without messages.
 *
 *      SCS_TRY(scs_shared_memory_create(comm, size, &shared));
 *      fill(shared.block[rank]);
 *      barrier;
 *      if (shared.together) read(shared.block[other rank of the node]);
 *      scs_shared_memory_clear(&shared);
 *
 *  Every rank makes one block; afterwards `block` has the address of each block of the node.
 *  Nothing here orders accesses: who may read what another rank writes, and after which barrier, is
 *  the caller's affair (comm_team.c).
 */
#ifndef SCS_SHARED_MEMORY_H
#define SCS_SHARED_MEMORY_H

#include "scscreen/comm.h"

#include <stdbool.h>

/** What a rank tells the others of its block, so that they find it. */
typedef struct scs_shared_card {
    int64_t pid, fd,
        size;       /**< file descriptor `fd` of process `pid`; -1: no block could be made; bytes */
    uint64_t token; /**< random; stands behind the block, as proof that it is the right one */
} scs_shared_card;

/** Every rank's block, as far as it can be seen from here. */
typedef struct scs_shared_memory {
    int32_t n_rank, rank;
    bool together; /**< blocks of all ranks of every node are in `block`; alike on all ranks */
    void **block;  /**< [n_rank] own, and others' of the node; NULL elsewhere */
    scs_shared_card *card; /**< [n_rank] every rank's; owned */
} scs_shared_memory;

/** A zeroed block for this rank, aligned to a cache line or better. Where memory cannot be shared
 * on some node (no /proc, ranks in containers of their own, no memory files), every rank of all
 * nodes has its own block alone: slower, and the same results. SCS_ENOMEM on all ranks; *shared is
 * then clear. Collective.
 *  @param size bytes, may differ between ranks
 */
SCS_MUST_USE scs_status scs_shared_memory_create(scs_comm *comm, int64_t size,
                                                 scs_shared_memory *shared);
/** Unmap, also after a failure. Local: others may go on using this rank's block, which the kernel
 * keeps while anyone has mapped it. */
void scs_shared_memory_clear(scs_shared_memory *shared);

#endif
