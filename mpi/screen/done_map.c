/* Format of screen.h5ad.done, numbers in the machine's own order (the file lives as long as a
 * screen is unfinished, on one kind of machine):
 *
 *    0     opening        magic, size and sum of the key
 *    24    key            packed (src/base/bytes.h)
 *    64 k  block slots    [n_block] 16 bytes: sum, check
 *    ...   unit slots     [n_unit] 8 bytes of check, then 4 bytes for each count
 *
 *  The opening is written last, so a file that was not finished has no magic. Slots are written in
 *  place by pwrite and never moved. Room for all of them is reserved at the start: a full disk
 *  shows before the work, not within it. */
#include "mpi/screen/done_map.h"

#include "src/base/bytes.h"
#include "src/base/file.h"
#include "src/base/hash64.h"
#include "src/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char magic[8] = {'s', 'c', 's', 'd', 'o', 'n', 'e', '1'};

/* The first bytes of the file; the packed key follows. */
typedef struct opening {
    char magic[8];
    int64_t size; /* of the packed key */
    uint64_t sum; /* of its bytes */
} opening;

typedef struct block_slot {
    uint64_t sum;
    uint64_t check; /* of block and sum */
} block_slot;

struct scs_done_map {
    int fd;
    char *path; /* owned, for messages */
    int64_t n_block, n_unit;
    int64_t at_blocks, at_units; /* bytes */
    const int64_t *unit_first;   /* [n_unit + 1] borrowed */
    char *scratch;               /* a slot of the largest unit */
};

/* Texts are owned by the key. */
void scs_done_map_key_clear(scs_done_key *key)
{
    free(key->config);
    free(key->data);
    free(key->program);
    *key = (scs_done_key){0};
}

/* In the order of unpack; sums travel as signed numbers. */
static scs_status pack(const scs_done_key *key, scs_bytes *out)
{
    SCS_TRY(scs_bytes_put_text(out, key->config));
    SCS_TRY(scs_bytes_put_text(out, key->data));
    SCS_TRY(scs_bytes_put_text(out, key->program));
    SCS_TRY(scs_bytes_put_int(out, (int64_t)key->weights));
    SCS_TRY(scs_bytes_put_int(out, (int64_t)key->head));
    SCS_TRY(scs_bytes_put_int(out, (int64_t)key->skeleton));
    SCS_TRY(scs_bytes_put_int(out, key->n_block));
    SCS_TRY(scs_bytes_put_int(out, key->n_unit));
    SCS_TRY(scs_bytes_put_int(out, key->n_range));
    SCS_TRY(scs_bytes_put(out, key->range, sizeof key->range));
    return scs_bytes_put_int(out, key->n_shard);
}

/* Lengths are checked, as the bytes come from a file. */
static scs_status unpack(scs_bytes *in, scs_done_key *key)
{
    int64_t weights, head, skeleton, n_range;

    SCS_TRY(scs_bytes_get_text(in, &key->config));
    SCS_TRY(scs_bytes_get_text(in, &key->data));
    SCS_TRY(scs_bytes_get_text(in, &key->program));
    SCS_TRY(scs_bytes_get_int(in, &weights));
    SCS_TRY(scs_bytes_get_int(in, &head));
    SCS_TRY(scs_bytes_get_int(in, &skeleton));
    SCS_TRY(scs_bytes_get_int(in, &key->n_block));
    SCS_TRY(scs_bytes_get_int(in, &key->n_unit));
    SCS_TRY(scs_bytes_get_int(in, &n_range));
    SCS_TRY(scs_bytes_get(in, key->range, sizeof key->range));
    if (in->at < in->size) /* not in what earlier programs wrote, which are refused by name */
        SCS_TRY(scs_bytes_get_int(in, &key->n_shard));
    key->weights = (uint64_t)weights;
    key->head = (uint64_t)head;
    key->skeleton = (uint64_t)skeleton;
    SCS_REQUIRE(key->n_block >= 0 && key->n_unit >= 0 && n_range >= 0 &&
                    n_range <= SCS_HASH64_RANGES,
                SCS_EDATA, "sizes out of range");
    key->n_range = (int32_t)n_range;
    return SCS_OK;
}

/* Bytes of the slots of units [from, to): for each the check of unit and counts, then the counts.
 */
static int64_t unit_bytes(const int64_t *unit_first, int64_t from, int64_t to)
{
    return (to - from) * (int64_t)sizeof(uint64_t) +
           (unit_first[to] - unit_first[from]) * (int64_t)sizeof(int32_t);
}

/* On a cache line, whatever the key's size. */
static int64_t slots_begin(int64_t key_size)
{
    return ((int64_t)sizeof(opening) + key_size + 63) / 64 * 64;
}

/* The opening last: until it is there the file has no magic, and is no map. */
static scs_status write_key(int fd, const char *path, const scs_bytes *packed)
{
    opening first = {.size = packed->size, .sum = scs_hash64_of(packed->data, packed->size)};

    memcpy(first.magic, magic, sizeof magic);
    SCS_TRY(scs_file_write_at(fd, path, packed->data, packed->size, sizeof first));
    return scs_file_write_at(fd, path, &first, sizeof first, 0);
}

/* Room for every slot, all of them empty (zeros are no valid check); the key last. */
static scs_status fill(int fd, const char *path, const scs_done_key *key, const int64_t *unit_first)
{
    scs_bytes packed = {0};
    int64_t size;
    int error;
    scs_status st;

    SCS_GO(st, pack(key, &packed));
    size = slots_begin(packed.size) + key->n_block * (int64_t)sizeof(block_slot) +
           unit_bytes(unit_first, 0, key->n_unit);
    error = posix_fallocate(fd, 0, size);
    SCS_GO(st, error ? scs_file_creation_failed(path, error) : SCS_OK);
    SCS_GO(st, write_key(fd, path, &packed));
    if (fsync(fd) != 0)
        st = SCS_FAIL(SCS_EIO, "%s: cannot be saved: %s", path, strerror(errno));
done:
    scs_bytes_clear(&packed);
    return st;
}

/* O_EXCL after unlink: what an older job may have open is another file. */
scs_status scs_done_map_create(const char *path, const scs_done_key *key, const int64_t *unit_first)
{
    int fd;
    scs_status st;

    (void)unlink(path);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return scs_file_creation_failed(path, errno);
    st = fill(fd, path, key, unit_first);
    if (close(fd) != 0 && st == SCS_OK)
        st = SCS_FAIL(SCS_EIO, "%s: cannot be closed: %s", path, strerror(errno));
    if (st != SCS_OK)
        (void)unlink(path);
    return st;
}

/* The size is checked against the file's before anything is allocated. SCS_EDATA where magic, size
 * or sum is wrong. */
static scs_status read_key(int fd, const char *path, scs_done_key *key, int64_t *size)
{
    opening first;
    scs_bytes in = {0};
    int64_t got, end = lseek(fd, 0, SEEK_END);
    scs_status st;

    SCS_TRY(scs_file_read_at(fd, path, &first, sizeof first, 0, &got));
    SCS_REQUIRE(got == sizeof first && memcmp(first.magic, magic, sizeof magic) == 0 &&
                    first.size > 0 && first.size <= end - got,
                SCS_EDATA, "%s: is damaged", path);
    SCS_TRY(SCS_ALLOC(in.data, first.size));
    in.size = in.capacity = *size = first.size;
    SCS_GO(st, scs_file_read_at(fd, path, in.data, in.size, sizeof first, &got));
    if (got != in.size || scs_hash64_of(in.data, in.size) != first.sum)
        st = SCS_FAIL(SCS_EDATA, "%s: is damaged", path);
    if (st == SCS_OK)
        st = unpack(&in, key);
done:
    scs_bytes_clear(&in);
    return st;
}

/* A file that cannot be opened is as good as a damaged one: there is nothing to go on from. */
scs_status scs_done_map_probe(const char *path, scs_done_key *key)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int64_t size;
    scs_status st;

    *key = (scs_done_key){0};
    SCS_REQUIRE(fd >= 0, SCS_EDATA, "%s: cannot be opened: %s", path, strerror(errno));
    st = read_key(fd, path, key, &size);
    (void)close(fd);
    return st;
}

/* Where slots lie follows from the key; no sizes are stored twice. */
static scs_status open_map(scs_done_map *m, const char *path, const int64_t *unit_first)
{
    scs_done_key key = {0};
    int64_t size = 0, largest = 0;
    scs_status st;

    m->fd = open(path, O_RDWR | O_CLOEXEC);
    SCS_REQUIRE(m->fd >= 0, SCS_EIO, "%s: cannot be opened: %s", path, strerror(errno));
    SCS_TRY(scs_text_copy(path, &m->path));
    st = read_key(m->fd, path, &key, &size);
    m->n_block = key.n_block;
    m->n_unit = key.n_unit;
    scs_done_map_key_clear(&key);
    SCS_TRY(st);
    m->unit_first = unit_first;
    m->at_blocks = slots_begin(size);
    m->at_units = m->at_blocks + m->n_block * (int64_t)sizeof(block_slot);
    for (int64_t u = 0; u < m->n_unit; u++)
        if (unit_bytes(unit_first, u, u + 1) > largest)
            largest = unit_bytes(unit_first, u, u + 1);
    return SCS_ALLOC(m->scratch, largest);
}

/* Every rank has a descriptor of its own and its own scratch. */
scs_status scs_done_map_open(const char *path, const int64_t *unit_first, scs_done_map **map)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*map, 1));
    (*map)->fd = -1;
    st = open_map(*map, path, unit_first);
    if (st != SCS_OK) {
        scs_status closed = scs_done_map_close(map);

        (void)closed; /* the first failure is the one to report */
    }
    return st;
}

/* Nothing is synced: a slot that is lost costs its block, not the result. */
scs_status scs_done_map_close(scs_done_map **map)
{
    scs_done_map *m = *map;
    scs_status st = SCS_OK;

    if (m && m->fd >= 0 && close(m->fd) != 0)
        st = SCS_FAIL(SCS_EIO, "%s: cannot be closed: %s", m->path, strerror(errno));
    if (m) {
        free(m->path);
        free(m->scratch);
    }
    free(m);
    *map = NULL;
    return st;
}

/* With the block's number: a slot in the wrong place is not taken. */
static uint64_t check_of(int64_t block, uint64_t sum)
{
    uint64_t both[2] = {(uint64_t)block, sum};

    return scs_hash64_of(both, sizeof both);
}

/* 16 bytes in one write: a torn one fails its check. */
scs_status scs_done_map_put_block(scs_done_map *map, int64_t block, uint64_t sum)
{
    block_slot slot = {sum, check_of(block, sum)};

    return scs_file_write_at(map->fd, map->path, &slot, sizeof slot,
                             map->at_blocks + block * (int64_t)sizeof slot);
}

/* All slots in one read. */
scs_status scs_done_map_blocks(scs_done_map *map, uint64_t *sum)
{
    block_slot *slot;
    int64_t got = 0;
    scs_status st;

    SCS_TRY(SCS_ALLOC(slot, map->n_block));
    st = scs_file_read_at(map->fd, map->path, slot, map->n_block * (int64_t)sizeof *slot,
                          map->at_blocks, &got);
    for (int64_t b = 0; b < map->n_block; b++)
        sum[b] = slot[b].check == check_of(b, slot[b].sum) ? slot[b].sum : 0;
    free(slot);
    return st;
}

/* The check of the unit whose counts lie in the scratch slot. */
static uint64_t unit_sum(const scs_done_map *map, int64_t unit)
{
    scs_hash64 sum = scs_hash64_begin();
    int64_t bytes = unit_bytes(map->unit_first, unit, unit + 1) - (int64_t)sizeof(uint64_t);

    scs_hash64_add(&sum, &unit, sizeof unit);
    scs_hash64_add(&sum, map->scratch + sizeof(uint64_t), bytes);
    return scs_hash64_end(&sum);
}

/* Check and counts in one write, put together in the scratch slot. One thread at a time. */
scs_status scs_done_map_put_unit(scs_done_map *map, int64_t unit, const int32_t *count)
{
    int64_t n = map->unit_first[unit + 1] - map->unit_first[unit];
    uint64_t sum;

    memcpy(map->scratch + sizeof sum, count, (size_t)n * sizeof *count);
    sum = unit_sum(map, unit);
    memcpy(map->scratch, &sum, sizeof sum);
    return scs_file_write_at(map->fd, map->path, map->scratch,
                             unit_bytes(map->unit_first, unit, unit + 1),
                             map->at_units + unit_bytes(map->unit_first, 0, unit));
}

/* What fails its check is not done; only a failing read is an error. */
scs_status scs_done_map_unit(scs_done_map *map, int64_t unit, int32_t *count, bool *done)
{
    int64_t n = map->unit_first[unit + 1] - map->unit_first[unit];
    int64_t bytes = unit_bytes(map->unit_first, unit, unit + 1), got = 0;
    uint64_t sum;

    SCS_TRY(scs_file_read_at(map->fd, map->path, map->scratch, bytes,
                             map->at_units + unit_bytes(map->unit_first, 0, unit), &got));
    memcpy(&sum, map->scratch, sizeof sum);
    *done = got == bytes && sum == unit_sum(map, unit);
    if (*done)
        memcpy(count, map->scratch + sizeof sum, (size_t)n * sizeof *count);
    return SCS_OK;
}
