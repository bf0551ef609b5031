/* Checksums of inputs, of which each rank hashes a part, and those that models of earlier versions
 * hold of the same files. */
#include "mpi/job/input_checksum.h"
#include "tests/mpi/mpi_suite.h"
#include "tests/unit/scratch.h"

enum { SMALL = 1000, LARGE = SCS_INPUT_CHECKSUM_WHOLE + 12345 };

/* n bytes of which each depends on its place and on `seed`. */
static void write_bytes(const char *path, int64_t n, int seed)
{
    enum { PERIOD = 251, PIECE = 256 * PERIOD };
    static uint8_t bytes[PIECE];
    FILE *file = fopen(path, "wb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (int i = 0; i < PIECE; i++)
        bytes[i] = (uint8_t)((i + seed) % PERIOD);
    for (int64_t at = 0; at < n; at += PIECE)
        fwrite(bytes, (size_t)(n - at < PIECE ? n - at : PIECE), 1, file);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

/* One folder for all ranks. */
static void make_folder(scs_comm *comm, char folder[SCRATCH_PATH])
{
    if (scs_comm_rank(comm) == 0)
        scratch_make(folder);
    CHECK_OK(scs_comm_broadcast(comm, folder, SCRATCH_PATH));
}

/* Rank 0 writes when all have read what stood there; the others go on when it has. */
static void make_file(scs_comm *comm, const char *path, int64_t n, int seed)
{
    CHECK_OK(scs_comm_agree(comm, SCS_OK));
    if (scs_comm_rank(comm) == 0)
        write_bytes(path, n, seed);
    CHECK_OK(scs_comm_agree(comm, SCS_OK));
}

static void remove_folder(scs_comm *comm, const char *folder)
{
    CHECK_OK(scs_comm_agree(comm, SCS_OK));
    if (scs_comm_rank(comm) == 0)
        scratch_remove(folder);
}

static bool is_of_kind(const char *checksum, const char *kind)
{
    return strncmp(checksum, kind, strlen(kind)) == 0;
}

/* Rank 0 compares, as in the program. */
static bool same(scs_comm *comm, const char *path, const char *now, const char *stored)
{
    bool is = false;

    if (scs_comm_rank(comm) == 0)
        CHECK_OK(scs_input_checksum_compare(path, now, stored, &is));
    CHECK_OK(scs_comm_broadcast(comm, &is, sizeof is));
    return is;
}

/* The checksum of `path` counts as the same, until the file changes in its last byte. */
static void check_stored(scs_comm *comm, const char *path, int64_t n, const char *stored)
{
    char now[SCS_CHECKSUM_MAX];

    CHECK_OK(scs_input_checksum(comm, path, now));
    CU_ASSERT_TRUE(same(comm, path, now, stored));
    make_file(comm, path, n, 1);
    CHECK_OK(scs_input_checksum(comm, path, now));
    CU_ASSERT_FALSE(same(comm, path, now, stored));
    make_file(comm, path, n, 0);
}

/* Of a whole file as of its leaves by one process. */
static void all_ranks_make_the_checksum_of_one(void)
{
    scs_comm *comm = open_world();
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    char got[SCS_CHECKSUM_MAX], expected[SCS_CHECKSUM_MAX];
    uint8_t digest[(LARGE / SCS_CHECKSUM_LEAF + 1) * SCS_CHECKSUM_DIGEST];

    make_folder(comm, folder);
    scratch_path(folder, "a", path);
    make_file(comm, path, SMALL, 0);
    CHECK_OK(scs_checksum_file(path, expected));
    CHECK_OK(scs_input_checksum(comm, path, got));
    CU_ASSERT_STRING_EQUAL(got, expected);
    make_file(comm, path, LARGE, 0);
    CHECK_OK(scs_checksum_leaves(path, LARGE, 0, scs_checksum_n_leaf(LARGE), digest));
    scs_checksum_root(LARGE, digest, expected);
    CHECK_OK(scs_input_checksum(comm, path, got));
    CU_ASSERT_STRING_EQUAL(got, expected);
    CU_ASSERT_TRUE(is_of_kind(got, "xxh3-tree:"));
    remove_folder(comm, folder);
    scs_comm_destroy(&comm);
}

static void a_large_file_is_known_by_every_checksum_that_it_ever_had(void)
{
    scs_comm *comm = open_world();
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH];
    char now[SCS_CHECKSUM_MAX], whole[SCS_CHECKSUM_MAX], tree[SCS_CHECKSUM_MAX];

    make_folder(comm, folder);
    scratch_path(folder, "a", path);
    make_file(comm, path, LARGE, 0);
    CHECK_OK(scs_input_checksum(comm, path, now));
    CHECK_OK(scs_checksum_file(path, whole));
    CHECK_OK(scs_checksum_file_tree(path, tree));
    CU_ASSERT_TRUE(is_of_kind(whole, "sha256:") && is_of_kind(tree, "sha256-tree:"));
    check_stored(comm, path, LARGE, now);
    check_stored(comm, path, LARGE, whole);
    check_stored(comm, path, LARGE, tree);
    CU_ASSERT_FALSE(same(comm, path, now, "sha256:0"));
    CU_ASSERT_FALSE(same(comm, path, now, "sha256-tree:0"));
    remove_folder(comm, folder);
    scs_comm_destroy(&comm);
}

/* Of more than 2 GiB, all but its begin a hole; its checksum also by Python's hashlib. */
static void the_ends_of_a_very_large_file_are_compared(void)
{
    static const char by_hashlib[] =
        "sha256-ends:4a4431dae6864e67e6947cbd03b9be37d123305f7998760af625860dc9a7488a";
    const int64_t size = ((int64_t)2 << 30) + 1;
    scs_comm *comm = open_world();
    char folder[SCRATCH_PATH], path[2 * SCRATCH_PATH], ends[SCS_CHECKSUM_MAX] = "";

    make_folder(comm, folder);
    make_file(comm, scratch_path(folder, "a", path), SMALL, 0);
    if (scs_comm_rank(comm) == 0) {
        CU_ASSERT_EQUAL(truncate(path, size), 0);
        CHECK_OK(scs_checksum_file(path, ends));
        CU_ASSERT_TRUE(__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || strcmp(ends, by_hashlib) == 0);
    }
    CU_ASSERT_TRUE(same(comm, path, "xxh3-tree:0", ends));
    if (scs_comm_rank(comm) == 0)
        CU_ASSERT_EQUAL(truncate(path, size + 1), 0);
    CU_ASSERT_FALSE(same(comm, path, "xxh3-tree:0", ends));
    remove_folder(comm, folder);
    scs_comm_destroy(&comm);
}

/* The earlier checksum of a 10x folder: that of its files' checksums, a line each. */
static void earlier_of_folder(char path[3][2 * SCRATCH_PATH], char *out)
{
    char text[4 * SCS_CHECKSUM_MAX] = "", one[SCS_CHECKSUM_MAX];

    CHECK_OK(scs_checksum_file_tree(path[0], one));
    strcat(strcat(text, one), "\n");
    for (int i = 1; i < 3; i++) {
        CHECK_OK(scs_checksum_file(path[i], one));
        strcat(strcat(text, one), "\n");
    }
    scs_checksum_bytes(text, (int64_t)strlen(text), out);
}

static void a_folder_is_known_by_both_its_checksums(void)
{
    static const char *const names[3] = {"matrix.mtx", "barcodes.tsv", "features.tsv"};
    scs_comm *comm = open_world();
    char folder[SCRATCH_PATH], path[3][2 * SCRATCH_PATH];
    char now[SCS_CHECKSUM_MAX], earlier[SCS_CHECKSUM_MAX], changed[SCS_CHECKSUM_MAX];

    make_folder(comm, folder);
    for (int i = 0; i < 3; i++)
        make_file(comm, scratch_path(folder, names[i], path[i]), i == 0 ? LARGE : SMALL, 0);
    CHECK_OK(scs_input_checksum(comm, folder, now));
    earlier_of_folder(path, earlier);
    CU_ASSERT_STRING_NOT_EQUAL(now, earlier);
    CU_ASSERT_TRUE(same(comm, folder, now, now) && same(comm, folder, now, earlier));
    make_file(comm, path[2], SMALL, 1);
    CHECK_OK(scs_input_checksum(comm, folder, changed));
    CU_ASSERT_FALSE(same(comm, folder, changed, now) || same(comm, folder, changed, earlier));
    remove_folder(comm, folder);
    scs_comm_destroy(&comm);
}

int main(int argc, char **argv)
{
    static const scs_test tests[] = {
        {"all ranks make the checksum of one", all_ranks_make_the_checksum_of_one},
        {"a large file is known by every checksum that it ever had",
         a_large_file_is_known_by_every_checksum_that_it_ever_had},
        {"the ends of a very large file are compared", the_ends_of_a_very_large_file_are_compared},
        {"a folder is known by both its checksums", a_folder_is_known_by_both_its_checksums},
    };

    return run_mpi_suite("checksum_ranks", tests, sizeof tests / sizeof *tests, &argc, &argv);
}
