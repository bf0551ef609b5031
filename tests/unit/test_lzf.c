/* The LZF decoder on streams written by hand, and on damaged ones. */
#include "src/hdf5/h5filter.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

/* Copies of a stream, so many that most are far from both ends. */
enum { COPIES = 240 };

static void check(const char *in, size_t size, const char *expected)
{
    uint8_t out[512];
    int64_t n = scs_h5filter_lzf((const uint8_t *)in, size, out, sizeof out);

    CU_ASSERT_EQUAL(n, (int64_t)strlen(expected));
    CU_ASSERT(n >= 0 && memcmp(out, expected, (size_t)n) == 0);
}

static void literals_and_copies(void)
{
    char thirty[31];

    memset(thirty, 'a', 30);
    thirty[30] = '\0';
    check("", 0, "");
    check("\x02xyz", 4, "xyz");
    check("\x02xyz\x20\x02", 6, "xyzxyz"); /* 3 bytes from 3 back */
    check("\x00"
          "a\x20\x00",
          4, "aaaa"); /* a copy that overlaps itself */
    check("\x00"
          "a\xe0\x14\x00",
          5, thirty); /* 7 + 20 + 2 more */
    check("\x02xyz\x20\x02\x00!", 8, "xyzxyz!");
}

static void damage_is_refused(void)
{
    static const struct {
        const char *in;
        size_t size;
    } bad[] = {{"\x02xy", 3}, /* a literal cut short */
               {"\x00"
                "a\x20",
                3}, /* no offset */
               {"\x00"
                "a\xe0",
                3}, /* no length */
               {"\x00"
                "a\x20\x01",
                4},             /* before the start */
               {"\x20\x00", 2}, /* nothing to copy */
               {"\x00"
                "a\x3f\xff",
                4}};
    uint8_t out[64];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_EQUAL(scs_h5filter_lzf((const uint8_t *)bad[i].in, bad[i].size, out, sizeof out),
                        -1);
}

/* A byte, then a copy of n bytes from `back` back, and again.
 * @return the stream's length */
static size_t write_copies(size_t n, size_t back, uint8_t *out)
{
    size_t at = 0, first = back > 32 ? 32 : back;

    for (size_t begun = 0; begun < back; begun += first) {
        out[at++] = (uint8_t)(first - 1);
        for (size_t k = 0; k < first; k++)
            out[at++] = (uint8_t)(3 + 7 * (begun + k));
    }
    for (int i = 0; i < COPIES; i++) {
        out[at++] = 0;
        out[at++] = (uint8_t)(100 + i % 100);
        out[at++] = (uint8_t)((n < 9 ? n - 2 : 7) << 5 | (back - 1) >> 8);
        if (n >= 9)
            out[at++] = (uint8_t)(n - 9);
        out[at++] = (uint8_t)(back - 1);
    }
    return at;
}

/* What it must decode to, a byte at a time. */
static size_t expect_copies(size_t n, size_t back, uint8_t *out)
{
    size_t first = back > 32 ? 32 : back, at = 0;

    for (; at < (back + first - 1) / first * first; at++)
        out[at] = (uint8_t)(3 + 7 * at);
    for (int i = 0; i < COPIES; i++) {
        out[at++] = (uint8_t)(100 + i % 100);
        for (size_t k = 0; k < n; k++, at++)
            out[at] = out[at - back];
    }
    return at;
}

static void copies_of_any_length_from_any_distance(void)
{
    static const size_t lengths[] = {3, 4, 7, 8, 9, 10, 15, 16, 17, 24, 25, 32, 33, 100, 264};
    static uint8_t in[2048], out[1 << 16], expected[1 << 16];

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t back = 1; back <= 40; back++) {
            size_t size = write_copies(lengths[i], back, in);
            size_t n = expect_copies(lengths[i], back, expected);

            memset(out, '#', sizeof out);
            CU_ASSERT_EQUAL(scs_h5filter_lzf(in, size, out, n), (int64_t)n);
            CU_ASSERT(memcmp(out, expected, n) == 0 && out[n] == '#');
            CU_ASSERT_EQUAL(scs_h5filter_lzf(in, size, out, n - 1), -1);
        }
}

/* Far from both ends, where ends are not asked for. */
static void a_copy_of_what_is_not_there_is_refused(void)
{
    uint8_t in[2000] = {0}, out[2000];

    in[4] = 0x20; /* behind two literal bytes */
    in[5] = 2;    /* from 3 back */
    CU_ASSERT_EQUAL(scs_h5filter_lzf(in, sizeof in, out, sizeof out), -1);
    in[5] = 1;
    CU_ASSERT_EQUAL(scs_h5filter_lzf(in, sizeof in, out, sizeof out), 2 + 3 + (2000 - 6) / 2);
}

/* Any byte after the other, as the format has it. @return bytes, or -1 */
static int64_t decode_plainly(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    size_t at = 0, to = 0;

    while (at < size) {
        size_t control = in[at++], n = control < 32 ? control + 1 : (control >> 5) + 2, back = 0;

        if (control >= 32) {
            if (control >> 5 == 7)
                n += at < size ? in[at++] : 0;
            if (at == size)
                return -1;
            back = ((control & 31) << 8 | in[at++]) + 1;
        }
        if (n > room - to || back > to || (control < 32 && n > size - at))
            return -1;
        for (; n > 0; n--, to++)
            out[to] = back ? out[to - back] : in[at++];
    }
    return (int64_t)to;
}

/* Literals and copies as numbers have them, or any. @return the stream's length */
static size_t write_any(uint32_t *state, uint8_t *in, size_t size)
{
    size_t at = 0, made = 0;

    while (at + 33 < size) {
        uint32_t r = *state = *state * 1664525u + 1013904223u, kind = r >> 29;
        size_t n = 0, back = (kind & 1 ? r >> 9 & 7 : r >> 9 & 0x1fff) * (r >> 8 & 1 ? 4 : 1);

        back = back % 0x2000 < made ? back % 0x2000 : made - 1;
        if (kind == 0 || made == 0) {
            n = (r >> 24 & 31) % (r >> 4 & 1 ? 32 : 2) + 1;
            in[at++] = (uint8_t)(n - 1);
            for (size_t k = 0; k < n; k++)
                in[at++] = (uint8_t)(r >> k % 23);
        } else {
            uint8_t more = (uint8_t)(r >> 20 & (kind == 1 ? 255 : 31));

            n = kind < 4 ? 9u + more : 2 + (kind & 3) + 1;
            in[at++] = (uint8_t)((kind < 4 ? 7 : (kind & 3) + 1) << 5 | back >> 8);
            if (kind < 4)
                in[at++] = more;
            in[at++] = (uint8_t)back;
        }
        made += n;
    }
    return at;
}

/* Each in memory of its own, so that a sanitizer sees a byte too much. */
static void check_any(const uint8_t *stream, size_t size, size_t room)
{
    uint8_t *in = malloc(size), *out = malloc(room + 1), *expected = malloc(room + 1);
    int64_t n;

    CU_ASSERT_FATAL(in && out && expected);
    memcpy(in, stream, size);
    out[room] = '#';
    n = decode_plainly(in, size, expected, room);
    CU_ASSERT_EQUAL(scs_h5filter_lzf(in, size, out, room), n);
    CU_ASSERT(n < 0 || memcmp(out, expected, (size_t)n) == 0);
    CU_ASSERT_EQUAL(out[room], '#');
    free(in);
    free(out);
    free(expected);
}

static void any_stream_and_its_mutants_decode_as_by_a_plain_loop(void)
{
    static uint8_t in[3000], all[1 << 18];
    uint32_t state = 7;

    for (int i = 0; i < 300; i++) {
        size_t size = write_any(&state, in, 300 + (size_t)i * 9);
        int64_t n = decode_plainly(in, size, all, sizeof all);

        CU_ASSERT_FATAL(n > 0);
        check_any(in, size, (size_t)n);
        check_any(in, size, (size_t)n - 1);
        for (size_t room = (size_t)n / 2; room < (size_t)n / 2 + 40; room++)
            check_any(in, size, room);
        check_any(in, size - 1, (size_t)n);
        check_any(in, size, (size_t)n + 100);
        for (int k = 0; k < 8; k++) {
            state = state * 1664525u + 1013904223u;
            in[(state >> 8) % size] = (uint8_t)(state >> 24);
            check_any(in, size, (size_t)n);
        }
    }
}

static void no_byte_beyond_the_room_is_written(void)
{
    static const char *const streams[] = {"\x02xyz\x20\x02", "\x05xyzabc"};
    uint8_t out[8];

    for (int i = 0; i < 2; i++)
        for (size_t room = 0; room < 6; room++) {
            memset(out, '#', sizeof out);
            CU_ASSERT_EQUAL(
                scs_h5filter_lzf((const uint8_t *)streams[i], strlen(streams[i]), out, room), -1);
            for (size_t k = room; k < sizeof out; k++)
                CU_ASSERT_EQUAL(out[k], '#');
        }
}

int main(void)
{
    static const scs_test tests[] = {
        {"literals and copies", literals_and_copies},
        {"damage is refused", damage_is_refused},
        {"copies of any length from any distance", copies_of_any_length_from_any_distance},
        {"a copy of what is not there is refused", a_copy_of_what_is_not_there_is_refused},
        {"any stream and its mutants decode as by a plain loop",
         any_stream_and_its_mutants_decode_as_by_a_plain_loop},
        {"no byte beyond the room is written", no_byte_beyond_the_room_is_written},
    };

    return run_suite("lzf", tests, sizeof tests / sizeof *tests);
}
