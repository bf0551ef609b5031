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
        {"no byte beyond the room is written", no_byte_beyond_the_room_is_written},
    };

    return run_suite("lzf", tests, sizeof tests / sizeof *tests);
}
