/* Whatever the child does, the parent goes on, with one line that says what happened. */
#include "src/base/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/base/instrument.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

static const int64_t MEMORY = (int64_t)64 << 20;

static scs_status run(scs_sandbox_fn fn, void *arg, scs_bytes *out)
{
    return scs_sandbox_run("a.h5ad", fn, arg, &(scs_sandbox_limits){.memory = MEMORY}, out);
}

static scs_status sends(void *arg, scs_bytes *out)
{
    for (int64_t i = 0; i < *(int64_t *)arg; i++)
        SCS_TRY(scs_bytes_put_int(out, i));
    return SCS_OK;
}

static void the_result_arrives_whole(void)
{
    static const int64_t sizes[] = {0, 1, 300000};

    for (int i = 0; i < 3; i++) {
        scs_bytes out = {0};
        int64_t n = sizes[i], value = -1;
        CHECK_OK(run(sends, &n, &out));
        CU_ASSERT_EQUAL(out.size, n * (int64_t)sizeof n);
        for (int64_t k = 0; k < n; k++)
            if (scs_bytes_get_int(&out, &value) != SCS_OK || value != k)
                CU_FAIL("the bytes differ");
        scs_bytes_clear(&out);
    }
}

static scs_status changes_memory(void *arg, scs_bytes *out)
{
    (void)out;
    *(int *)arg = 7;
    return SCS_OK;
}

static void the_child_cannot_change_the_parent(void)
{
    scs_bytes out = {0};
    int mine = 1;

    CHECK_OK(run(changes_memory, &mine, &out));
    CU_ASSERT_EQUAL(mine, 1);
    scs_bytes_clear(&out);
}

static scs_status refuses(void *arg, scs_bytes *out)
{
    (void)arg;
    SCS_TRY(scs_bytes_put_int(out, 1));
    return SCS_FAIL(SCS_EDATA, "a.h5ad: obs has no column cell_type");
}

static void a_failure_arrives_with_its_message(void)
{
    scs_bytes out = {0};

    CHECK_FAILS(run(refuses, NULL, &out), SCS_EDATA, "a.h5ad: obs has no column cell_type");
    CU_ASSERT_EQUAL(out.size, 0);
}

/* A sanitizer would report it. */
static scs_status is_killed(void *arg, scs_bytes *out)
{
    (void)out;
    (void)signal(*(int *)arg, SIG_DFL);
    (void)raise(*(int *)arg);
    return SCS_OK;
}

static void a_crash_becomes_a_refusal(void)
{
    static const int signals[] = {SIGKILL, SIGSEGV, SIGABRT, SIGBUS};
    scs_bytes out = {0};

    for (int i = 0; i < 4; i++) {
        int which = signals[i];
        CHECK_FAILS(run(is_killed, &which, &out), SCS_EDATA,
                    "a.h5ad: damaged HDF5 file: the reader crashed on it");
    }
}

static scs_status leaves(void *arg, scs_bytes *out)
{
    (void)arg;
    (void)out;
    _exit(0);
}

static void leaving_without_a_word_becomes_a_refusal(void)
{
    scs_bytes out = {0};

    CHECK_FAILS(run(leaves, NULL, &out), SCS_EDATA, "the reader crashed on it (exit status 0)");
}

static scs_status loops(void *arg, scs_bytes *out)
{
    (void)out;
    for (volatile bool *go = arg; *go;)
        ;
    return SCS_OK;
}

static scs_status sleeps(void *arg, scs_bytes *out)
{
    (void)arg;
    (void)out;
    while (pause() == -1)
        ;
    return SCS_OK;
}

/* Under valgrind as in a sanitizer's build a child has 30 times as long. */
static bool runs_slowly(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return SCS_SANITIZE || (preloaded && strstr(preloaded, "vgpreload"));
}

/* One that works without end, and one that waits for what never comes. */
static void an_endless_child_is_stopped(void)
{
    scs_sandbox_limits busy = {.memory = MEMORY, .processor = 1},
                       idle = {.memory = MEMORY, .still = 1};
    scs_bytes out = {0};
    bool go = true;

    if (!runs_slowly())
        CHECK_FAILS(scs_sandbox_run("a.h5ad", loops, &go, &busy, &out), SCS_EDATA,
                    "took more processor time than a sound file of its size needs");
    CHECK_FAILS(scs_sandbox_run("a.h5ad", sleeps, NULL, &idle, &out), SCS_EDATA,
                "no byte of it could be read for 1 s");
}

/* Use so many seconds of processor time; allowed them first, where *arg is negative. */
static scs_status works(void *arg, scs_bytes *out)
{
    int seconds = *(int *)arg < 0 ? -*(int *)arg : *(int *)arg;

    if (*(int *)arg < 0)
        scs_sandbox_allow((int64_t)(seconds + 1) << 24);
    while (clock() / CLOCKS_PER_SEC < seconds)
        ;
    return scs_bytes_put_int(out, 7);
}

/* By its own processor time, so that a busy machine changes nothing. */
static void what_a_file_declares_is_allowed(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH], *text = calloc(1, 1 << 17);
    scs_sandbox_limits limits = {.memory = MEMORY, .processor = 1, .still = 1};
    scs_bytes out = {0};
    int needs = 3;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, 'x', (1 << 17) - 1);
    scratch_make(folder);
    scratch_write(scratch_path(folder, "a.h5ad", path),
                  text); /* 128 KiB stand for 128 MB at most */
    CHECK_FAILS(scs_sandbox_run(path, works, &needs, &limits, &out), SCS_EDATA,
                "took more processor time");
    needs = -3;
    CHECK_OK(scs_sandbox_run(path, works, &needs, &limits, &out));
    CU_ASSERT(out.size > 0);
    scs_bytes_clear(&out);
    needs = -20; /* more than the file can stand for */
    CHECK_FAILS(scs_sandbox_run(path, works, &needs, &limits, &out), SCS_EDATA,
                "took more processor time");
    scratch_remove(folder);
    free(text);
    scs_sandbox_allow(1); /* without effect outside */
}

static scs_status devours(void *arg, scs_bytes *out)
{
    char *memory;

    (void)arg;
    SCS_TRY(SCS_ALLOC(memory, 4 * MEMORY));
    return scs_bytes_put(out, memory, 4 * MEMORY);
}

/* By its own limit, or (where a sanitizer's memory forbids one) by what the parent takes. */
static void a_devouring_child_is_stopped(void)
{
    scs_bytes out = {0};

    CHECK_FAILS(run(devours, NULL, &out), SCS_EDATA, "needs more than 64 MiB");
    CU_ASSERT_EQUAL(out.size, 0);
}

static scs_status writes_a_file(void *arg, scs_bytes *out)
{
    FILE *file = tmpfile();

    (void)arg;
    SCS_REQUIRE(file, SCS_EIO, "no temporary file");
    return ftruncate(fileno(file), 2 << 20) == 0 ? scs_bytes_put_int(out, 1)
                                                 : SCS_FAIL(SCS_EDATA, "crashed on it");
}

static void the_child_cannot_write_files(void)
{
    scs_bytes out = {0};

    CHECK_FAILS(run(writes_a_file, NULL, &out), SCS_EDATA, "crashed on it");
}

static void no_child_is_left_behind(void)
{
    CU_ASSERT(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

int main(void)
{
    const scs_test tests[] = {
        {"the result arrives whole", the_result_arrives_whole},
        {"the child cannot change the parent", the_child_cannot_change_the_parent},
        {"a failure arrives with its message", a_failure_arrives_with_its_message},
        {"a crash becomes a refusal", a_crash_becomes_a_refusal},
        {"leaving without a word becomes a refusal", leaving_without_a_word_becomes_a_refusal},
        {"an endless child is stopped", an_endless_child_is_stopped},
        {"what a file declares is allowed", runs_slowly() ? NULL : what_a_file_declares_is_allowed},
        {"a devouring child is stopped", a_devouring_child_is_stopped},
        /* which a child that counts its coverage does */
        {"the child cannot write files", SCS_COVERAGE ? NULL : the_child_cannot_write_files},
        {"no child is left behind", no_child_is_left_behind},
    };

    return run_suite("sandbox", tests, sizeof tests / sizeof *tests);
}
