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
    int32_t *indices; /* [CSC_BLOCK] */
    float *values;    /* [CSC_BLOCK] */
    int32_t *seen;    /* [n_row] the last column that held the row, + 1: of columns that are not
                         plainly right, or lie in several blocks */
    bool with_values; /* of the walk at hand, with where its parts go */
    scs_h5ad_csc_take take;
    void *ctx;
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
    SCS_TRY(SCS_ALLOC(r->indices, CSC_BLOCK));
    SCS_TRY(SCS_ALLOC(r->values, CSC_BLOCK));
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
 *  @param row, value [n] */
static scs_status check_each(scs_h5ad_csc *r, const int32_t *row, const float *value, int64_t n,
                             int32_t column)
{
    for (int64_t k = 0; k < n; k++) {
        SCS_REQUIRE(row[k] >= 0 && row[k] < r->meta->n_row, SCS_EDATA,
                    "%s: %s: gene %s names cell row %d of %lld; the file is damaged", r->meta->path,
                    r->meta->indices, r->meta->genes.name[column], row[k],
                    (long long)r->meta->n_row);
        if (!r->with_values && r->seen[row[k]] == column + 1)
            return scs_h5ad_value_twice(r->meta, row[k], column);
        r->seen[row[k]] = column + 1;
        if (r->with_values)
            SCS_TRY(scs_h5ad_value_check(r->meta, row[k], column, value[k]));
    }
    return SCS_OK;
}

/* Values [0, n) of a column, n > 0, of which others may stand in other blocks.
 *  @param begins, ends whether the column does, with these */
static scs_status take_part(scs_h5ad_csc *r, const int32_t *row, const float *value, int64_t n,
                            int32_t column, bool begins, bool ends)
{
    int32_t n_row = (int32_t)r->meta->n_row;
    int32_t before = begins ? -1 : r->last;
    bool plain = row[0] > before && (r->with_values ? scs_h5ad_value_are_plain(row, value, n, n_row)
                                                    : scs_h5ad_value_ascend(row, n, n_row));

    r->last = plain ? row[n - 1] : n_row;
    if (!plain)
        SCS_TRY(check_each(r, row, value, n, column));
    for (int64_t k = 0; plain && k < n && !(begins && ends); k++)
        r->seen[row[k]] = column + 1;
    return r->take(r->ctx, column, row, r->with_values ? value : NULL, n, plain);
}

/* Values [first, first + n) of the file.
 *  @param[in,out] column that the block's first value stands in or after; that of its last */
static scs_status take_block(scs_h5ad_csc *r, int64_t first, int64_t n, int32_t *column)
{
    int64_t m;

    SCS_TRY(scs_h5stream_read(r->index, first, n, r->indices));
    if (r->with_values)
        SCS_TRY(scs_h5stream_read(r->value, first, n, r->values));
    for (int64_t k = 0; k < n; k += m) {
        int64_t begin, end;

        /* Genes without values are passed over here. */
        while (r->indptr[*column + 1] <= first + k)
            ++*column;
        begin = r->indptr[*column];
        end = r->indptr[*column + 1];
        m = (end < first + n ? end : first + n) - (first + k);
        SCS_TRY(take_part(r, r->indices + k, r->values + k, m, *column, begin == first + k,
                          end <= first + n));
    }
    return SCS_OK;
}

scs_status scs_h5ad_csc_walk(scs_h5ad_csc *r, int32_t first, int32_t last, bool values,
                             scs_h5ad_csc_take take, void *ctx)
{
    int32_t column = first;
    int64_t end = r->indptr[last];

    r->with_values = values;
    r->take = take;
    r->ctx = ctx;
    memset(r->seen, 0, (size_t)r->meta->n_row * sizeof *r->seen);
    for (int64_t at = r->indptr[first]; at < end; at += CSC_BLOCK)
        SCS_TRY(take_block(r, at, end - at < CSC_BLOCK ? end - at : CSC_BLOCK, &column));
    return SCS_OK;
}

/* ---- some rows ---- */

/* Rows [row0, row1) on their way out. */
typedef struct wanted {
    const scs_h5ad *meta;
    int64_t row0, row1;
    int64_t *count; /* [row1 - row0 + 1]: count[i + 1] = values in row i; then where row i goes
                       on */
    scs_csr *x;
} wanted;

/* The first of n ascending rows that is not below `row`, or n. */
static int64_t find_row(const int32_t *rows, int64_t n, int64_t row)
{
    int64_t first = 0;

    while (first < n) {
        int64_t middle = first + (n - first) / 2;

        if (rows[middle] < row)
            first = middle + 1;
        else
            n = middle;
    }
    return first;
}

/* One value of a row that is wanted. A file that another program writes to meanwhile may have more
 * of them than were counted: refused before anything is overrun. Explicit zeros have room, and
 * leave a gap. */
static scs_status take_value(wanted *w, int64_t i, int32_t column, float value)
{
    int64_t at;

    if (!(value > 0))
        return SCS_OK;
    at = w->count[i]++;
    SCS_REQUIRE(at < w->x->indptr[i + 1], SCS_EDATA, "%s: changed while it was being read",
                w->meta->path);
    w->x->indices[at] = column;
    w->x->values[at] = value;
    return SCS_OK;
}

static scs_status take_wanted(void *ctx, int32_t column, const int32_t *row, const float *value,
                              int64_t n, bool ascending)
{
    wanted *w = ctx;
    int64_t end = ascending ? find_row(row, n, w->row1) : n;

    for (int64_t k = ascending ? find_row(row, end, w->row0) : 0; k < end; k++) {
        if (row[k] < w->row0 || row[k] >= w->row1)
            continue;
        if (value)
            SCS_TRY(take_value(w, row[k] - w->row0, column, value[k]));
        else
            w->count[row[k] - w->row0 + 1]++;
    }
    return SCS_OK;
}

/* Counts become beginnings (prefix sums), of which count[i] then moves as row i is filled. */
static scs_status counts_to_indptr(wanted *w)
{
    int64_t n = w->row1 - w->row0;

    for (int64_t i = 0; i < n; i++)
        w->count[i + 1] += w->count[i];
    SCS_TRY(scs_csr_alloc(n, w->meta->n_var, w->count[n], w->x));
    for (int64_t i = 0; i <= n; i++)
        w->x->indptr[i] = w->count[i];
    return SCS_OK;
}

/* Gaps that explicit zeros have left. @param end [n_row] where each row's values end */
static void close_gaps(scs_csr *x, const int64_t *end)
{
    int64_t used = 0;

    for (int64_t i = 0, begin = 0; i < x->n_row; i++) {
        int64_t n = end[i] - begin;

        if (used < begin) {
            memmove(x->indices + used, x->indices + begin, (size_t)n * sizeof *x->indices);
            memmove(x->values + used, x->values + begin, (size_t)n * sizeof *x->values);
        }
        used += n;
        begin = x->indptr[i + 1];
        x->indptr[i + 1] = used;
    }
}

/* Every value is checked, whichever rows are wanted, so that all ranks refuse a bad one alike. */
scs_status scs_h5ad_csc_rows(const scs_h5 *h5, const scs_h5ad *meta, int64_t row0, int64_t row1,
                             scs_csr *x)
{
    wanted w = {.meta = meta, .row0 = row0, .row1 = row1, .x = x};
    scs_h5ad_csc *csc;
    scs_status st;

    SCS_TRY(scs_h5ad_csc_open(h5, meta, &csc));
    SCS_GO(st, SCS_ALLOC(w.count, row1 - row0 + 1));
    SCS_GO(st, scs_h5ad_csc_walk(csc, 0, meta->n_var, false, take_wanted, &w));
    SCS_GO(st, counts_to_indptr(&w));
    SCS_GO(st, scs_h5ad_csc_walk(csc, 0, meta->n_var, true, take_wanted, &w));
    close_gaps(x, w.count);
done:
    free(w.count);
    scs_h5ad_csc_close(&csc);
    return st;
}
