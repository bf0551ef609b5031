/** Status codes, the message and trace of the last failure, and checked allocation
 *  (scscreen/status.h).
 *
 *  Message and trace have fixed room in each thread: reporting a failure never allocates, so that
 *  running out of memory can be reported too. What does not fit is cut.
 */
#include "scscreen/status.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Each thread's own: calls on worker threads do not disturb each other (src/base/parallel.h carries
 * one over). */
static _Thread_local char message[SCS_MESSAGE_MAX];
static _Thread_local char trace[SCS_TRACE_MAX];

/* A message may quote a file's own text: keep it on one line and off the terminal's escape
 * codes. */
static void replace_control(char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            *text = '?';
}

/* A line "WHAT at FILE:LINE" below those that are there; what does not fit is cut. */
static void add_trace(const char *file, int line, const char *what)
{
    size_t used = strlen(trace);
    const char *base = strrchr(file, '/');

    snprintf(trace + used, sizeof trace - used, "%s%s at %s:%d", used ? "\n" : "", what,
             base ? base + 1 : file, line);
}

/* A failure begins a new trace: an earlier one was dealt with, or it would have been returned. */
scs_status scs_fail(scs_status status, const char *file, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    replace_control(message);
    trace[0] = '\0';
    add_trace(file, line, scs_status_name(status));
    return status;
}

/* Cheap: failures are rare, and a passing status costs nothing. */
scs_status scs_passed(scs_status status, const char *file, int line, const char *what)
{
    add_trace(file, line, what);
    return status;
}

/* The message may be at its full length already: both are put together first, then cut. */
scs_status scs_context(scs_status status, const char *format, ...)
{
    char before[SCS_MESSAGE_MAX], whole[2 * SCS_MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(before, sizeof before, format, args);
    va_end(args);
    snprintf(whole, sizeof whole, "%s%s", before, message);
    scs_message_set(whole);
    return status;
}

const char *scs_message(void)
{
    return message;
}

const char *scs_trace(void)
{
    return trace;
}

void scs_message_set(const char *text)
{
    snprintf(message, sizeof message, "%.*s", (int)sizeof message - 1, text);
    replace_control(message);
}

void scs_message_clear(void)
{
    message[0] = trace[0] = '\0';
}

/* What scs_status_name and scs_exit_code say. The codes are those of sysexits.h; scripts and
 * users rely on them (doc, `scscreen --help`). */
static const struct {
    const char *name;
    int exit_code;
} statuses[] = {
    [SCS_OK] = {.name = "ok", .exit_code = 0},
    [SCS_EARG] = {.name = "usage", .exit_code = 64},
    [SCS_EDATA] = {.name = "data", .exit_code = 65},
    [SCS_ENOMEM] = {.name = "memory", .exit_code = 70},
    [SCS_EINTERNAL] = {.name = "internal", .exit_code = 70},
    [SCS_ENUMERIC] = {.name = "numeric", .exit_code = 70},
    [SCS_ECREATE] = {.name = "creation", .exit_code = 73},
    [SCS_EIO] = {.name = "input/output", .exit_code = 74},
    [SCS_ESTOP] = {.name = "stopped", .exit_code = 75},
};

enum { N_STATUS = sizeof statuses / sizeof *statuses };

const char *scs_status_name(scs_status status)
{
    return (unsigned)status < N_STATUS ? statuses[status].name : "unknown status";
}

int scs_exit_code(scs_status status)
{
    return (unsigned)status < N_STATUS ? statuses[status].exit_code : 70;
}

/* Blocks of more than two huge pages lie on them, where the system grants them: rows far apart
 * then cost no page walks. */
enum { HUGE_PAGE = 1 << 21 };

/* Zeroed by memset, not by calloc: pages are then touched by the thread that asked, and huge
 * pages are granted before the first touch. */
void *scs_allocate(int64_t n, uint64_t size)
{
    size_t bytes;
    void *p = NULL;

    if (n < 0 || __builtin_mul_overflow((uint64_t)n, size, &bytes) || bytes > PTRDIFF_MAX)
        return NULL;
    if (posix_memalign(&p, bytes > 2 * HUGE_PAGE ? HUGE_PAGE : 64, bytes ? bytes : 1))
        return NULL;
#ifdef MADV_HUGEPAGE
    if (bytes > 2 * HUGE_PAGE)
        (void)madvise(p, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return memset(p, 0, bytes);
}

/* Not zeroed, not aligned to more than malloc does: for lists that grow. */
void *scs_reallocate(void *old, int64_t n, uint64_t size)
{
    size_t bytes;

    if (n < 0 || __builtin_mul_overflow((uint64_t)n, size, &bytes) || bytes > PTRDIFF_MAX)
        return NULL;
    return realloc(old, bytes ? bytes : 1);
}
