#include "tests/unit/suite.h"

#include "src/base/names.h"
#include "src/base/text.h"

#include <string.h>

static scs_names three(const char *a, const char *b, const char *c)
{
    scs_names names = {0};

    CHECK_OK(scs_names_add(&names, a));
    CHECK_OK(scs_names_add(&names, b));
    CHECK_OK(scs_names_add(&names, c));
    return names;
}

/* What a terminal does not show is told, whole or not at all; letters stay. */
static void unseen_characters_are_shown(void)
{
    static const char *const pairs[][2] = {{"CD4\xc2\xa0T", "CD4\\xc2\\xa0T"},
                                           {"T\xe2\x80\x8b", "T\\xe2\\x80\\x8b"},
                                           {"\xef\xbb\xbf"
                                            "B",
                                            "\\xef\\xbb\\xbf"
                                            "B"},
                                           {"a\xe2\x80\xae"
                                            "b",
                                            "a\\xe2\\x80\\xae"
                                            "b"},
                                           {"tab\t", "tab\\x09"},
                                           {"caf\xc3\xa9 \xce\xb2 \xe2\x89\xa5 \xc2\xb5",
                                            "caf\xc3\xa9 \xce\xb2 \xe2\x89\xa5 \xc2\xb5"},
                                           {"\xc2", "\xc2"},
                                           {"\xe2\x80", "\xe2\x80"}};
    char out[64], small[10];

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        CU_ASSERT_STRING_EQUAL(scs_text_escape(pairs[i][0], out, sizeof out), pairs[i][1]);
    CU_ASSERT_STRING_EQUAL(scs_text_escape("ab\xc2\xa0", small, sizeof small), "ab");
    CU_ASSERT_STRING_EQUAL(scs_text_escape("a\xc2\xa0", small, sizeof small), "a\\xc2\\xa0");
}

static void names_keep_order_and_are_copies(void)
{
    scs_names names = {0}, copy = {0};
    char name[20];

    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "gene_%d", i);
        CHECK_OK(scs_names_add(&names, name));
    }
    CHECK_OK(scs_names_copy(&names, &copy));
    scs_names_clear(&names);
    CU_ASSERT_EQUAL(names.n, 0);
    CU_ASSERT_EQUAL(copy.n, 1000);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "gene_%d", i);
        CU_ASSERT_STRING_EQUAL(copy.name[i], name);
    }
    CHECK_OK(scs_names_add(&copy, "one more"));
    CU_ASSERT_EQUAL(scs_names_find(&copy, "one more"), 1000);
    scs_names_clear(&copy);
}

static void intern_adds_a_name_once(void)
{
    scs_names names = three("a", "b", "c");
    scs_lidx at = -1;

    CHECK_OK(scs_names_intern(&names, "b", &at));
    CU_ASSERT_EQUAL(at, 1);
    CHECK_OK(scs_names_intern(&names, "d", &at));
    CU_ASSERT_EQUAL(at, 3);
    CU_ASSERT_EQUAL(names.n, 4);
    scs_names_clear(&names);
}

static void nearest_suggests_only_what_is_near(void)
{
    scs_names names = three("control", "stimulated", "drug_1");

    CU_ASSERT_STRING_EQUAL(scs_names_nearest(&names, "contrl"), "control");
    CU_ASSERT_STRING_EQUAL(scs_names_nearest(&names, "CONTROL"), "control");
    CU_ASSERT_STRING_EQUAL(scs_names_nearest(&names, "drug_2"), "drug_1");
    CU_ASSERT_PTR_NULL(scs_names_nearest(&names, "aspirin"));
    CU_ASSERT_PTR_NULL(scs_names_nearest(&names, ""));
    scs_names_clear(&names);
}

static void list_shows_some_and_counts_all(void)
{
    scs_names names = three("a", "b\n", "c");
    char out[100];

    CU_ASSERT_STRING_EQUAL(scs_names_list(&names, 10, out, sizeof out), "a, b\\x0a, c");
    CU_ASSERT_STRING_EQUAL(scs_names_list(&names, 2, out, sizeof out), "a, b\\x0a, ... (3 in all)");
    scs_names_clear(&names);
}

/* Whatever the buffer's size: never beyond it, always ended. */
static void list_fits_any_buffer(void)
{
    scs_names names = three("a long name", "another long name", "a third");
    char out[100];

    for (size_t size = 1; size <= sizeof out; size++) {
        memset(out, '#', sizeof out);
        scs_names_list(&names, 10, out, size);
        CU_ASSERT_FATAL(memchr(out, '\0', size) != NULL);
        for (size_t i = size; i < sizeof out; i++)
            CU_ASSERT_EQUAL(out[i], '#');
    }
    scs_names_clear(&names);
}

/* The sorted index finds exactly what a linear search finds. */
static void index_agrees_with_linear_search(void)
{
    scs_names names = {0};
    scs_index index;
    char name[20];

    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "g%d", (i * 7919) % 1000);
        CHECK_OK(scs_names_add(&names, name));
    }
    CHECK_OK(scs_names_index_create(&names, &index));
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "g%d", i);
        CU_ASSERT_EQUAL(scs_names_index_find(&index, name), scs_names_find(&names, name));
    }
    CU_ASSERT_EQUAL(scs_names_index_find(&index, ""), -1);
    CU_ASSERT_EQUAL(scs_names_index_find(&index, "zzz"), -1);
    CU_ASSERT_EQUAL(scs_names_index_duplicate(&index), -1);
    scs_names_index_clear(&index);
    scs_names_clear(&names);
}

/* Whatever all of them begin with, and where they differ. */
static void index_has_the_order_of_bytes(void)
{
    static const char *const texts[] = {
        "cell_",          "cell_10",      "cell_1",        "cell_\xc3\xa9",   "cell_Z",
        "cell_longer_01", "cell_longer_", "cell_longer_1", "cell_longer_00",  "cell_longer_\xff",
        "cell_10",        "cell_~",       "cell_longer",   "cell_0000000000", "cell_000000000"};
    enum { N = sizeof texts / sizeof *texts };
    scs_names names = {0};
    scs_index index;

    for (int prefix = 0; prefix < 6; prefix++) { /* all of them begin with as many bytes less */
        for (int i = 0; i < N; i++)
            CHECK_OK(scs_names_add(&names, texts[i] + prefix));
        CHECK_OK(scs_names_index_create(&names, &index));
        for (int i = 1; i < N; i++) {
            int32_t before = index.order[i - 1], here = index.order[i];
            int order = strcmp(names.name[before], names.name[here]);

            CU_ASSERT(order < 0 || (order == 0 && before < here));
        }
        scs_names_index_clear(&index);
        scs_names_clear(&names);
    }
}

static void index_sees_duplicates_and_finds_the_first(void)
{
    scs_names names = three("b", "a", "b");
    scs_index index;

    CHECK_OK(scs_names_index_create(&names, &index));
    CU_ASSERT_EQUAL(scs_names_index_find(&index, "b"), 0);
    CU_ASSERT_EQUAL(scs_names_index_duplicate(&index), 2);
    scs_names_index_clear(&index);
    scs_names_clear(&names);
}

static void index_of_nothing_finds_nothing(void)
{
    scs_names names = {0};
    scs_index index;

    CHECK_OK(scs_names_index_create(&names, &index));
    CU_ASSERT_EQUAL(scs_names_index_find(&index, "a"), -1);
    CU_ASSERT_EQUAL(scs_names_index_duplicate(&index), -1);
    scs_names_index_clear(&index);
}

static void distance_counts_edits(void)
{
    CU_ASSERT_EQUAL(scs_text_distance("kitten", "sitting"), 3);
    CU_ASSERT_EQUAL(scs_text_distance("", "abc"), 3);
    CU_ASSERT_EQUAL(scs_text_distance("Batch", "batch"), 0);
    CU_ASSERT_EQUAL(scs_text_distance("bach", "batch"), 1);
}

static void utf8_is_told_from_other_bytes(void)
{
    CU_ASSERT(scs_text_is_utf8("T-Zell\xc3\xa9", 8));
    CU_ASSERT(scs_text_is_utf8("\xf0\x9f\xa7\xac", 4));
    CU_ASSERT_FALSE(scs_text_is_utf8("\xc0\xaf", 2));         /* overlong */
    CU_ASSERT_FALSE(scs_text_is_utf8("\xed\xa0\x80", 3));     /* surrogate */
    CU_ASSERT_FALSE(scs_text_is_utf8("\xf4\x90\x80\x80", 4)); /* beyond U+10FFFF */
    CU_ASSERT_FALSE(scs_text_is_utf8("\xc3", 1));             /* cut short */
    CU_ASSERT_FALSE(scs_text_is_utf8("\xff", 1));
}

int main(void)
{
    static const scs_test tests[] = {
        {"unseen characters are shown", unseen_characters_are_shown},
        {"names keep their order and are copies", names_keep_order_and_are_copies},
        {"intern adds a name once", intern_adds_a_name_once},
        {"nearest suggests only what is near", nearest_suggests_only_what_is_near},
        {"list shows some and counts all", list_shows_some_and_counts_all},
        {"list fits any buffer", list_fits_any_buffer},
        {"index agrees with linear search", index_agrees_with_linear_search},
        {"index has the order of bytes", index_has_the_order_of_bytes},
        {"index sees duplicates and finds the first", index_sees_duplicates_and_finds_the_first},
        {"index of nothing finds nothing", index_of_nothing_finds_nothing},
        {"distance counts edits", distance_counts_edits},
        {"UTF-8 is told from other bytes", utf8_is_told_from_other_bytes},
    };

    return run_suite("names", tests, sizeof tests / sizeof *tests);
}
