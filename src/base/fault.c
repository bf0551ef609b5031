/** Faults on demand (src/base/fault.h says which calls fail). Part of test builds only. */
#include "src/base/fault.h"

#include "src/base/random.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* What a place in the source is: not called yet; one whose calls are the rank's own affair; one
 * where ranks communicate. */
enum { SITE_NEW, SITE_LOCAL, SITE_COLLECTIVE };

/* One for the process. Written by scs_fault_open alone, but for the counters and `last`. */
static struct {
    int64_t every, seed;
    int32_t rank, n_rank;
    atomic_llong n_call, n_fault;
    atomic_flag writing; /* of `last` */
    char last[256];
} state = {.n_rank = 1, .writing = ATOMIC_FLAG_INIT};
/* Collective calls of this thread. Each thread has its own: what one sends makes no collective of
 * what another does meanwhile. */
static _Thread_local int64_t n_collective;

/* Counting begins anew, so that the same seed gives the same faults. */
void scs_fault_open(int64_t every, int64_t seed, int32_t rank, int32_t n_rank)
{
    state.every = every;
    state.seed = seed;
    state.rank = rank;
    state.n_rank = n_rank;
    state.n_call = state.n_fault = 0;
    state.last[0] = '\0';
}

int64_t scs_fault_count(void)
{
    return state.n_fault;
}

const char *scs_fault_last(void)
{
    return state.last;
}

int64_t scs_fault_collectives(void)
{
    return n_collective;
}

scs_status scs_collective_ok(void)
{
    n_collective++;
    return SCS_OK;
}

/* Random words of call number `call`; call 0 chooses the rank. The purpose is none of
 * scs_purpose. */
static void draw(int64_t call, uint32_t word[4])
{
    scs_stream stream = {.seed = (uint64_t)state.seed, .purpose = UINT32_MAX};

    stream.cell = (uint64_t)call;
    scs_random_block(&stream, 0, word);
}

/* Whether the seed chose this rank. */
static int is_mine(void)
{
    uint32_t word[4];

    draw(0, word);
    return (int32_t)(word[0] % (uint32_t)state.n_rank) == state.rank;
}

void scs_fault_classify(scs_site *site, int64_t before)
{
    if (n_collective != before)
        site->kind = SITE_COLLECTIVE;
    else if (site->kind == SITE_NEW)
        site->kind = SITE_LOCAL;
}

/* How often the place was called since the seed was set, this time included. Two threads may
 * lose a call to each other: which calls fail with several threads is open anyway. */
static int64_t count_call(scs_site *site)
{
    if (site->seed != state.seed) {
        site->seed = state.seed;
        site->calls = 0;
    }
    return ++site->calls;
}

/* Threads that fail at once must not mix their texts: a spin lock, held for one snprintf. */
static void note_last(const char *file, int line, const char *what)
{
    while (atomic_flag_test_and_set(&state.writing)) {
    }
    snprintf(state.last, sizeof state.last, "%s:%d: %s", strrchr(file, '/') + 1, line, what);
    atomic_flag_clear(&state.writing);
}

/* An argument of SCS_TRY without a call in it is a variable or an expression that already has
 * its status: failing it would lose the message of the call that set it. */
scs_status scs_fault(scs_site *site, const char *file, int line, const char *what)
{
    static const scs_status kinds[] = {SCS_EARG,      SCS_EDATA,   SCS_ENOMEM,
                                       SCS_EINTERNAL, SCS_ECREATE, SCS_EIO};
    uint32_t word[4];

    if (site->kind != SITE_LOCAL || !strchr(what, '(') || state.every <= 0 || !is_mine())
        return SCS_OK;
    draw(++state.n_call, word);
    if (((uint64_t)word[3] << 32 | word[0]) % (uint64_t)(state.every * count_call(site)) != 0)
        return SCS_OK;
    state.n_fault++;
    note_last(file, line, what);
    return scs_fail(kinds[word[1] % (sizeof kinds / sizeof *kinds)], file, line, "fault in %.80s",
                    what);
}

/* The place counts as local from the start, although it stands within a collective call: this
 * fault is the one that all ranks then agree on. */
scs_status scs_collective_mine(scs_status mine)
{
    static scs_site site = {.kind = SITE_LOCAL};

    return mine == SCS_OK ? scs_fault(&site, __FILE__, __LINE__, "scs_comm_agree()") : mine;
}
