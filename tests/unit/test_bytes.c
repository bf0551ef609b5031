/* Blocks of bytes come back as they went in, and no damaged block is believed. */
#include "src/base/bytes.h"

#include <stdbool.h>
#include <string.h>

#include "tests/unit/suite.h"

static void fill(scs_bytes *b)
{
    scs_names names = {0};

    CHECK_OK(scs_names_add(&names, "CD4T"));
    CHECK_OK(scs_names_add(&names, ""));
    CHECK_OK(scs_names_add(&names, "gène"));
    CHECK_OK(scs_bytes_put_int(b, -42));
    CHECK_OK(scs_bytes_put_text(b, "a text"));
    CHECK_OK(scs_bytes_put_text(b, NULL));
    CHECK_OK(scs_bytes_put_text(b, ""));
    CHECK_OK(scs_bytes_put_names(b, &names));
    scs_names_clear(&names);
}

static scs_status take_text(scs_bytes *b, const char *expected, bool *same)
{
    char *text;

    SCS_TRY(scs_bytes_get_text(b, &text));
    *same = *same && (expected && text ? strcmp(text, expected) == 0 : text == expected);
    free(text);
    return SCS_OK;
}

/* Reads what fill wrote. */
static scs_status take(scs_bytes *b, bool *same)
{
    int64_t value;
    scs_names names = {0};

    *same = true;
    SCS_TRY(scs_bytes_get_int(b, &value));
    SCS_TRY(take_text(b, "a text", same));
    SCS_TRY(take_text(b, NULL, same));
    SCS_TRY(take_text(b, "", same));
    SCS_TRY(scs_bytes_get_names(b, &names));
    *same = *same && value == -42 && names.n == 3 && strcmp(names.name[0], "CD4T") == 0 &&
            strcmp(names.name[1], "") == 0 && strcmp(names.name[2], "gène") == 0;
    scs_names_clear(&names);
    return SCS_OK;
}

static void what_goes_in_comes_out(void)
{
    scs_bytes b = {0};
    bool same = false;

    fill(&b);
    CHECK_OK(take(&b, &same));
    CU_ASSERT(same);
    CU_ASSERT_EQUAL(b.at, b.size);
    scs_bytes_clear(&b);
    CU_ASSERT_PTR_NULL(b.data);
}

static void a_block_cut_anywhere_is_refused(void)
{
    scs_bytes b = {0};
    bool same;
    int64_t whole;

    fill(&b);
    whole = b.size;
    for (b.size = 0; b.size < whole; b.size++) {
        b.at = 0;
        CU_ASSERT_EQUAL(take(&b, &same), SCS_EDATA);
    }
    scs_bytes_clear(&b);
}

/* Whatever a byte becomes: an answer or a refusal, nothing read beyond the end (the sanitizer
 * looks). */
static void a_changed_byte_does_no_harm(void)
{
    static const uint8_t flips[] = {0xff, 0x80, 0x01, 0x7f};
    scs_bytes b = {0};
    bool same;

    fill(&b);
    for (int64_t i = 0; i < b.size; i++)
        for (size_t f = 0; f < sizeof flips; f++) {
            scs_status st;
            b.data[i] ^= flips[f];
            b.at = 0;
            st = take(&b, &same);
            CU_ASSERT(st == SCS_EDATA || st == SCS_OK);
            CU_ASSERT(b.at <= b.size);
            b.data[i] ^= flips[f];
        }
    scs_bytes_clear(&b);
}

static void absurd_lengths_are_refused(void)
{
    static const int64_t lengths[] = {INT64_MAX, -2, INT64_MIN, 1 << 20};
    scs_names names = {0};
    char *text;

    for (int i = 0; i < 4; i++) {
        scs_bytes b = {0};
        CHECK_OK(scs_bytes_put_int(&b, lengths[i]));
        CHECK_FAILS(scs_bytes_get_text(&b, &text), SCS_EDATA, "bad text");
        b.at = 0;
        CHECK_FAILS(scs_bytes_get_names(&b, &names), SCS_EDATA, "names");
        scs_bytes_clear(&b);
    }
}

static void a_text_with_a_nul_is_refused(void)
{
    scs_bytes b = {0};
    char *text;

    CHECK_OK(scs_bytes_put_int(&b, 3));
    CHECK_OK(scs_bytes_put(&b, "a\0b", 3));
    CHECK_FAILS(scs_bytes_get_text(&b, &text), SCS_EDATA, "bad text");
    CU_ASSERT_PTR_NULL(text);
    scs_bytes_clear(&b);
}

int main(void)
{
    static const scs_test tests[] = {
        {"what goes in comes out", what_goes_in_comes_out},
        {"a block cut anywhere is refused", a_block_cut_anywhere_is_refused},
        {"a changed byte does no harm", a_changed_byte_does_no_harm},
        {"absurd lengths are refused", absurd_lengths_are_refused},
        {"a text with a NUL is refused", a_text_with_a_nul_is_refused},
    };

    return run_suite("bytes", tests, sizeof tests / sizeof *tests);
}
