/* Sorting by counting digits: against qsort, stable, within the bits that are asked for. */
#include "src/base/random.h"
#include "src/kernels/radix.h"
#include "tests/unit/suite.h"

#include <string.h>

enum { MOST = 5000 };

/* Keys of `bits` bits from bit `low` on, with their place in the bits below. */
static void make_keys(uint64_t *key, int64_t n, int low, int bits, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++) {
        scs_stream stream = {.seed = seed, .purpose = SCS_RANDOM_SIMULATE, .cell = (uint64_t)i};
        uint64_t drawn = scs_random_key(&stream);

        key[i] = (bits ? drawn >> (64 - bits) << low : 0) + (uint64_t)i;
    }
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The place in the low bits makes qsort's order total, and equal to that of a stable sort. */
static void sorts_as_qsort_and_stably(void)
{
    static const int64_t sizes[] = {0, 1, 2, 47, 48, 49, 1000, MOST};
    static const int widths[] = {0, 1, 8, 11, 12, 20, 33, 48};
    uint64_t key[MOST], scratch[MOST], expected[MOST];

    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
            int64_t n = sizes[s];

            make_keys(key, n, 16, widths[w], s * 100 + w);
            memcpy(expected, key, sizeof key);
            qsort(expected, (size_t)n, sizeof *expected, ascending);
            scs_radix_sort(key, scratch, n, 16, 16 + widths[w]);
            CU_ASSERT_EQUAL(memcmp(key, expected, (size_t)n * sizeof *key), 0);
        }
}

/* Bits outside of [low, high) decide nothing. */
static void looks_at_no_other_bits(void)
{
    uint64_t key[100], scratch[100];

    for (uint64_t i = 0; i < 100; i++)
        key[i] = (100 - i) << 40 | (i % 2) << 8 | i;
    scs_radix_sort(key, scratch, 100, 8, 9);
    for (uint64_t i = 0; i < 100; i++)
        CU_ASSERT_EQUAL(key[i] & 0xff, i < 50 ? 2 * i : 2 * (i - 50) + 1);
}

static void sorts_whole_words(void)
{
    uint64_t key[200], scratch[200], expected[200];

    make_keys(key, 200, 0, 64, 7);
    memcpy(expected, key, sizeof key);
    qsort(expected, 200, sizeof *expected, ascending);
    scs_radix_sort(key, scratch, 200, 0, 64);
    CU_ASSERT_EQUAL(memcmp(key, expected, sizeof key), 0);
    scs_radix_sort(key, scratch, 20, 0, 64);
    CU_ASSERT_EQUAL(memcmp(key, expected, 20 * sizeof *key), 0);
}

static void counts_bits(void)
{
    static const uint64_t number[] = {0, 1, 2, 3, 4, 255, 256, UINT64_MAX};
    static const int bits[] = {0, 1, 2, 2, 3, 8, 9, 64};

    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        CU_ASSERT_EQUAL(scs_radix_bits(number[i]), bits[i]);
}

int main(void)
{
    const scs_test tests[] = {
        {"sorts as qsort and stably", sorts_as_qsort_and_stably},
        {"looks at no other bits", looks_at_no_other_bits},
        {"sorts whole words", sorts_whole_words},
        {"counts bits", counts_bits},
    };

    return run_suite("radix", tests, sizeof tests / sizeof *tests);
}
