/** A disk that is full after a number of bytes: a limit on file sizes, in a process of its own,
 * since HDF5 does not recover from a failed write. */
#ifndef SCS_TESTS_FULL_DISK_H
#define SCS_TESTS_FULL_DISK_H

#include "src/base/instrument.h"
#include "tests/unit/suite.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/** Runs in the child. */
typedef scs_status (*full_disk_fn)(void *arg);

/* exit, since HDF5 may crash there; but the leak check would find the block that HDF5 1.10 loses on
 * a failed write. */
static inline void full_disk_end(int code)
{
    struct rlimit size;

    if (SCS_COVERAGE && getrlimit(RLIMIT_FSIZE, &size) == 0) { /* its counts go to files */
        size.rlim_cur = size.rlim_max;
        (void)setrlimit(RLIMIT_FSIZE, &size);
    }
    if (SCS_SANITIZE)
        _exit(code);
    exit(code);
}

/** The status of fn when no file can grow past `limit` bytes; -1 when it crashed, or failed with a
 * message that does not hold `words`. */
static inline int full_disk_run(int64_t limit, full_disk_fn fn, void *arg, const char *words)
{
    int status = 0;
    pid_t child;

    fflush(NULL); /* the child's exit flushes too */
    child = fork();
    if (child == 0) {
        struct rlimit size;
        scs_status st;

        signal(SIGXFSZ, SIG_IGN);
        if (getrlimit(RLIMIT_FSIZE, &size) != 0)
            _exit(100);
        size.rlim_cur =
            (rlim_t)limit; /* the hard limit stays: the library lifts the soft one to clean up */
        if (setrlimit(RLIMIT_FSIZE, &size) != 0)
            _exit(100);
        st = fn(arg);
        full_disk_end(st != SCS_OK && !strstr(scs_message(), words) ? 101 : (int)st);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status) >= 100 ? -1 : WEXITSTATUS(status);
}

#endif
