/* Decoders of chunks, and HDF5's filters that call them (h5filter.h).
 *
 * A chunk is as hostile as the rest of its file. LZF is decoded here, every byte checked; deflate
 * by libdeflate, else by HDF5's own filter; Zstandard, LZ4 and Blosc by their own libraries, which
 * are given the room that there is and return whether it was enough.
 *
 * HDF5 gives a filter no way to ask how long a chunk has to be, and 1.10 does not look afterwards.
 * So that length is noted when a dataset is opened, and a chunk that does not decode to it is a
 * failure of its filter. */
#include "src/hdf5/h5filter.h"

#include "src/base/simd.h"

#include "config.h"

#include <endian.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif
#ifdef HAVE_LZ4
#include <lz4.h>
#endif
#ifdef HAVE_BLOSC
#include <blosc.h>
#endif

/* As they are registered with The HDF Group. */
enum { FILTER_LZF = 32000, FILTER_BLOSC = 32001, FILTER_LZ4 = 32004, FILTER_ZSTD = 32015 };

/* ---- LZF ---- */

/* LZF, as h5py writes it. A control byte below 32 announces control + 1 literal bytes; any other
 * one a copy of length (control >> 5) + 2, where 7 takes another byte on top, from (low 5 bits
 * << 8 | next byte) + 1 bytes back.
 *
 * Both ends are kept in sight: the stream is as hostile as the rest of the file. */
typedef struct stream {
    const uint8_t *in, *in_end;
    uint8_t *start, *out, *out_end;
} stream;

/* n bytes as they are. @return 0, or -1 for a damaged stream, as copy does */
static int literal(stream *s, size_t n)
{
    if ((size_t)(s->in_end - s->in) < n || (size_t)(s->out_end - s->out) < n)
        return -1;
    memcpy(s->out, s->in, n);
    s->in += n;
    s->out += n;
    return 0;
}

/* The most that a turn (below) makes and a literal has: as much is always written. */
enum { AT_ONCE = 32 };

/* 4 bytes from at least 4 back: so many were written at once by most copies before, and the
 * processor hands them on. */
static inline void copy_4(uint8_t *out, size_t back)
{
    memcpy(out, out - back, 4);
}

/* n bytes from at least 4 back, where n + AT_ONCE may be written. Behind the first ones they lie
 * as well some whole distances back. */
static void copy_long(uint8_t *out, size_t n, size_t back)
{
    size_t far = back;

    for (size_t k = 0; k < AT_ONCE; k += 4)
        copy_4(out + k, back);
    while (far < AT_ONCE)
        far += back;
    for (size_t k = AT_ONCE; k < n; k += AT_ONCE)
        memcpy(out + k, out + k - far, AT_ONCE);
}

/* Bytes that were decoded before. From and to may overlap: a run of one byte is a copy from 1 back.
 */
static int copy(stream *s, unsigned control)
{
    size_t n = control >> 5, back, room = (size_t)(s->out_end - s->out);

    if (n == 7) {
        if (s->in == s->in_end)
            return -1;
        n += *s->in++;
    }
    if (s->in == s->in_end)
        return -1;
    back = ((control & 0x1fu) << 8 | *s->in++) + 1u;
    n += 2;
    if ((size_t)(s->out - s->start) < back || room < n)
        return -1;
    if (back >= 4 && room >= n + AT_ONCE)
        copy_long(s->out, n, back);
    else
        for (size_t k = 0; k < n; k++)
            s->out[k] = s->out[k - back];
    s->out += n;
    return 0;
}

/* Bytes of the stream that are looked at together, the most that is read from one of them on, and
 * how far back the farthest copy goes. */
enum { STRETCH = 256, READ_ROOM = 1 + AT_ONCE, FARTHEST = 1 << 13 };

/* What a turn would be that began with each byte of a stretch: a literal byte or none, which most
 * often stands between copies, and a copy. Where turns begin is known only one after the other, but
 * found before, for all bytes in vector code, they cost some loads each, and no branch that the
 * processor has to guess. */
typedef struct turns {
    uint8_t step[STRETCH];  /* its bytes in the stream */
    uint8_t made[STRETCH];  /* its bytes decoded; 0: it is none, or not of AT_ONCE from 4 back */
    uint16_t back[STRETCH]; /* how far back the copy is from; top bit: behind a literal byte */
} turns;

/* @param in [STRETCH + READ_ROOM]  @param most bytes back that are there */
SCS_VECTOR static void find_turns(const uint8_t *restrict in, uint16_t most, turns *restrict t)
{
    for (size_t k = 0; k < STRETCH; k++) {
        bool one = in[k] == 0;
        uint8_t control = one ? in[k + 2] : in[k];
        uint8_t second = one ? in[k + 3] : in[k + 1], third = one ? in[k + 4] : in[k + 2];
        bool large = control >= 7 << 5;
        uint8_t n = (uint8_t)((control >> 5) + 2 + (large ? second : 0) + one);
        uint16_t back = (uint16_t)(((control & 0x1f) << 8 | (large ? third : second)) + 1);
        bool other =
            (control < 32) | (large & (second > AT_ONCE - 10)) | (back < 4) | (back > most);

        t->step[k] = (uint8_t)(2 * one + 2 + large);
        t->made[k] = other ? 0 : n;
        t->back[k] = (uint16_t)(back | one << 15);
    }
}

/* Turn by turn through a stretch, and on to where the one that began last ends, but no farther than
 * there is room. What is no turn is told apart, as many as these are.
 *  @param wide whether most make more than 8 bytes: then to write AT_ONCE costs less than to ask
 *  @return 0, or -1 */
static inline int take_turns(stream *s, const turns *t, bool wide)
{
    const uint8_t *in = s->in;
    uint8_t *out = s->out, *const out_last = s->out_end - AT_ONCE;
    size_t k = 0;

    while (k < STRETCH && out <= out_last) {
        size_t back = t->back[k] & 0x7fff;
        uint32_t one = (t->back[k] >> 15) * 0xffu, first; /* 0xff: there is a literal byte */

        if (__builtin_expect(t->made[k] > 0, true)) {
            memcpy(&first, out - back, sizeof first);
            first = htole32((le32toh(first) & ~one) | (in[k + 1] & one));
            memcpy(out, &first, sizeof first);
            copy_4(out + 4, back);
            if (wide || t->made[k] > 8)
                for (size_t i = 8; i < AT_ONCE; i += 4)
                    copy_4(out + i, back);
            out += t->made[k];
            k += t->step[k];
        } else if (in[k] < 32) {
            memcpy(out, in + k + 1, AT_ONCE);
            out += in[k] + 1;
            k += in[k] + 2u;
        } else {
            s->in = in + k + 1;
            s->out = out;
            if (copy(s, in[k]) != 0)
                return -1;
            k = (size_t)(s->in - in);
            out = s->out;
        }
    }
    s->in = in + k;
    s->out = out;
    return 0;
}

/* Stretches as far as neither end is near, nearly all of a chunk. */
static int decode_inside(stream *s)
{
    bool wide = false;
    turns t = {0}; /* find_turns sets it all, which the static analyzer does not see */

    while (s->in_end - s->in >= STRETCH + READ_ROOM && s->out_end - s->out >= AT_ONCE) {
        const uint8_t *in = s->in, *out = s->out;
        ptrdiff_t there = s->out - s->start;

        find_turns(in, (uint16_t)(there < FARTHEST ? there : FARTHEST), &t);
        if ((wide ? take_turns(s, &t, true) : take_turns(s, &t, false)) != 0)
            return -1;
        wide = s->out - out > 3 * (s->in - in); /* as it was, it most often goes on */
    }
    return 0;
}

/* The control byte says what follows: below 32 so many bytes as they are, else a copy of what was
 * decoded before. Each of the two checks what it reads and writes. */
int64_t scs_h5filter_lzf(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    stream s = {in, in + size, out, out, out + room};

    if (decode_inside(&s) != 0)
        return -1;
    while (s.in < s.in_end) {
        unsigned control = *s.in++;

        if (control < 32 ? literal(&s, control + 1u) : copy(&s, control))
            return -1;
    }
    return s.out - s.start;
}

/* ---- deflate ---- */

/* HDF5's own deflate: exported by its library, in no header. NULL where it is not, and then
 * deflated chunks are not checked. */
extern const H5Z_class2_t H5Z_DEFLATE[1] __attribute__((weak));

/* Of no meaning for the way back. */
static const unsigned deflate_level = 6;

/* HDF5's filter doubles its buffer until all is inflated, so it must be asked, not computed. */
bool scs_h5filter_inflates_to(void *stored, size_t size, size_t chunk)
{
    size_t room = size, n = chunk;

    /* cppcheck-suppress knownConditionTrueFalse ; a library without zlib lacks the symbol */
    if (H5Z_DEFLATE)
        n = H5Z_DEFLATE->filter(H5Z_FLAG_REVERSE, 1, &deflate_level, size, &room, &stored);
    H5free_memory(stored);
    return n >= chunk;
}

/* By libdeflate, where this was built with it. */
struct scs_h5filter_decoder {
    H5Z_filter_t id;
#ifdef HAVE_LIBDEFLATE
    struct libdeflate_decompressor *inflater;
#endif
#ifdef HAVE_ZSTD
    ZSTD_DCtx *zstd;
#endif
};

#ifdef HAVE_LIBDEFLATE
static bool inflate(const scs_h5filter_decoder *d, const uint8_t *in, size_t size, uint8_t *out,
                    size_t room)
{
    return libdeflate_zlib_decompress(d->inflater, in, size, out, room, NULL) == LIBDEFLATE_SUCCESS;
}
#else
static bool inflate(const scs_h5filter_decoder *d, const uint8_t *in, size_t size, uint8_t *out,
                    size_t room)
{
    void *buffer = H5allocate_memory(size, false);
    size_t buffer_size = size, n = 0;

    (void)d;
    if (buffer)
        memcpy(buffer, in, size);
    /* cppcheck-suppress knownConditionTrueFalse */
    if (buffer && H5Z_DEFLATE)
        n = H5Z_DEFLATE->filter(H5Z_FLAG_REVERSE, 1, &deflate_level, size, &buffer_size, &buffer);
    if (n == room)
        memcpy(out, buffer, room);
    H5free_memory(buffer);
    return n == room;
}
#endif

/* ---- by libraries that may be there: bytes written, -1 where the chunk is damaged or needs more
 * room ---- */

#ifdef HAVE_ZSTD
static int64_t decode_zstd(ZSTD_DCtx *context, const uint8_t *in, size_t size, uint8_t *out,
                           size_t room)
{
    size_t n = context ? ZSTD_decompressDCtx(context, out, room, in, size)
                       : ZSTD_decompress(out, room, in, size);

    return ZSTD_isError(n) ? -1 : (int64_t)n;
}
#endif

#ifdef HAVE_LZ4
static uint64_t big_endian(const uint8_t *in, int n)
{
    uint64_t value = 0;

    for (int i = 0; i < n; i++)
        value = value << 8 | in[i];
    return value;
}

/* The plugin's frame: bytes of all (8) and of a block (4), then blocks, each behind its size (4);
 * one of as many bytes as it decodes to is stored as it is. All numbers have their high byte first.
 */
static int64_t decode_lz4(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    enum { HEAD = 12, BLOCK_HEAD = 4 };
    uint64_t all = size >= HEAD ? big_endian(in, 8) : 0, left = all;
    uint64_t block = size >= HEAD ? big_endian(in + 8, 4) : 0;

    if (size < HEAD || all > room || (all > 0 && block == 0) || block > INT_MAX)
        return -1;
    for (in += HEAD, size -= HEAD; left > 0;) {
        uint64_t n = left < block ? left : block, stored;

        if (size < BLOCK_HEAD)
            return -1;
        stored = big_endian(in, BLOCK_HEAD);
        in += BLOCK_HEAD;
        size -= BLOCK_HEAD;
        if (stored > size || stored > INT_MAX)
            return -1;
        if (stored == n)
            memcpy(out, in, n);
        else if (LZ4_decompress_safe((const char *)in, (char *)out, (int)stored, (int)n) != (int)n)
            return -1;
        in += stored;
        size -= stored;
        out += n;
        left -= n;
    }
    return (int64_t)all;
}
#endif

#ifdef HAVE_BLOSC
/* Its header says how long all is; the library compares it with the bytes that there are. */
static int64_t decode_blosc(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    size_t n = 0;

    if (blosc_cbuffer_validate(in, size, &n) < 0 || n > room || n > INT_MAX)
        return -1;
    return blosc_decompress_ctx(in, out, room, 1) == (int)n ? (int64_t)n : -1;
}
#endif

/* ---- decoders ---- */

bool scs_h5filter_compresses(H5Z_filter_t id)
{
    switch (id) {
    case H5Z_FILTER_DEFLATE:
    case FILTER_LZF:
#ifdef HAVE_ZSTD
    case FILTER_ZSTD:
#endif
#ifdef HAVE_LZ4
    case FILTER_LZ4:
#endif
#ifdef HAVE_BLOSC
    case FILTER_BLOSC:
#endif
        return true;
    default:
        return false;
    }
}

bool scs_h5filter_is_known(H5Z_filter_t id)
{
    return scs_h5filter_compresses(id) || id == H5Z_FILTER_SHUFFLE || id == H5Z_FILTER_FLETCHER32;
}

const char *scs_h5filter_library(H5Z_filter_t id)
{
    return id == FILTER_ZSTD    ? "libzstd"
           : id == FILTER_LZ4   ? "liblz4"
           : id == FILTER_BLOSC ? "libblosc"
                                : NULL;
}

const char *scs_h5filter_plugin(H5Z_filter_t id)
{
    return !scs_h5filter_compresses(id) ? NULL
           : id == FILTER_ZSTD          ? "zstd"
           : id == FILTER_LZ4           ? "LZ4"
           : id == FILTER_BLOSC         ? "Blosc"
                                        : NULL;
}

scs_status scs_h5filter_open(H5Z_filter_t id, scs_h5filter_decoder **decoder)
{
    bool good = true;

    SCS_TRY(SCS_ALLOC(*decoder, 1));
    (*decoder)->id = id;
#ifdef HAVE_LIBDEFLATE
    if (id == H5Z_FILTER_DEFLATE)
        good = ((*decoder)->inflater = libdeflate_alloc_decompressor()) != NULL;
#endif
#ifdef HAVE_ZSTD
    if (id == FILTER_ZSTD)
        good = ((*decoder)->zstd = ZSTD_createDCtx()) != NULL;
#endif
    if (good)
        return SCS_OK;
    scs_h5filter_close(decoder);
    return SCS_FAIL(SCS_ENOMEM, "no memory is left for a decoder of chunks");
}

void scs_h5filter_close(scs_h5filter_decoder **decoder)
{
    if (!*decoder)
        return;
#ifdef HAVE_LIBDEFLATE
    if ((*decoder)->inflater)
        libdeflate_free_decompressor((*decoder)->inflater);
#endif
#ifdef HAVE_ZSTD
    ZSTD_freeDCtx((*decoder)->zstd);
#endif
    free(*decoder);
    *decoder = NULL;
}

bool scs_h5filter_decode(scs_h5filter_decoder *d, const uint8_t *in, size_t size, uint8_t *out,
                         size_t room)
{
    switch (d->id) {
    case H5Z_FILTER_DEFLATE:
        return inflate(d, in, size, out, room);
    case FILTER_LZF:
        return scs_h5filter_lzf(in, size, out, room) == (int64_t)room;
#ifdef HAVE_ZSTD
    case FILTER_ZSTD:
        return decode_zstd(d->zstd, in, size, out, room) == (int64_t)room;
#endif
#ifdef HAVE_LZ4
    case FILTER_LZ4:
        return decode_lz4(in, size, out, room) == (int64_t)room;
#endif
#ifdef HAVE_BLOSC
    case FILTER_BLOSC:
        return decode_blosc(in, size, out, room) == (int64_t)room;
#endif
    default:
        return false;
    }
}

/* ---- as filters of HDF5 ---- */

/* Bytes that chunks which this thread reads from now on must decode to, at least. */
static _Thread_local size_t expected;

void scs_h5filter_expect(int64_t bytes)
{
    expected = bytes > 0 ? (size_t)bytes : 0;
}

/* Decode *buffer; the new length, 0 = failure. As HDF5's own filters it gives back another buffer.
 *
 * The room is twice what is expected: a variable-length element takes 8 bytes in memory, 16 in the
 * file; and 64 bytes for a checksum that was appended before the compression. */
static size_t decode_for_hdf5(H5Z_filter_t id, unsigned flags, size_t size, size_t *buffer_size,
                              void **buffer)
{
    size_t room = 2 * expected + 64;
    void *out = (flags & H5Z_FLAG_REVERSE) ? H5allocate_memory(room, true) : NULL;
    int64_t n = -1;

    if (out && id == FILTER_LZF)
        n = scs_h5filter_lzf(*buffer, size, out, room);
#ifdef HAVE_ZSTD
    if (out && id == FILTER_ZSTD)
        n = decode_zstd(NULL, *buffer, size, out, room);
#endif
#ifdef HAVE_LZ4
    if (out && id == FILTER_LZ4)
        n = decode_lz4(*buffer, size, out, room);
#endif
#ifdef HAVE_BLOSC
    if (out && id == FILTER_BLOSC)
        n = decode_blosc(*buffer, size, out, room);
#endif
    if (n < 0 || (size_t)n < expected) {
        H5free_memory(out);
        return 0;
    }
    H5free_memory(*buffer);
    *buffer = out;
    *buffer_size = room;
    return (size_t)n;
}

/* HDF5 does not tell a filter which one it is. */
#define FILTER(name, id)                                                                           \
    static size_t name(unsigned flags, size_t n_value, const unsigned *values, size_t size,        \
                       size_t *buffer_size, void **buffer)                                         \
    {                                                                                              \
        (void)n_value, (void)values;                                                               \
        return decode_for_hdf5(id, flags, size, buffer_size, buffer);                              \
    }
FILTER(filter_lzf, FILTER_LZF)
FILTER(filter_blosc, FILTER_BLOSC)
FILTER(filter_lz4, FILTER_LZ4)
FILTER(filter_zstd, FILTER_ZSTD)

scs_status scs_h5filter_register(void)
{
    static const H5Z_class2_t filters[] = {
        {H5Z_CLASS_T_VERS, FILTER_LZF, 0, 1, "lzf", NULL, NULL, filter_lzf},
        {H5Z_CLASS_T_VERS, FILTER_BLOSC, 0, 1, "blosc", NULL, NULL, filter_blosc},
        {H5Z_CLASS_T_VERS, FILTER_LZ4, 0, 1, "lz4", NULL, NULL, filter_lz4},
        {H5Z_CLASS_T_VERS, FILTER_ZSTD, 0, 1, "zstd", NULL, NULL, filter_zstd}};

    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        SCS_REQUIRE(!scs_h5filter_compresses(filters[i].id) || H5Zregister(&filters[i]) >= 0,
                    SCS_EINTERNAL, "HDF5 does not take the filter %s", filters[i].name);
    return SCS_OK;
}
