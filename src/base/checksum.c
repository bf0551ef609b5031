#include "src/base/checksum.h"

#include "scscreen/status.h"

#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t whole_limit = (int64_t)2 << 30, end_size = (int64_t)64 << 20;

enum { BLOCK = 1 << 20 };

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

/* Add bytes [first, last) of the file. */
static scs_status add_range(SHA2_CTX *sha, int fd, int64_t first, int64_t last, uint8_t *block)
{
    while (first < last) {
        int64_t want = last - first < BLOCK ? last - first : BLOCK;
        ssize_t got = pread(fd, block, (size_t)want, first);

        if (got < 0 && errno == EINTR)
            continue;
        SCS_REQUIRE(got > 0, SCS_EDATA, "%s", got ? strerror(errno) : "the file became shorter");
        SHA256Update(sha, block, (size_t)got);
        first += got;
    }
    return SCS_OK;
}

/* "sha256:HEX" of bytes [first, last) of an open file. @param[out] out [SCS_CHECKSUM_MAX]
 *  @return SCS_OK, SCS_EDATA with the reason, SCS_ENOMEM */
static scs_status checksum_part(int fd, int64_t first, int64_t last, char *out)
{
    uint8_t *block;
    SHA2_CTX sha;
    scs_status status;

    SCS_TRY(SCS_ALLOC(block, BLOCK));
    SHA256Init(&sha);
    status = add_range(&sha, fd, first, last, block);
    free(block);
    SCS_TRY(status);
    finish(&sha, "sha256", out);
    return SCS_OK;
}

static scs_status add_file(SHA2_CTX *sha, int fd, const char **kind)
{
    struct stat st;
    uint8_t *block;
    scs_status status;

    SCS_REQUIRE(fstat(fd, &st) == 0, SCS_EDATA, "%s", strerror(errno));
    SCS_TRY(SCS_ALLOC(block, BLOCK));
    if (st.st_size <= whole_limit) {
        *kind = "sha256";
        SCS_GO(status, add_range(sha, fd, 0, st.st_size, block));
    } else {
        *kind = "sha256-ends";
        SHA256Update(sha, (const uint8_t *)&st.st_size, sizeof st.st_size);
        SCS_GO(status, add_range(sha, fd, 0, end_size, block));
        SCS_GO(status, add_range(sha, fd, st.st_size - end_size, st.st_size, block));
    }
done:
    free(block);
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

static const char hdf5_signature[8] = "\211HDF\r\n\032\n";

/* The seal that belongs to what the file holds now. @param[out] seal [SCS_SEAL_BYTES] */
static scs_status make_seal(int fd, const char *path, char *seal)
{
    char sum[SCS_CHECKSUM_MAX];
    struct stat info;
    scs_status st;

    SCS_REQUIRE(fstat(fd, &info) == 0, SCS_EIO, "%s: %s", path, strerror(errno));
    st = checksum_part(fd, SCS_SEAL_BYTES, info.st_size, sum);
    if (st != SCS_OK)
        return scs_context(st == SCS_ENOMEM ? st : SCS_EIO, "%s: ", path);
    memset(seal, 0, SCS_SEAL_BYTES);
    snprintf(seal, SCS_SEAL_BYTES,
             "scscreen sealed file\n%s\nof %lld bytes from byte %d on; open it with any HDF5 "
             "reader\n",
             sum, (long long)info.st_size - SCS_SEAL_BYTES, SCS_SEAL_BYTES);
    return SCS_OK;
}

scs_status scs_checksum_file_write(const char *path)
{
    char seal[SCS_SEAL_BYTES];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    scs_status st;

    SCS_REQUIRE(fd >= 0, SCS_EIO, "%s: cannot be sealed: %s", path, strerror(errno));
    st = make_seal(fd, path, seal);
    if (st == SCS_OK && pwrite(fd, seal, sizeof seal, 0) != (ssize_t)sizeof seal)
        st = SCS_FAIL(SCS_EIO, "%s: cannot be sealed: %s", path, strerror(errno));
    if (close(fd) != 0 && st == SCS_OK)
        st = SCS_FAIL(SCS_EIO, "%s: cannot be sealed: %s", path, strerror(errno));
    return st;
}

static scs_status damaged(const char *path)
{
    return SCS_FAIL(SCS_EDATA,
                    "%s: damaged: its bytes are not those that were written (checksum differs)",
                    path);
}

static scs_status compare_seal(int fd, const char *path, const char *found)
{
    char seal[SCS_SEAL_BYTES];

    SCS_TRY(make_seal(fd, path, seal));
    return memcmp(seal, found, sizeof seal) == 0 ? SCS_OK : damaged(path);
}

static bool is_hdf5(const char *start)
{
    return memcmp(start, hdf5_signature, sizeof hdf5_signature) == 0;
}

/* @param start [SCS_SEAL_BYTES + 8], of which `n` bytes could be read */
static scs_status judge(int fd, const char *path, const char *start, ssize_t n, bool required)
{
    bool ours = n > SCS_SEAL_BYTES && strncmp(start, "scscreen sealed file\n", 21) == 0;

    if (ours)
        return compare_seal(fd, path, start);
    if (required || (n > SCS_SEAL_BYTES && !is_hdf5(start) && is_hdf5(start + SCS_SEAL_BYTES)))
        return damaged(path);
    return SCS_OK; /* not ours: whoever reads it says what is wrong with it */
}

scs_status scs_checksum_file_check(const char *path, bool required)
{
    char start[SCS_SEAL_BYTES + sizeof hdf5_signature] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    scs_status st;

    SCS_REQUIRE(fd >= 0, SCS_EDATA, "%s: cannot be read: %s", path, strerror(errno));
    st = judge(fd, path, start, pread(fd, start, sizeof start, 0), required);
    close(fd);
    return st;
}
