/* Rows of a matrix, outside the sandbox: numeric datasets only. */
#include "src/h5ad_parts.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static const int64_t BLOCK_VALUES = 1 << 22, BLOCK_CHUNKS = 16; /* of a block of rows, at least */

scs_status scs_h5ad_check_value(const scs_h5ad *meta, int64_t row, int32_t column, float value)
{
    if (value >= 0 && value <= FLT_MAX)
        return SCS_OK;
    return SCS_FAIL(SCS_EDATA, "%s: %s: cell row %lld, gene %s holds %s%g: %s", meta->path,
                    meta->matrix, (long long)row, meta->genes.name[column],
                    isnan(value) ? "a missing value, " : "", (double)value,
                    isfinite(value) ? "expression must not be negative; scaled data cannot be "
                                      "used, set data.matrix to raw or to a layer"
                                    : "expression must be finite; repair or drop the gene");
}

scs_status scs_h5ad_duplicate(const scs_h5ad *meta, int64_t row, int32_t column)
{
    return SCS_FAIL(SCS_EDATA,
                    "%s: %s: cell row %lld holds gene %s twice; call sum_duplicates() on the "
                    "matrix and write the file again",
                    meta->path, meta->matrix, (long long)row, meta->genes.name[column]);
}

/* Positions of the rows' values in the file. @param[out] at [n + 1] */
static scs_status read_indptr(const scs_h5 *h5, const scs_h5ad *meta, int64_t row0, int64_t n,
                              int64_t *at)
{
    int64_t last = row0 == 0 ? 0 : -1;

    SCS_TRY(scs_h5_read_int64(h5, meta->indptr, row0, n + 1, at));
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

/* @param seen [n_var] the last row that held the gene, + 1 */
static scs_status check_row(const scs_h5ad *meta, const scs_csr *x, int64_t i, int64_t row,
                            int64_t *seen)
{
    for (int64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++) {
        int32_t gene = x->indices[k];
        SCS_REQUIRE(gene >= 0 && gene < x->n_col, SCS_EDATA,
                    "%s: %s: cell row %lld names gene number %d of %d; the file is damaged",
                    meta->path, meta->indices, (long long)row, gene, x->n_col);
        if (seen[gene] == row + 1)
            return scs_h5ad_duplicate(meta, row, gene);
        seen[gene] = row + 1;
        SCS_TRY(scs_h5ad_check_value(meta, row, gene, x->values[k]));
    }
    return SCS_OK;
}

static scs_status check_rows(const scs_h5ad *meta, const scs_csr *x, int64_t row0)
{
    int64_t *seen;
    scs_status st = SCS_OK;

    SCS_TRY(SCS_ALLOC(seen, x->n_col));
    for (int64_t i = 0; i < x->n_row; i++)
        SCS_GO(st, check_row(meta, x, i, row0 + i, seen));
done:
    free(seen);
    return st;
}

static void drop_zeros(scs_csr *x)
{
    int64_t kept = 0;

    for (int64_t i = 0, k = 0; i < x->n_row; i++) {
        for (; k < x->indptr[i + 1]; k++)
            if (x->values[k] > 0) {
                x->indices[kept] = x->indices[k];
                x->values[kept++] = x->values[k];
            }
        x->indptr[i + 1] = kept;
    }
}

static scs_status read_csr(const scs_h5 *h5, const scs_h5ad *meta, int64_t row0, int64_t row1,
                           scs_csr *x)
{
    int64_t n = row1 - row0, *at = NULL;
    scs_status st = SCS_OK;

    SCS_TRY(SCS_ALLOC(at, n + 1));
    SCS_GO(st, read_indptr(h5, meta, row0, n, at));
    SCS_GO(st, scs_csr_alloc(n, meta->n_var, at[n] - at[0], x));
    for (int64_t i = 0; i <= n; i++)
        x->indptr[i] = at[i] - at[0];
    SCS_GO(st, scs_h5_read_int32(h5, meta->indices, at[0], at[n] - at[0], x->indices));
    SCS_GO(st, scs_h5_read_float(h5, meta->data, at[0], at[n] - at[0], x->values));
    SCS_GO(st, check_rows(meta, x, row0));
    drop_zeros(x);
    SCS_GO(st, scs_csr_sort_rows(x));
done:
    free(at);
    return st;
}

static scs_status read_layout(const scs_h5 *h5, const scs_h5ad *meta, int64_t row0, int64_t row1,
                              scs_csr *x)
{
    switch (meta->layout) {
    case SCS_LAYOUT_CSR:
        return read_csr(h5, meta, row0, row1, x);
    case SCS_LAYOUT_CSC:
        return scs_h5ad_read_csc(h5, meta, row0, row1, x);
    default:
        return scs_h5ad_read_dense(h5, meta, row0, row1, x);
    }
}

scs_status scs_h5ad_read_rows(const scs_h5ad *meta, int64_t row0, int64_t row1, scs_csr *x)
{
    scs_h5 h5;
    scs_status st;

    *x = (scs_csr){0};
    SCS_REQUIRE(row0 >= 0 && row0 <= row1 && row1 <= meta->n_obs, SCS_EINTERNAL,
                "rows %lld to %lld of %lld", (long long)row0, (long long)row1,
                (long long)meta->n_obs);
    SCS_TRY(scs_h5_open(meta->path, meta->memory, &h5));
    st = read_layout(&h5, meta, row0, row1, x);
    scs_h5_close(&h5);
    if (st != SCS_OK)
        scs_csr_clear(x);
    return st;
}

int64_t scs_h5ad_block_rows(const scs_h5ad *meta)
{
    int64_t a_row = meta->n_obs > 0 ? meta->nnz / meta->n_obs + 1 : 1, chunk = meta->chunk, values;

    if (meta->layout == SCS_LAYOUT_CSC || chunk > meta->nnz / BLOCK_CHUNKS)
        return meta->n_obs > 0 ? meta->n_obs : 1;
    values = chunk * BLOCK_CHUNKS > BLOCK_VALUES ? chunk * BLOCK_CHUNKS : BLOCK_VALUES;
    return values / a_row + 1;
}
