/* The order in which a stream gives cells: each once, the same whoever asks, and well mixed. */
#include "tests/unit/suite.h"

#include "src/data/windows.h"

#include <math.h>
#include <string.h>

enum { SEED = 7 };

/* Inputs of these many cells; every 10th cell is for validation, every 11th held out. */
typedef struct atlas {
    int64_t first[4];
    uint8_t *role;
    scs_dataset dataset;
    scs_deal *deal;
} atlas;

static void open_atlas(atlas *a, const int64_t *cells, int32_t n_shard)
{
    *a = (atlas){0};
    for (int i = 0; i < 3; i++)
        a->first[i + 1] = a->first[i] + cells[i];
    CHECK_OK(SCS_ALLOC(a->role, a->first[3]));
    for (int64_t c = 0; c < a->first[3]; c++)
        a->role[c] = c % 10 == 3   ? SCS_ROLE_VALID
                     : c % 11 == 4 ? SCS_ROLE_HELD_OUT
                                   : SCS_ROLE_TRAIN;
    a->dataset =
        (scs_dataset){.n_cell = a->first[3], .n_input = 3, .first_cell = a->first, .role = a->role};
    CHECK_OK(scs_shard_deal_create(&a->dataset, SEED, n_shard, &a->deal));
}

static void close_atlas(atlas *a)
{
    scs_shard_deal_destroy(&a->deal);
    free(a->role);
}

/* Training rows of a shard in the order of an epoch. @param[out] first [n_window + 1] */
static int64_t *epoch_rows(const atlas *a, const scs_windows *w, int32_t s, int64_t epoch,
                           int64_t *first)
{
    scs_shard shard = {
        .id = s, .n_train = a->deal->n_train[s], .cell = a->deal->cell + a->deal->first[s]};
    int64_t *row;

    CHECK_OK(SCS_ALLOC(row, shard.n_train));
    CHECK_OK(scs_shard_epoch_order(&shard, SEED, epoch, row));
    CHECK_OK(scs_windows_sort_rows(w, shard.cell, row, shard.n_train, first));
    return row;
}

/* Blocks do not go over the end of an input, and the third input begins a block of its own. */
static void blocks_are_of_one_input(void)
{
    static const int64_t cells[] = {130, 0, 65};
    atlas a;
    scs_windows w;
    int64_t next = 0, first, end;

    open_atlas(&a, cells, 1);
    CHECK_OK(scs_windows_create(&a.dataset, 64, 1000, &w));
    CU_ASSERT_EQUAL(w.n_block, 5);
    CU_ASSERT_EQUAL(w.n_window, 1);
    for (int64_t b = 0; b < w.n_block; b++) {
        int32_t input = scs_windows_cells(&w, b, &first, &end);

        CU_ASSERT_EQUAL(first, next);
        CU_ASSERT(first >= a.first[input] && end <= a.first[input + 1] && end - first <= 64);
        next = end;
    }
    CU_ASSERT_EQUAL(next, a.dataset.n_cell);
    scs_windows_clear(&w);
    close_atlas(&a);
}

static void check_blocks(const scs_windows *w)
{
    uint8_t *seen;

    CHECK_OK(SCS_ALLOC(seen, w->n_block));
    for (int32_t i = 0; i < w->n_window; i++) {
        int64_t n = scs_windows_first(w, i + 1) - scs_windows_first(w, i);

        CU_ASSERT(n == w->n_block / w->n_window || n == w->n_block / w->n_window + 1);
        for (int64_t k = scs_windows_first(w, i); k < scs_windows_first(w, i + 1); k++) {
            CU_ASSERT_EQUAL(w->window_of[w->order[k]], i);
            CU_ASSERT(k == scs_windows_first(w, i) || w->order[k - 1] < w->order[k]);
            seen[w->order[k]]++;
        }
    }
    for (int64_t b = 0; b < w->n_block; b++)
        CU_ASSERT_EQUAL(seen[b], 1);
    free(seen);
}

static void every_block_is_in_one_window(void)
{
    static const int64_t cells[] = {3000, 1, 2500};
    atlas a;
    scs_windows w;

    open_atlas(&a, cells, 1);
    for (int64_t window = 1; window <= 10000; window *= 10) {
        CHECK_OK(scs_windows_create(&a.dataset, 64, window, &w));
        check_blocks(&w);
        CHECK_OK(scs_windows_shuffle(&w, SEED, 1));
        check_blocks(&w);
        scs_windows_in_order(&w);
        for (int64_t b = 0; b < w.n_block; b++)
            CU_ASSERT_EQUAL(w.order[b], b);
        scs_windows_clear(&w);
    }
    close_atlas(&a);
}

/* And in every epoch's order each training cell stands once, in its window. */
static void every_training_cell_comes_once_an_epoch(void)
{
    static const int64_t cells[] = {3000, 1, 2500};
    atlas a;
    scs_windows w;
    int64_t first[64], *before = NULL;

    open_atlas(&a, cells, 4);
    CHECK_OK(scs_windows_create(&a.dataset, 64, 1000, &w));
    for (int64_t epoch = 1; epoch <= 3; epoch++) {
        CHECK_OK(scs_windows_shuffle(&w, SEED, epoch));
        for (int32_t s = 0; s < 4; s++) {
            int64_t n = a.deal->n_train[s], *row = epoch_rows(&a, &w, s, epoch, first);
            uint8_t *seen;

            CHECK_OK(SCS_ALLOC(seen, n));
            CU_ASSERT_EQUAL(first[0], 0);
            CU_ASSERT_EQUAL(first[w.n_window], n);
            for (int32_t i = 0; i < w.n_window; i++)
                for (int64_t k = first[i]; k < first[i + 1]; k++) {
                    int64_t cell = a.deal->cell[a.deal->first[s] + row[k]];

                    CU_ASSERT_EQUAL(scs_windows_of_cell(&w, cell), i);
                    seen[row[k]]++;
                }
            for (int64_t k = 0; k < n; k++)
                CU_ASSERT_EQUAL(seen[k], 1);
            if (s == 0) {
                CU_ASSERT(!before || memcmp(before, row, (size_t)n * sizeof *row) != 0);
                free(before);
                before = row;
            } else {
                free(row);
            }
            free(seen);
        }
    }
    free(before);
    scs_windows_clear(&w);
    close_atlas(&a);
}

/* So that a stream of one window trains as cells in memory do. */
static void one_window_has_the_order_of_memory(void)
{
    static const int64_t cells[] = {300, 20, 700};
    atlas a;
    scs_windows w;
    int64_t first[2];

    open_atlas(&a, cells, 2);
    CHECK_OK(scs_windows_create(&a.dataset, 64, 1100, &w));
    CHECK_OK(scs_windows_shuffle(&w, SEED, 5));
    for (int32_t s = 0; s < 2; s++) {
        scs_shard shard = {.n_train = a.deal->n_train[s], .cell = a.deal->cell + a.deal->first[s]};
        int64_t *row = epoch_rows(&a, &w, s, 5, first), *memory;

        CHECK_OK(SCS_ALLOC(memory, shard.n_train));
        CHECK_OK(scs_shard_epoch_order(&shard, SEED, 5, memory));
        CU_ASSERT_EQUAL(memcmp(row, memory, (size_t)shard.n_train * sizeof *row), 0);
        free(row);
        free(memory);
    }
    scs_windows_clear(&w);
    close_atlas(&a);
}

/* ---- how well cells are mixed ---- */

enum { SHARDS = 4, PER_SHARD = 256, LABELS = 180 };

/* In bits, of the labels of the cells of a batch. */
static double entropy(const int64_t *count, int64_t n)
{
    double sum = 0;

    for (int l = 0; l < LABELS; l++)
        if (count[l] > 0)
            sum -= (double)count[l] / (double)n * log2((double)count[l] / (double)n);
    return sum;
}

/* Mean over an epoch's batches of 1,024 cells, where a cell's label is its place on disk: inputs
 * are sorted by their labels, which is the worst case. */
static double mean_entropy(const atlas *a, const scs_windows *w)
{
    int64_t *row[SHARDS], *first, n = INT64_MAX, batches = 0;
    double sum = 0;

    CHECK_OK(SCS_ALLOC(first, w->n_window + 1));
    for (int32_t s = 0; s < SHARDS; s++) {
        row[s] = epoch_rows(a, w, s, 1, first);
        n = a->deal->n_train[s] < n ? a->deal->n_train[s] : n;
    }
    for (int64_t at = 0; at + PER_SHARD <= n; at += PER_SHARD, batches++) {
        int64_t count[LABELS] = {0};

        for (int32_t s = 0; s < SHARDS; s++)
            for (int64_t k = at; k < at + PER_SHARD; k++)
                count[a->deal->cell[a->deal->first[s] + row[s][k]] * LABELS / a->dataset.n_cell]++;
        sum += entropy(count, SHARDS * PER_SHARD);
    }
    for (int32_t s = 0; s < SHARDS; s++)
        free(row[s]);
    free(first);
    return sum / (double)batches;
}

static double entropy_with_window(const atlas *a, int64_t window)
{
    scs_windows w;
    double found;

    CHECK_OK(scs_windows_create(&a->dataset, SCS_WINDOWS_BLOCK, window, &w));
    CHECK_OK(scs_windows_shuffle(&w, SEED, 1));
    found = mean_entropy(a, &w);
    scs_windows_clear(&w);
    return found;
}

/* At least 95 % of batches of cells that were drawn from all at random, as they are in memory. */
static void batches_are_as_mixed_as_random_ones(void)
{
    static const int64_t cells[] = {90000, 110000, 100000};
    atlas a;
    double uniform, found;

    open_atlas(&a, cells, SHARDS);
    uniform = entropy_with_window(&a, a.dataset.n_cell);
    CU_ASSERT_DOUBLE_EQUAL(uniform, log2(LABELS) - (LABELS - 1) / (2 * log(2) * 1024), 0.02);
    for (int64_t window = 16384; window <= 65536; window *= 2) {
        found = entropy_with_window(&a, window);
        printf("\n    window of %lld cells: %.3f bits a batch, %.3f at random: %.1f %%",
               (long long)window, found, uniform, 100 * found / uniform);
        if (window == 65536)
            CU_ASSERT(found >= 0.95 * uniform);
    }
    close_atlas(&a);
}

static const scs_test tests[] = {
    {"blocks are of one input", blocks_are_of_one_input},
    {"every block is in one window", every_block_is_in_one_window},
    {"every training cell comes once an epoch", every_training_cell_comes_once_an_epoch},
    {"one window has the order of memory", one_window_has_the_order_of_memory},
    {"batches are as mixed as random ones", batches_are_as_mixed_as_random_ones},
};

int main(void)
{
    return run_suite("windows", tests, sizeof tests / sizeof *tests);
}
