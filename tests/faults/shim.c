/* Preloaded: makes the n-th call of one kind fail. Tests only.
 *
 *      SCS_FAULT=KIND:N[+|s]   KIND: write, open, close, fsync, rename, fallocate, malloc, or any
 * to count them all; N from 1; with
 *                            "+" all later calls of the kind fail as well, as on a full disk; with
 * "s" the n-th never returns, as on a file system that hangs SCS_FAULT_DIR=PATH    only files below
 * it count (malloc: only calls of the program's own code) SCS_FAULT_RANK=R      only this rank
 * (default 0) SCS_FAULT_COUNT=FILE  at the end, the number of calls of the kind, or a
 * line for each: KIND N */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(function) ((__typeof__(&(function)))dlsym(RTLD_NEXT, #function))

static const char *const kinds[] = {"write",  "open",      "close", "fsync",
                                    "rename", "fallocate", "malloc"};
enum { N_KIND = sizeof kinds / sizeof *kinds };

static struct {
    char kind[16];
    long n, calls, all[N_KIND];
    bool on, stall, ready;
    const char *dir;
    void *program; /* where the program's own code begins */
} fault;

__attribute__((constructor)) static void read_fault(void)
{
    const char *text = getenv("SCS_FAULT"), *rank = getenv("OMPI_COMM_WORLD_RANK"),
               *only = getenv("SCS_FAULT_RANK");
    Dl_info info;
    char plus = 0;

    if (!rank)
        rank = getenv("PMI_RANK"); /* MPICH's */

    fault.dir = getenv("SCS_FAULT_DIR");
    if (!text || !fault.dir || strcmp(rank ? rank : "0", only ? only : "0") != 0)
        return;
    if (!dladdr((void *)getauxval(AT_PHDR), &info) || !strstr(info.dli_fname, "scscreen"))
        return; /* mpirun and its helpers */
    fault.program = info.dli_fbase;
    fault.ready = sscanf(text, "%15[a-z]:%ld%c", fault.kind, &fault.n, &plus) >= 2;
    fault.on = plus == '+';
    fault.stall = plus == 's';
}

__attribute__((destructor)) static void tell_calls(void)
{
    const char *path = getenv("SCS_FAULT_COUNT");
    FILE *out = fault.ready && path ? fopen(path, "w") : NULL;

    if (!out)
        return;
    for (int i = 0; i < N_KIND; i++)
        if (strcmp(fault.kind, kinds[i]) == 0)
            fprintf(out, "%ld\n", fault.calls);
        else if (fault.kind[0] == 'a')
            fprintf(out, "%s %ld\n", kinds[i], fault.all[i]);
    fclose(out);
}

/* Whether this call has to fail. */
static bool hit(const char *kind)
{
    for (int i = 0; i < N_KIND; i++)
        fault.all[i] += strcmp(kind, kinds[i]) == 0;
    if (!fault.ready || strcmp(kind, fault.kind) != 0)
        return false;
    fault.calls++;
    if (fault.stall && fault.calls == fault.n)
        for (;;)
            pause();
    return fault.calls == fault.n || (fault.on && fault.n > 0 && fault.calls > fault.n);
}

static bool is_ours(const char *path)
{
    return fault.ready && strstr(path, fault.dir) != NULL;
}

static bool is_our_file(int fd)
{
    char link[64], path[4096];
    ssize_t n;

    if (!fault.ready || fd <= STDERR_FILENO)
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (n < 0)
        return false;
    path[n] = '\0';
    return is_ours(path);
}

#define FAIL_IF(condition, error, value)                                                           \
    do {                                                                                           \
        if (condition) {                                                                           \
            errno = (error);                                                                       \
            return (value);                                                                        \
        }                                                                                          \
    } while (0)

/* ---- files ---- */

ssize_t write(int fd, const void *data, size_t size)
{
    FAIL_IF(is_our_file(fd) && hit("write"), ENOSPC, -1);
    return NEXT(write)(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    FAIL_IF(is_our_file(fd) && hit("write"), ENOSPC, -1);
    return NEXT(pwrite)(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    FAIL_IF(is_our_file(fd) && hit("write"), ENOSPC, -1);
    return NEXT(pwrite64)(fd, data, size, at);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    FAIL_IF(is_our_file(fd) && hit("write"), ENOSPC, -1);
    return NEXT(writev)(fd, parts, n);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t at)
{
    FAIL_IF(is_our_file(fd) && hit("write"), ENOSPC, -1);
    return NEXT(pwritev)(fd, parts, n, at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int n, off64_t at)
{
    FAIL_IF(is_our_file(fd) && hit("write"), ENOSPC, -1);
    return NEXT(pwritev64)(fd, parts, n, at);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = va_arg(args, mode_t);
    va_end(args);
    FAIL_IF(is_ours(path) && hit("open"), flags & O_CREAT ? ENOSPC : EIO, -1);
    return NEXT(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = va_arg(args, mode_t);
    va_end(args);
    FAIL_IF(is_ours(path) && hit("open"), flags & O_CREAT ? ENOSPC : EIO, -1);
    return NEXT(open64)(path, flags, mode);
}

int close(int fd)
{
    bool fails = is_our_file(fd) && hit("close");
    int code = NEXT(close)(fd);

    FAIL_IF(fails, EIO, -1);
    return code;
}

int fsync(int fd)
{
    FAIL_IF(is_our_file(fd) && hit("fsync"), EIO, -1);
    return NEXT(fsync)(fd);
}

int rename(const char *from, const char *to)
{
    FAIL_IF(is_ours(to) && hit("rename"), ENOSPC, -1);
    return NEXT(rename)(from, to);
}

int posix_fallocate(int fd, off_t at, off_t size)
{
    if (is_our_file(fd) && hit("fallocate"))
        return ENOSPC;
    return NEXT(posix_fallocate)(fd, at, size);
}

int ftruncate(int fd, off_t size)
{
    FAIL_IF(is_our_file(fd) && hit("fallocate"), ENOSPC, -1);
    return NEXT(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    FAIL_IF(is_our_file(fd) && hit("fallocate"), ENOSPC, -1);
    return NEXT(ftruncate64)(fd, size);
}

/* ---- memory: the C library's own entries, since dlsym itself allocates ---- */

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static bool is_our_call(const void *caller)
{
    Dl_info info;

    return fault.ready && (fault.kind[0] == 'm' || fault.kind[0] == 'a') && dladdr(caller, &info) &&
           info.dli_fbase == fault.program;
}

#define FAIL_MEMORY(value)                                                                         \
    FAIL_IF(is_our_call(__builtin_return_address(0)) && hit("malloc"), ENOMEM, value)

void *malloc(size_t size)
{
    FAIL_MEMORY(NULL);
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    FAIL_MEMORY(NULL);
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    FAIL_MEMORY(NULL);
    return __libc_realloc(p, size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
    if (is_our_call(__builtin_return_address(0)) && hit("malloc"))
        return ENOMEM;
    *p = __libc_memalign(alignment, size);
    return *p ? 0 : ENOMEM;
}
