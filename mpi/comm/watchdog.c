/* One thread that sleeps until the deadline, beside the main thread that writes. It calls nothing
 * of MPI or HDF5: these may be in the very call that hangs. Time is CLOCK_MONOTONIC, which setting
 * the clock does not move.
 *
 *  What it does when time is over is the end of the process by _exit (SCS_LEAVE): exit handlers
 *  would call HDF5 and MPI, and hang as well. Files are under their final names only when they are
 *  whole, so there is nothing to undo. */
#include "mpi/comm/watchdog.h"

#include "mpi/comm/collectives.h"
#include "src/base/instrument.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct scs_watchdog {
    pthread_t thread;
    pthread_mutex_t lock;  /* of all that follows */
    pthread_cond_t change; /* `over` is set */
    bool over;
    double seconds;             /* that a step may take */
    struct timespec until;      /* end of the step in progress */
    char file[1024], step[128]; /* for the message */
    int32_t rank;               /* 0 writes the line and ends first */
};

/* Seconds that the other ranks wait longer, so that the line comes from one of them only. */
enum { OTHERS_WAIT = 5 };

/* From now on, in the step that begins; ranks other than 0 get OTHERS_WAIT more. */
static void set_until(scs_watchdog *dog)
{
    double seconds = dog->seconds + (dog->rank ? OTHERS_WAIT : 0);

    clock_gettime(CLOCK_MONOTONIC, &dog->until);
    dog->until.tv_sec += (time_t)seconds;
    dog->until.tv_nsec += (long)(1e9 * (seconds - (double)(time_t)seconds));
    dog->until.tv_sec += dog->until.tv_nsec / 1000000000;
    dog->until.tv_nsec %= 1000000000;
}

/* The main thread is stuck in the kernel or in MPI: only the process as a whole can end. */
static void end_process(const scs_watchdog *dog)
{
    if (dog->rank == 0)
        fprintf(stderr,
                "scscreen: error: %s: %s has not ended within %g seconds (output.deadline): the "
                "file system hangs, or fails another rank; what stood there before is as it was\n",
                dog->file, dog->step, dog->seconds);
    SCS_LEAVE(scs_exit_code(SCS_EIO));
}

/* A wait that times out counts only if no new step has moved the deadline meanwhile. */
static void *watch(void *arg)
{
    scs_watchdog *dog = arg;

    pthread_mutex_lock(&dog->lock);
    while (!dog->over) {
        struct timespec until = dog->until;

        if (pthread_cond_timedwait(&dog->change, &dog->lock, &until) == ETIMEDOUT &&
            until.tv_sec == dog->until.tv_sec && until.tv_nsec == dog->until.tv_nsec && !dog->over)
            end_process(dog);
    }
    pthread_mutex_unlock(&dog->lock);
    return NULL;
}

/* Where no thread can be had, writing goes on without a deadline. */
static bool start(scs_watchdog *dog)
{
    pthread_condattr_t monotonic;

    if (pthread_condattr_init(&monotonic) != 0)
        return false;
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&dog->change, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&dog->lock, NULL);
    return pthread_create(&dog->thread, NULL, watch, dog) == 0;
}

/* @param rank 0: this process writes the line */
static void begin(scs_comm *comm, const char *file, int32_t rank)
{
    scs_watchdog *dog = NULL;

    if (comm->deadline > 0)
        dog = scs_allocate(1, sizeof *dog);
    if (!dog)
        return; /* writing works as well without it */
    dog->seconds = comm->deadline;
    dog->rank = rank;
    snprintf(dog->file, sizeof dog->file, "%s", file);
    snprintf(dog->step, sizeof dog->step, "writing");
    set_until(dog);
    if (start(dog))
        comm->watchdog = dog;
    else
        free(dog);
}

/* All ranks watch: any of them may be the one that does not return. */
void scs_watchdog_begin(scs_comm *comm, const char *file)
{
    begin(comm, file, comm->rank);
}

/* As rank 0, whose line comes first: there is no other process that watches this write. */
void scs_watchdog_begin_alone(scs_comm *comm, const char *file)
{
    begin(comm, file, 0);
}

/* The thread notices when its old wait is over, and waits again. */
void scs_watchdog_step(scs_comm *comm, const char *step)
{
    scs_watchdog *dog = comm->watchdog;

    if (!dog)
        return;
    pthread_mutex_lock(&dog->lock);
    snprintf(dog->step, sizeof dog->step, "%s", step);
    set_until(dog);
    pthread_mutex_unlock(&dog->lock);
}

/* After the join the thread cannot end the process any more, whatever the clock says. */
void scs_watchdog_end(scs_comm *comm)
{
    scs_watchdog *dog = comm->watchdog;

    if (!dog)
        return;
    pthread_mutex_lock(&dog->lock);
    dog->over = true;
    pthread_cond_signal(&dog->change);
    pthread_mutex_unlock(&dog->lock);
    (void)pthread_join(dog->thread, NULL);
    pthread_cond_destroy(&dog->change);
    pthread_mutex_destroy(&dog->lock);
    free(dog);
    comm->watchdog = NULL;
}
