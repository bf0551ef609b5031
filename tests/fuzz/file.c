#include "tests/fuzz/target.h"

#include <sys/mman.h>
#include <unistd.h>

int64_t fuzz_accepted;

bool fuzz_accepts(scs_status status)
{
    if (status == SCS_OK) {
        fuzz_accepted++;
        return true;
    }
    HOLDS(status == SCS_EDATA || status == SCS_EARG || status == SCS_ENOMEM);
    HOLDS(*scs_message());
    for (const char *c = scs_message(); *c; c++)
        HOLDS((unsigned char)*c >= 32);
    return false;
}

int fuzz_file(const uint8_t *data, size_t size, char *path)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    HOLDS(fd >= 0);
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, data + done, size - done);
        HOLDS(n > 0);
        done += (size_t)n;
    }
    snprintf(path, FUZZ_PATH, "/proc/self/fd/%d", fd);
    return fd;
}
