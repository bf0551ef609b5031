/** A child with limits, and what its parent makes of it (src/base/sandbox.h).
 *
 *  The child: enter_sandbox, the function, one reply through the pipe, _exit. The parent: read
 *  until the pipe closes or the time is over, kill if need be, reap, and only then look at what
 *  was sent.
 */
#include "src/base/sandbox.h"

#include "src/base/bytes.h"
#include "src/base/instrument.h"
#include "src/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the child sends first; `size` bytes of its result follow. */
typedef struct reply {
    int64_t status; /* scs_status */
    int64_t size;   /* bytes that follow; 0 unless status is SCS_OK */
    char message[SCS_MESSAGE_MAX];
} reply;

/* The arguments of scs_sandbox_start. */
typedef struct job {
    char *what; /* owned */
    scs_sandbox_fn fn;
    void *arg; /* for the child alone */
    scs_sandbox_limits limits;
} job;

struct scs_sandbox {
    job job;
    pid_t pid;
    int fd; /* what it sends */
};

enum {
    START = 2,   /* seconds of processor time that any file gets */
    STILL = 120, /* seconds in which something must move */
    SLOW = 30    /* how much slower instrumented code runs */
};
/* Bytes that the child may write to a file: none, but for a sanitizer's report. */
static const int64_t WRITABLE = SCS_SANITIZE ? 1 << 20 : 0;
/* What a second of processor time reads at least. Texts are the slowest: a million of them, of 64
 * bytes with what HDF5 and the list of names need, take less than two seconds. */
static const int64_t BYTES_A_SECOND = 16 << 20;
/* What a stored byte may inflate to at most: deflate reaches about 1000. All that a file is ever
 * allowed is its size times this. */
static const int64_t MOST_INFLATED = 1000;

/* In the child: what it was allowed so far. */
static struct {
    bool here;
    int64_t start, bytes, most; /* seconds; bytes */
} allowed;

/* Bytes of address space that this process has now, 0 if unknown. A limit counts from nothing,
 * but the libraries that are mapped already are not the file's doing. */
static int64_t address_space(void)
{
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");

    if (!statm)
        return 0;
    if (fscanf(statm, "%ld", &pages) != 1)
        pages = 0;
    fclose(statm);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

/* Sanitizers and valgrind. */
static bool runs_slowly(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return SCS_SANITIZE || (preloaded && strstr(preloaded, "vgpreload"));
}

/* The soft limit alone, which can be raised again; its signal is SIGXCPU, that of the hard one
 * SIGKILL, which says nothing. */
static void limit_processor(void)
{
    int64_t seconds = allowed.start + allowed.bytes / BYTES_A_SECOND;
    struct rlimit now;

    if (runs_slowly())
        seconds *= SLOW;
    if (getrlimit(RLIMIT_CPU, &now))
        return;
    now.rlim_cur = now.rlim_max < (rlim_t)seconds ? now.rlim_max : (rlim_t)seconds;
    (void)setrlimit(RLIMIT_CPU, &now);
}

void scs_sandbox_allow(int64_t bytes)
{
    if (!allowed.here || bytes <= 0)
        return;
    allowed.bytes = bytes < allowed.most - allowed.bytes ? allowed.bytes + bytes : allowed.most;
    limit_processor();
}

/* What the child is allowed before it has said anything: the start, and the time that reading
 * the file once takes. */
static void start_processor_time(const job *j)
{
    int64_t most;

    if (__builtin_mul_overflow(j->limits.size, MOST_INFLATED, &most))
        most = INT64_MAX;
    allowed.here = true;
    allowed.start = j->limits.processor;
    allowed.bytes = j->limits.size;
    allowed.most = most;
    limit_processor();
}

/* Lower a limit, never raise it. */
static void limit(__rlimit_resource_t resource, int64_t value)
{
    struct rlimit now;

    if (getrlimit(resource, &now))
        return;
    if (now.rlim_max == RLIM_INFINITY || now.rlim_max > (rlim_t)value + 1)
        now.rlim_max = (rlim_t)value + 1;
    now.rlim_cur = now.rlim_max < (rlim_t)value ? now.rlim_max : (rlim_t)value;
    (void)setrlimit(resource, &now);
}

/* A damaged file may make the C library or HDF5 print ("malloc(): corrupted top size"): that is
 * no message of ours. */
static void silence_stderr(void)
{
    int null = open("/dev/null", O_WRONLY);

    if (null >= 0)
        (void)dup2(null, STDERR_FILENO);
}

/* A sanitizer's shadow memory is larger than any limit, and it reports to stderr or a file;
 * coverage is counted in files. Limits that cannot be set are left: the parent's clock still ends
 * the child. */
static void enter_sandbox(const job *j)
{
    int64_t all;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    limit(RLIMIT_CORE, 0);
    if (!SCS_COVERAGE)
        limit(RLIMIT_FSIZE, WRITABLE);
    start_processor_time(j);
    if (!SCS_SANITIZE && !__builtin_add_overflow(address_space(), j->limits.memory, &all))
        limit(RLIMIT_AS, all);
    if (!SCS_SANITIZE)
        silence_stderr();
}

/* A pipe takes what fits. @return false where the parent has gone */
static bool write_all(int fd, const void *data, int64_t size)
{
    const uint8_t *at = data;

    while (size > 0) {
        ssize_t n = write(fd, at, (size_t)size);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            at += n;
            size -= n;
        }
    }
    return true;
}

/* _exit, not exit: handlers that the parent registered are for the parent. Its status is 0 when
 * all was sent, whatever the function returned. */
static _Noreturn void run_child(const job *j, int fd)
{
    scs_bytes out = {0};
    reply r = {0};

    enter_sandbox(j);
    scs_message_clear();
    r.status = j->fn(j->arg, &out);
    r.size = r.status == SCS_OK ? out.size : 0;
    snprintf(r.message, sizeof r.message, "%s", scs_message());
    SCS_LEAVE(write_all(fd, &r, sizeof r) && write_all(fd, out.data, r.size) ? 0 : 1);
}

/* On CLOCK_MONOTONIC, in whole numbers as poll takes them. */
static int64_t milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What moves while the child works: its processor time and the bytes that it read. */
typedef struct progress {
    unsigned long long user, system, read, fetched;
} progress;

/* All zero where /proc does not tell: then nothing seems to move. */
static progress look_at_child(pid_t child)
{
    char path[64], line[512], *at;
    progress now = {0};
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)child);
    file = fopen(path, "re");
    if (file) { /* times are the 14th and 15th word; the second one may hold spaces */
        at = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
        if (at && sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &now.user,
                         &now.system) != 2)
            now.user = now.system = 0;
        fclose(file);
    }
    snprintf(path, sizeof path, "/proc/%ld/io", (long)child);
    file = fopen(path, "re");
    if (file) {
        while (fgets(line, sizeof line, file)) {
            (void)sscanf(line, "rchar: %llu", &now.read);
            (void)sscanf(line, "read_bytes: %llu", &now.fetched);
        }
        fclose(file);
    }
    return now;
}

/* Any one of them: a child that waits for a slow disk uses no processor time, one that inflates
 * reads nothing. */
static bool moved(const progress *a, const progress *b)
{
    return a->user != b->user || a->system != b->system || a->read != b->read ||
           a->fetched != b->fetched;
}

/* Wait for bytes. @return 1 some are there (or the end), 0 nothing moved for too long, -1 failure
 */
static int wait_readable(const job *j, pid_t child, int fd)
{
    int64_t still = (int64_t)j->limits.still * 1000, since = milliseconds();
    struct pollfd p = {.fd = fd, .events = POLLIN};
    progress before = look_at_child(child);

    for (;;) {
        int n = poll(&p, 1, still > 8000 ? 1000 : (int)(still / 8 + 1));
        progress now;

        if (n > 0)
            return 1;
        if (n < 0 && errno != EINTR)
            return -1;
        now = look_at_child(child);
        if (moved(&before, &now))
            since = milliseconds();
        else if (milliseconds() - since > still)
            return 0;
        before = now;
    }
}

/* By CPU time (SIGXCPU) or by the parent's clock: the same to a user. */
static scs_status too_slow(const job *j)
{
    return SCS_FAIL(SCS_EDATA,
                    "%s: damaged HDF5 file: reading its metadata took more processor time than a "
                    "sound file of its size needs; re-save it with anndata, or fetch it again",
                    j->what);
}

/* The file system's fault, as it seems, and not the file's: other words than for damage. */
static scs_status stands_still(const job *j)
{
    return SCS_FAIL(SCS_EDATA,
                    "%s: no byte of it could be read for %d s; does its file system answer? Try "
                    "again, or copy the file to a local disk",
                    j->what, j->limits.still);
}

/* A good file may need more than the limit: the message says how to raise it. */
static scs_status too_big(const job *j)
{
    return SCS_FAIL(SCS_EDATA,
                    "%s: reading its metadata needs more than %lld MiB; raise data.memory if the "
                    "file is right, or re-save it with anndata",
                    j->what, (long long)(j->limits.memory >> 20));
}

/* All that the child sends, until it closes the pipe by ending. What exceeds the memory that it
 * was granted is refused: the parent has no limit of its own. */
static scs_status collect(const job *j, pid_t child, int fd, scs_bytes *all)
{
    uint8_t piece[65536];

    for (;;) {
        int ready = wait_readable(j, child, fd);
        ssize_t n;
        if (ready == 0)
            return stands_still(j);
        n = ready < 0 ? -1 : read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        SCS_REQUIRE(n >= 0, SCS_EIO, "%s: the reader's pipe failed: %s", j->what, strerror(errno));
        if (n == 0)
            return SCS_OK;
        if (all->size - (int64_t)sizeof(reply) + n > j->limits.memory)
            return too_big(j);
        SCS_TRY(scs_bytes_put(all, piece, n));
    }
}

/* Wait for the child's end. @return its wait status */
static int reap(pid_t child)
{
    int how = 0;

    while (waitpid(child, &how, 0) < 0 && errno == EINTR)
        ;
    return how;
}

/* A child without a reply: by which signal it ended is all that is known. SIGXCPU is the time
 * limit. */
static scs_status crashed(const job *j, int how)
{
    if (WIFSIGNALED(how) && WTERMSIG(how) == SIGXCPU)
        return too_slow(j);
    return SCS_FAIL(SCS_EDATA,
                    "%s: damaged HDF5 file: the reader crashed on it (%s %d); re-save it with "
                    "anndata, or fetch it again",
                    j->what, WIFSIGNALED(how) ? "signal" : "exit status",
                    WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
}

/* From what the child sent and how it ended to the status of its function. The child parsed
 * hostile bytes, so its reply is not trusted either: sizes must add up and the status be one
 * that exists. */
static scs_status check_reply(const job *j, scs_bytes *all, int how, scs_bytes *out)
{
    reply r;

    if (how != 0 || all->size < (int64_t)sizeof r)
        return crashed(j, how);
    SCS_TRY(scs_bytes_get(all, &r, sizeof r));
    if (r.size != all->size - all->at || r.status < SCS_OK || r.status > SCS_ESTOP)
        return crashed(j, how);
    if (r.status == SCS_ENOMEM)
        return too_big(j);
    if (r.status != SCS_OK) {
        r.message[sizeof r.message - 1] = '\0';
        return SCS_FAIL((scs_status)r.status, "%s", r.message);
    }
    return scs_bytes_put(out, all->data + all->at, r.size);
}

/* What is not given: the file's size, and the times that are right for any file. */
static void complete(scs_sandbox_limits *limits, const char *what)
{
    struct stat file;

    if (limits->size <= 0 && stat(what, &file) == 0 && S_ISREG(file.st_mode))
        limits->size = file.st_size;
    if (limits->processor <= 0)
        limits->processor = START;
    if (limits->still <= 0)
        limits->still = STILL;
}

/* The parent closes its writing end at once: otherwise it would never see the pipe's end when
 * the child is gone. */
static scs_status begin(scs_sandbox *s)
{
    int fd[2];

    SCS_REQUIRE(pipe2(fd, O_CLOEXEC) == 0, SCS_EIO, "%s: no pipe for its reader: %s", s->job.what,
                strerror(errno));
    s->pid = fork();
    if (s->pid == 0) {
        close(fd[0]);
        run_child(&s->job, fd[1]);
    }
    close(fd[1]);
    s->fd = fd[0];
    if (s->pid > 0)
        return SCS_OK;
    close(fd[0]);
    return SCS_FAIL(SCS_ENOMEM, "%s: no process for its reader: %s", s->job.what, strerror(errno));
}

static void release(scs_sandbox **child)
{
    free((*child)->job.what);
    free(*child);
    *child = NULL;
}

/* Limits that are left open are filled in: the size of the file that is read, the usual times. */
scs_status scs_sandbox_start(const char *what, scs_sandbox_fn fn, void *arg,
                             const scs_sandbox_limits *limits, scs_sandbox **child)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*child, 1));
    (*child)->job = (job){NULL, fn, arg, *limits};
    complete(&(*child)->job.limits, what);
    SCS_GO(st, scs_text_copy(what, &(*child)->job.what));
    SCS_GO(st, begin(*child));
    return SCS_OK;
done:
    release(child);
    return st;
}

/* The child is always waited for, so that none is left as a zombie. */
scs_status scs_sandbox_wait(scs_sandbox **child, scs_bytes *out)
{
    const job *j = &(*child)->job;
    scs_bytes all = {0};
    scs_status st = collect(j, (*child)->pid, (*child)->fd, &all);
    int how;

    if (st != SCS_OK)
        (void)kill((*child)->pid, SIGKILL);
    how = reap((*child)->pid);
    if (st == SCS_OK)
        st = check_reply(j, &all, how, out);
    close((*child)->fd);
    scs_bytes_clear(&all);
    release(child);
    return st;
}

/* Whatever it is doing: a reader of damaged data may never come back by itself. */
void scs_sandbox_stop(scs_sandbox **child)
{
    if (!*child)
        return;
    (void)kill((*child)->pid, SIGKILL);
    (void)reap((*child)->pid);
    close((*child)->fd);
    release(child);
}

scs_status scs_sandbox_run(const char *what, scs_sandbox_fn fn, void *arg,
                           const scs_sandbox_limits *limits, scs_bytes *out)
{
    scs_sandbox *child;

    SCS_TRY(scs_sandbox_start(what, fn, arg, limits, &child));
    return scs_sandbox_wait(&child, out);
}
