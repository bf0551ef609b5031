/* The expression matrix of an .h5ad file: where it stands, and its rows as CSR.
 *
 * Three layouts give the same scs_csr: cells x genes, columns ascending in each row, no explicit
 * zeros, every value finite and above 0.
 *
 *   CSR     rows are read where they stand: O(values of the rows)
 *   CSC     stored by gene, so that any row needs all of the file (h5ad_csc.h): O(nnz) a call,
 *           memory for one block and for the rows that are wanted
 *   text    an entry a line, cell by cell or in any order (tenx_mtx.h)
 *   dense   read in blocks of whole chunks, zeros dropped at once; memory for one block
 *
 * Locating runs in the sandbox and checks lengths, types and indptr. Reading runs on the ranks,
 * on numeric datasets alone, and checks everything again where it is used: the file may have
 * changed since. Columns out of range, duplicates (which scipy sums silently), NaN, infinity and
 * negative values are refused with file, cell row and gene. All functions are Local.
 */
#include "src/data/h5ad_matrix.h"

#include "src/base/simd.h"
#include "src/base/text.h"
#include "src/data/h5ad_csc.h"
#include "src/data/h5ad_internal.h"
#include "src/data/h5ad_value.h"
#include "src/data/tenx_mtx.h"
#include "src/hdf5/h5read.h"
#include "src/hdf5/h5stream.h"
#include "src/hdf5/h5text.h"

#include <stdlib.h>
#include <string.h>

/* Columns of the matrix in the file. */
static int32_t file_columns(const scs_h5ad *meta)
{
    return meta->gene ? meta->n_column : meta->n_var;
}

/* What is kept from one block of rows to the next. Arrays are owned. */
struct scs_h5ad_reader {
    const scs_h5ad *meta;
    scs_h5 h5;
    scs_csr x;            /* the last rows that were read */
    int64_t rows, values; /* room in it */
    int64_t place;        /* of x's first value in the file, where that is stored by rows */
    int64_t *seen;        /* [n_var] for check_row; the last row that held the gene,
                             + 1: a set that needs no clearing. NULL until a
                             row is looked at in detail */
    scs_h5stream *indptr, *indices, *value; /* of CSR; opened with the first rows */
    scs_tenx_mtx *text;                     /* of a text, in place of h5 */
};

/* ---- stored by rows (CSR) ---- */

/* Positions of the rows' values in the file. The whole of indptr was checked in the sandbox;
 * here its part is checked again, since it says how much is read and where.
 *  @param[out] at [n + 1] */
static scs_status read_indptr(scs_h5ad_reader *r, int64_t row0, int64_t n, int64_t *at)
{
    const scs_h5ad *meta = r->meta;
    int64_t last = row0 == 0 ? 0 : -1;

    /* last < 0: the first of these rows need not begin at 0. */
    SCS_TRY(scs_h5stream_read(r->indptr, row0, n + 1, at));
    if (last < 0)
        last = at[0];
    for (int64_t i = 0; i <= n; last = at[i++])
        SCS_REQUIRE(at[i] >= last && at[i] >= 0 && at[i] <= meta->nnz, SCS_EDATA,
                    "%s: %s is wrong at cell row %lld; the file is damaged", meta->path,
                    meta->indptr, (long long)(row0 + i));
    SCS_REQUIRE(row0 > 0 || at[0] == 0, SCS_EDATA,
                "%s: %s does not start at 0; the file is damaged", meta->path, meta->indptr);
    return SCS_OK;
}

/* Values [begin, end) of r->x, one row of them, before it is sorted.
 *  @param row the same in the file */
static scs_status check_row(scs_h5ad_reader *r, int64_t begin, int64_t end, int64_t row)
{
    const scs_h5ad *meta = r->meta;
    const scs_csr *x = &r->x;

    if (!r->seen)
        SCS_TRY(SCS_ALLOC(r->seen, x->n_col));
    for (int64_t k = begin; k < end; k++) {
        int32_t gene = x->indices[k];

        SCS_REQUIRE(gene >= 0 && gene < x->n_col, SCS_EDATA,
                    "%s: %s: cell row %lld names gene number %lld of %d; the file is damaged",
                    meta->path, meta->indices, (long long)row,
                    (long long)scs_h5_unclipped(&r->h5, meta->indices, r->place + k, gene),
                    x->n_col);
        /* Row 0 marks with 1, so that a zeroed set is empty. */
        if (r->seen[gene] == row + 1)
            return scs_h5ad_value_twice(meta, row, gene);
        r->seen[gene] = row + 1;
        SCS_TRY(scs_h5ad_value_check(meta, row, gene, x->values[k]));
    }
    return SCS_OK;
}

/* Explicit zeros are legal in CSR, but a stored 0 is no non-zero: density, packing and detection
 * of genes count entries. Values [from, end) of x become [to, the result), before or where they
 * are.
 */
static int64_t drop_zeros(scs_csr *x, int64_t from, int64_t end, int64_t to)
{
    for (; from < end; from++)
        if (x->values[from] > 0) {
            x->indices[to] = x->indices[from];
            x->values[to++] = x->values[from];
        }
    return to;
}

/* All rows of r->x are checked, and zeros dropped.
 *  @param row0 the file's row of x's first
 *  @param[out] sorted whether genes ascend in all of them */
static scs_status check_rows(scs_h5ad_reader *r, int64_t row0, bool *sorted)
{
    scs_csr *x = &r->x;
    int64_t kept = 0;

    *sorted = true;
    for (int64_t i = 0, begin = 0, end; i < x->n_row; i++, begin = end) {
        end = x->indptr[i + 1];
        if (!scs_h5ad_value_are_plain(x->indices + begin, x->values + begin, end - begin,
                                      x->n_col)) {
            *sorted = false;
            SCS_TRY(check_row(r, begin, end, row0 + i));
        } else if (kept == begin) {
            x->indptr[i + 1] = kept = end;
            continue;
        }
        x->indptr[i + 1] = kept = drop_zeros(x, begin, end, kept);
    }
    return SCS_OK;
}

/* Room for n values in r->x, and for its rows; what was there is lost. Rows without a value have
 * arrays too: memcpy must not be given NULL, not even for no bytes. */
static scs_status make_room(scs_h5ad_reader *r, int64_t n_row, int64_t n)
{
    if (n_row + 1 > r->rows) {
        free(r->x.indptr);
        r->rows = 0;
        SCS_TRY(SCS_ALLOC(r->x.indptr, n_row + 1));
        r->rows = n_row + 1;
    }
    if (n > r->values || !r->x.values) {
        free(r->x.indices);
        free(r->x.values);
        r->x.indices = NULL;
        r->x.values = NULL;
        r->values = 0;
        SCS_TRY(SCS_ALLOC(r->x.indices, n));
        SCS_TRY(SCS_ALLOC(r->x.values, n));
        r->values = n;
    }
    r->x.n_row = n_row;
    r->x.n_col = file_columns(r->meta);
    return SCS_OK;
}

static scs_status open_csr(scs_h5ad_reader *r)
{
    const scs_h5ad *meta = r->meta;

    SCS_TRY(scs_h5stream_open(&r->h5, meta->indptr, SCS_H5_INT64, &r->indptr));
    SCS_TRY(scs_h5stream_open(&r->h5, meta->indices, SCS_H5_INT32, &r->indices));
    return scs_h5stream_open(&r->h5, meta->data, SCS_H5_FLOAT, &r->value);
}

/* From the file's columns, checked, to genes in their order. @param row0 the file's row of the
 * first */
static scs_status finish_rows(scs_h5ad_reader *r, int64_t row0)
{
    bool sorted;

    SCS_TRY(check_rows(r, row0, &sorted));
    if (r->meta->gene)
        return scs_csr_map_columns(&r->x, r->meta->gene, r->meta->n_var);
    return sorted ? SCS_OK : scs_csr_sort_rows(&r->x);
}

static scs_status read_csr(scs_h5ad_reader *r, int64_t row0, int64_t row1)
{
    int64_t n = row1 - row0, begin, end;

    if (!r->value)
        SCS_TRY(open_csr(r));
    SCS_TRY(make_room(r, n, 0));
    SCS_TRY(read_indptr(r, row0, n, r->x.indptr));
    r->place = begin = r->x.indptr[0];
    end = r->x.indptr[n];
    for (int64_t i = 0; i <= n; i++)
        r->x.indptr[i] -= begin;
    SCS_TRY(make_room(r, n, end - begin));
    SCS_TRY(scs_h5stream_read(r->indices, begin, end - begin, r->x.indices));
    SCS_TRY(scs_h5stream_read(r->value, begin, end - begin, r->x.values));
    return finish_rows(r, row0);
}

/* ---- stored as a text ---- */

static scs_status read_text(scs_h5ad_reader *r, int64_t row0, int64_t row1)
{
    scs_csr_clear(&r->x);
    r->rows = r->values = 0;
    SCS_TRY(scs_tenx_mtx_rows(r->text, row0, row1, &r->x));
    r->x.n_col = file_columns(r->meta);
    return finish_rows(r, row0);
}

/* The analyzer loses sight of the arrays of the caller's matrix. */
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"

/* ---- stored dense ---- */

/* Rows on their way out of a dense matrix into x. */
typedef struct dense_reader {
    const scs_h5ad *meta;
    scs_csr *x;
    int64_t row, used, room; /* next row of x; values in x, and room for them */
} dense_reader;

/* Room for `more` values: half as much again, since the number of non-zeros is not known before
 * all rows are read. */
static scs_status grow(dense_reader *r, int64_t more)
{
    int64_t room = r->room + r->room / 2 > r->used + more ? r->room + r->room / 2 : r->used + more;
    int32_t *indices;
    float *values;

    if (r->used + more <= r->room)
        return SCS_OK;
    indices = realloc(r->x->indices, (size_t)room * sizeof *indices);
    SCS_REQUIRE(indices, SCS_ENOMEM, "%s: out of memory for %lld columns", r->meta->path,
                (long long)room);
    r->x->indices = indices;
    values = realloc(r->x->values, (size_t)room * sizeof *values);
    SCS_REQUIRE(values, SCS_ENOMEM, "%s: out of memory for %lld values", r->meta->path,
                (long long)room);
    r->x->values = values;
    r->room = room;
    return SCS_OK;
}

/* Whether all are finite and none negative, looked at in vector code. */
SCS_VECTOR static bool none_negative(const float *value, int64_t n)
{
    const scs_float_bits *bits = (const scs_float_bits *)(const void *)value;
    int32_t bad = 0;

    for (int64_t k = 0; k < n; k++)
        bad |= bits[k] > 0x7f7fffffu; /* those of FLT_MAX */
    return !bad;
}

/* Every value is written where the next one that is kept belongs: there is room for all, and no
 * branch on what most of them are not.
 *  @param row in the file
 *  @param dense [n_var] */
static scs_status add_row(dense_reader *r, int64_t row, const float *dense)
{
    int32_t n = r->x->n_col;
    int64_t used = r->used;
    int32_t *indices;
    float *values;

    SCS_TRY(grow(r, n));
    if (!none_negative(dense, n))
        for (int32_t j = 0; j < n; j++)
            SCS_TRY(scs_h5ad_value_check(r->meta, row, j, dense[j]));
    indices = r->x->indices;
    values = r->x->values;
    for (int32_t j = 0; j < n; j++) {
        indices[used] = j;
        values[used] = dense[j];
        used += dense[j] > 0;
    }
    r->used = used;
    r->x->indptr[++r->row] = used;
    return SCS_OK;
}

/* Rows [first, first + n) out of a table of genes x cells.
 *  @param dense [n_var, n] scratch  @param row [n_var] scratch */
static scs_status read_by_gene(const scs_h5 *h5, dense_reader *r, int64_t first, int64_t n,
                               float *dense, float *row)
{
    SCS_TRY(scs_h5_read_columns(h5, r->meta->data, first, n, dense));
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < r->meta->n_var; j++)
            row[j] = dense[j * n + i];
        SCS_TRY(add_row(r, first + i, row));
    }
    return SCS_OK;
}

/* @param dense [n, n_var] scratch */
static scs_status read_by_cell(const scs_h5 *h5, dense_reader *r, int64_t first, int64_t n,
                               float *dense)
{
    SCS_TRY(scs_h5_read_rows(h5, r->meta->data, first, n, dense));
    for (int64_t i = 0; i < n; i++)
        SCS_TRY(add_row(r, first + i, dense + i * r->meta->n_var));
    return SCS_OK;
}

/* Blocks begin at multiples of `rows` in the file, whatever row0 is, so that they are whole
 * chunks.
 *  @param rows of a block */
static scs_status read_dense_blocks(const scs_h5 *h5, dense_reader *r, int64_t row0, int64_t row1,
                                    int64_t rows)
{
    bool by_gene = r->meta->layout == SCS_LAYOUT_DENSE_BY_GENE;
    float *dense = NULL, *row = NULL;
    scs_status st = SCS_OK;

    SCS_GO(st, SCS_ALLOC(dense, (rows < row1 - row0 ? rows : row1 - row0) * r->meta->n_var));
    SCS_GO(st, SCS_ALLOC(row, by_gene ? r->meta->n_var : 0));
    for (int64_t first = row0, next; first < row1; first = next) {
        next = (first / rows + 1) * rows;
        next = next < row1 ? next : row1;
        SCS_GO(st, by_gene ? read_by_gene(h5, r, first, next - first, dense, row)
                           : read_by_cell(h5, r, first, next - first, dense));
    }
done:
    free(dense);
    free(row);
    return st;
}

/* Of a block, about; and the largest chunk for which a block may grow beyond that. */
static const int64_t DENSE_BLOCK_BYTES = 32 << 20, MAX_CHUNK_BYTES = 1 << 30;

/* Rows of a block: whole chunks where they are not too large, so that none is inflated twice. */
static int64_t dense_block_rows(const scs_h5_shape *shape, bool by_gene)
{
    int64_t n_var = shape->dim[!by_gene], chunk = shape->chunk[by_gene];
    int64_t row_bytes = (n_var > 0 ? n_var : 1) * (int64_t)sizeof(float);
    int64_t rows = DENSE_BLOCK_BYTES / row_bytes > 0 ? DENSE_BLOCK_BYTES / row_bytes : 1;

    if (chunk <= 0 || chunk > MAX_CHUNK_BYTES / row_bytes)
        return rows;
    return rows < chunk ? chunk : rows / chunk * chunk;
}

/* The shape is asked for again: it gives the size of the buffer.
 *  @param[out] x as read_csr */
static scs_status read_dense(const scs_h5 *h5, const scs_h5ad *meta, int64_t row0, int64_t row1,
                             scs_csr *x)
{
    bool by_gene = meta->layout == SCS_LAYOUT_DENSE_BY_GENE;
    dense_reader r = {.meta = meta, .x = x};
    scs_h5_shape shape;

    SCS_TRY(scs_h5_shape_of(h5, meta->data, &shape));
    SCS_REQUIRE(shape.rank == 2 && shape.dim[by_gene] == meta->n_row &&
                    shape.dim[!by_gene] == meta->n_var,
                SCS_EDATA, "%s: %s has changed its shape", meta->path, meta->data);
    SCS_TRY(scs_csr_alloc(row1 - row0, meta->n_var, 0, x));
    return read_dense_blocks(h5, &r, row0, row1, dense_block_rows(&shape, by_gene));
}

/* ---- rows, in any layout ---- */

/* Whole matrices of the other layouts are made anew: their memory is not used again. */
static scs_status read_afresh(scs_h5ad_reader *r, int64_t row0, int64_t row1)
{
    scs_csr_clear(&r->x);
    r->rows = r->values = 0;
    return r->meta->layout == SCS_LAYOUT_CSC ? scs_h5ad_csc_rows(&r->h5, r->meta, row0, row1, &r->x)
                                             : read_dense(&r->h5, r->meta, row0, row1, &r->x);
}

scs_status scs_h5ad_matrix_open(const scs_h5ad *meta, scs_h5ad_reader **reader)
{
    scs_status st;

    SCS_TRY(SCS_ALLOC(*reader, 1));
    (*reader)->meta = meta;
    st = meta->layout == SCS_LAYOUT_MTX ? scs_tenx_mtx_open(meta, &(*reader)->text)
                                        : scs_h5_open(meta->path, meta->memory, &(*reader)->h5);
    if (st == SCS_OK && meta->root)
        st = scs_h5_enter(&(*reader)->h5, meta->root);
    if (st != SCS_OK)
        scs_h5ad_matrix_close(reader);
    return st;
}

scs_status scs_h5ad_matrix_rows(scs_h5ad_reader *r, int64_t row0, int64_t row1, scs_csr **x)
{
    SCS_REQUIRE(row0 >= 0 && row0 <= row1 && row1 <= r->meta->n_row, SCS_EINTERNAL,
                "rows %lld to %lld of %lld", (long long)row0, (long long)row1,
                (long long)r->meta->n_row);
    *x = &r->x;
    if (r->meta->layout == SCS_LAYOUT_CSR)
        SCS_TRY(read_csr(r, row0, row1));
    else if (r->meta->layout == SCS_LAYOUT_MTX)
        SCS_TRY(read_text(r, row0, row1));
    else
        SCS_TRY(read_afresh(r, row0, row1));
    if (r->meta->keep)
        scs_csr_keep_rows(&r->x, r->meta->keep + row0);
    return SCS_OK;
}

void scs_h5ad_matrix_close(scs_h5ad_reader **reader)
{
    scs_h5ad_reader *r = *reader;

    if (!r)
        return;
    scs_h5stream_close(&r->indptr);
    scs_h5stream_close(&r->indices);
    scs_h5stream_close(&r->value);
    scs_h5_close(&r->h5);
    scs_tenx_mtx_close(&r->text);
    scs_csr_clear(&r->x);
    free(r->seen);
    free(r);
    *reader = NULL;
}

scs_status scs_h5ad_matrix_read_rows(const scs_h5ad *meta, int64_t row0, int64_t row1, scs_csr *x)
{
    scs_h5ad_reader *reader;
    scs_csr *rows;
    scs_status st;

    *x = (scs_csr){0};
    SCS_TRY(scs_h5ad_matrix_open(meta, &reader));
    st = scs_h5ad_matrix_rows(reader, row0, row1, &rows);
    if (st == SCS_OK) {
        *x = *rows;
        *rows = (scs_csr){0};
    }
    scs_h5ad_matrix_close(&reader);
    return st;
}

/* A block of CSR rows: 1 MiB. Of a dense matrix it has at least so many values, and so many chunks
 * of the file: a chunk that the end of a block cuts is inflated twice. */
static const int64_t CSR_BLOCK_VALUES = 1 << 17, MIN_BLOCK_VALUES = 1 << 22, MIN_BLOCK_CHUNKS = 16;

int64_t scs_h5ad_matrix_block_rows(const scs_h5ad *meta)
{
    int64_t per_row = meta->n_row > 0 ? meta->nnz / meta->n_row + 1 : 1, chunk = meta->chunk,
            values;

    if (meta->layout == SCS_LAYOUT_CSR || (meta->layout == SCS_LAYOUT_MTX && meta->start))
        return CSR_BLOCK_VALUES / per_row + 1;
    if (meta->layout == SCS_LAYOUT_CSC || meta->layout == SCS_LAYOUT_MTX ||
        chunk > meta->nnz / MIN_BLOCK_CHUNKS)
        return meta->n_row > 0 ? meta->n_row : 1;
    values =
        chunk * MIN_BLOCK_CHUNKS > MIN_BLOCK_VALUES ? chunk * MIN_BLOCK_CHUNKS : MIN_BLOCK_VALUES;
    return values / per_row + 1;
}

/* Where a matrix stands in the file, its layout and shape. */

/* ---- where a matrix stands ---- */

static bool is_there(const scs_h5 *h5, const char *path)
{
    return scs_h5_exists(h5, path) && !scs_h5_is_null(h5, path);
}

/* X, raw and each layer that is there.
 *  @param[out] found appended */
static scs_status list_matrices(const scs_h5 *h5, scs_names *found)
{
    scs_names layers = {0};
    char *path = NULL;
    scs_status st = SCS_OK;

    if (is_there(h5, "X") || scs_h5_is_group(h5, "row_attrs")) /* of loom */
        SCS_GO(st, scs_names_add(found, "X"));
    if (scs_h5_exists(h5, "raw/X") || scs_h5_exists(h5, "raw.X"))
        SCS_GO(st, scs_names_add(found, "raw"));
    if (scs_h5_is_group(h5, "layers"))
        SCS_GO(st, scs_h5_members(h5, "layers", &layers));
    for (scs_lidx i = 0; i < layers.n; i++) {
        SCS_GO(st, scs_h5_path(&path, "layers/%s", layers.name[i]));
        SCS_GO(st, scs_names_add(found, path));
        free(path);
        path = NULL;
    }
done:
    free(path);
    scs_names_clear(&layers);
    return st;
}

/* The refusal, with what data.matrix could be instead. */
static scs_status no_matrix(const scs_h5 *h5, const char *matrix)
{
    char list[SCS_MESSAGE_MAX / 2];
    scs_names found = {0};
    scs_status st = list_matrices(h5, &found);

    scs_names_list(&found, 20, list, sizeof list);
    if (st == SCS_OK && found.n > 0)
        st = SCS_FAIL(SCS_EDATA, "%s: there is no %s in it; set data.matrix to one of: %s",
                      h5->path, matrix, list);
    else if (st == SCS_OK)
        st = SCS_FAIL(SCS_EDATA, "%s: holds no expression matrix: no X, no raw, no layers",
                      h5->path);
    scs_names_clear(&found);
    return st;
}

/* data.matrix as HDF5 paths. raw has its own genes, more than X in most files; anndata before
 * 0.7 kept it as raw.X and raw.var.
 *  @param[out] base, var constants or `matrix` itself */
static scs_status name_matrix(const scs_h5 *h5, const char *matrix, const char **base,
                              const char **var)
{
    bool found;

    *base = matrix;
    *var = "var";
    if (strcmp(matrix, "raw") == 0) {
        bool modern = scs_h5_exists(h5, "raw/X") || !scs_h5_exists(h5, "raw.X");
        *base = modern ? "raw/X" : "raw.X";
        *var = modern ? "raw/var" : "raw.var";
    } else
        SCS_REQUIRE(strcmp(matrix, "X") == 0 || strncmp(matrix, "layers/", 7) == 0, SCS_EARG,
                    "data.matrix: %s is none of X, raw, layers/NAME", matrix);
    SCS_TRY(scs_h5_look(h5, *base, &found));
    return found && !scs_h5_is_null(h5, *base) ? SCS_OK : no_matrix(h5, matrix);
}

/* Dimensions that int32 indices can take, one above them included. */
static scs_status set_shape(const scs_h5 *h5, const char *base, int64_t rows, int64_t columns,
                            scs_h5ad *meta)
{
    SCS_REQUIRE(rows >= 0 && rows < INT32_MAX && columns >= 0 && columns < INT32_MAX, SCS_EDATA,
                "%s: %s has an absurd shape, %lld x %lld", h5->path, base, (long long)rows,
                (long long)columns);
    meta->n_row = meta->n_obs = rows;
    meta->n_var = (int32_t)columns;
    return SCS_OK;
}

/* A table of integers, booleans or floats; nnz counts every element. Blocks go along the cells:
 * rows or columns. */
scs_status scs_h5ad_matrix_locate_dense(const scs_h5 *h5, const char *base, bool by_gene,
                                        scs_h5ad *meta)
{
    scs_h5_shape shape;
    int64_t chunk;

    meta->layout = by_gene ? SCS_LAYOUT_DENSE_BY_GENE : SCS_LAYOUT_DENSE;
    SCS_TRY(scs_text_copy(base, &meta->data));
    SCS_TRY(scs_h5_shape_of(h5, base, &shape));
    SCS_REQUIRE(shape.rank == 2 && (shape.type == H5T_FLOAT || shape.type == H5T_INTEGER ||
                                    shape.type == H5T_ENUM),
                SCS_EDATA, "%s: %s must be a table of numbers, %s", h5->path, base,
                by_gene ? "genes x cells" : "cells x genes");
    meta->nnz = shape.dim[0] * shape.dim[1];
    chunk = shape.chunk[by_gene] < shape.dim[by_gene] ? shape.chunk[by_gene] : shape.dim[by_gene];
    meta->chunk = chunk * shape.dim[!by_gene];
    return set_shape(h5, base, shape.dim[by_gene], shape.dim[!by_gene], meta);
}

/* "csr_matrix" (attribute encoding-type) or "csr" (h5sparse_format, anndata before 0.7).
 *  @param[out] kind malloc'ed, NULL where the group says neither */
static scs_status sparse_kind(const scs_h5 *h5, const char *base, char **kind)
{
    bool found;

    SCS_TRY(scs_h5_attr_text(h5, base, "encoding-type", kind, &found));
    return found ? SCS_OK : scs_h5_attr_text(h5, base, "h5sparse_format", kind, &found);
}

/* By how the word begins; a group of another encoding is refused by its name. */
static scs_status read_sparse_layout(const scs_h5 *h5, const char *base, scs_h5ad *meta)
{
    char *kind = NULL;
    scs_status st;

    SCS_TRY(sparse_kind(h5, base, &kind));
    meta->layout = SCS_LAYOUT_CSR;
    if (kind && strncmp(kind, "csc", 3) == 0)
        meta->layout = SCS_LAYOUT_CSC;
    st = kind && (strncmp(kind, "csr", 3) == 0 || meta->layout == SCS_LAYOUT_CSC)
             ? SCS_OK
             : SCS_FAIL(SCS_EDATA, "%s: %s is a group of kind %s, not csr_matrix or csc_matrix",
                        h5->path, base, kind ? kind : "unknown");
    free(kind);
    return st;
}

/* From the attribute: the arrays themselves do not say how many columns (or rows) there are. */
static scs_status read_sparse_shape(const scs_h5 *h5, const char *base, scs_h5ad *meta)
{
    int64_t shape[2];
    int n;

    SCS_TRY(scs_h5_attr_int64(h5, base, "shape", 2, shape, &n));
    if (n == 0)
        SCS_TRY(scs_h5_attr_int64(h5, base, "h5sparse_shape", 2, shape, &n));
    SCS_REQUIRE(n == 2, SCS_EDATA, "%s: %s lacks its attribute shape (cells, genes)", h5->path,
                base);
    return set_shape(h5, base, shape[0], shape[1], meta);
}

/* A 1-d dataset of this length.
 *  @param integer integers only, or any number */
static scs_status check_list(const scs_h5 *h5, const char *path, int64_t length, bool integer)
{
    scs_h5_shape shape;
    bool is_integer;

    SCS_TRY(scs_h5_shape_of(h5, path, &shape));
    is_integer = shape.type == H5T_INTEGER || shape.type == H5T_ENUM;
    SCS_REQUIRE(is_integer || (!integer && shape.type == H5T_FLOAT), SCS_EDATA,
                "%s: %s must hold %s", h5->path, path, integer ? "integers" : "numbers");
    SCS_REQUIRE(shape.rank == 1 && shape.dim[0] == length, SCS_EDATA,
                "%s: %s has %lld elements where %lld belong; the file is damaged", h5->path, path,
                (long long)shape.dim[0], (long long)length);
    return SCS_OK;
}

/* Elements on the stack at a time: 128 KiB. */
enum { INDPTR_BLOCK = 1 << 14 };

/* indptr starts at 0, never falls and ends at nnz: it is what later reads trust for their sizes.
 *  @param n its elements */
static scs_status check_indptr(const scs_h5 *h5, const scs_h5ad *meta, int64_t n)
{
    int64_t block[INDPTR_BLOCK], last = 0;

    for (int64_t first = 0; first < n; first += INDPTR_BLOCK) {
        int64_t m = n - first < INDPTR_BLOCK ? n - first : INDPTR_BLOCK;
        SCS_TRY(scs_h5_read_int64(h5, meta->indptr, first, m, block));
        SCS_REQUIRE(first > 0 || block[0] == 0, SCS_EDATA,
                    "%s: %s starts at %lld, not at 0; the file is damaged", h5->path, meta->indptr,
                    (long long)block[0]);
        for (int64_t i = 0; i < m; last = block[i++])
            SCS_REQUIRE(block[i] >= last, SCS_EDATA,
                        "%s: %s falls from %lld to %lld at element %lld; the file is damaged",
                        h5->path, meta->indptr, (long long)last, (long long)block[i],
                        (long long)(first + i));
    }
    SCS_REQUIRE(last == meta->nnz, SCS_EDATA,
                "%s: %s ends at %lld but there are %lld values; the file is damaged", h5->path,
                meta->indptr, (long long)last, (long long)meta->nnz);
    return SCS_OK;
}

/* Shape and layout are known. The compressed axis has the indptr: rows of CSR, columns of CSC. */
static scs_status locate_lists(const scs_h5 *h5, const char *base, scs_h5ad *meta)
{
    scs_h5_shape values;
    int64_t n;

    SCS_TRY(scs_h5_path(&meta->data, "%sdata", base));
    SCS_TRY(scs_h5_path(&meta->indices, "%sindices", base));
    SCS_TRY(scs_h5_path(&meta->indptr, "%sindptr", base));
    SCS_TRY(scs_h5_shape_of(h5, meta->data, &values));
    meta->nnz = values.dim[0];
    meta->chunk = values.chunk[0];
    n = (meta->layout == SCS_LAYOUT_CSR ? meta->n_row : meta->n_var) + 1;
    SCS_TRY(check_list(h5, meta->data, meta->nnz, false));
    SCS_TRY(check_list(h5, meta->indices, meta->nnz, true));
    SCS_TRY(check_list(h5, meta->indptr, n, true));
    return check_indptr(h5, meta, n);
}

static scs_status locate_sparse(const scs_h5 *h5, const char *base, scs_h5ad *meta)
{
    char *lists = NULL;
    scs_status st;

    SCS_GO(st, read_sparse_layout(h5, base, meta));
    SCS_GO(st, read_sparse_shape(h5, base, meta));
    SCS_GO(st, scs_h5_path(&lists, "%s/", base));
    SCS_GO(st, locate_lists(h5, lists, meta));
done:
    free(lists);
    return st;
}

scs_status scs_h5ad_matrix_locate_rows(const scs_h5 *h5, const char *base, int64_t n_row,
                                       int64_t n_column, scs_h5ad *meta)
{
    SCS_TRY(set_shape(h5, "shape", n_row, n_column, meta));
    meta->layout = SCS_LAYOUT_CSR;
    return locate_lists(h5, base, meta);
}

scs_status scs_h5ad_matrix_locate(const scs_h5 *h5, scs_h5ad *meta, const char **var)
{
    const char *base;

    SCS_TRY(name_matrix(h5, meta->matrix, &base, var));
    return scs_h5_is_group(h5, base) ? locate_sparse(h5, base, meta)
                                     : scs_h5ad_matrix_locate_dense(h5, base, false, meta);
}

/* @param path of the values: rows x width, or a list of them */
static scs_status any_among_first(const scs_h5 *h5, const char *path, bool *found)
{
    enum { LOOK = 4096, MOST = 1 << 24 };
    scs_h5_shape shape;
    int64_t width, rows;
    float *value = NULL;
    scs_status st;

    *found = false;
    SCS_TRY(scs_h5_shape_of(h5, path, &shape));
    width = shape.rank == 2 ? shape.dim[1] : 1;
    rows = width > 0 && LOOK / width > 0 ? LOOK / width : 1;
    rows = rows < shape.dim[0] ? rows : shape.dim[0];
    *found =
        width > 0 && (rows + shape.chunk[0]) > MOST / width; /* too much to unpack for a look */
    if (*found || rows * width == 0)
        return SCS_OK;
    SCS_TRY(SCS_ALLOC(value, rows * width));
    st = shape.rank == 2 ? scs_h5_read_rows(h5, path, 0, rows, value)
                         : scs_h5_read_float(h5, path, 0, rows, value);
    for (int64_t k = 0; st == SCS_OK && k < rows * width && !*found; k++)
        *found = value[k] != 0;
    free(value);
    return st;
}

/* Whether one of the first values is not 0. What cannot be read has none: this is a hint beside a
 * refusal or none at all. Only a lack of memory is passed on. */
static scs_status begins_with_values(const scs_h5 *h5, const char *base, bool *found)
{
    char *path = NULL;
    scs_status st = scs_h5_path(&path, scs_h5_is_group(h5, base) ? "%s/data" : "%s", base);

    *found = false;
    if (st == SCS_OK)
        st = any_among_first(h5, path, found);
    free(path);
    if (st == SCS_ENOMEM)
        return st;
    *found = st == SCS_OK && *found;
    scs_message_clear();
    return SCS_OK;
}

scs_status scs_h5ad_matrix_others(const scs_h5 *h5, scs_h5ad *meta)
{
    scs_names all = {0};
    scs_status st;

    SCS_GO(st, list_matrices(h5, &all));
    for (scs_lidx i = 0; i < all.n; i++)
        if (strcmp(all.name[i], meta->matrix) != 0)
            SCS_GO(st, scs_names_add(&meta->others, all.name[i]));
done:
    scs_names_clear(&all);
    return st;
}

scs_status scs_h5ad_matrix_filled(const scs_h5 *h5, scs_h5ad *meta)
{
    const char *base, *var;
    scs_names all = {0};
    bool found;
    scs_status st;

    SCS_TRY(name_matrix(h5, meta->matrix, &base, &var));
    SCS_TRY(begins_with_values(h5, base, &found));
    if (found)
        return SCS_OK;
    SCS_GO(st, list_matrices(h5, &all));
    for (scs_lidx i = 0; i < all.n; i++) {
        SCS_GO(st, name_matrix(h5, all.name[i], &base, &var));
        SCS_GO(st, begins_with_values(h5, base, &found));
        if (found)
            SCS_GO(st, scs_names_add(&meta->filled, all.name[i]));
    }
done:
    scs_names_clear(&all);
    return st;
}
