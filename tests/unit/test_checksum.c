/* Checksums are SHA-256 and XXH3-128, whatever instructions make them, of whole files and of their
 * leaves. */
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

/* "sha256-tree:HEX" of a file of write_bytes, by libmd alone. */
static void tree_of(int64_t size, char *out)
{
    static uint8_t leaf[SCS_CHECKSUM_LEAF];
    uint8_t digest[SHA256_DIGEST_LENGTH], length[8];
    char hex[SHA256_DIGEST_STRING_LENGTH];
    SHA2_CTX root, sha;

    SHA256Init(&root);
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)(size >> 8 * i);
    SHA256Update(&root, length, sizeof length);
    for (int64_t at = 0; at < size; at += SCS_CHECKSUM_LEAF) {
        size_t n = (size_t)(size - at < SCS_CHECKSUM_LEAF ? size - at : SCS_CHECKSUM_LEAF);

        for (size_t k = 0; k < n; k++)
            leaf[k] = (uint8_t)((at + (int64_t)k) % 251);
        SHA256Init(&sha);
        SHA256Update(&sha, leaf, n);
        SHA256Final(digest, &sha);
        SHA256Update(&root, digest, sizeof digest);
    }
    SHA256End(&root, hex);
    snprintf(out, SCS_CHECKSUM_MAX, "sha256-tree:%s", hex);
}

static const int64_t sizes[] = {0,
                                1,
                                SCS_CHECKSUM_LEAF,
                                2 * SCS_CHECKSUM_LEAF + 1,
                                5 * SCS_CHECKSUM_LEAF - 1,
                                18 * SCS_CHECKSUM_LEAF + 1};
enum { N_SIZE = sizeof sizes / sizeof *sizes };

/* Of files of write_bytes, by another implementation: Python's xxhash 4.1.0,
 * xxh3_128(b"".join(xxh3_128(leaf).digest() for leaf in leaves), seed=size).hexdigest() */
static const char *const xxh3_trees[N_SIZE] = {
    "xxh3-tree:99aa06d3014798d86001c324468d497f", "xxh3-tree:9dd3724f5a90063813fbf97d8707b52b",
    "xxh3-tree:297a5b623c792de25a3e9456248e03fa", "xxh3-tree:f0dea77083f4170c81d3bf3d2620c78a",
    "xxh3-tree:a23ab5f562f5a7fda5c742cd7e1dcc53", "xxh3-tree:3264e9567c8cc156a8f5612b5365b366"};

/* Whoever hashes which leaves, all at once or one by one; whole ones, and a last one of a byte. */
static void a_tree_of_leaves_is_that_of_another_implementation(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH], got[SCS_CHECKSUM_MAX];
    uint8_t digest[19 * SCS_CHECKSUM_DIGEST];

    scratch_make(folder);
    scratch_path(folder, "a", path);
    for (int i = 0; i < N_SIZE; i++) {
        int64_t n = scs_checksum_n_leaf(sizes[i]), size;

        write_bytes(path, sizes[i]);
        CHECK_OK(scs_checksum_size(path, &size));
        CU_ASSERT_EQUAL(size, sizes[i]);
        CHECK_OK(scs_checksum_leaves(path, size, 0, n, digest));
        scs_checksum_root(size, digest, got);
        CU_ASSERT_STRING_EQUAL(got, xxh3_trees[i]);
        memset(digest, 0, sizeof digest);
        for (int64_t leaf = 0; leaf < n; leaf++)
            CHECK_OK(scs_checksum_leaves(path, size, leaf, 1, digest + leaf * SCS_CHECKSUM_DIGEST));
        scs_checksum_root(size, digest, got);
        CU_ASSERT_STRING_EQUAL(got, xxh3_trees[i]);
    }
    scratch_remove(folder);
}

/* Which models of earlier versions hold. */
static void an_earlier_tree_is_that_of_another_implementation(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    char got[SCS_CHECKSUM_MAX], expected[SCS_CHECKSUM_MAX];

    scratch_make(folder);
    scratch_path(folder, "a", path);
    for (int i = 0; i < N_SIZE; i++) {
        write_bytes(path, sizes[i]);
        tree_of(sizes[i], expected);
        CHECK_OK(scs_checksum_file_tree(path, got));
        CU_ASSERT_STRING_EQUAL(got, expected);
    }
    scratch_remove(folder);
}

static void a_missing_or_shorter_file_is_named(void)
{
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    char sum[SCS_CHECKSUM_MAX];
    uint8_t digest[2 * SCS_CHECKSUM_DIGEST];
    int64_t size;

    scratch_make(folder);
    scratch_path(folder, "a", path);
    CHECK_FAILS(scs_checksum_size(path, &size), SCS_EDATA, "a: cannot be read");
    CHECK_FAILS(scs_checksum_leaves(path, 1, 0, 1, digest), SCS_EDATA, "a: cannot be read");
    CHECK_FAILS(scs_checksum_file_tree(path, sum), SCS_EDATA, "a: cannot be read");
    write_bytes(path, 100);
    CHECK_FAILS(scs_checksum_leaves(path, 2 * SCS_CHECKSUM_LEAF, 0, 2, digest), SCS_EDATA,
                "a: cannot be read: the file became shorter");
    scratch_remove(folder);
}

int main(void)
{
    static const scs_test tests[] = {
        {"all lengths are those of another implementation",
         all_lengths_are_those_of_another_implementation},
        {"published examples", published_examples},
        {"a tree of leaves is that of another implementation",
         a_tree_of_leaves_is_that_of_another_implementation},
        {"an earlier tree is that of another implementation",
         an_earlier_tree_is_that_of_another_implementation},
        {"a missing or shorter file is named", a_missing_or_shorter_file_is_named},
    };

    return run_suite("checksum", tests, sizeof tests / sizeof *tests);
}
