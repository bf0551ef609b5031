/* Checksums of input files, a large one in leaves of which each rank hashes a run: nobody reads a
 * whole file, and what a rank hashes lies mostly where it has read its cells. 16 bytes a leaf of
 * 1 MiB go round. */
#include "mpi/job/input_checksum.h"

#include "mpi/comm/collectives.h"
#include "src/base/file.h"
#include "src/data/h5ad.h"
#include "src/data/tenx_mtx.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Of a small file. Rank 0 reads it. Collective. */
static scs_status hash_whole(scs_comm *comm, const char *path, char *out)
{
    bool leads = scs_comm_rank(comm) == 0;

    SCS_TRY(scs_comm_agree(comm, leads ? scs_checksum_file(path, out) : SCS_OK));
    return scs_comm_broadcast(comm, out, SCS_CHECKSUM_MAX);
}

/* This rank's leaves into their place among all. Local.
 *  @param first [n_rank + 1] bytes of digests before each rank's */
static scs_status hash_mine(scs_comm *comm, const char *path, int64_t size, const int64_t *first,
                            uint8_t *digest)
{
    int64_t at = first[scs_comm_rank(comm)], end = first[scs_comm_rank(comm) + 1];

    return scs_checksum_leaves(path, size, at / SCS_CHECKSUM_DIGEST,
                               (end - at) / SCS_CHECKSUM_DIGEST, digest + at);
}

/* Collective. */
static scs_status hash_leaves(scs_comm *comm, const char *path, int64_t size, char *out)
{
    int64_t n = scs_checksum_n_leaf(size), n_rank = scs_comm_size(comm), *first = NULL;
    uint8_t *digest = NULL;
    scs_status st = SCS_ALLOC(first, n_rank + 1);

    if (st == SCS_OK)
        st = SCS_ALLOC(digest, n * SCS_CHECKSUM_DIGEST);
    for (int64_t r = 0; st == SCS_OK && r <= n_rank; r++)
        first[r] = n * r / n_rank * SCS_CHECKSUM_DIGEST;
    if (st == SCS_OK)
        st = hash_mine(comm, path, size, first, digest);
    SCS_GO(st, scs_comm_agree(comm, st));
    SCS_GO(st, scs_comm_allgather(comm, digest, first));
    scs_checksum_root(size, digest, out);
done:
    free(first);
    free(digest);
    return st;
}

/* @param file without a part's name. Collective. */
static scs_status hash_file(scs_comm *comm, const char *file, char *out)
{
    int64_t size = 0;

    SCS_TRY(
        scs_comm_agree(comm, scs_comm_rank(comm) == 0 ? scs_checksum_size(file, &size) : SCS_OK));
    SCS_TRY(scs_comm_broadcast(comm, &size, sizeof size));
    return size <= SCS_INPUT_CHECKSUM_WHOLE ? hash_whole(comm, file, out)
                                            : hash_leaves(comm, file, size, out);
}

/* "sha256:HEX" of the checksums of a folder's files, a line each. */
static void hash_lines(char one[SCS_TENX_MTX_FILES][SCS_CHECKSUM_MAX], char *out)
{
    char text[SCS_TENX_MTX_FILES * (SCS_CHECKSUM_MAX + 1) + 1] = "";

    for (int i = 0; i < SCS_TENX_MTX_FILES; i++)
        strcat(strcat(text, one[i]), "\n");
    scs_checksum_bytes(text, (int64_t)strlen(text), out);
}

/* Collective. */
static scs_status hash_folder(scs_comm *comm, const char *path, char *out)
{
    char one[SCS_TENX_MTX_FILES][SCS_CHECKSUM_MAX];
    scs_names files = {0};
    scs_status st;

    SCS_GO(st, scs_comm_agree(comm, scs_tenx_mtx_files(path, &files)));
    for (int i = 0; i < SCS_TENX_MTX_FILES; i++)
        SCS_GO(st, hash_file(comm, files.name[i], one[i]));
    hash_lines(one, out);
done:
    scs_names_clear(&files);
    return st;
}

scs_status scs_input_checksum(scs_comm *comm, const char *path, char *out)
{
    const char *part;
    char *file = NULL;
    int32_t folder = scs_comm_rank(comm) == 0 && scs_tenx_mtx_is(path);
    scs_status st;

    SCS_TRY(scs_comm_broadcast(comm, &folder, sizeof folder));
    if (folder)
        return hash_folder(comm, path, out);
    SCS_GO(st, scs_comm_agree(comm, scs_file_split_part(path, &file, &part)));
    SCS_GO(st, hash_file(comm, file, out));
done:
    free(file);
    return st;
}

/* Leaves that are hashed of a large file, spread over it. */
enum { QUICK_LEAVES = 8 };

/* Local. */
static scs_status quick(const char *file, char *out)
{
    uint8_t digest[QUICK_LEAVES * SCS_CHECKSUM_DIGEST];
    char text[SCS_CHECKSUM_MAX + 96];
    struct stat found;
    int64_t size, n, some;

    SCS_TRY(scs_checksum_size(file, &size));
    SCS_REQUIRE(stat(file, &found) == 0, SCS_EDATA, "%s: cannot be read: %s", file,
                strerror(errno));
    n = scs_checksum_n_leaf(size);
    some = n < QUICK_LEAVES ? n : QUICK_LEAVES;
    for (int64_t k = 0; k < some; k++) /* the first and the last among them */
        SCS_TRY(scs_checksum_leaves(file, size, some > 1 ? (n - 1) * k / (some - 1) : 0, 1,
                                    digest + k * SCS_CHECKSUM_DIGEST));
    scs_checksum_bytes(digest, some * SCS_CHECKSUM_DIGEST, out);
    snprintf(text, sizeof text, "%s of %lld bytes, changed at %lld.%09ld", out, (long long)size,
             (long long)found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
    scs_checksum_bytes(text, (int64_t)strlen(text), out);
    return SCS_OK;
}

scs_status scs_input_checksum_quick(const char *path, char *out)
{
    scs_names files = {0};
    scs_status st;

    SCS_GO(st, scs_h5ad_files(path, &files));
    SCS_GO(st, quick(files.name[0], out));
done:
    scs_names_clear(&files);
    return st;
}

/* Checksums of one kind differ where files do. */
static bool same_kind(const char *a, const char *b)
{
    size_t n = strcspn(a, ":");

    return n == strcspn(b, ":") && strncmp(a, b, n) == 0;
}

static bool is_tree(const char *checksum)
{
    return strncmp(checksum, "sha256-tree:", strlen("sha256-tree:")) == 0;
}

/* What was stored of a file before large ones were hashed by XXH3. */
static scs_status hash_as_stored(const char *path, const char *stored, char *out)
{
    char *file = NULL;
    const char *part;
    scs_status st;

    SCS_GO(st, scs_file_split_part(path, &file, &part));
    SCS_GO(st, (is_tree(stored) ? scs_checksum_file_tree : scs_checksum_file)(file, out));
done:
    free(file);
    return st;
}

/* The same of a folder, whose checksum does not say how its files were hashed: large ones always
 * by their leaves. */
static scs_status hash_folder_as_stored(const char *path, char *out)
{
    char one[SCS_TENX_MTX_FILES][SCS_CHECKSUM_MAX];
    scs_names files = {0};
    int64_t size;
    scs_status st;

    SCS_GO(st, scs_tenx_mtx_files(path, &files));
    for (int i = 0; i < SCS_TENX_MTX_FILES; i++) {
        SCS_GO(st, scs_checksum_size(files.name[i], &size));
        SCS_GO(st, (size > SCS_INPUT_CHECKSUM_WHOLE ? scs_checksum_file_tree
                                                    : scs_checksum_file)(files.name[i], one[i]));
    }
    hash_lines(one, out);
done:
    scs_names_clear(&files);
    return st;
}

scs_status scs_input_checksum_compare(const char *path, const char *now, const char *stored,
                                      bool *same)
{
    bool folder = scs_tenx_mtx_is(path);
    char then[SCS_CHECKSUM_MAX];

    *same = strcmp(now, stored) == 0;
    if (*same || (same_kind(now, stored) && !folder))
        return SCS_OK;
    SCS_TRY(folder ? hash_folder_as_stored(path, then) : hash_as_stored(path, stored, then));
    *same = strcmp(then, stored) == 0;
    return SCS_OK;
}
