/* Open MPI binds ranks to single cores or sockets unless told otherwise. So the set of processors
 * that a rank finds itself on may be smaller than its share (then it is widened), or the same for
 * all ranks of a node (then it is divided).
 *
 *      OMP_NUM_THREADS set                 it is taken as it is
 *      binding chosen by the user          as many threads as the rank's processors, divided by the
 *                                          ranks that share them
 *      neither, and bound by mpirun        its share of what mpirun itself may use
 *
 *  How many threads there are changes the time, not the results (tests/e2e/threads.sh). */
#include "mpi/comm/threads.h"

#include <cblas.h>
#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

/* Of the ranks of this node: how many processors they may use together (the union of their sets),
 * and the sum of what each may use. The sum is larger where sets overlap; ranks that are bound
 * apart share nothing. @param mine_count those of `mine` */
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

/* An environment variable's number, or -1. */
static int number_of(const char *name)
{
    const char *text = getenv(name);

    return text ? atoi(text) : -1;
}

/* The i-th of `size` parts of a set of n processors: those numbered from i n / size to (i + 1) n /
 * size. */
static void cut_set(const cpu_set_t *all, int i, int size, cpu_set_t *share)
{
    int n = CPU_COUNT(all), seen = 0;

    CPU_ZERO(share);
    for (int p = 0; p < CPU_SETSIZE; p++)
        if (CPU_ISSET(p, all)) {
            if (seen >= n * i / size && seen < n * (i + 1) / size)
                CPU_SET(p, share);
            seen++;
        }
}

/* Where a rank is bound to fewer processors than its share of what the launcher may use, it takes
 * that share; mpirun (the parent) has the whole set. Not where the user has chosen a binding or a
 * number of threads. */
static void spread_ranks(void)
{
    int place = number_of("OMPI_COMM_WORLD_LOCAL_RANK");
    int size = number_of("OMPI_COMM_WORLD_LOCAL_SIZE");
    cpu_set_t mine, all, share;

    if (place < 0 || size <= place || getenv("OMPI_MCA_hwloc_base_binding_policy") ||
        getenv("OMP_NUM_THREADS"))
        return;
    if (sched_getaffinity(0, sizeof mine, &mine) || sched_getaffinity(getppid(), sizeof all, &all))
        return;
    cut_set(&all, place, size, &share);
    if (CPU_COUNT(&share) > CPU_COUNT(&mine))
        (void)sched_setaffinity(0, sizeof share, &share);
}

/* Processors that several ranks may use are divided among them in proportion. */
scs_status scs_threads_set(scs_comm *comm)
{
    cpu_set_t mine;
    int count, together = 1, sum = 1;

    openblas_set_num_threads(1);
    spread_ranks();
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
