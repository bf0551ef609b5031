/** The runner of tests/unit/suite.h under mpirun: rank 0 prints CUnit's summary, other ranks print
 * only if they fail, and every rank ends with the worst status of all. */
#ifndef SCS_TESTS_MPI_SUITE_H
#define SCS_TESTS_MPI_SUITE_H

#include "mpi/comm/collectives.h"
#include "tests/unit/suite.h"

#include <string.h>
#include <unistd.h>

/** Send this process' standard output to a file that nobody sees. @return the file, to be shown by
 * show_output */
static inline FILE *hide_output(void)
{
    FILE *hidden = tmpfile();

    fflush(stdout);
    if (!hidden || dup2(fileno(hidden), STDOUT_FILENO) < 0)
        MPI_Abort(MPI_COMM_WORLD, 2);
    return hidden;
}

static inline void show_output(FILE *hidden, int rank)
{
    char line[512];

    fflush(stdout);
    rewind(hidden);
    while (fgets(line, sizeof line, hidden))
        fprintf(stderr, "[rank %d] %s", rank, line);
}

/** Call from main; initialises and ends MPI. @return exit status, the same on every rank */
static inline int run_mpi_suite(const char *suite, const scs_test *tests, int n_test, int *argc,
                                char ***argv)
{
    int rank, thread_level, mine, worst;
    FILE *hidden = NULL;

    if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &thread_level) != MPI_SUCCESS)
        return 2;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank > 0)
        hidden = hide_output();
    mine = run_suite(suite, tests, n_test);
    MPI_Allreduce(&mine, &worst, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (hidden && mine != 0)
        show_output(hidden, rank);
    if (rank == 0 && mine == 0 && worst != 0)
        printf("FAILED on another rank\n");
    fflush(NULL); /* mpirun ends the others as soon as one rank exits with a failure */
    MPI_Finalize();
    return worst;
}

/** A communicator over all ranks. */
static inline scs_comm *open_world(void)
{
    scs_comm *comm = NULL;

    CHECK_OK(scs_comm_create(MPI_COMM_WORLD, &comm));
    return comm;
}

/** As if the ranks sat `width` to a node. */
static inline void split_nodes(scs_comm *comm, int32_t width)
{
    for (int32_t r = 0; r < comm->size; r++)
        comm->node[r] = r / width * width;
    scs_comm_count_nodes(comm);
}

#endif
