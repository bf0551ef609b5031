/* Preloaded into the tests' ranks by launcher/mpirun, where the MPI is MPICH over UCX: a rank that
 * waits leaves the processor, and one that has closed its connections answers those that have not.
 *
 * MPICH's ch4 polls without a pause, and has no setting against it (MPIR_CVAR_POLLS_BEFORE_YIELD is
 * ch3's). Where several ranks share a core a message then takes as long as the others' time slices:
 * seconds for what is milliseconds. So polls sleep once a hundred of them have found nothing. What
 * comes through shared memory is found by another poll than this one, so that they go on sleeping
 * there, 20 microseconds each.
 *
 * Before 4.2 a rank of MPICH that has closed its connections waits for its launcher's barrier
 * without a look at UCX (ch4/netmod/ucx/ucx_init.c). Over TCP the close of another rank's needs its
 * answer: of jobs on three hosts a third do not come out of MPI_Finalize. So where such a rank
 * reads from its launcher, it polls until there is something to read. */
#include <dlfcn.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

unsigned ucp_worker_progress(void *worker);
void *ucp_disconnect_nb(void *endpoint);
void ucp_worker_destroy(void *worker);

static void *worker_in_use;
/* UCX reads in a thread of its own, which does not close. */
static _Thread_local int closing;

static void sleep_us(long us)
{
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

unsigned ucp_worker_progress(void *worker)
{
    static unsigned (*poll_worker)(void *);
    static _Thread_local int idle;
    unsigned found;

    if (!poll_worker)
        poll_worker = (unsigned (*)(void *))dlsym(RTLD_NEXT, "ucp_worker_progress");
    worker_in_use = worker;
    found = poll_worker(worker);
    if (found)
        idle = 0;
    else if (idle < 100)
        idle++;
    else
        sleep_us(20);
    return found;
}

void *ucp_disconnect_nb(void *endpoint)
{
    closing = 1;
    return ((void *(*)(void *))dlsym(RTLD_NEXT, "ucp_disconnect_nb"))(endpoint);
}

void ucp_worker_destroy(void *worker)
{
    worker_in_use = NULL;
    ((void (*)(void *))dlsym(RTLD_NEXT, "ucp_worker_destroy"))(worker);
}

ssize_t read(int file, void *to, size_t n)
{
    static ssize_t (*read_file)(int, void *, size_t);
    struct pollfd ready = {.fd = file, .events = POLLIN};

    if (!read_file)
        read_file = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    while (closing && worker_in_use && poll(&ready, 1, 0) == 0)
        ucp_worker_progress(worker_in_use);
    return read_file(file, to, n);
}
