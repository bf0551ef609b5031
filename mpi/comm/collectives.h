/** What a communicator holds, the state of a team's hooks, and the collectives that only mpi/ uses.
 *
 *  Who calls what: src/ computes and calls a team's hooks; mpi/data, mpi/pca and mpi/screen call
 *  the functions here and those of scscreen/comm.h. Elsewhere MPI is called directly only where an
 *  int is sure to hold the count, or in pieces.
 *
 *  A scs_team (src/data/team.h, scscreen/shard.h) is what src/ sees of the ranks: a range of shards
 *  and hooks to sum, gather and agree. Its ctx is a scs_team_context, which lives in the
 *  communicator; mpi/comm/comm_team.c has the hooks. All functions are Collective unless they say
 *  otherwise; an MPI call that fails is SCS_EIO.
 */
#ifndef SCS_COLLECTIVES_H
#define SCS_COLLECTIVES_H

#include "mpi/comm/shared_memory.h"
#include "src/data/team.h"
#include "scscreen/comm.h"

#include <mpi.h>

/** Messages that travel while their ranks compute, until requests_wait. Room for all of them is
 * agreed on before the first is posted, so that a rank that is out of memory leaves no message
 * without a partner. */
typedef struct scs_requests {
    MPI_Request *request;   /**< [capacity] owned */
    int n;                  /**< posted, not yet waited for */
    int reserved, capacity; /**< how many may be posted; alike on all ranks */
} scs_requests;

/** A sum of the ranks' values, slice by slice, that has begun: each rank ends with the sum of its
 * own slice. There can be two at a time, one that began earlier and one that is made at once. */
typedef struct scs_reduction {
    const int64_t *bound; /**< [n_shard + 1] borrowed until it ends */
    bool
        open; /**< the parts lie in shared memory (open_parts), where ranks of the node read them */
    float *mine[SCS_SUBTREE_MAX]; /**< this rank's subtree sums, whole */
    int64_t lo, len;              /**< this rank's slice */
    float *work;                  /**< others' subtree sums of it that come by messages; owned */
    int64_t work_size;            /**< bytes; alike on all ranks */
    scs_requests requests;
} scs_reduction;

/** The ctx of a team's hooks, for one number of shards. */
typedef struct scs_team_context {
    scs_comm *comm;
    int32_t n_shard;
    int32_t *first_subtree; /**< [n_rank + 1] each rank's in subtree; NULL until first used */
    scs_subtree *subtree;   /**< all ranks' subtrees, in order */
    double **part_double;   /**< [n_shard] scratch of the tree sums: where each part lies */
    float **part_float;     /**< [n_shard] likewise */
    int64_t *to, *from;     /**< [n_rank] scratch: bytes for and from each rank */
    scs_shared_memory
        parts; /**< gradients that reduce_slice reads where they are; empty before open_parts */
    int64_t part_size;        /**< values of one of them */
    scs_shared_memory values; /**< the node's copy of the weights, in its first rank's block; empty
                                 before share_values */
    float *private_values;    /**< the array that this copy stands for; borrowed */
    scs_reduction now, begun; /**< of reduce_slice, and of reduce_begin */
    scs_requests gathering;   /**< slices between gather_begin and gather_end */
} scs_team_context;

/** One context for each power of two that an int32_t holds, so that handing out a team allocates
 * nothing and cannot fail. */
enum { SCS_TEAM_CONTEXTS = 31 };

typedef struct scs_watchdog scs_watchdog;

/** A communicator; scscreen/comm.h has its public side. One thread of a rank uses it at a time. */
struct scs_comm {
    MPI_Comm mpi; /**< owned copy */
    int32_t rank, size;
    int32_t *node; /**< [size] the lowest rank of each rank's node (tests may split it) */
    int32_t *place, *node_size; /**< [size] each rank's place in its node, and that node's ranks */
    int64_t piece;              /**< largest message in bytes; fits an int (tests make it small) */
    int64_t whole;              /**< bytes of a sum up to which all ranks' are gathered and added
                                     up whole, not in slices (tests make it small) */
    int64_t *first;             /**< [size + 1] scratch: where each rank's block begins, in bytes */
    int *count, *displace;      /**< [size] scratch: the same as MPI wants it */
    void *work;                 /**< kept between calls, so that training steps do not allocate */
    int64_t work_size;          /**< bytes; alike on all ranks */
    scs_team_context team[SCS_TEAM_CONTEXTS]; /**< by log2 of the number of shards */
    void (*clear_teams)(
        scs_comm *comm);    /**< set with the first team: comm.c does not know comm_team.c */
    double deadline;        /**< seconds for a step of writing together; 0: none */
    scs_watchdog *watchdog; /**< while such writing goes on (mpi/watchdog.h), or NULL */
};

/** Let comm->work have at least `size` bytes; old content is lost. All ranks pass the same size,
 * and SCS_ENOMEM of one is that of all. */
SCS_MUST_USE scs_status scs_comm_reserve(scs_comm *comm, int64_t size);

/** Send to one rank and receive from another, in pieces; a side with 0 bytes takes no part. Every
 * rank that is named by another must make the call that matches. Returns when `send` may be
 * changed and `recv` is complete.
 *  @param n_send, n_recv bytes; the partner passes the same numbers
 */
SCS_MUST_USE scs_status scs_comm_send_receive(scs_comm *comm, int32_t to, const void *send,
                                              int64_t n_send, int32_t from, void *recv,
                                              int64_t n_recv);

/** Every rank's block of `bytes` reaches all ranks, in place. One MPI_Allgatherv where all of it
 * fits a piece, else a ring of n_rank - 1 steps in which each rank sends and receives every block
 * once.
 *  @param bytes [first[n_rank]] this rank's block filled
 *  @param first [n_rank + 1] rank r's block is [first[r], first[r + 1]); alike on all ranks
 */
SCS_MUST_USE scs_status scs_comm_allgather(scs_comm *comm, void *bytes, const int64_t *first);

/** place and node_size from node; tests change node to play several nodes on one. Local. */
void scs_comm_count_nodes(scs_comm *comm);

#endif
