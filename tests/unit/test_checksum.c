/* Checksums are SHA-256, whatever instructions make them, and of several files in their order. */
#include "src/base/checksum.h"

#include <sha2.h>
#include <string.h>

#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

enum { MOST = 400 };

static void all_lengths_are_those_of_another_implementation(void)
{
    uint8_t bytes[MOST];
    char got[SCS_CHECKSUM_MAX], hex[SHA256_DIGEST_STRING_LENGTH], expected[SCS_CHECKSUM_MAX];

    for (int i = 0; i < MOST; i++)
        bytes[i] = (uint8_t)(i * i + 7 * i);
    for (int n = 0; n <= MOST; n++) {
        scs_checksum_bytes(bytes, n, got);
        SHA256Data(bytes, (size_t)n, hex);
        snprintf(expected, sizeof expected, "sha256:%s", hex);
        CU_ASSERT_STRING_EQUAL(got, expected);
    }
}

/* FIPS 180-2, appendix B. */
static void published_examples(void)
{
    static char million[1000000];
    char got[SCS_CHECKSUM_MAX];

    memset(million, 'a', sizeof million);
    scs_checksum_bytes("abc", 3, got);
    CU_ASSERT_STRING_EQUAL(
        got, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    scs_checksum_bytes(million, sizeof million, got);
    CU_ASSERT_STRING_EQUAL(
        got, "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void write_bytes(const char *path, int64_t n)
{
    FILE *file = fopen(path, "wb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (int64_t i = 0; i < n; i++)
        fputc((int)(i % 251), file);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void files_are_hashed_beside_in_their_order(void)
{
    static const int64_t sizes[] = {700001, 0, 100};
    char folder[SCRATCH_PATH], paths[3][2 * SCRATCH_PATH], one[SCS_CHECKSUM_MAX];
    const char *path[3];
    scs_checksum_task *task;
    scs_names all = {0};

    scratch_make(folder);
    for (int i = 0; i < 3; i++) {
        path[i] = scratch_path(folder, (const char *[]){"a", "b", "c"}[i], paths[i]);
        write_bytes(path[i], sizes[i]);
    }
    CHECK_OK(scs_checksum_start(path, 3, &task));
    CHECK_OK(scs_checksum_wait(&task, &all));
    CU_ASSERT_PTR_NULL(task);
    CU_ASSERT_EQUAL_FATAL(all.n, 3);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(scs_checksum_file(path[i], one));
        CU_ASSERT_STRING_EQUAL(all.name[i], one);
    }
    scs_names_clear(&all);
    scratch_remove(folder);
}

static void a_missing_file_is_named(void)
{
    const char *path[] = {"/nonexistent.h5ad"};
    scs_checksum_task *task;
    scs_names all = {0};

    CHECK_OK(scs_checksum_start(path, 1, &task));
    CHECK_FAILS(scs_checksum_wait(&task, &all), SCS_EDATA, "/nonexistent.h5ad: cannot be read");
    CU_ASSERT_PTR_NULL(task);
    scs_names_clear(&all);
}

static void one_that_is_stopped_leaves_nothing(void)
{
    const char *path[] = {"/dev/null"};
    scs_checksum_task *task;

    CHECK_OK(scs_checksum_start(path, 1, &task));
    scs_checksum_stop(&task);
    CU_ASSERT_PTR_NULL(task);
    scs_checksum_stop(&task);
}

int main(void)
{
    static const scs_test tests[] = {
        {"all lengths are those of another implementation",
         all_lengths_are_those_of_another_implementation},
        {"published examples", published_examples},
        {"files are hashed beside, in their order", files_are_hashed_beside_in_their_order},
        {"a missing file is named", a_missing_file_is_named},
        {"one that is stopped leaves nothing", one_that_is_stopped_leaves_nothing},
    };

    return run_suite("checksum", tests, sizeof tests / sizeof *tests);
}
