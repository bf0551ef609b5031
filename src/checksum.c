#include "src/checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
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

scs_status scs_checksum_part(int fd, int64_t first, int64_t last, char *out)
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
