/** The checksum itself, then sums over parts of a file (src/base/hash64.h). Each lane is h = (h
 *  ^ word) * odd, then h ^= h >> 32; the lanes and the size go through the same step at the end.
 */
#include "src/base/hash64.h"

#include "src/base/file.h"
#include "src/base/simd.h"
#include "scscreen/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of a step: a word for each lane. */
enum { STEP = SCS_HASH64_LANES * sizeof(uint64_t) };

/* An odd multiplier is a bijection of 64-bit words, and so is the shift, so two states of a lane
 * that differ stay different whatever follows; the shift carries high bits down, where
 * multiplication alone never moves them. */
static inline uint64_t mix(uint64_t lane, uint64_t word)
{
    lane = (lane ^ word) * 0x9fb21c651e98df25u;
    return lane ^ (lane >> 32);
}

/* Lanes begin differently, so that two words that change places are noticed. */
scs_hash64 scs_hash64_begin(void)
{
    scs_hash64 sum = {.size = 0};

    for (int i = 0; i < SCS_HASH64_LANES; i++)
        sum.lane[i] = mix(0, (uint64_t)i + 1);
    return sum;
}

/* n steps of STEP bytes each. Lanes do not depend on each other: the inner loop is one vector
 * operation. */
SCS_VECTOR static void add_steps(uint64_t *lane, const char *bytes, int64_t n)
{
    uint64_t word[SCS_HASH64_LANES];

    for (int64_t k = 0; k < n; k++) {
        memcpy(word, bytes + k * STEP, sizeof word);
        for (int i = 0; i < SCS_HASH64_LANES; i++)
            lane[i] = mix(lane[i], word[i]);
    }
}

/* The last step is filled up with zeros: hence whole steps in all calls but the last. */
void scs_hash64_add(scs_hash64 *sum, const void *bytes, int64_t size)
{
    const char *at = bytes;
    int64_t n = size / STEP, left = size % STEP;
    char last[STEP] = {0};

    add_steps(sum->lane, at, n);
    if (left > 0) {
        memcpy(last, at + n * STEP, (size_t)left);
        add_steps(sum->lane, last, 1);
    }
    sum->size += size;
}

uint64_t scs_hash64_end(const scs_hash64 *sum)
{
    uint64_t all = mix(0, (uint64_t)sum->size);

    for (int i = 0; i < SCS_HASH64_LANES; i++)
        all = mix(all, sum->lane[i]);
    return all ? all : 1;
}

uint64_t scs_hash64_of(const void *bytes, int64_t size)
{
    scs_hash64 sum = scs_hash64_begin();

    scs_hash64_add(&sum, bytes, size);
    return scs_hash64_end(&sum);
}

/* Of a file at once, on the stack: whole steps. */
enum { READ_BYTES = 1 << 16 };

/* Bytes [at, end) of a file. A file that ends before is SCS_EIO: its size was asked for a moment
 * ago. */
static scs_status add_range(int fd, const char *path, int64_t at, int64_t end, scs_hash64 *sum)
{
    char buffer[READ_BYTES];

    while (at < end) {
        int64_t most = end - at < READ_BYTES ? end - at : READ_BYTES;
        int64_t n;

        SCS_TRY(scs_file_read_at(fd, path, buffer, most, at, &n));
        SCS_REQUIRE(n == most, SCS_EIO, "%s: cannot be read: it is cut short", path);
        scs_hash64_add(sum, buffer, n);
        at += n;
    }
    return SCS_OK;
}

/* For qsort. */
static int by_begin(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (x[0] > y[0]) - (x[0] < y[0]);
}

/* Sorted, with an empty range at the end of the file behind them: what lies between the end of
 * one (or of an earlier, longer one) and the beginning of the next is added. Each gap is padded
 * to whole steps by itself unless all before it are whole steps; reader and writer cut alike. */
static scs_status add_gaps(int fd, const char *path, const int64_t (*range)[2], int32_t n,
                           scs_hash64 *sum)
{
    int64_t sorted[SCS_HASH64_RANGES + 1][2], at = 0, end = lseek(fd, 0, SEEK_END);

    SCS_REQUIRE(n >= 0 && n <= SCS_HASH64_RANGES, SCS_EDATA, "%s: %d ranges", path, n);
    memcpy(sorted, range, (size_t)n * sizeof *range);
    qsort(sorted, (size_t)n, sizeof *sorted, by_begin);
    sorted[n][0] = sorted[n][1] = end;
    for (int32_t i = 0; i <= n; i++) {
        SCS_TRY(add_range(fd, path, at, sorted[i][0], sum));
        at = sorted[i][1] > at ? sorted[i][1] : at;
    }
    SCS_REQUIRE(at <= end, SCS_EIO, "%s: cannot be read: it is cut short", path);
    return SCS_OK;
}

scs_status scs_hash64_gaps(const char *path, const int64_t (*range)[2], int32_t n, uint64_t *sum)
{
    scs_hash64 all = scs_hash64_begin();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    scs_status st;

    SCS_REQUIRE(fd >= 0, SCS_EIO, "%s: cannot be opened: %s", path, strerror(errno));
    st = add_gaps(fd, path, range, n, &all);
    (void)close(fd);
    *sum = scs_hash64_end(&all);
    return st;
}
