#include "tests/faults/calls.h"

#include "tests/unit/suite.h"

#include <dirent.h>
#include <execinfo.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { N_CALL = 1 << 15, N_LIVE = 1 << 16, DEPTH = 24, TELLING = 4, MOST_RUNS = 20000 };

/* The top of a call stack, TELLING frames: how often it was met in the present run, and the times
 * that have failed before. */
typedef struct seen {
    uint64_t stack;
    int run, met, failed;
} seen;

/* In memory that forked readers share. */
static struct calls {
    pthread_mutex_t lock;
    int kinds, run, failed; /* kinds 0: nothing fails */
    int times;              /* that a call fails */
    void *frame[DEPTH];     /* of the call that failed */
    int depth;
    seen call[N_CALL];
} * calls;

static struct {
    pthread_mutex_t lock;
    void *block[N_LIVE];
    int n;
} live = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- memory that is in use ---- */

static size_t slot_of(const void *p)
{
    size_t at = ((uintptr_t)p >> 4) * 0x9E3779B97F4A7C15u >> 48;

    while (live.block[at % N_LIVE] && live.block[at % N_LIVE] != p)
        at++;
    return at % N_LIVE;
}

void *calls_took(void *p)
{
    if (!p)
        return NULL;
    pthread_mutex_lock(&live.lock);
    if (live.n < N_LIVE / 2) {
        live.block[slot_of(p)] = p;
        live.n++;
    }
    pthread_mutex_unlock(&live.lock);
    return p;
}

/* What stands behind the gap moves up, as linear probing wants it. */
static void close_gap(size_t at)
{
    for (size_t next = (at + 1) % N_LIVE; live.block[next]; next = (next + 1) % N_LIVE) {
        void *p = live.block[next];

        live.block[next] = NULL;
        live.block[slot_of(p)] = p;
    }
}

void calls_gave(void *p)
{
    size_t at;

    if (!p)
        return;
    pthread_mutex_lock(&live.lock);
    at = slot_of(p);
    if (live.block[at]) {
        live.block[at] = NULL;
        live.n--;
        close_gap(at);
    }
    pthread_mutex_unlock(&live.lock);
}

/* ---- handles that are open ---- */

static atomic_int handles;

int64_t calls_opened(int64_t id)
{
    if (id >= 0)
        atomic_fetch_add(&handles, 1);
    return id;
}

int calls_shut(int code)
{
    if (code >= 0)
        atomic_fetch_sub(&handles, 1);
    return code;
}

/* ---- which call fails ---- */

static uint64_t hash_stack(void *const *frame, int n)
{
    uint64_t hash = 1469598103934665603u;

    for (int i = 1; i < n && i <= TELLING; i++) /* 0 is calls_hit */
        hash = (hash ^ (uintptr_t)frame[i]) * 1099511628211u;
    return hash | 1;
}

static seen *find(uint64_t stack)
{
    size_t at = stack >> 32;

    while (calls->call[at % N_CALL].stack && calls->call[at % N_CALL].stack != stack)
        at++;
    return &calls->call[at % N_CALL];
}

static bool is_next(uint64_t stack)
{
    seen *call = find(stack);

    if (call->run != calls->run)
        *call = (seen){stack, calls->run, 0, call->failed};
    call->met++;
    if (calls->failed || call->failed >= calls->times || call->met <= call->failed)
        return false;
    call->failed++;
    calls->failed = 1;
    return true;
}

bool calls_hit(int kind)
{
    void *frame[DEPTH];
    bool hit;
    int n;

    if (!calls || !(calls->kinds & kind))
        return false;
    n = backtrace(frame, DEPTH);
    pthread_mutex_lock(&calls->lock);
    hit = is_next(hash_stack(frame, n));
    if (hit) {
        memcpy(calls->frame, frame, sizeof frame);
        calls->depth = n;
    }
    pthread_mutex_unlock(&calls->lock);
    return hit;
}

/* ---- the sweep ---- */

static void calls_open(int times)
{
    pthread_mutexattr_t shared;

    calls = mmap(NULL, sizeof *calls, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(calls != MAP_FAILED);
    calls->times = times;
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 30); /* large blocks are used again, which is faster */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&calls->lock, &shared);
}

static void calls_close(void)
{
    munmap(calls, sizeof *calls);
    calls = NULL;
}

typedef struct left {
    int blocks, descriptors, handles;
    unsigned failures; /* of checks */
} left;

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static left what_is_left(void)
{
    return (left){live.n, count_descriptors(), atomic_load(&handles), CU_get_number_of_failures()};
}

static bool is_allowed(int kinds, scs_status st)
{
    if (st == SCS_OK)
        return kinds != CALLS_MEMORY;
    return scs_message()[0] && (kinds != CALLS_MEMORY || st == SCS_ENOMEM || st == SCS_EDATA);
}

static bool check_run(const calls_case *c, int kinds, scs_status st, left before)
{
    left after = what_is_left();
    bool clean = after.blocks == before.blocks && after.descriptors == before.descriptors &&
                 after.handles == before.handles;

    if (clean && is_allowed(kinds, st) && CU_get_number_of_failures() == before.failures)
        return true;
    fprintf(stderr, "\n    %s: status %s \"%s\"; left: %d blocks, %d descriptors, %d handles\n%s\n",
            c->name, scs_status_name(st), scs_message(), after.blocks - before.blocks,
            after.descriptors - before.descriptors, after.handles - before.handles, scs_trace());
    backtrace_symbols_fd(calls->frame, calls->depth, STDERR_FILENO); /* for addr2line */
    return false;
}

static scs_status run_whole(const calls_case *c, void *arg)
{
    scs_status st = c->call(arg);

    if (c->after)
        c->after(arg, st);
    return st;
}

/* One run; whether a call failed in it. */
static bool run(int kinds, const calls_case *c, void *arg, bool *good)
{
    left before = what_is_left();
    scs_status st;

    scs_message_clear();
    calls->run++;
    calls->failed = 0;
    calls->kinds = kinds;
    st = c->call(arg);
    calls->kinds = 0;
    if (c->after)
        c->after(arg, st);
    *good = calls->failed ? check_run(c, kinds, st, before) : st == SCS_OK;
    return calls->failed;
}

int calls_sweep(int kinds, const calls_case *c, void *arg)
{
    int n = 0, bad = 0;
    bool good = true;

    CHECK_OK(run_whole(c, arg)); /* what libraries keep for good is made here */
    calls_open(kinds == CALLS_MEMORY ? 2 : 1);
    while (n < MOST_RUNS && bad < 10 && run(kinds, c, arg, &good)) {
        bad += !good;
        n++;
    }
    CU_ASSERT(good);
    CU_ASSERT_EQUAL(bad, 0);
    CU_ASSERT(n < MOST_RUNS);
    calls_close();
    return n;
}

void calls_sweep_all(const calls_case *c, void *arg)
{
    int memory = calls_sweep(CALLS_MEMORY, c, arg);
    int others = calls_sweep(CALLS_SYSTEM, c, arg), hdf5 = calls_sweep(CALLS_HDF5, c, arg);

    CU_ASSERT(memory + others + hdf5 > 0);
    printf("%s: %d allocations, %d system calls, %d HDF5 calls failed\n", c->name, memory, others,
           hdf5);
}
