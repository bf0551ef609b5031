/* Whatever the child does, the parent goes on, with one line that says what happened. */
#include "src/base/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/instrument.h"
#include "tests/unit/suite.h"

static const int64_t MEMORY = (int64_t)64 << 20;

static scs_status run(scs_sandbox_fn fn, void *arg, scs_bytes *out)
{
    return scs_sandbox_run("a.h5ad", fn, arg, MEMORY, 20, out);
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

static scs_status is_killed(void *arg, scs_bytes *out)
{
    (void)out;
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

static void an_endless_child_is_stopped(void)
{
    scs_bytes out = {0};
    bool go = true;

    CHECK_FAILS(scs_sandbox_run("a.h5ad", loops, &go, MEMORY, 1, &out), SCS_EDATA,
                "took more than 1 s");
    CHECK_FAILS(scs_sandbox_run("a.h5ad", sleeps, NULL, MEMORY, 1, &out), SCS_EDATA,
                "took more than 1 s");
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
    (void)fputs("text", file);
    return fflush(file) == 0 ? scs_bytes_put_int(out, 1) : SCS_FAIL(SCS_EDATA, "crashed on it");
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
    static const scs_test tests[] = {
        {"the result arrives whole", the_result_arrives_whole},
        {"the child cannot change the parent", the_child_cannot_change_the_parent},
        {"a failure arrives with its message", a_failure_arrives_with_its_message},
        {"a crash becomes a refusal", a_crash_becomes_a_refusal},
        {"leaving without a word becomes a refusal", leaving_without_a_word_becomes_a_refusal},
        {"an endless child is stopped", an_endless_child_is_stopped},
        {"a devouring child is stopped", a_devouring_child_is_stopped},
        /* which a child that counts its coverage does */
        {"the child cannot write files", SCS_COVERAGE ? NULL : the_child_cannot_write_files},
        {"no child is left behind", no_child_is_left_behind},
    };

    return run_suite("sandbox", tests, sizeof tests / sizeof *tests);
}
