/* Work taken from one counter: every number once, and nothing after a stop. */
#include "mpi/comm/queue.h"
#include "tests/mpi/mpi_suite.h"

enum { N = 200 };

/* Ranks take without waiting for each other; together they have each of 0 .. N - 1 once. */
static void every_number_once(void)
{
    scs_comm *comm = open_world();
    int taken[N] = {0}, all[N];
    scs_queue queue;
    int64_t number;

    CHECK_OK(scs_queue_open(comm, &queue));
    for (;;) {
        CHECK_OK(scs_queue_take(&queue, &number));
        if (number >= N)
            break;
        CU_ASSERT_FATAL(number >= 0);
        taken[number]++;
        CHECK_OK(scs_queue_serve(&queue));
    }
    MPI_Allreduce(taken, all, N, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    for (int i = 0; i < N; i++)
        CU_ASSERT_EQUAL(all[i], 1);
    scs_queue_close(&queue);
    scs_comm_destroy(&comm);
}

static void a_stop_reaches_all(void)
{
    scs_comm *comm = open_world();
    scs_queue queue;
    int64_t number;

    CHECK_OK(scs_queue_open(comm, &queue));
    if (scs_comm_rank(comm) == scs_comm_size(comm) - 1)
        CHECK_OK(scs_queue_stop(&queue, N));
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK_OK(scs_queue_take(&queue, &number));
    CU_ASSERT(number >= N && number < N + scs_comm_size(comm));
    scs_queue_close(&queue);
    scs_comm_destroy(&comm);
}

static const scs_test tests[] = {
    {"every number once", every_number_once},
    {"a stop reaches all", a_stop_reaches_all},
};

int main(int argc, char **argv)
{
    return run_mpi_suite("queue", tests, sizeof tests / sizeof *tests, &argc, &argv);
}
