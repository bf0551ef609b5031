/* flock on the folder itself. Network file systems may have no locks: there the user is told, and
 * has to see to it. */
#include "mpi/job/folder_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* Five seconds in all. */
enum { TRIES = 50, MILLISECONDS = 100 };

/* The first process of a job that was just killed may hold the lock for a moment. @return 0 or
 * errno, EWOULDBLOCK where another job holds it to the end */
static int try_lock(int fd, bool *waited)
{
    const struct timespec pause = {0, MILLISECONDS * 1000000L};

    for (int i = 0; i < TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        *waited = true;
        nanosleep(&pause, NULL);
    }
    return errno == EINTR ? EWOULDBLOCK : errno;
}

/* An open descriptor is kept even on a file system without locks: dropping it is the same. */
scs_status scs_folder_lock_take(const char *folder, int *lock, bool *waited)
{
    int error;

    *waited = false;
    *lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    SCS_REQUIRE(*lock >= 0, SCS_ECREATE, "%s: cannot be opened: %s", folder, strerror(errno));
    error = try_lock(*lock, waited);
    if (error == 0)
        return SCS_OK;
    scs_folder_lock_drop(lock);
    SCS_REQUIRE(error != EWOULDBLOCK, SCS_ECREATE,
                "%s: another job is at work there; wait for it or choose another output.dir",
                folder);
    fprintf(stderr,
            "scscreen: warning: %s: this file system has no locks (%s): see to it that no second "
            "job writes there\n",
            folder, strerror(error));
    return SCS_OK;
}

/* Closing the descriptor is unlocking. */
void scs_folder_lock_drop(int *lock)
{
    if (*lock >= 0)
        (void)close(*lock);
    *lock = -1;
}
