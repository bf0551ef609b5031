/* The LZF decoder on streams written by hand, and on damaged ones. */
#include "src/hdf5/h5filter.h"

#include <string.h>

#include "tests/unit/suite.h"

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

/* A byte, then a copy of n bytes from `back` back, so often that most are far from both ends.
 * @return the stream's length */
static size_t write_copies(size_t n, size_t back, uint8_t *out)
{
    size_t at = 0, first = back > 32 ? 32 : back;

    for (size_t begun = 0; begun < back; begun += first) {
        out[at++] = (uint8_t)(first - 1);
        for (size_t k = 0; k < first; k++)
            out[at++] = (uint8_t)(3 + 7 * (begun + k));
    }
    for (int i = 0; i < 40; i++) {
        out[at++] = 0;
        out[at++] = (uint8_t)(100 + i);
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
    for (int i = 0; i < 40; i++) {
        out[at++] = (uint8_t)(100 + i);
        for (size_t k = 0; k < n; k++, at++)
            out[at] = out[at - back];
    }
    return at;
}

static void copies_of_any_length_from_any_distance(void)
{
    static const size_t lengths[] = {3, 4, 7, 8, 9, 10, 15, 16, 17, 24, 25, 32, 33, 100, 264};
    static uint8_t in[1024], out[16384], expected[16384];

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
    uint8_t in[200] = {0}, out[1024];

    in[4] = 0x20; /* behind two literal bytes */
    in[5] = 2;    /* from 3 back */
    CU_ASSERT_EQUAL(scs_h5filter_lzf(in, sizeof in, out, sizeof out), -1);
    in[5] = 1;
    CU_ASSERT_EQUAL(scs_h5filter_lzf(in, sizeof in, out, sizeof out), 2 + 3 + (200 - 6) / 2);
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
        {"no byte beyond the room is written", no_byte_beyond_the_room_is_written},
    };

    return run_suite("lzf", tests, sizeof tests / sizeof *tests);
}
