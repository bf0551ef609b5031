/* Blocks and windows (windows.h).
 *
 * Windows have as many blocks as each other, give or take one, so that none is left over that is
 * much smaller. Cells of any role count: which window a cell is in does not depend on what is held
 * out.
 *
 * A block takes 12 bytes on every rank. All functions are Local.
 */
#include "src/data/windows.h"

#include "src/base/random.h"

#include <stdlib.h>

/* ---- create ---- */

static int64_t blocks_of(int64_t cells, int64_t block)
{
    return (cells + block - 1) / block;
}

/* Windows of at most about so many cells: as few as hold all, and none without a block. */
static int32_t count_windows(const scs_windows *w, int64_t window)
{
    int64_t n = blocks_of(w->cell[w->n_input], window);

    n = n < w->n_block ? n : w->n_block;
    return n > INT32_MAX ? INT32_MAX : n > 0 ? (int32_t)n : 1;
}

static scs_status allocate(scs_windows *w, int64_t window)
{
    SCS_TRY(SCS_ALLOC(w->first_block, (int64_t)w->n_input + 1));
    for (int32_t i = 0; i < w->n_input; i++)
        w->first_block[i + 1] =
            w->first_block[i] + blocks_of(w->cell[i + 1] - w->cell[i], w->block);
    w->n_block = w->first_block[w->n_input];
    w->n_window = count_windows(w, window);
    SCS_TRY(SCS_ALLOC(w->order, w->n_block));
    SCS_TRY(SCS_ALLOC(w->window_of, w->n_block));
    scs_windows_in_order(w);
    return SCS_OK;
}

scs_status scs_windows_create(const scs_dataset *dataset, int64_t block, int64_t window,
                              scs_windows *windows)
{
    scs_status st;

    *windows =
        (scs_windows){.block = block, .n_input = dataset->n_input, .cell = dataset->first_cell};
    st = allocate(windows, window);
    if (st != SCS_OK)
        scs_windows_clear(windows);
    return st;
}

void scs_windows_clear(scs_windows *w)
{
    free(w->first_block);
    free(w->order);
    free(w->window_of);
    *w = (scs_windows){0};
}

/* ---- arrange ---- */

int64_t scs_windows_first(const scs_windows *windows, int32_t w)
{
    return (int64_t)((__int128)windows->n_block * w / windows->n_window);
}

static int ascending(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Within a window blocks ascend, as they are read. */
static void cut(scs_windows *w)
{
    for (int32_t i = 0; i < w->n_window; i++) {
        int64_t first = scs_windows_first(w, i), end = scs_windows_first(w, i + 1);

        qsort(w->order + first, (size_t)(end - first), sizeof *w->order, ascending);
        for (int64_t k = first; k < end; k++)
            w->window_of[w->order[k]] = i;
    }
}

void scs_windows_in_order(scs_windows *w)
{
    for (int64_t b = 0; b < w->n_block; b++)
        w->order[b] = b;
    cut(w);
}

scs_status scs_windows_shuffle(scs_windows *w, int64_t seed, int64_t epoch)
{
    scs_stream stream = {
        .seed = (uint64_t)seed, .purpose = SCS_RANDOM_WINDOW, .epoch = (uint32_t)epoch};
    int64_t *all;
    scs_status st;

    SCS_TRY(SCS_ALLOC(all, w->n_block));
    for (int64_t b = 0; b < w->n_block; b++)
        all[b] = b;
    st = scs_random_order_cells(&stream, all, w->n_block, w->order);
    free(all);
    SCS_TRY(st);
    cut(w);
    return SCS_OK;
}

/* ---- look up ---- */

/* The last of n ascending beginnings that is not above `at`; inputs without cells have none. */
static int32_t find(const int64_t *first, int32_t n, int64_t at)
{
    int32_t low = 0;

    while (n - low > 1) {
        int32_t middle = low + (n - low) / 2;

        if (first[middle] <= at)
            low = middle;
        else
            n = middle;
    }
    return low;
}

int32_t scs_windows_cells(const scs_windows *w, int64_t block, int64_t *first, int64_t *end)
{
    int32_t i = find(w->first_block, w->n_input, block);

    *first = w->cell[i] + (block - w->first_block[i]) * w->block;
    *end = *first + w->block < w->cell[i + 1] ? *first + w->block : w->cell[i + 1];
    return i;
}

int32_t scs_windows_of_cell(const scs_windows *w, int64_t cell)
{
    int32_t i = find(w->cell, w->n_input, cell);

    return w->window_of[w->first_block[i] + (cell - w->cell[i]) / w->block];
}

/* A counting sort. */
scs_status scs_windows_sort_rows(const scs_windows *w, const int64_t *cell, int64_t *row, int64_t n,
                                 int64_t *first)
{
    int64_t *from = NULL, *next = NULL;
    int32_t *window = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(from, n));
    SCS_GO(st, SCS_ALLOC(window, n));
    SCS_GO(st, SCS_ALLOC(next, w->n_window));
    for (int32_t i = 0; i <= w->n_window; i++)
        first[i] = 0;
    for (int64_t k = 0; k < n; k++) {
        from[k] = row[k];
        window[k] = scs_windows_of_cell(w, cell[row[k]]);
        first[window[k] + 1]++;
    }
    for (int32_t i = 0; i < w->n_window; i++) {
        first[i + 1] += first[i];
        next[i] = first[i];
    }
    for (int64_t k = 0; k < n; k++)
        row[next[window[k]]++] = from[k];
done:
    free(from);
    free(window);
    free(next);
    return st;
}
