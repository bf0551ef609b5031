/* Rows of a matrix that is stored dense, in blocks of rows. */
#include "src/h5ad_parts.h"

#include <stdlib.h>

/* The analyzer loses sight of the arrays of the caller's matrix. */
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"

static const int64_t BLOCK_BYTES = 32 << 20, CHUNK_BYTES = 1 << 30;

typedef struct reading {
    const scs_h5ad *meta;
    scs_csr *x;
    int64_t row, used, room; /* next row of x; values in x, and room for them */
} reading;

/* Rows of a block: whole chunks where they are not too large, so that none is decoded twice. */
static int64_t rows_of_block(const scs_h5_shape *shape)
{
    int64_t row_bytes = (shape->dim[1] > 0 ? shape->dim[1] : 1) * (int64_t)sizeof(float);
    int64_t rows = BLOCK_BYTES / row_bytes > 0 ? BLOCK_BYTES / row_bytes : 1;

    if (shape->chunk0 <= 0 || shape->chunk0 > CHUNK_BYTES / row_bytes)
        return rows;
    return rows < shape->chunk0 ? shape->chunk0 : rows / shape->chunk0 * shape->chunk0;
}

static scs_status make_room(reading *r, int64_t more)
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

/* @param dense [n_var]; row counts in the file */
static scs_status add_row(reading *r, int64_t row, const float *dense)
{
    int32_t n = r->x->n_col;

    SCS_TRY(make_room(r, n));
    for (int32_t j = 0; j < n; j++) {
        SCS_TRY(scs_h5ad_check_value(r->meta, row, j, dense[j]));
        if (dense[j] > 0) {
            r->x->indices[r->used] = j;
            r->x->values[r->used++] = dense[j];
        }
    }
    r->x->indptr[++r->row] = r->used;
    return SCS_OK;
}

static scs_status read_blocks(const scs_h5 *h5, reading *r, int64_t row0, int64_t row1,
                              int64_t rows)
{
    int32_t n_var = r->meta->n_var;
    float *dense = NULL;
    scs_status st = SCS_OK;

    SCS_TRY(SCS_ALLOC(dense, (rows < row1 - row0 ? rows : row1 - row0) * n_var));
    for (int64_t first = row0, next; first < row1; first = next) {
        next = (first / rows + 1) * rows;
        next = next < row1 ? next : row1;
        SCS_GO(st, scs_h5_read_rows(h5, r->meta->data, first, next - first, dense));
        for (int64_t row = first; row < next; row++)
            SCS_GO(st, add_row(r, row, dense + (row - first) * n_var));
    }
done:
    free(dense);
    return st;
}

scs_status scs_h5ad_read_dense(const scs_h5 *h5, const scs_h5ad *meta, int64_t row0, int64_t row1,
                               scs_csr *x)
{
    reading r = {.meta = meta, .x = x};
    scs_h5_shape shape;

    SCS_TRY(scs_h5_shape_of(h5, meta->data, &shape));
    SCS_REQUIRE(shape.rank == 2 && shape.dim[0] == meta->n_obs && shape.dim[1] == meta->n_var,
                SCS_EDATA, "%s: %s has changed its shape", meta->path, meta->data);
    SCS_TRY(scs_csr_alloc(row1 - row0, meta->n_var, 0, x));
    return read_blocks(h5, &r, row0, row1, rows_of_block(&shape));
}
