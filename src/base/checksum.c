/** Checksums of memory, of files, and within files (src/base/checksum.h). libmd's SHA-256, over
 *  pieces that pread takes, so that two checks of a file do not disturb each other's position.
 */
#include "src/base/checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that are read at once. */
enum { PIECE = 1 << 20 };

/* "KIND:HEX" into out [SCS_CHECKSUM_MAX]; the context is used up. */
static void finish(SHA2_CTX *sha, const char *kind, char *out)
{
    char hex[SHA256_DIGEST_STRING_LENGTH];

    SHA256End(sha, hex);
    snprintf(out, SCS_CHECKSUM_MAX, "%s:%s", kind, hex);
}

void scs_checksum_bytes(const void *bytes, int64_t size, char *out)
{
    SHA2_CTX sha;

    SHA256Init(&sha);
    SHA256Update(&sha, bytes, (size_t)size);
    finish(&sha, "sha256", out);
}

/* Add bytes [first, last) of the file. Its end before `last` is a failure: the size was asked
 * for a moment ago.
 * @param piece [PIECE] scratch */
static scs_status add_range(SHA2_CTX *sha, int fd, int64_t first, int64_t last, uint8_t *piece)
{
    while (first < last) {
        int64_t want = last - first < PIECE ? last - first : PIECE;
        ssize_t got = pread(fd, piece, (size_t)want, first);

        if (got < 0 && errno == EINTR)
            continue;
        SCS_REQUIRE(got > 0, SCS_EDATA, "%s", got ? strerror(errno) : "the file became shorter");
        SHA256Update(sha, piece, (size_t)got);
        first += got;
    }
    return SCS_OK;
}

/* "sha256:HEX" of bytes [first, last) of an open file.
 * @param[out] out [SCS_CHECKSUM_MAX]
 * @return SCS_OK, SCS_EDATA with the reason, SCS_ENOMEM */
static scs_status checksum_part(int fd, int64_t first, int64_t last, char *out)
{
    uint8_t *piece;
    SHA2_CTX sha;
    scs_status status;

    SCS_TRY(SCS_ALLOC(piece, PIECE));
    SHA256Init(&sha);
    status = add_range(&sha, fd, first, last, piece);
    free(piece);
    SCS_TRY(status);
    finish(&sha, "sha256", out);
    return SCS_OK;
}

/* Files larger than `whole_limit` are not read whole, but at `end_size` bytes of both ends. */
static const int64_t whole_limit = (int64_t)2 << 30, end_size = (int64_t)64 << 20;

/* All bytes of a file, or the size and both ends of a large one.
 * @param[out] kind what the text of the checksum begins with; a constant */
static scs_status add_file(SHA2_CTX *sha, int fd, const char **kind)
{
    struct stat st;
    uint8_t *piece;
    scs_status status;

    SCS_REQUIRE(fstat(fd, &st) == 0, SCS_EDATA, "%s", strerror(errno));
    SCS_TRY(SCS_ALLOC(piece, PIECE));
    if (st.st_size <= whole_limit) {
        *kind = "sha256";
        SCS_GO(status, add_range(sha, fd, 0, st.st_size, piece));
    } else {
        *kind = "sha256-ends";
        SHA256Update(sha, (const uint8_t *)&st.st_size, sizeof st.st_size);
        SCS_GO(status, add_range(sha, fd, 0, end_size, piece));
        SCS_GO(status, add_range(sha, fd, st.st_size - end_size, st.st_size, piece));
    }
done:
    free(piece);
    return status;
}

scs_status scs_checksum_file(const char *path, char *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const char *kind = NULL;
    SHA2_CTX sha;
    scs_status status;

    SCS_REQUIRE(fd >= 0, SCS_EDATA, "%s: cannot be read: %s", path, strerror(errno));
    SHA256Init(&sha);
    status = add_file(&sha, fd, &kind);
    close(fd);
    if (status != SCS_OK)
        return scs_context(status, "%s: cannot be read: ", path);
    finish(&sha, kind, out);
    return SCS_OK;
}

/* ---- the checksum within a file ---- */

/* How the block of a file of ours begins. These words are part of the format: they stay as they
 * are. */
static const char magic[] = "scscreen sealed file\n";

/* What an HDF5 file begins with, there or behind its user block. */
static const char hdf5_signature[8] = "\211HDF\r\n\032\n";

/* The block that belongs to what the file holds now. A file that cannot be read is SCS_EIO here:
 * it is one that we write, not somebody's data.
 * @param[out] block [SCS_CHECKSUM_BLOCK] */
static scs_status make_block(int fd, const char *path, char *block)
{
    char sum[SCS_CHECKSUM_MAX];
    struct stat info;
    scs_status st;

    SCS_REQUIRE(fstat(fd, &info) == 0, SCS_EIO, "%s: %s", path, strerror(errno));
    st = checksum_part(fd, SCS_CHECKSUM_BLOCK, info.st_size, sum);
    if (st != SCS_OK)
        return scs_context(st == SCS_ENOMEM ? st : SCS_EIO, "%s: ", path);
    memset(block, 0, SCS_CHECKSUM_BLOCK);
    snprintf(block, SCS_CHECKSUM_BLOCK,
             "%s%s\nof %lld bytes from byte %d on; open it with any HDF5 reader\n", magic, sum,
             (long long)info.st_size - SCS_CHECKSUM_BLOCK, SCS_CHECKSUM_BLOCK);
    return SCS_OK;
}

/* In one write of 512 bytes. It is not synced here: the commit of the file does that
 * (src/base/file.h). */
scs_status scs_checksum_file_write(const char *path)
{
    char block[SCS_CHECKSUM_BLOCK];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    scs_status st;

    SCS_REQUIRE(fd >= 0, SCS_EIO, "%s: its checksum cannot be written: %s", path, strerror(errno));
    st = make_block(fd, path, block);
    if (st == SCS_OK && pwrite(fd, block, sizeof block, 0) != (ssize_t)sizeof block)
        st = SCS_FAIL(SCS_EIO, "%s: its checksum cannot be written: %s", path, strerror(errno));
    if (close(fd) != 0 && st == SCS_OK)
        st = SCS_FAIL(SCS_EIO, "%s: its checksum cannot be written: %s", path, strerror(errno));
    return st;
}

/* Where the damage is cannot be told, nor whether HDF5 would have noticed. */
static scs_status damaged(const char *path)
{
    return SCS_FAIL(SCS_EDATA,
                    "%s: damaged: its bytes are not those that were written (checksum differs)",
                    path);
}

/* Text and size are compared with the sum, byte for byte: a flipped bit in the block itself
 * counts too.
 * @param found [SCS_CHECKSUM_BLOCK] as it stands in the file */
static scs_status compare_block(int fd, const char *path, const char *found)
{
    char block[SCS_CHECKSUM_BLOCK];

    SCS_TRY(make_block(fd, path, block));
    return memcmp(block, found, sizeof block) == 0 ? SCS_OK : damaged(path);
}

static bool has_block(const char *start, ssize_t n)
{
    return n > SCS_CHECKSUM_BLOCK && strncmp(start, magic, sizeof magic - 1) == 0;
}

scs_status scs_checksum_file_identity(const char *path, char *out)
{
    char start[SCS_CHECKSUM_BLOCK + 1] = {0};
    const char *sum = start + sizeof magic - 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC), length;
    ssize_t n;

    SCS_REQUIRE(fd >= 0, SCS_EDATA, "%s: cannot be read: %s", path, strerror(errno));
    n = pread(fd, start, sizeof start, 0);
    close(fd);
    if (!has_block(start, n))
        return scs_checksum_file(path, out);
    length = (int)strcspn(sum, "\n");
    snprintf(out, SCS_CHECKSUM_MAX, "%.*s", length, sum);
    return SCS_OK;
}

/* @param start at least 8 bytes */
static bool is_hdf5(const char *start)
{
    return memcmp(start, hdf5_signature, sizeof hdf5_signature) == 0;
}

/* What the first bytes say that the file is, and whether it is that.
 * @param start [SCS_CHECKSUM_BLOCK + 8], of which `n` bytes could be read */
static scs_status check_start(int fd, const char *path, const char *start, ssize_t n, bool required)
{
    if (has_block(start, n))
        return compare_block(fd, path, start);
    if (required ||
        (n > SCS_CHECKSUM_BLOCK && !is_hdf5(start) && is_hdf5(start + SCS_CHECKSUM_BLOCK)))
        return damaged(path);
    return SCS_OK; /* not ours: whoever reads it says what is wrong with it */
}

scs_status scs_checksum_file_check(const char *path, bool required)
{
    char start[SCS_CHECKSUM_BLOCK + sizeof hdf5_signature] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    scs_status st;

    SCS_REQUIRE(fd >= 0, SCS_EDATA, "%s: cannot be read: %s", path, strerror(errno));
    st = check_start(fd, path, start, pread(fd, start, sizeof start, 0), required);
    close(fd);
    return st;
}
