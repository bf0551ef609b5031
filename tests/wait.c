/* Preloaded into the tests' ranks by launcher/mpirun, where the MPI is MPICH over UCX: a rank that
 * waits leaves the processor.
 *
 * MPICH's ch4 polls without a pause, and has no setting against it (MPIR_CVAR_POLLS_BEFORE_YIELD is
 * ch3's). Where several ranks share a core a message then takes as long as the others' time slices:
 * seconds for what is milliseconds. So polls sleep once a hundred of them have found nothing. What
 * comes through shared memory is found by another poll than this one, so that they go on sleeping
 * there, 20 microseconds each. */
#include <dlfcn.h>
#include <time.h>

unsigned ucp_worker_progress(void *worker);

unsigned ucp_worker_progress(void *worker)
{
    static unsigned (*poll)(void *);
    static _Thread_local int idle;
    const struct timespec pause = {.tv_nsec = 20000};
    unsigned found;

    if (!poll)
        poll = (unsigned (*)(void *))dlsym(RTLD_NEXT, "ucp_worker_progress");
    found = poll(worker);
    if (found)
        idle = 0;
    else if (idle < 100)
        idle++;
    else
        nanosleep(&pause, NULL);
    return found;
}
