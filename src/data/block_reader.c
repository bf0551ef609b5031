/* Blocks of cells from their files (block_reader.h).
 *
 * A request is read by a thread that ends with it: threads are cheap beside some thousand cells,
 * and nothing has to be woken. The thread does without OpenMP's other threads, which belong to the
 * training. Where no thread can be had the request is read when it is taken.
 *
 * Files stay open from one request to the next, but for the earliest where there are many of them.
 * Their size, number and time of change are compared after their blocks have been read: so rows
 * that are given out are those of the file that was there at first. */
#include "src/data/block_reader.h"

#include "src/base/file.h"
#include "src/base/names.h"
#include "src/base/text.h"
#include "src/data/h5ad.h"
#include "src/data/h5ad_matrix.h"

#include <errno.h>
#include <omp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_OPEN = 64 /* files at a time */ };

/* An input on disk, as it was at first. */
typedef struct source {
    char *path; /* of the file that holds the values */
    struct stat was;
    scs_h5ad_reader *file; /* NULL: not open */
} source;

struct scs_block_reader {
    const scs_dataset *dataset;
    const scs_h5ad *const *metas;
    const scs_windows *windows;
    int64_t *row;                      /* [n_block] the file's row of each block's first cell */
    source *source;                    /* [n_input] */
    int32_t opened[MOST_OPEN], n_open; /* inputs in the order in which they were opened */
    scs_scale *scale;                  /* [n_input] */
    uint8_t *keep;                     /* [cells of a block] which of its rows are wanted */
    double *total;                     /* [cells of a block] */

    scs_block_request request;
    pthread_t thread;
    bool running; /* the thread is */
    bool asked;   /* there is a request that was not taken */
    bool read;    /* it has been read */
    scs_status status;
    char message[SCS_MESSAGE_MAX];
    scs_block_rows rows;
};

/* What stands before a row has to be inflated to reach it. */
static bool is_compressed(const char *path)
{
    size_t n = strlen(path);

    return n > 3 && strcmp(path + n - 3, ".gz") == 0;
}

const char *scs_block_reader_hindrance(const scs_h5ad *meta)
{
    if (meta->layout == SCS_LAYOUT_CSR || meta->layout == SCS_LAYOUT_DENSE)
        return NULL;
    if (meta->layout != SCS_LAYOUT_MTX)
        return "stands there gene by gene; store it by cells (CSR)";
    if (is_compressed(meta->data))
        return "is compressed; unpack its matrix.mtx.gz (gunzip)";
    return meta->start ? NULL
                       : "has entries that do not stand cell by cell; sort them, or store "
                         "it as an .h5ad file";
}

void scs_block_reader_rows_clear(scs_block_rows *rows)
{
    scs_packed_clear(&rows->x);
    free(rows->cell);
    free(rows->total);
    *rows = (scs_block_rows){0};
}

/* ---- files ---- */

/* The one that holds the matrix. @param[out] path malloc'ed */
static scs_status find_path(const scs_h5ad *meta, char **path)
{
    scs_names files = {0};
    scs_status st;

    SCS_GO(st, scs_h5ad_files(meta->path, &files));
    SCS_GO(st, scs_text_copy(files.name[0], path));
done:
    scs_names_clear(&files);
    return st;
}

static scs_status look(const source *s, struct stat *now)
{
    SCS_REQUIRE(stat(s->path, now) == 0, SCS_EDATA, "%s: cannot be read any more: %s", s->path,
                strerror(errno));
    return SCS_OK;
}

/* After its blocks have been read. */
static scs_status check_unchanged(const source *s)
{
    struct stat now;

    SCS_TRY(look(s, &now));
    SCS_REQUIRE(scs_file_is_unchanged(&s->was, &now), SCS_EDATA,
                "%s: changed while cells were streamed from it; what was learnt is of no one file: "
                "begin anew (--restart), and let nothing write to it",
                s->path);
    return SCS_OK;
}

static void close_source(scs_block_reader *r, int32_t input)
{
    int32_t n = 0;

    scs_h5ad_matrix_close(&r->source[input].file);
    for (int32_t k = 0; k < r->n_open; k++)
        if (r->opened[k] != input)
            r->opened[n++] = r->opened[k];
    r->n_open = n;
}

static scs_status open_source(scs_block_reader *r, int32_t input)
{
    if (r->source[input].file)
        return SCS_OK;
    if (r->n_open == MOST_OPEN)
        close_source(r, r->opened[0]);
    SCS_TRY(scs_h5ad_matrix_open(r->metas[input], &r->source[input].file));
    r->opened[r->n_open++] = input;
    return SCS_OK;
}

/* ---- a block ---- */

/* The file's row behind those of a block: where the next one of the same input begins. */
static int64_t row_end(const scs_block_reader *r, int64_t block, int32_t input)
{
    return block + 1 < r->windows->first_block[input + 1] ? r->row[block + 1]
                                                          : r->metas[input]->n_row;
}

/* Which of the cells [first, end) are wanted. @return how many */
static int64_t choose(const scs_block_reader *r, int64_t first, int64_t end, uint8_t *keep)
{
    int64_t n = 0;

    for (int64_t c = first; c < end; c++)
        n += keep[c - first] = (r->request.roles >> r->dataset->role[c]) & 1U;
    return n;
}

/* Of the rows that are wanted, behind those that are there. */
static scs_status take_rows(scs_block_reader *r, int64_t first, scs_csr *x, int32_t input)
{
    const scs_dataset *d = r->dataset;
    scs_block_rows *rows = &r->rows;
    int64_t end = first + x->n_row, n = rows->x.n_row;

    scs_csr_row_sums(x, r->total);
    (void)choose(r, first, end, r->keep);
    scs_csr_keep_rows(x, r->keep);
    if (x->n_row == 0)
        return SCS_OK;
    SCS_TRY((d->sums && d->sums[input] ? scs_csr_sum_columns : scs_csr_map_columns)(
        x, d->gene_of_column[input], d->n_gene));
    rows->x.n_row += x->n_row;
    SCS_TRY(scs_packed_append(&rows->x, n, x));
    for (int64_t c = first; c < end; c++)
        if (r->keep[c - first]) {
            rows->cell[n] = c;
            rows->total[n++] = r->total[c - first];
        }
    return SCS_OK;
}

static scs_status read_block(scs_block_reader *r, int64_t block)
{
    int64_t first, end;
    int32_t input = scs_windows_cells(r->windows, block, &first, &end);
    const int64_t *cell = r->dataset->first_cell;
    scs_csr *x;

    SCS_TRY(open_source(r, input));
    SCS_TRY(
        scs_h5ad_matrix_rows(r->source[input].file, r->row[block], row_end(r, block, input), &x));
    SCS_REQUIRE(x->n_row == end - first, SCS_EINTERNAL, "%s: %lld cells where %lld should be",
                r->metas[input]->path, (long long)x->n_row, (long long)(end - first));
    r->rows.n_value += x->indptr[x->n_row];
    if (r->request.judges)
        scs_scale_add(&r->scale[input], x, first - cell[input], cell[input + 1] - cell[input]);
    return take_rows(r, first, x, input);
}

/* A file that was written to meanwhile is damaged in some way or other: that it has changed is said
 * instead. */
static scs_status read_unchanged(scs_block_reader *r, int64_t block, int32_t input)
{
    scs_status st = read_block(r, block), changed;

    if (st == SCS_OK)
        return SCS_OK;
    changed = check_unchanged(&r->source[input]);
    return changed == SCS_OK ? st : changed;
}

/* ---- a request ---- */

/* Room for all rows that are wanted; they are counted again as they come. */
static scs_status open_rows(scs_block_reader *r)
{
    scs_block_rows *rows = &r->rows;
    int64_t n = 0;

    for (int64_t k = 0; k < r->request.n; k++) {
        int64_t first, end;

        (void)scs_windows_cells(r->windows, r->request.block[k], &first, &end);
        n += choose(r, first, end, r->keep);
    }
    SCS_TRY(scs_packed_alloc(n, r->dataset->n_gene, 0, &rows->x));
    SCS_TRY(SCS_ALLOC(rows->cell, n));
    SCS_TRY(SCS_ALLOC(rows->total, n));
    rows->x.n_row = 0;
    return SCS_OK;
}

/* Blocks ascend, so that those of one input follow one another. */
static scs_status read_blocks(scs_block_reader *r)
{
    const scs_block_request *q = &r->request;
    int32_t input = -1;

    SCS_TRY(open_rows(r));
    for (int64_t k = 0; k < q->n; k++) {
        int64_t first, end;
        int32_t next = scs_windows_cells(r->windows, q->block[k], &first, &end);

        if (input >= 0 && next != input)
            SCS_TRY(check_unchanged(&r->source[input]));
        input = next;
        SCS_TRY(read_unchanged(r, q->block[k], input));
    }
    if (input >= 0)
        SCS_TRY(check_unchanged(&r->source[input]));
    if (q->target > 0)
        scs_packed_log_normalize(&r->rows.x, r->rows.total, q->target);
    return SCS_OK;
}

/* A failure's message is the thread's own: it is kept for who takes the rows. */
static void read_request(scs_block_reader *r)
{
    r->status = read_blocks(r);
    r->read = true;
    if (r->status == SCS_OK)
        return;
    snprintf(r->message, sizeof r->message, "%s", scs_message());
    scs_block_reader_rows_clear(&r->rows);
}

/* One thread: it is all that is not the training's. */
static void *run(void *reader)
{
    omp_set_num_threads(1);
    read_request(reader);
    return NULL;
}

/* Signals stay with the thread that trains, which looks for them between steps. */
static bool start_thread(scs_block_reader *r)
{
    sigset_t all, before;
    bool started;

    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return false;
    started = pthread_create(&r->thread, NULL, run, r) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void scs_block_reader_start(scs_block_reader *r, const scs_block_request *request)
{
    scs_block_reader_wait(r);
    scs_block_reader_rows_clear(&r->rows);
    r->request = *request;
    r->asked = true;
    r->read = false;
    r->running = start_thread(r);
}

void scs_block_reader_wait(scs_block_reader *r)
{
    if (r->running)
        (void)pthread_join(r->thread, NULL);
    r->running = false;
}

scs_status scs_block_reader_take(scs_block_reader *r, scs_block_rows *rows)
{
    *rows = (scs_block_rows){0};
    SCS_REQUIRE(r->asked, SCS_EINTERNAL, "no blocks were asked for");
    scs_block_reader_wait(r);
    if (!r->read)
        read_request(r);
    r->asked = false;
    if (r->status != SCS_OK) {
        scs_message_set(r->message);
        return r->status;
    }
    *rows = r->rows;
    r->rows = (scs_block_rows){0};
    return SCS_OK;
}

scs_scale *scs_block_reader_scale(scs_block_reader *r)
{
    return r->scale;
}

/* ---- create and destroy ---- */

/* Rows that are not taken stand between cells: they are counted once. */
static void place_blocks(scs_block_reader *r, int32_t input)
{
    const scs_h5ad *meta = r->metas[input];
    const scs_windows *w = r->windows;
    int64_t cell = 0;

    for (int64_t b = w->first_block[input]; !meta->keep && b < w->first_block[input + 1]; b++)
        r->row[b] = (b - w->first_block[input]) * w->block;
    for (int64_t row = 0; meta->keep && row < meta->n_row; row++)
        if (meta->keep[row] && cell++ % w->block == 0)
            r->row[w->first_block[input] + (cell - 1) / w->block] = row;
}

static scs_status fill(scs_block_reader *r)
{
    int32_t n = r->dataset->n_input;

    SCS_TRY(SCS_ALLOC(r->row, r->windows->n_block));
    SCS_TRY(SCS_ALLOC(r->source, n));
    SCS_TRY(SCS_ALLOC(r->scale, n));
    SCS_TRY(SCS_ALLOC(r->keep, r->windows->block));
    SCS_TRY(SCS_ALLOC(r->total, r->windows->block));
    for (int32_t i = 0; i < n; i++) {
        scs_scale_clear(&r->scale[i]);
        place_blocks(r, i);
        SCS_TRY(find_path(r->metas[i], &r->source[i].path));
        SCS_TRY(look(&r->source[i], &r->source[i].was));
    }
    return SCS_OK;
}

scs_status scs_block_reader_create(const scs_dataset *dataset, const scs_h5ad *const *metas,
                                   const scs_windows *windows, scs_block_reader **reader)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*reader, 1));
    (*reader)->dataset = dataset;
    (*reader)->metas = metas;
    (*reader)->windows = windows;
    st = fill(*reader);
    if (st != SCS_OK)
        scs_block_reader_destroy(reader);
    return st;
}

void scs_block_reader_destroy(scs_block_reader **reader)
{
    scs_block_reader *r = *reader;

    if (!r)
        return;
    scs_block_reader_wait(r);
    scs_block_reader_rows_clear(&r->rows);
    for (int32_t i = 0; r->source && i < r->dataset->n_input; i++) {
        scs_h5ad_matrix_close(&r->source[i].file);
        free(r->source[i].path);
    }
    free(r->row);
    free(r->source);
    free(r->scale);
    free(r->keep);
    free(r->total);
    free(r);
    *reader = NULL;
}
