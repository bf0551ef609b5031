/** Philox4x32-10 and what is drawn from it (src/base/random.h). Random123's code makes single
 *  blocks; sixteen blocks at once are made by a loop of our own over the same rounds, which
 *  vector registers can hold (tests/unit/test_random compares the two).
 */
#include "src/base/random.h"

#include "src/base/simd.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define R123_ASSERT(rounds) ((void)0) /* of a constant: no assert() without optimization either */

#include <Random123/philox.h>

/* The layout of key and counter is that of src/base/random.h. */
void scs_random_block(const scs_stream *stream, uint32_t b, uint32_t word[4])
{
    philox4x32_key_t key = {{(uint32_t)stream->seed, (uint32_t)(stream->seed >> 32)}};
    philox4x32_ctr_t counter = {{b, (uint32_t)stream->cell,
                                 (uint32_t)(stream->cell >> 32 & 0xff) | stream->epoch << 8,
                                 stream->purpose}};
    philox4x32_ctr_t made = philox4x32(counter, key);

    for (int i = 0; i < 4; i++)
        word[i] = made.v[i];
}

/* One round of philox4x32 for all blocks at once: the generator's own loop, with the lanes
 * outside, lets them share vector registers. Constants from Random123. */
static inline void philox_round(uint32_t k0, uint32_t k1, uint32_t word[4][SCS_RANDOM_BLOCKS])
{
#pragma omp simd
    for (int i = 0; i < SCS_RANDOM_BLOCKS; i++) {
        uint64_t a = (uint64_t)PHILOX_M4x32_0 * word[0][i];
        uint64_t b = (uint64_t)PHILOX_M4x32_1 * word[2][i];

        word[0][i] = (uint32_t)(b >> 32) ^ word[1][i] ^ k0;
        word[1][i] = (uint32_t)b;
        word[2][i] = (uint32_t)(a >> 32) ^ word[3][i] ^ k1;
        word[3][i] = (uint32_t)a;
    }
}

/* Ten rounds, the key raised by the Weyl constants after each. */
SCS_VECTOR void scs_random_blocks(const scs_stream *stream, uint32_t first,
                                  uint32_t word[4][SCS_RANDOM_BLOCKS])
{
    uint32_t k0 = (uint32_t)stream->seed, k1 = (uint32_t)(stream->seed >> 32);

    for (uint32_t i = 0; i < SCS_RANDOM_BLOCKS; i++) {
        word[0][i] = first + i;
        word[1][i] = (uint32_t)stream->cell;
        word[2][i] = (uint32_t)(stream->cell >> 32 & 0xff) | stream->epoch << 8;
        word[3][i] = stream->purpose;
    }
    for (int round = 0; round < 10; round++) {
        philox_round(k0, k1, word);
        k0 += PHILOX_W32_0;
        k1 += PHILOX_W32_1;
    }
}

/* Two words: sorting by one would meet equal keys in an atlas of some ten thousand cells. */
uint64_t scs_random_key(const scs_stream *stream)
{
    uint32_t word[4];

    scs_random_block(stream, 0, word);
    return (uint64_t)word[1] << 32 | word[0];
}

/* The upper 24 bits of a word fit a float's significand: no rounding, never 1. */
void scs_random_uniform(const scs_stream *stream, int64_t n, float *out)
{
    uint32_t word[4];

    for (int64_t i = 0; i < n; i++) {
        if (i % 4 == 0)
            scs_random_block(stream, (uint32_t)(i / 4), word);
        out[i] = (float)(word[i % 4] >> 8) * 0x1p-24f;
    }
}

/* Two normals from two words; u is in (0, 1], so that its logarithm is finite. */
static void box_muller(const uint32_t word[2], double normal[2])
{
    double u = ((double)word[0] + 1.0) * 0x1p-32;
    double angle = 2.0 * M_PI * 0x1p-32 * (double)word[1];
    double radius = sqrt(-2.0 * log(u));

    normal[0] = radius * cos(angle);
    normal[1] = radius * sin(angle);
}

/* Both pairs of a block are made at once; of the last block some may be left over. */
void scs_random_normal(const scs_stream *stream, int64_t n, double *out)
{
    uint32_t word[4];
    double normal[4];

    for (int64_t i = 0; i < n; i++) {
        if (i % 4 == 0) {
            scs_random_block(stream, (uint32_t)(i / 4), word);
            box_muller(word, normal);
            box_muller(word + 2, normal + 2);
        }
        out[i] = normal[i % 4];
    }
}

/* A cell with what it is sorted by. */
typedef struct keyed {
    uint64_t key;
    int64_t cell, position;
} keyed;

/* Keys of 64 bits are hardly ever equal; if they are, the ids decide, so that the order never
 * depends on where the cells stood. */
static int compare(const void *a, const void *b)
{
    const keyed *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

/* Runs of cells by the upper bits of their keys, where there are more than FEW; a run of SHORT at
 * most is sorted by insertion. */
enum { RUN_BITS = 12, RUNS = 1 << RUN_BITS, FEW = 4096, SHORT = 64 };

/* @param[in,out] item [n] */
static void sort_run(keyed *item, int64_t n)
{
    if (n > SHORT) {
        qsort(item, (size_t)n, sizeof *item, compare);
        return;
    }
    for (int64_t i = 1; i < n; i++) {
        keyed one = item[i];
        int64_t k = i;

        for (; k > 0 && compare(&item[k - 1], &one) > 0; k--)
            item[k] = item[k - 1];
        item[k] = one;
    }
}

/* Positions of a run, in the order of their keys. @param item [n] scratch */
static void order_run(const scs_stream *stream, const int64_t *cell, int64_t n, keyed *item,
                      int64_t *position)
{
    scs_stream one = *stream;

    for (int64_t i = 0; i < n; i++) {
        one.cell = (uint64_t)cell[position[i]];
        item[i] = (keyed){scs_random_key(&one), cell[position[i]], position[i]};
    }
    sort_run(item, n);
    for (int64_t i = 0; i < n; i++)
        position[i] = item[i].position;
}

/* Each cell's run.
 * @param[out] run [n]  @param[out] first [RUNS + 1] zeroed  @return how many runs there are */
static int find_runs(const scs_stream *stream, const int64_t *cell, int64_t n, uint16_t *run,
                     int64_t *first)
{
    scs_stream one = *stream;
    int n_run = n > FEW ? RUNS : 1;

    for (int64_t i = 0; i < n; i++) {
        one.cell = (uint64_t)cell[i];
        run[i] = n_run > 1 ? (uint16_t)(scs_random_key(&one) >> (64 - RUN_BITS)) : 0;
        first[run[i] + 1]++;
    }
    for (int r = 0; r < n_run; r++)
        first[r + 1] += first[r];
    return n_run;
}

/* Run by run, so that keys are held of one at a time: 24 bytes a cell of it, and 2 of each. Making
 * a key twice costs less than sorting all at once. */
scs_status scs_random_order_cells(const scs_stream *stream, const int64_t *cell, int64_t n,
                                  int64_t *position)
{
    int64_t first[RUNS + 1] = {0}, next[RUNS], most = 0;
    keyed *item = NULL;
    uint16_t *run = NULL;
    int n_run;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(run, n));
    n_run = find_runs(stream, cell, n, run, first);
    for (int r = 0; r < n_run; r++)
        most = first[r + 1] - first[r] > most ? first[r + 1] - first[r] : most;
    SCS_GO(st, SCS_ALLOC(item, most));
    memcpy(next, first, (size_t)n_run * sizeof *next);
    for (int64_t i = 0; i < n; i++)
        position[next[run[i]]++] = i;
    for (int r = 0; r < n_run; r++)
        order_run(stream, cell, first[r + 1] - first[r], item, position + first[r]);
done:
    free(run);
    free(item);
    return st;
}
