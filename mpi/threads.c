#include "mpi/threads.h"

#include <cblas.h>
#include <omp.h>
#include <sched.h>
#include <stdlib.h>

/* Processors that the node's ranks may use together, and the sum of what each may use: bound ranks
 * share nothing. */
static scs_status node_processors(scs_comm *comm, int mine_count, cpu_set_t *mine, int *together,
                                  int *sum)
{
    MPI_Comm node;
    cpu_set_t all;

    SCS_MPI(MPI_Comm_split_type(scs_comm_mpi(comm), MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
    SCS_MPI(MPI_Allreduce(mine, &all, (int)(sizeof all / sizeof(unsigned)), MPI_UNSIGNED, MPI_BOR,
                          node));
    SCS_MPI(MPI_Allreduce(&mine_count, sum, 1, MPI_INT, MPI_SUM, node));
    *together = CPU_COUNT(&all);
    SCS_MPI(MPI_Comm_free(&node));
    return SCS_OK;
}

scs_status scs_threads_set(scs_comm *comm)
{
    cpu_set_t mine;
    int count, together = 1, sum = 1;

    openblas_set_num_threads(1);
    CPU_ZERO(&mine);
    if (sched_getaffinity(0, sizeof mine, &mine) != 0)
        CPU_SET(0, &mine);
    count = CPU_COUNT(&mine);
    SCS_TRY(node_processors(comm, count, &mine, &together, &sum));
    if (getenv("OMP_NUM_THREADS"))
        return SCS_OK;
    count = sum > together ? count * together / sum : count;
    omp_set_num_threads(count > 1 ? count : 1);
    return SCS_OK;
}
