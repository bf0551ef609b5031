#include "src/seal.h"

#include "src/checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char hdf5_signature[8] = "\211HDF\r\n\032\n";

/* The seal that belongs to what the file holds now. @param[out] seal [SCS_SEAL_BYTES] */
static scs_status make_seal(int fd, const char *path, char *seal)
{
    char sum[SCS_CHECKSUM_MAX];
    struct stat info;
    scs_status st;

    SCS_REQUIRE(fstat(fd, &info) == 0, SCS_EIO, "%s: %s", path, strerror(errno));
    st = scs_checksum_part(fd, SCS_SEAL_BYTES, info.st_size, sum);
    if (st != SCS_OK)
        return scs_context(st == SCS_ENOMEM ? st : SCS_EIO, "%s: ", path);
    memset(seal, 0, SCS_SEAL_BYTES);
    snprintf(seal, SCS_SEAL_BYTES,
             "scscreen sealed file\n%s\nof %lld bytes from byte %d on; open it with any HDF5 "
             "reader\n",
             sum, (long long)info.st_size - SCS_SEAL_BYTES, SCS_SEAL_BYTES);
    return SCS_OK;
}

scs_status scs_seal_write(const char *path)
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

scs_status scs_seal_check(const char *path, bool required)
{
    char start[SCS_SEAL_BYTES + sizeof hdf5_signature] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    scs_status st;

    SCS_REQUIRE(fd >= 0, SCS_EDATA, "%s: cannot be read: %s", path, strerror(errno));
    st = judge(fd, path, start, pread(fd, start, sizeof start, 0), required);
    close(fd);
    return st;
}
