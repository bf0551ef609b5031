/* Counter-based random numbers: Random123's published answers, and that every field of a stream
 * counts. */
#include "src/base/random.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The vectors of Random123's kat_vectors for philox4x32 with 10 rounds. */
static void test_known_answers(void)
{
    static const struct {
        scs_stream stream;
        uint32_t block, word[4];
    } known[] = {
        {{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{UINT64_MAX, UINT32_MAX, 0xffffff, 0xffffffffff},
         UINT32_MAX,
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x299f31d0a4093822, 0x03707344, 0x13198a, 0x2e85a308d3},
         0x243f6a88,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t word[4];

        scs_random_block(&known[i].stream, known[i].block, word);
        CU_ASSERT_EQUAL(memcmp(word, known[i].word, sizeof word), 0);
    }
}

static void test_blocks_at_once(void)
{
    scs_stream stream = {0x123456789abcdefULL, SCS_RANDOM_DROPOUT, 77, 0xfedcba9876ULL};
    uint32_t all[4][SCS_RANDOM_BLOCKS], one[4];

    scs_random_blocks(&stream, 1000, all);
    for (uint32_t i = 0; i < SCS_RANDOM_BLOCKS; i++) {
        scs_random_block(&stream, 1000 + i, one);
        for (int k = 0; k < 4; k++)
            CU_ASSERT_EQUAL(all[k][i], one[k]);
    }
}

static void test_every_field_counts(void)
{
    scs_stream base = {1, SCS_RANDOM_NOISE, 2, 3}, other[5] = {base, base, base, base, base};

    other[0].seed = 1 + (1ULL << 32);
    other[1].purpose = SCS_RANDOM_DROPOUT;
    other[2].epoch = 3;
    other[3].cell = 4;
    other[4].cell = 3 + (1ULL << 32);
    for (int i = 0; i < 5; i++)
        CU_ASSERT_NOT_EQUAL(scs_random_key(&base), scs_random_key(&other[i]));
}

/* Element i does not depend on how many are asked for. */
static void test_prefix(void)
{
    scs_stream stream = {7, SCS_RANDOM_SIMULATE, 0, 5};
    float u[21], u_all[64];
    double z[21], z_all[64];

    scs_random_uniform(&stream, 21, u);
    scs_random_uniform(&stream, 64, u_all);
    scs_random_normal(&stream, 21, z);
    scs_random_normal(&stream, 64, z_all);
    CU_ASSERT_EQUAL(memcmp(u, u_all, sizeof u), 0);
    CU_ASSERT_EQUAL(memcmp(z, z_all, sizeof z), 0);
}

enum { N = 200000 };

/* 200,000 draws: the moments lie within five standard errors. */
static void test_uniform_moments(void)
{
    scs_stream stream = {7, SCS_RANDOM_SIMULATE, 1, 5};
    float *u = scs_allocate(N, sizeof *u);
    double sum = 0, low = 1, high = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(u);
    scs_random_uniform(&stream, N, u);
    for (int i = 0; i < N; i++) {
        sum += u[i];
        low = fmin(low, u[i]);
        high = fmax(high, u[i]);
    }
    CU_ASSERT(low >= 0 && low < 1e-4 && high < 1 && high > 1 - 1e-4);
    CU_ASSERT_DOUBLE_EQUAL(sum / N, 0.5, 5 * sqrt(1. / 12 / N));
    free(u);
}

static void test_normal_moments(void)
{
    scs_stream stream = {8, SCS_RANDOM_NOISE, 1, 5};
    double *z = scs_allocate(N, sizeof *z), sum[5] = {0}, neighbours = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(z);
    scs_random_normal(&stream, N, z);
    for (int i = 0; i < N; i++)
        for (int k = 1; k < 5; k++)
            sum[k] += pow(z[i], k) / N;
    for (int i = 0; i + 1 < N; i++)
        neighbours += z[i] * z[i + 1] / N;
    CU_ASSERT_DOUBLE_EQUAL(sum[1], 0, 5 * sqrt(1. / N));
    CU_ASSERT_DOUBLE_EQUAL(sum[2], 1, 5 * sqrt(2. / N));
    CU_ASSERT_DOUBLE_EQUAL(sum[3], 0, 5 * sqrt(15. / N));
    CU_ASSERT_DOUBLE_EQUAL(sum[4], 3, 5 * sqrt(96. / N));
    CU_ASSERT_DOUBLE_EQUAL(neighbours, 0, 5 * sqrt(1. / N));
    free(z);
}

/* n cells from `first` on, every third: every position once, and keys ascend. */
static void check_order(int64_t first, int64_t n)
{
    scs_stream stream = {.seed = 7, .purpose = SCS_RANDOM_ORDER};
    int64_t *cell, *position;
    uint64_t last = 0;
    bool *seen;

    CHECK_OK(SCS_ALLOC(cell, n));
    CHECK_OK(SCS_ALLOC(position, n));
    CHECK_OK(SCS_ALLOC(seen, n));
    for (int64_t i = 0; i < n; i++)
        cell[i] = first + 3 * i;
    CHECK_OK(scs_random_order_cells(&stream, cell, n, position));
    for (int64_t k = 0; k < n; k++) {
        CU_ASSERT_FATAL(position[k] >= 0 && position[k] < n && !seen[position[k]]);
        seen[position[k]] = true;
        stream.cell = (uint64_t)cell[position[k]];
        CU_ASSERT_FATAL(scs_random_key(&stream) >= last);
        last = scs_random_key(&stream);
    }
    free(cell);
    free(position);
    free(seen);
}

/* One run, runs that are sorted by insertion, longer ones; and none. */
static void test_order(void)
{
    static const int64_t sizes[] = {0, 1, 50, 4096, 4097, 100000, 400000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_order((int64_t)i << 33, sizes[i]);
}

int main(void)
{
    static const scs_test tests[] = {
        {"Philox gives the published answers", test_known_answers},
        {"blocks at once are the blocks", test_blocks_at_once},
        {"every field of a stream counts", test_every_field_counts},
        {"a shorter draw is the beginning of a longer one", test_prefix},
        {"moments of uniforms", test_uniform_moments},
        {"moments of normals", test_normal_moments},
        {"cells are in the order of their keys", test_order},
    };

    return run_suite("random", tests, sizeof tests / sizeof *tests);
}
