/* LZF: a control byte below 32 announces control + 1 literal bytes; any other one a copy of length
 * (control >> 5) + 2, where 7 takes another byte on top, from (low 5 bits << 8 | next byte) + 1
 * bytes back. */
#include "src/lzf.h"

#include <hdf5.h>
#include <string.h>

enum { CHECKSUM_ROOM = 64 };

typedef struct stream {
    const uint8_t *in, *in_end;
    uint8_t *start, *out, *out_end;
} stream;

static int literal(stream *s, size_t n)
{
    if ((size_t)(s->in_end - s->in) < n || (size_t)(s->out_end - s->out) < n)
        return -1;
    memcpy(s->out, s->in, n);
    s->in += n;
    s->out += n;
    return 0;
}

static int copy(stream *s, unsigned control)
{
    size_t n = control >> 5, back;

    if (n == 7) {
        if (s->in == s->in_end)
            return -1;
        n += *s->in++;
    }
    if (s->in == s->in_end)
        return -1;
    back = ((control & 0x1fu) << 8 | *s->in++) + 1u;
    n += 2;
    if ((size_t)(s->out - s->start) < back || (size_t)(s->out_end - s->out) < n)
        return -1;
    for (; n > 0; n--, s->out++) /* the two may overlap: byte by byte */
        *s->out = *(s->out - back);
    return 0;
}

int64_t scs_lzf_decode(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    stream s = {in, in + size, out, out, out + room};

    while (s.in < s.in_end) {
        unsigned control = *s.in++;
        if (control < 32 ? literal(&s, control + 1u) : copy(&s, control))
            return -1;
    }
    return s.out - s.start;
}

/* HDF5's filter callback. values = [filter version, LZF version, bytes of a chunk]; 0 means
 * failure. The room always covers the dataset's chunk, which HDF5 does not check itself: h5safe has
 * compared values[2] with it, up to the factor 2 that a variable-length element takes more in the
 * file. The checksum may have been appended before the compression. */
static size_t filter(unsigned flags, size_t n_value, const unsigned *values, size_t size,
                     size_t *buffer_size, void **buffer)
{
    size_t room;
    void *out;
    int64_t n;

    if (!(flags & H5Z_FLAG_REVERSE) || n_value < 3 || values[2] == 0)
        return 0;
    room = 2 * (size_t)values[2] + CHECKSUM_ROOM;
    out = H5allocate_memory(room, true);
    if (!out)
        return 0;
    n = scs_lzf_decode(*buffer, size, out, room);
    if (n < (int64_t)values[2]) {
        H5free_memory(out);
        return 0;
    }
    H5free_memory(*buffer);
    *buffer = out;
    *buffer_size = room;
    return (size_t)n;
}

scs_status scs_lzf_register(void)
{
    static const H5Z_class2_t lzf = {
        H5Z_CLASS_T_VERS, SCS_LZF_FILTER, 0, 1, "lzf", NULL, NULL, filter};

    SCS_REQUIRE(H5Zregister(&lzf) >= 0, SCS_EINTERNAL, "HDF5 does not take the LZF filter");
    return SCS_OK;
}
