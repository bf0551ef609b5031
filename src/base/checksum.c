/** Checksums of memory, of files, and within files (src/base/checksum.h). libmd's SHA-256 and
 *  libxxhash's XXH3, over pieces that pread takes, so that two checks of a file do not disturb each
 *  other's position. Where the processor has instructions for SHA-256, whole blocks are added by
 *  them.
 */
#include "src/base/checksum.h"

#include "config.h"
#include "src/base/file.h"
#include "src/base/simd.h"

#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_XXHASH_DISPATCH
#include <xxh_x86dispatch.h> /* the widest registers that the processor has */
#else
#include <xxhash.h>
#endif

/* Bytes that are read at once: they stay in the second cache until they are hashed. */
enum { PIECE = 1 << 18 };

/* ---- blocks of 64 bytes by the processor's own instructions ---- */

#if SCS_HAS_CLONES
#include <cpuid.h>
#include <immintrin.h>

/* SHA (leaf 7), and SSSE3 and SSE4.1 (leaf 1) for the shuffles around it. */
static bool ask_processor(void)
{
    unsigned a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1))
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* Asked once: a virtual machine takes up to 30 us for each of the three questions. Two threads that
 * ask at once find the same. */
static bool has_sha(void)
{
    enum { UNKNOWN, NO, YES };
    static atomic_int known = UNKNOWN;

    if (atomic_load_explicit(&known, memory_order_relaxed) == UNKNOWN)
        atomic_store_explicit(&known, ask_processor() ? YES : NO, memory_order_relaxed);
    return atomic_load_explicit(&known, memory_order_relaxed) == YES;
}

/* FIPS 180-4's constants: the first 32 bits of the fractions of the cube roots of the primes. */
static const uint32_t round_constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* What the instructions work on: a, b, e, f of the state in one register, c, d, g, h in another,
 * and the last sixteen words of the schedule. */
typedef struct sha_lane {
    __m128i abef, cdgh, w[4];
} sha_lane;

#define SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))

SHA_TARGET static inline sha_lane load_lane(const uint32_t state[8])
{
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xb1);
    __m128i high =
        _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1b);

    return (sha_lane){.abef = _mm_alignr_epi8(low, high, 8),
                      .cdgh = _mm_blend_epi16(high, low, 0xf0)};
}

SHA_TARGET static inline void store_lane(const sha_lane *lane, uint32_t state[8])
{
    __m128i low = _mm_shuffle_epi32(lane->abef, 0x1b), high = _mm_shuffle_epi32(lane->cdgh, 0xb1);

    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

/* Four rounds of a block of 64 bytes; the next four words of the schedule are made of the last
 * sixteen meanwhile. @param i which four, 0 to 15 */
SHA_TARGET static inline void four_rounds(sha_lane *lane, const uint8_t *at, int i)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i sum, *w = lane->w, *now = &w[i & 3];

    if (i < 4)
        *now = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(at + 16 * i)),
                                big_endian);
    else
        *now =
            _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(*now, w[(i + 1) & 3]),
                                               _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4)),
                                 w[(i + 3) & 3]);
    sum = _mm_add_epi32(*now,
                        _mm_loadu_si128((const __m128i *)(const void *)(round_constant + 4 * i)));
    lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, sum);
    lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/* @param state [8] a to h  @param at [n, 64] */
SHA_TARGET static void add_blocks(uint32_t state[8], const uint8_t *at, size_t n)
{
    sha_lane lane = load_lane(state);

    for (; n > 0; n--, at += 64) {
        const __m128i abef = lane.abef, cdgh = lane.cdgh;

#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
            four_rounds(&lane, at, i);
        lane.abef = _mm_add_epi32(lane.abef, abef);
        lane.cdgh = _mm_add_epi32(lane.cdgh, cdgh);
    }
    store_lane(&lane, state);
}
#else
static bool has_sha(void)
{
    return false;
}

static void add_blocks(uint32_t state[8], const uint8_t *at, size_t n)
{
    for (; n > 0; n--, at += 64)
        SHA256Transform(state, at);
}
#endif

/* libmd's SHA256Update, which counts in bits, and pads at the end. Whole blocks are taken out of
 * its hands, from where the one that has begun is full. */
static void add(SHA2_CTX *sha, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    size_t begun = (size_t)(sha->bitcount[0] / 8 % 64), fill = begun > 0 ? 64 - begun : 0;

    /* cppcheck-suppress knownConditionTrueFalse ; not where has_sha() asks the processor */
    if (has_sha() && size >= fill + 64) {
        size_t whole = (size - fill) / 64;

        SHA256Update(sha, at, fill);
        add_blocks(sha->state.st32, at + fill, whole);
        sha->bitcount[0] += whole * 512;
        at += fill + whole * 64;
        size -= fill + whole * 64;
    }
    SHA256Update(sha, at, size);
}

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
    add(&sha, bytes, (size_t)size);
    finish(&sha, "sha256", out);
}

/* Bytes [first, first + size) of the file. Its end before that is a failure: the size was asked for
 * a moment ago.
 * @param[out] out [size] */
static scs_status read_piece(int fd, int64_t first, size_t size, uint8_t *out)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = pread(fd, out + at, size - at, first + (int64_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        SCS_REQUIRE(got > 0, SCS_EDATA, "%s", got ? strerror(errno) : "the file became shorter");
        at += (size_t)got;
    }
    return SCS_OK;
}

/* Add bytes [first, last) of the file.
 * @param piece [PIECE] scratch */
static scs_status add_range(SHA2_CTX *sha, int fd, int64_t first, int64_t last, uint8_t *piece)
{
    for (; first < last; first += PIECE) {
        size_t size = (size_t)(last - first < PIECE ? last - first : PIECE);

        SCS_TRY(read_piece(fd, first, size, piece));
        add(sha, piece, size);
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
        add(sha, &st.st_size, sizeof st.st_size);
        SCS_GO(status, add_range(sha, fd, 0, end_size, piece));
        SCS_GO(status, add_range(sha, fd, st.st_size - end_size, st.st_size, piece));
    }
done:
    free(piece);
    return status;
}

/* The SHA-256 of each leaf of a file, behind its size.
 * @param piece [PIECE] scratch */
static scs_status add_leaves(SHA2_CTX *root, int fd, int64_t size, uint8_t *piece)
{
    uint8_t digest[SHA256_DIGEST_LENGTH], length[8];

    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)((uint64_t)size >> 8 * i);
    add(root, length, sizeof length);
    for (int64_t at = 0; at < size; at += SCS_CHECKSUM_LEAF) {
        int64_t end = at + SCS_CHECKSUM_LEAF < size ? at + SCS_CHECKSUM_LEAF : size;
        SHA2_CTX sha;

        SHA256Init(&sha);
        SCS_TRY(add_range(&sha, fd, at, end, piece));
        SHA256Final(digest, &sha);
        add(root, digest, sizeof digest);
    }
    return SCS_OK;
}

/* As add_file. */
static scs_status add_tree(SHA2_CTX *sha, int fd, const char **kind)
{
    struct stat st;
    uint8_t *piece;
    scs_status status;

    *kind = "sha256-tree";
    SCS_REQUIRE(fstat(fd, &st) == 0, SCS_EDATA, "%s", strerror(errno));
    SCS_TRY(SCS_ALLOC(piece, PIECE));
    status = add_leaves(sha, fd, st.st_size, piece);
    free(piece);
    return status;
}

/* @param add_bytes add_file or add_tree */
static scs_status checksum_path(const char *path,
                                scs_status add_bytes(SHA2_CTX *, int, const char **), char *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const char *kind = NULL;
    SHA2_CTX sha;
    scs_status status;

    SCS_REQUIRE(fd >= 0, SCS_EDATA, "%s: cannot be read: %s", path, strerror(errno));
    SHA256Init(&sha);
    status = add_bytes(&sha, fd, &kind);
    close(fd);
    if (status != SCS_OK)
        return scs_context(status, "%s: cannot be read: ", path);
    finish(&sha, kind, out);
    return SCS_OK;
}

scs_status scs_checksum_file(const char *path, char *out)
{
    return checksum_path(path, add_file, out);
}

scs_status scs_checksum_file_tree(const char *path, char *out)
{
    return checksum_path(path, add_tree, out);
}

/* ---- a file by its leaves ---- */

int64_t scs_checksum_n_leaf(int64_t size)
{
    return size / SCS_CHECKSUM_LEAF + (size % SCS_CHECKSUM_LEAF > 0);
}

scs_status scs_checksum_size(const char *path, int64_t *size)
{
    struct stat st;

    SCS_REQUIRE(stat(path, &st) == 0, SCS_EDATA, "%s: cannot be read: %s", path, strerror(errno));
    *size = st.st_size;
    return SCS_OK;
}

/* Digests are in the form that is the same on all machines.
 * @param bytes [SCS_CHECKSUM_LEAF] scratch */
static scs_status hash_leaves(int fd, int64_t size, int64_t leaf, int64_t n, uint8_t *bytes,
                              uint8_t *digest)
{
    const int64_t most = SCS_CHECKSUM_LEAF;
    XXH128_canonical_t canonical;

    for (int64_t k = 0; k < n; k++) {
        int64_t first = (leaf + k) * most;
        size_t length = (size_t)(size - first < most ? size - first : most);

        SCS_TRY(read_piece(fd, first, length, bytes));
        XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, length));
        memcpy(digest + k * SCS_CHECKSUM_DIGEST, canonical.digest, SCS_CHECKSUM_DIGEST);
    }
    return SCS_OK;
}

scs_status scs_checksum_leaves(const char *path, int64_t size, int64_t leaf, int64_t n,
                               uint8_t *digest)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *bytes = NULL;
    scs_status status;

    SCS_REQUIRE(fd >= 0, SCS_EDATA, "%s: cannot be read: %s", path, strerror(errno));
    status = SCS_ALLOC(bytes, SCS_CHECKSUM_LEAF);
    if (status == SCS_OK)
        status = hash_leaves(fd, size, leaf, n, bytes, digest);
    free(bytes);
    close(fd);
    return status == SCS_OK ? SCS_OK : scs_context(status, "%s: cannot be read: ", path);
}

/* The size is the root's seed, so that no list of leaves is the root of two files. */
void scs_checksum_root(int64_t size, const uint8_t *digest, char *out)
{
    size_t n = (size_t)(scs_checksum_n_leaf(size) * SCS_CHECKSUM_DIGEST);
    XXH128_canonical_t root;
    int at = snprintf(out, SCS_CHECKSUM_MAX, "xxh3-tree:");

    XXH128_canonicalFromHash(&root, XXH3_128bits_withSeed(digest, n, (XXH64_hash_t)size));
    for (int i = 0; i < SCS_CHECKSUM_DIGEST; i++)
        at += snprintf(out + at, (size_t)(SCS_CHECKSUM_MAX - at), "%02x", root.digest[i]);
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

    SCS_REQUIRE(fstat(fd, &info) == 0, SCS_EIO, "%.*s: %s", scs_file_known_length(path), path,
                strerror(errno));
    st = checksum_part(fd, SCS_CHECKSUM_BLOCK, info.st_size, sum);
    if (st != SCS_OK)
        return scs_context(st == SCS_ENOMEM ? st : SCS_EIO, "%.*s: ", scs_file_known_length(path),
                           path);
    memset(block, 0, SCS_CHECKSUM_BLOCK);
    snprintf(block, SCS_CHECKSUM_BLOCK,
             "%s%s\nof %lld bytes from byte %d on; open it with any HDF5 reader\n", magic, sum,
             (long long)info.st_size - SCS_CHECKSUM_BLOCK, SCS_CHECKSUM_BLOCK);
    return SCS_OK;
}

/* By errno. */
static scs_status not_written(const char *path)
{
    return SCS_FAIL(SCS_EIO, "%.*s: its checksum cannot be written: %s",
                    scs_file_known_length(path), path, strerror(errno));
}

/* In one write of 512 bytes. It is not synced here: the commit of the file does that
 * (src/base/file.h). */
scs_status scs_checksum_file_write(const char *path)
{
    char block[SCS_CHECKSUM_BLOCK];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    scs_status st;

    if (fd < 0)
        return not_written(path);
    st = make_block(fd, path, block);
    if (st == SCS_OK && pwrite(fd, block, sizeof block, 0) != (ssize_t)sizeof block)
        st = not_written(path);
    if (close(fd) != 0 && st == SCS_OK)
        st = not_written(path);
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

/* Files of ours carry a checksum of their own in their first bytes, which is taken: 512 bytes are
 * read where others are read whole. */
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
