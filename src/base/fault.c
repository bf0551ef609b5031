/* Part of test builds only. */
#include "src/base/fault.h"

#include "src/base/random.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* What is known of a place in the source: nothing yet; that calls there are the rank's own; that
 * ranks communicate there. */
enum { SCS_SITE_NEW, SCS_SITE_LOCAL, SCS_SITE_COLLECTIVE };

static struct {
    int64_t every, seed;
    int32_t rank, n_rank;
    atomic_llong call, fault;
    atomic_flag writing; /* of `last` */
    char last[256];
} state = {.n_rank = 1, .writing = ATOMIC_FLAG_INIT};
/* Of each thread: what one sends makes no collective of what another does meanwhile. */
static _Thread_local int64_t heard;

void scs_fault_open(int64_t every, int64_t seed, int32_t rank, int32_t n_rank)
{
    state.every = every;
    state.seed = seed;
    state.rank = rank;
    state.n_rank = n_rank;
    state.call = state.fault = 0;
    state.last[0] = '\0';
}

int64_t scs_fault_count(void)
{
    return state.fault;
}

const char *scs_fault_last(void)
{
    return state.last;
}

int64_t scs_fault_heard(void)
{
    return heard;
}

scs_status scs_collective_ok(void)
{
    heard++;
    return SCS_OK;
}

/* Random words of a call; call 0 chooses the rank. */
static void draw(int64_t call, uint32_t word[4])
{
    scs_stream stream = {.seed = (uint64_t)state.seed, .purpose = UINT32_MAX};

    stream.cell = (uint64_t)call;
    scs_random_block(&stream, 0, word);
}

static int is_mine(void)
{
    uint32_t word[4];

    draw(0, word);
    return (int32_t)(word[0] % (uint32_t)state.n_rank) == state.rank;
}

void scs_fault_learn(scs_site *site, int64_t before)
{
    if (heard != before)
        site->kind = SCS_SITE_COLLECTIVE;
    else if (site->kind == SCS_SITE_NEW)
        site->kind = SCS_SITE_LOCAL;
}

/* How often it was called since the seed was set, now included. */
static int64_t count_call(scs_site *site)
{
    if (site->seed != state.seed) {
        site->seed = state.seed;
        site->calls = 0;
    }
    return ++site->calls;
}

static void note_last(const char *file, int line, const char *what)
{
    while (atomic_flag_test_and_set(&state.writing)) {
    }
    snprintf(state.last, sizeof state.last, "%s:%d: %s", strrchr(file, '/') + 1, line, what);
    atomic_flag_clear(&state.writing);
}

scs_status scs_fault(scs_site *site, const char *file, int line, const char *what)
{
    static const scs_status kinds[] = {SCS_EARG,      SCS_EDATA,   SCS_ENOMEM,
                                       SCS_EINTERNAL, SCS_ECREATE, SCS_EIO};
    uint32_t word[4];

    if (site->kind != SCS_SITE_LOCAL || !strchr(what, '(') || state.every <= 0 || !is_mine())
        return SCS_OK;
    draw(++state.call, word);
    if (((uint64_t)word[3] << 32 | word[0]) % (uint64_t)(state.every * count_call(site)) != 0)
        return SCS_OK;
    state.fault++;
    note_last(file, line, what);
    return scs_fail(kinds[word[1] % (sizeof kinds / sizeof *kinds)], file, line, "fault in %.80s",
                    what);
}

scs_status scs_collective_mine(scs_status mine)
{
    static scs_site site = {.kind = SCS_SITE_LOCAL};

    return mine == SCS_OK ? scs_fault(&site, __FILE__, __LINE__, "scs_comm_agree()") : mine;
}
