/* LZF: a control byte below 32 announces control + 1 literal bytes; any other one a copy of length
 * (control >> 5) + 2, where 7 takes another byte on top, from (low 5 bits << 8 | next byte) + 1
 * bytes back. */
#include "src/lzf.h"

#include <string.h>

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
