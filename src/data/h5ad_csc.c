/* Walks over the columns of a matrix, and the rows that two of them make (h5ad_csc.h).
 *
 * A block of values is read at a time. Rows that ascend and values above 0 are looked at in vector
 * code; a column that is otherwise is gone through value by value, with the set of rows that it has
 * had so far. */
#include "src/data/h5ad_csc.h"

#include "src/data/h5ad_value.h"
#include "src/hdf5/h5stream.h"

#include <stdlib.h>
#include <string.h>

/* Values in memory at a time: 1 MiB of indices and values, which the second cache holds. */
enum { CSC_BLOCK = 1 << 17 };

/* Arrays are owned. */
struct scs_h5ad_csc {
    const scs_h5 *h5;
    const scs_h5ad *meta;
    scs_h5stream *index, *value;
    int64_t *indptr;  /* [n_var + 1] of the columns */
    int32_t *indices; /* [CSC_BLOCK + SCS_TRANSPOSE_SLACK] */
    float *values;    /* [CSC_BLOCK + SCS_TRANSPOSE_SLACK] */
    int32_t *seen;    /* [n_row] the last column that held the row, + 1: of columns that are not
                         plainly right, or lie in several blocks */
    scs_transpose *transpose; /* where the values of the walk at hand go; borrowed */
    int32_t last; /* the row that the column at hand has had last, where all of it so far was
                     plainly right; n_row: it was not */
};

/* All of indptr: n_var + 1 numbers, few beside the values. */
static scs_status read_column_starts(scs_h5ad_csc *r)
{
    int32_t n = r->meta->n_var;
    bool good;

    SCS_TRY(scs_h5_read_int64(r->h5, r->meta->indptr, 0, (int64_t)n + 1, r->indptr));
    good = r->indptr[0] == 0 && r->indptr[n] == r->meta->nnz;
    for (int32_t j = 0; good && j < n; j++)
        good = r->indptr[j] <= r->indptr[j + 1];
    SCS_REQUIRE(good, SCS_EDATA, "%s: %s is damaged", r->meta->path, r->meta->indptr);
    return SCS_OK;
}

static scs_status open_csc(scs_h5ad_csc *r)
{
    SCS_TRY(scs_h5stream_open(r->h5, r->meta->indices, SCS_H5_INT32, &r->index));
    SCS_TRY(scs_h5stream_open(r->h5, r->meta->data, SCS_H5_FLOAT, &r->value));
    SCS_TRY(SCS_ALLOC(r->indptr, (int64_t)r->meta->n_var + 1));
    SCS_TRY(SCS_ALLOC(r->indices, CSC_BLOCK + SCS_TRANSPOSE_SLACK));
    SCS_TRY(SCS_ALLOC(r->values, CSC_BLOCK + SCS_TRANSPOSE_SLACK));
    SCS_TRY(SCS_ALLOC(r->seen, r->meta->n_row));
    return read_column_starts(r);
}

scs_status scs_h5ad_csc_open(const scs_h5 *h5, const scs_h5ad *meta, scs_h5ad_csc **csc)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*csc, 1));
    (*csc)->h5 = h5;
    (*csc)->meta = meta;
    st = open_csc(*csc);
    if (st != SCS_OK)
        scs_h5ad_csc_close(csc);
    return st;
}

/* Also what was opened in part. */
void scs_h5ad_csc_close(scs_h5ad_csc **csc)
{
    scs_h5ad_csc *r = *csc;

    if (!r)
        return;
    scs_h5stream_close(&r->index);
    scs_h5stream_close(&r->value);
    free(r->indptr);
    free(r->indices);
    free(r->values);
    free(r->seen);
    free(r);
    *csc = NULL;
}

/* Half an interval at a time: indptr ascends. */
int32_t scs_h5ad_csc_first(const scs_h5ad_csc *csc, int32_t r, int32_t n)
{
    int64_t nnz = csc->meta->nnz, wanted = nnz / n * r + nnz % n * r / n;
    int32_t first = 0, last = csc->meta->n_var;

    if (r >= n)
        return last;
    while (first < last) {
        int32_t middle = first + (last - first) / 2;

        if (csc->indptr[middle] < wanted)
            first = middle + 1;
        else
            last = middle;
    }
    return first;
}

/* ---- the walk ---- */

/* Values of a column one by one: what is wrong with them, or what they are in another order.
 *  @param row, value [n]  @param place of the first in the file */
static scs_status check_each(scs_h5ad_csc *r, const int32_t *row, const float *value, int64_t n,
                             int32_t column, int64_t place)
{
    for (int64_t k = 0; k < n; k++) {
        SCS_REQUIRE(row[k] >= 0 && row[k] < r->meta->n_row, SCS_EDATA,
                    "%s: %s: gene %s names cell row %lld of %lld; the file is damaged",
                    r->meta->path, r->meta->indices, r->meta->genes.name[column],
                    (long long)scs_h5_unclipped(r->h5, r->meta->indices, place + k, row[k]),
                    (long long)r->meta->n_row);
        if (r->seen[row[k]] == column + 1)
            return scs_h5ad_value_twice(r->meta, row[k], column);
        r->seen[row[k]] = column + 1;
        SCS_TRY(scs_h5ad_value_check(r->meta, row[k], column, value[k]));
    }
    return SCS_OK;
}

/* Values [0, n) of a column, n > 0, of which others may stand in other blocks.
 *  @param place of the first in the file  @param begins, ends whether the column does, with these
 */
static scs_status take_part(scs_h5ad_csc *r, const int32_t *row, const float *value, int64_t n,
                            int32_t column, int64_t place, bool begins, bool ends)
{
    int32_t n_row = (int32_t)r->meta->n_row;
    int32_t before = begins ? -1 : r->last;
    bool plain = row[0] > before && scs_h5ad_value_are_plain(row, value, n, n_row);

    r->last = plain ? row[n - 1] : n_row;
    if (!plain)
        SCS_TRY(check_each(r, row, value, n, column, place));
    for (int64_t k = 0; plain && k < n && !(begins && ends); k++)
        r->seen[row[k]] = column + 1;
    return scs_transpose_add(r->transpose, column, row, value, n, plain);
}

/* Values [first, first + n) of the file.
 *  @param[in,out] column that the block's first value stands in or after; that of its last */
static scs_status take_block(scs_h5ad_csc *r, int64_t first, int64_t n, int32_t *column)
{
    int64_t m;

    SCS_TRY(scs_h5stream_read(r->index, first, n, r->indices));
    SCS_TRY(scs_h5stream_read(r->value, first, n, r->values));
    for (int64_t k = 0; k < n; k += m) {
        int64_t begin, end;

        /* Genes without values are passed over here. */
        while (r->indptr[*column + 1] <= first + k)
            ++*column;
        begin = r->indptr[*column];
        end = r->indptr[*column + 1];
        m = (end < first + n ? end : first + n) - (first + k);
        SCS_TRY(take_part(r, r->indices + k, r->values + k, m, *column, first + k,
                          begin == first + k, end <= first + n));
    }
    return SCS_OK;
}

/* Values from `at` on that are read at once, of those before `end`: whole chunks, as far as some
 * fit, so that each is read into its place. */
static int64_t block_size(const scs_h5ad_csc *r, int64_t at, int64_t end)
{
    int64_t chunk = r->meta->chunk, stop = at + CSC_BLOCK;

    if (chunk > 0 && chunk <= CSC_BLOCK)
        stop = stop / chunk * chunk;
    return (stop < end ? stop : end) - at;
}

scs_status scs_h5ad_csc_walk(scs_h5ad_csc *r, int32_t first, int32_t last, scs_transpose *transpose)
{
    int32_t column = first;
    int64_t end = r->indptr[last], n;

    r->transpose = transpose;
    memset(r->seen, 0, (size_t)r->meta->n_row * sizeof *r->seen);
    for (int64_t at = r->indptr[first]; at < end; at += n) {
        n = block_size(r, at, end);
        SCS_TRY(take_block(r, at, n, &column));
    }
    return SCS_OK;
}

/* ---- some rows ---- */

/* Rows [row0, row1) on their way out, all in one group. Arrays are owned. */
typedef struct wanted {
    int32_t n_block;
    int64_t *bound; /* [n_block + 1] */
    int32_t *group; /* [n_block] of zeros */
    scs_transpose *transpose;
    uint8_t *byte; /* [room] of a block */
    int64_t room;
} wanted;

static scs_status open_wanted(wanted *w, const scs_h5ad *meta, int64_t row0, int64_t row1)
{
    double share = meta->n_row > 0 ? (double)(row1 - row0) / (double)meta->n_row : 0;

    w->n_block = (int32_t)((row1 - row0 + SCS_TRANSPOSE_ROWS - 1) / SCS_TRANSPOSE_ROWS);
    SCS_TRY(SCS_ALLOC(w->bound, w->n_block + 1));
    SCS_TRY(SCS_ALLOC(w->group, w->n_block));
    for (int32_t b = 0; b < w->n_block; b++)
        w->bound[b] = row0 + (int64_t)b * SCS_TRANSPOSE_ROWS;
    w->bound[w->n_block] = row1;
    return scs_transpose_create(w->n_block, w->bound, w->group, 1,
                                (int64_t)(2 * share * (double)meta->nnz), &w->transpose);
}

static void close_wanted(wanted *w)
{
    scs_transpose_destroy(&w->transpose);
    free(w->bound);
    free(w->group);
    free(w->byte);
}

/* A block's bytes as a whole. */
static void copy_block(wanted *w, int32_t b, const uint8_t **byte, int64_t *size)
{
    *byte = w->byte;
    *size = scs_transpose_bytes(w->transpose, b);
    scs_transpose_copy(w->transpose, b, w->byte);
}

/* Counted first: x is as large as its values are many. */
static scs_status make_rows(wanted *w, int64_t n_row, int32_t n_column, scs_csr *x)
{
    const uint8_t *byte;
    int64_t size, *indptr = NULL;
    scs_status st;

    for (int32_t b = 0; b < w->n_block; b++)
        w->room = scs_transpose_bytes(w->transpose, b) > w->room
                      ? scs_transpose_bytes(w->transpose, b)
                      : w->room;
    SCS_GO(st, SCS_ALLOC(w->byte, w->room));
    SCS_GO(st, SCS_ALLOC(indptr, n_row + 1));
    for (int32_t b = 0; b < w->n_block; b++) {
        copy_block(w, b, &byte, &size);
        scs_transpose_count(&byte, &size, 1, w->bound[b + 1] - w->bound[b],
                            indptr + (w->bound[b] - w->bound[0]));
    }
    SCS_GO(st, scs_csr_alloc(n_row, n_column, indptr[n_row], x));
    memcpy(x->indptr, indptr, (size_t)(n_row + 1) * sizeof *indptr);
    for (int32_t b = 0; b < w->n_block; b++) {
        copy_block(w, b, &byte, &size);
        scs_transpose_place(&byte, &size, 1, w->bound[b + 1] - w->bound[b],
                            indptr + (w->bound[b] - w->bound[0]), x->indices, x->values);
    }
done:
    free(indptr);
    return st;
}

/* Every value is checked, whichever rows are wanted, so that all ranks refuse a bad one alike. */
scs_status scs_h5ad_csc_rows(const scs_h5 *h5, const scs_h5ad *meta, int64_t row0, int64_t row1,
                             scs_csr *x)
{
    wanted w = {0};
    scs_h5ad_csc *csc;
    scs_status st;

    SCS_TRY(scs_h5ad_csc_open(h5, meta, &csc));
    SCS_GO(st, open_wanted(&w, meta, row0, row1));
    SCS_GO(st, scs_h5ad_csc_walk(csc, 0, meta->n_var, w.transpose));
    SCS_GO(st, make_rows(&w, row1 - row0, meta->n_var, x));
done:
    close_wanted(&w);
    scs_h5ad_csc_close(&csc);
    return st;
}
