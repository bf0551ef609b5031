/** Messages that travel while their ranks compute. */
#ifndef SCS_COLLECTIVES_H
#define SCS_COLLECTIVES_H

#include "mpi/comm/shared_memory.h"
#include "src/data/team.h"
#include "scscreen/comm.h"

#include <mpi.h>

typedef struct scs_requests {
    MPI_Request *request;   /**< [capacity] owned */
    int n;                  /**< messages under way */
    int reserved, capacity; /**< alike on all ranks */
} scs_requests;

/* What a communicator holds, and the collectives that only mpi/ uses. */

/** A sum of the ranks' values, slice by slice, that has begun. */
typedef struct scs_reduction {
    const int64_t *bound;         /**< [n_shard + 1] borrowed until it ends */
    bool open;                    /**< the parts are those of open_parts */
    float *mine[SCS_SUBTREE_MAX]; /**< this rank's subtree sums, whole */
    int64_t lo, len;              /**< this rank's slice */
    float *work;                  /**< others' subtree sums of it that come by messages; owned */
    int64_t work_size;            /**< bytes; alike on all ranks */
    scs_requests flight;
} scs_reduction;

/** The ctx of a team's hooks. There is one for each power of two, so that handing out a team
 * allocates nothing. */
typedef struct scs_team_context {
    scs_comm *comm;
    int32_t n_shard;
    int32_t *first_subtree; /**< [n_rank + 1] each rank's in subtree; NULL until first used */
    scs_subtree *subtree;   /**< all ranks' subtrees, in order */
    double **part_double;   /**< [n_shard] for the tree sums */
    float **part_float;
    scs_shared_memory parts; /**< gradients that reduce_slice reads where they are; or none */
    int64_t part_size;       /**< values of one of them */
    scs_shared_memory
        values; /**< the node's copy of the weights, in its first rank's block; or none */
    float *private_values;    /**< which it stands for */
    scs_reduction now, begun; /**< of reduce_slice, and of reduce_begin */
    scs_requests gathering;   /**< slices between gather_begin and gather_end */
} scs_team_context;

enum { SCS_SEATS = 31 };

typedef struct scs_watchdog scs_watchdog;

struct scs_comm {
    MPI_Comm mpi;
    int32_t rank, size;
    int32_t *node; /**< [size] the lowest rank of each rank's node (tests may split it) */
    int32_t *place, *node_size; /**< [size] each rank's place in its node, and that node's ranks */
    int64_t piece;              /**< largest message in bytes; fits an int (tests make it small) */
    int64_t *first;             /**< [size + 1] scratch: where each rank's block begins, in bytes */
    int *count, *displace;      /**< [size] scratch: the same as MPI wants it */
    void *work;                 /**< kept between calls, so that training steps do not allocate */
    int64_t work_size;          /**< bytes; alike on all ranks */
    scs_team_context seat[SCS_SEATS];
    void (*clear_seats)(scs_comm *comm); /**< set with the first team */
    double deadline;                     /**< seconds for a step of writing together; 0: none */
    scs_watchdog *watchdog; /**< while such writing goes on (mpi/watchdog.h), or NULL */
};

/** Let comm->work have at least `size` bytes (old content is lost). All ranks pass the same size.
 * Collective. */
SCS_MUST_USE scs_status scs_comm_reserve(scs_comm *comm, int64_t size);

/** Send to one rank and receive from another, in pieces; a side with 0 bytes takes no part. The
 * other ranks do the same.
 *  @param n_send, n_recv bytes */
SCS_MUST_USE scs_status scs_comm_send_receive(scs_comm *comm, int32_t to, const void *send,
                                              int64_t n_send, int32_t from, void *recv,
                                              int64_t n_recv);

/** Every rank's block of `bytes` reaches all ranks, in place; rank r's is [first[r], first[r + 1]).
 * Collective. */
SCS_MUST_USE scs_status scs_comm_allgather(scs_comm *comm, void *bytes, const int64_t *first);

/** place and node_size from node. Local. */
void scs_comm_count_nodes(scs_comm *comm);

#endif
