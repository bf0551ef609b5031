/* Windows of cells from disk to shards (cell_stream.h).
 *
 * A window is loaded by all ranks together, in the same step on each:
 *
 *   take        this rank's share of the window's blocks, which its thread has read meanwhile
 *   start       the thread on the share of the next window
 *   open_pools  room for the window's rows of each shard, behind those that steps have left over
 *   send        rows to the ranks of their shards, which put them where they belong
 *
 * In training the step that first lacks a cell of some shard makes all ranks load (find_due): the
 * counts of all shards are known from the deal, so it is one number a window, found when the epoch
 * begins. A run that goes on within an epoch loads the same windows and drops what was used. */
#include "mpi/data/cell_stream.h"

#include "src/base/collective.h"
#include "src/data/h5ad.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOOK_BLOCKS = 512, /* of all inputs, at least, to see what values look like */
    LOOK_LEAST = 8     /* of each input, where it has as many */
};

/* ---- open and close ---- */

static int32_t n_local(const scs_cell_stream *s)
{
    return s->team->last - s->team->first;
}

static scs_status refuse_unfit(const scs_dataset *d, const scs_h5ad *const *metas)
{
    for (int32_t i = 0; i < d->n_input; i++) {
        const char *hindrance = scs_block_reader_hindrance(metas[i]);

        SCS_REQUIRE(!hindrance, SCS_EARG,
                    "train.data: stream reads cells a few at a time, which %s does not allow: %s "
                    "%s, or set train.data: memory",
                    metas[i]->path, metas[i]->matrix, hindrance);
    }
    return SCS_OK;
}

static scs_status allocate(scs_cell_stream *s, const scs_h5ad *const *metas, int64_t window)
{
    SCS_TRY(refuse_unfit(s->dataset, metas));
    SCS_TRY(scs_windows_create(s->dataset, SCS_WINDOWS_BLOCK, window, &s->windows));
    SCS_TRY(scs_block_reader_create(s->dataset, metas, &s->windows, &s->reader));
    s->words = scs_read_cells_words(s->dataset, metas);
    SCS_TRY(SCS_ALLOC(s->owner, s->deal->n_shard));
    SCS_TRY(SCS_ALLOC(s->pool, n_local(s)));
    SCS_TRY(SCS_ALLOC(s->due, s->windows.n_window));
    for (int32_t r = 0; r < s->team->n_rank; r++)
        for (int32_t v = scs_shard_first(s->deal->n_shard, s->team->n_rank, r);
             v < scs_shard_first(s->deal->n_shard, s->team->n_rank, r + 1); v++)
            s->owner[v] = r;
    return SCS_OK;
}

scs_status scs_cell_stream_open(scs_cell_stream *s, const scs_h5ad *const *metas, int64_t window)
{
    return scs_comm_agree(s->comm, allocate(s, metas, window));
}

/* What is in memory; the pass' order stays. */
static void drop_rows(scs_stream_pool *p)
{
    scs_packed_clear(&p->x);
    free(p->cell);
    free(p->number);
    p->cell = p->number = NULL;
}

static void drop_pass(scs_cell_stream *s)
{
    for (int32_t i = 0; s->pool && i < n_local(s); i++) {
        scs_stream_pool *p = &s->pool[i];

        drop_rows(p);
        free(p->row);
        free(p->first);
        *p = (scs_stream_pool){0};
    }
}

void scs_cell_stream_close(scs_cell_stream *s)
{
    if (!s->team)
        return;
    drop_pass(s);
    scs_block_reader_destroy(&s->reader);
    scs_windows_clear(&s->windows);
    free(s->owner);
    free(s->pool);
    free(s->due);
    *s = (scs_cell_stream){0};
}

/* ---- begin a pass ---- */

/* Cells of these roles. */
static unsigned roles_of(int pass)
{
    const unsigned train = 1U << SCS_ROLE_TRAIN, valid = 1U << SCS_ROLE_VALID,
                   held_out = 1U << SCS_ROLE_HELD_OUT;

    return pass == SCS_FEED_TRAIN   ? train
           : pass == SCS_FEED_VALID ? valid
                                    : train | valid | held_out;
}

/* Rows [*first, *end) of a shard are the pass'. */
static void rows_of(const scs_shard *shard, int pass, int64_t *first, int64_t *end)
{
    *first = pass == SCS_FEED_VALID ? shard->n_train : 0;
    *end = pass == SCS_FEED_TRAIN   ? shard->n_train
           : pass == SCS_FEED_VALID ? shard->n_train + shard->n_valid
                                    : shard->n_train + shard->n_valid + shard->n_held_out;
}

/* The rows of a shard in the order of the pass: by window, then as an epoch has them, or as they
 * stand. */
static scs_status order_rows(const scs_cell_stream *s, const scs_shard *shard, int64_t epoch,
                             scs_stream_pool *p)
{
    int64_t first, end;

    rows_of(shard, s->pass, &first, &end);
    SCS_TRY(SCS_ALLOC(p->row, end - first));
    SCS_TRY(SCS_ALLOC(p->first, (int64_t)s->windows.n_window + 1));
    for (int64_t r = first; r < end; r++)
        p->row[r - first] = r;
    if (s->pass == SCS_FEED_TRAIN)
        SCS_TRY(scs_shard_epoch_order(shard, s->seed, epoch, p->row));
    return scs_windows_sort_rows(&s->windows, shard->cell, p->row, end - first, p->first);
}

/* The step in which a shard of this rank first needs a window: when those before it have less than
 * the step takes. */
static void find_due(const scs_cell_stream *s)
{
    for (int32_t w = 0; w < s->windows.n_window; w++) {
        s->due[w] = INT64_MAX;
        for (int32_t i = 0; i < n_local(s); i++) {
            const int64_t *first = s->pool[i].first;

            if (first[w] < first[s->windows.n_window] && first[w] / s->per_step < s->due[w])
                s->due[w] = first[w] / s->per_step;
        }
    }
}

/* Local. */
static scs_status arrange(scs_cell_stream *s, int64_t epoch)
{
    if (s->pass == SCS_FEED_TRAIN || s->pass == SCS_FEED_SAMPLE)
        SCS_TRY(scs_windows_shuffle(&s->windows, s->seed, epoch));
    else
        scs_windows_in_order(&s->windows);
    for (int32_t i = 0; i < n_local(s); i++)
        SCS_TRY(order_rows(s, &s->shard[i], epoch, &s->pool[i]));
    if (s->pass == SCS_FEED_TRAIN)
        find_due(s);
    return SCS_OK;
}

/* Where the share of the rank that is `after` this one begins among n. */
static int64_t share(const scs_cell_stream *s, int64_t n, int32_t after)
{
    return n * (s->team->rank + after) / s->team->n_rank;
}

/* This rank's share of a window's blocks: ranks in turn, so that the lowest rank that fails has
 * found the first bad cell of the window. */
static void start_reading(scs_cell_stream *s, int32_t window)
{
    int64_t first = scs_windows_first(&s->windows, window);
    int64_t n = scs_windows_first(&s->windows, window + 1) - first;
    scs_block_request request = {.block = s->windows.order + first + share(s, n, 0),
                                 .n = share(s, n, 1) - share(s, n, 0),
                                 .roles = roles_of(s->pass),
                                 .target = s->target,
                                 .judges = s->whole && !s->judged};

    scs_block_reader_start(s->reader, &request);
    s->reading = window;
}

static scs_status begin_pass(void *ctx, int pass, int64_t epoch, int32_t per_step)
{
    scs_cell_stream *s = ctx;

    scs_block_reader_wait(s->reader);
    drop_pass(s);
    s->pass = pass;
    s->per_step = per_step;
    s->next = 0;
    s->last = pass == SCS_FEED_SAMPLE ? 1 : s->windows.n_window;
    s->whole = pass != SCS_FEED_SAMPLE;
    s->n_value = 0;
    s->at = 0;
    if (s->whole && !s->judged)
        for (int32_t i = 0; i < s->dataset->n_input; i++)
            scs_scale_clear(&scs_block_reader_scale(s->reader)[i]);
    SCS_TRY(scs_comm_agree(s->comm, arrange(s, epoch)));
    if (pass == SCS_FEED_TRAIN)
        SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, s->due, s->windows.n_window, MPI_INT64_T, MPI_MIN,
                              scs_comm_mpi(s->comm)));
    s->reading = -1;
    return scs_collective_ok();
}

/* ---- load a window ---- */

/* Where a row of the window goes. */
typedef struct place {
    int64_t cell;
    int32_t pool;
    int64_t row;
} place;

/* Rows of a window on their way. */
typedef struct loading {
    scs_cell_stream *s;
    scs_block_rows rows; /* what this rank has read */
    int64_t sent;        /* of them */
    place *place;        /* [n_place] cells that come here, ascending */
    int64_t n_place, n_come;
} loading;

static int by_cell(const void *a, const void *b)
{
    const place *x = a, *y = b;

    return (x->cell > y->cell) - (x->cell < y->cell);
}

/* Cells that steps before s->at have used are not kept. */
static int64_t first_unused(const scs_cell_stream *s, const scs_stream_pool *p)
{
    int64_t used = s->pass == SCS_FEED_TRAIN ? s->at * s->per_step : p->hi;

    return used > p->lo ? used : p->lo;
}

/* Room for the window's rows of a shard behind what is left over, which is copied. */
static scs_status open_pool(const scs_cell_stream *s, int32_t i, int32_t window)
{
    scs_stream_pool *p = &s->pool[i], old = *p;
    int64_t lo = first_unused(s, p), hi = p->first[window + 1];
    int64_t n = hi > lo ? hi - lo : 0, kept = old.hi > lo ? old.hi - lo : 0;
    scs_status st;

    p->x = (scs_packed){0};
    p->cell = p->number = NULL;
    p->lo = lo;
    p->hi = lo + n;
    SCS_GO(st, scs_packed_alloc_any_order(n, s->dataset->n_gene,
                                          (int64_t)((double)n * s->words) + 1, &p->x));
    SCS_GO(st, SCS_ALLOC(p->cell, n));
    SCS_GO(st, SCS_ALLOC(p->number, n));
    for (int64_t k = 0; k < n; k++) {
        p->cell[k] = s->shard[i].cell[p->row[lo + k]];
        p->number[k] = k;
    }
    for (int64_t k = 0; k < kept; k++) {
        int64_t from = lo - old.lo + k;

        SCS_GO(st, scs_packed_place(&p->x, k, old.x.word + old.x.first[from] * 4,
                                    scs_packed_row_words(&old.x, from)));
    }
done:
    scs_packed_clear(&old.x);
    free(old.cell);
    free(old.number);
    return st;
}

/* Local. */
static scs_status open_pools(loading *l, int32_t window)
{
    scs_cell_stream *s = l->s;
    int64_t n = 0;

    if (l->rows.x.n_row > 0)
        s->words = 1.02 * (double)l->rows.x.first[l->rows.x.n_row] / (double)l->rows.x.n_row;
    for (int32_t i = 0; i < n_local(s); i++)
        n += s->pool[i].first[window + 1] - s->pool[i].first[window];
    SCS_TRY(SCS_ALLOC(l->place, n));
    for (int32_t i = 0; i < n_local(s); i++) {
        scs_stream_pool *p = &s->pool[i];
        int64_t from = p->first[window];

        SCS_TRY(open_pool(s, i, window));
        for (int64_t k = from > p->lo ? from : p->lo; k < p->hi; k++)
            l->place[l->n_place++] = (place){p->cell[k - p->lo], i, k - p->lo};
    }
    qsort(l->place, (size_t)l->n_place, sizeof *l->place, by_cell);
    return SCS_OK;
}

/* A row source: few rows at a time, so that what is on its way is little. */
static scs_status next_rows(void *ctx, scs_row_batch *batch)
{
    enum { ROWS = 64 };
    loading *l = ctx;
    int64_t left = l->rows.x.n_row - l->sent;

    *batch = (scs_row_batch){.x = &l->rows.x,
                             .row = l->sent,
                             .n = left < ROWS ? left : ROWS,
                             .cells = l->rows.cell + l->sent,
                             .total = l->rows.total + l->sent};
    l->sent += batch->n;
    return SCS_OK;
}

static int32_t rank_of(void *ctx, int64_t cell)
{
    const loading *l = ctx;

    return l->s->owner[l->s->deal->shard_of_cell[cell]];
}

/* A cell that an earlier part of the epoch has used goes nowhere. */
static scs_status put_row(void *ctx, int64_t cell, double total, const uint8_t *word, int64_t n)
{
    loading *l = ctx;
    place key = {.cell = cell};
    const place *p = bsearch(&key, l->place, (size_t)l->n_place, sizeof key, by_cell);

    (void)total;
    if (!p)
        return SCS_OK;
    l->n_come++;
    return scs_packed_place(&l->s->pool[p->pool].x, p->row, word, n);
}

/* Collective. */
static scs_status send_window(loading *l)
{
    scs_row_source source = {.ctx = l, .next = next_rows};
    scs_row_sink sink = {l, rank_of, put_row};
    scs_status st = SCS_OK;

    SCS_TRY(scs_redistribute_send(l->s->comm, l->s->team, &source, &sink));
    if (l->n_come != l->n_place)
        st = SCS_FAIL(SCS_EINTERNAL, "%lld of %lld cells of a window have come",
                      (long long)l->n_come, (long long)l->n_place);
    return scs_comm_agree(l->s->comm, st);
}

/* The next window; its predecessor's rows are gone then. Collective. */
static scs_status load(scs_cell_stream *s)
{
    loading l = {.s = s};
    int32_t window = s->next++;
    scs_status st;

    if (s->reading != window)
        start_reading(s, window);
    SCS_GO(st, scs_comm_agree(s->comm, scs_block_reader_take(s->reader, &l.rows)));
    s->n_value += l.rows.n_value;
    SCS_GO(st, scs_comm_agree(s->comm, open_pools(&l, window)));
    SCS_GO(st, send_window(&l));
    if (s->next < s->last)
        start_reading(s, s->next);
done:
    scs_block_reader_rows_clear(&l.rows);
    free(l.place);
    return st;
}

/* ---- what a pass gives ---- */

static scs_status next(void *ctx, scs_feed_rows *rows, bool *more)
{
    scs_cell_stream *s = ctx;

    *more = s->next < s->last;
    for (int32_t i = 0; !*more && i < n_local(s); i++)
        rows[i] = (scs_feed_rows){0};
    if (!*more)
        return scs_collective_ok();
    SCS_TRY(load(s));
    for (int32_t i = 0; i < n_local(s); i++) {
        const scs_stream_pool *p = &s->pool[i];

        rows[i] =
            (scs_feed_rows){.x = &p->x, .cell = p->cell, .row = p->row + p->lo, .n = p->hi - p->lo};
    }
    return SCS_OK;
}

void scs_cell_stream_range(const scs_cell_stream *s, int64_t *first, int64_t *end)
{
    const scs_windows *w = &s->windows;
    int64_t begin = scs_windows_first(w, s->next - 1), last = scs_windows_first(w, s->next) - 1;
    int64_t unused;

    *first = *end = 0;
    if (begin > last)
        return;
    (void)scs_windows_cells(w, w->order[begin], first, &unused);
    (void)scs_windows_cells(w, w->order[last], &unused, end);
}

/* Windows of which steps before `at` have used all cells: an epoch that goes on within itself does
 * not read them again. Collective. */
static scs_status skip_used(scs_cell_stream *s, int64_t at)
{
    int32_t window = s->windows.n_window;

    for (int32_t i = 0; i < n_local(s); i++) {
        const scs_stream_pool *p = &s->pool[i];
        int32_t w = 0;

        while (w < s->windows.n_window && p->first[w + 1] <= at * s->per_step)
            w++;
        window = w < window ? w : window;
    }
    SCS_MPI(MPI_Allreduce(MPI_IN_PLACE, &window, 1, MPI_INT32_T, MPI_MIN, scs_comm_mpi(s->comm)));
    s->next = window;
    s->whole = s->whole && window == 0;
    return scs_collective_ok();
}

static scs_status batch(void *ctx, int64_t at, scs_batch *batch)
{
    scs_cell_stream *s = ctx;

    s->at = at;
    if (s->next == 0 && at > 0)
        SCS_TRY(skip_used(s, at));
    while (s->next < s->last && s->due[s->next] <= at)
        SCS_TRY(load(s));
    for (int32_t i = 0; i < n_local(s); i++) {
        const scs_stream_pool *p = &s->pool[i];
        int64_t first = at * s->per_step, n = s->shard[i].n_train - first;

        n = n < 0 ? 0 : n < s->per_step ? n : s->per_step;
        batch[i] = (scs_batch){.x = &p->x,
                               .cell = p->cell,
                               .rows = n > 0 ? p->number + (first - p->lo) : NULL,
                               .n = (int32_t)n};
    }
    return scs_collective_ok();
}

/* What all ranks have read in the pass. Collective. */
static scs_status unite(scs_cell_stream *s)
{
    SCS_TRY(scs_read_cells_unite(s->comm, scs_block_reader_scale(s->reader), s->dataset->n_input));
    SCS_MPI(
        MPI_Allreduce(MPI_IN_PLACE, &s->n_value, 1, MPI_INT64_T, MPI_SUM, scs_comm_mpi(s->comm)));
    return scs_collective_ok();
}

/* An epoch may end before the last windows are needed: they are read for their values. */
static scs_status end_pass(void *ctx)
{
    scs_cell_stream *s = ctx;

    while (s->next < s->last && s->whole && !s->judged)
        SCS_TRY(load(s));
    scs_block_reader_wait(s->reader);
    drop_pass(s);
    if (!s->whole || s->judged)
        return scs_collective_ok();
    SCS_TRY(unite(s));
    s->judged = true;
    if (!s->complete)
        return scs_collective_ok();
    return s->complete(s->ctx, scs_block_reader_scale(s->reader), s->n_value);
}

static void rest(void *ctx)
{
    const scs_cell_stream *s = ctx;

    scs_block_reader_wait(s->reader);
}

scs_feed scs_cell_stream_feed(scs_cell_stream *s)
{
    return (scs_feed){
        .ctx = s, .begin = begin_pass, .next = next, .batch = batch, .end = end_pass, .rest = rest};
}

/* ---- look ---- */

/* Blocks of an input that are looked at: spread evenly. @return how many */
static int64_t look_blocks(const scs_windows *w, int32_t input)
{
    int64_t n = w->first_block[input + 1] - w->first_block[input];
    int64_t most = LOOK_BLOCKS / w->n_input > LOOK_LEAST ? LOOK_BLOCKS / w->n_input : LOOK_LEAST;

    return n < most ? n : most;
}

/* @param[out] block [n] malloc'ed */
static scs_status list_looks(const scs_windows *w, int64_t **block, int64_t *n)
{
    *n = 0;
    for (int32_t i = 0; i < w->n_input; i++)
        *n += look_blocks(w, i);
    SCS_TRY(SCS_ALLOC(*block, *n));
    *n = 0;
    for (int32_t i = 0; i < w->n_input; i++) {
        int64_t all = w->first_block[i + 1] - w->first_block[i], some = look_blocks(w, i);

        for (int64_t k = 0; k < some; k++)
            (*block)[(*n)++] = w->first_block[i] + all * k / some;
    }
    return SCS_OK;
}

scs_status scs_cell_stream_look(scs_cell_stream *s, scs_scale *scale, bool *all)
{
    scs_scale *found = scs_block_reader_scale(s->reader);
    int64_t *block = NULL, n = 0;
    scs_block_rows none = {0};
    scs_status st;

    SCS_GO(st, scs_comm_agree(s->comm, list_looks(&s->windows, &block, &n)));
    *all = n == s->windows.n_block;
    scs_block_reader_start(s->reader, &(scs_block_request){.block = block + share(s, n, 0),
                                                           .n = share(s, n, 1) - share(s, n, 0),
                                                           .judges = true});
    SCS_GO(st, scs_comm_agree(s->comm, scs_block_reader_take(s->reader, &none)));
    s->n_value = none.n_value;
    SCS_GO(st, unite(s));
    memcpy(scale, found, (size_t)s->dataset->n_input * sizeof *scale);
done:
    scs_block_reader_rows_clear(&none);
    free(block);
    return st;
}
