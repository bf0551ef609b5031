/* Rows of a matrix that is stored by columns: every value is read, in blocks, once to count and
 * once to fill. */
#include "src/h5ad_parts.h"

#include <stdlib.h>

enum { BLOCK = 1 << 20 };

typedef struct pass pass;
/* Called for each stored value, column after column. */
typedef scs_status (*visit_fn)(pass *p, int64_t row, int32_t column, float value);

struct pass {
    const scs_h5 *h5;
    const scs_h5ad *meta;
    int64_t row0, row1;
    int64_t *indptr;  /* [n_var + 1] of the columns */
    int32_t *indices; /* [BLOCK] */
    float *values;    /* [BLOCK] */
    int32_t *seen;    /* [n_obs] the last column that held the row, + 1 */
    int64_t
        *count; /* [row1 - row0 + 1]: count[i + 1] = values in row i; then where row i goes on */
    scs_csr *x;
};

static scs_status count(pass *p, int64_t row, int32_t column, float value)
{
    if (p->seen[row] == column + 1)
        return scs_h5ad_duplicate(p->meta, row, column);
    p->seen[row] = column + 1;
    SCS_TRY(scs_h5ad_check_value(p->meta, row, column, value));
    if (row >= p->row0 && row < p->row1 && value > 0)
        p->count[row - p->row0 + 1]++;
    return SCS_OK;
}

static scs_status fill(pass *p, int64_t row, int32_t column, float value)
{
    int64_t at, i = row - p->row0;

    if (row < p->row0 || row >= p->row1 || !(value > 0))
        return SCS_OK;
    at = p->count[i]++;
    SCS_REQUIRE(at < p->x->indptr[i + 1], SCS_EDATA, "%s: changed while it was being read",
                p->meta->path);
    p->x->indices[at] = column;
    p->x->values[at] = value;
    return SCS_OK;
}

/* @param[in,out] column that the block's first value stands in or after */
static scs_status visit_block(pass *p, int64_t first, int64_t n, int32_t *column, visit_fn visit)
{
    SCS_TRY(scs_h5_read_int32(p->h5, p->meta->indices, first, n, p->indices));
    SCS_TRY(scs_h5_read_float(p->h5, p->meta->data, first, n, p->values));
    for (int64_t k = 0; k < n; k++) {
        while (p->indptr[*column + 1] <= first + k)
            ++*column;
        SCS_REQUIRE(p->indices[k] >= 0 && p->indices[k] < p->meta->n_obs, SCS_EDATA,
                    "%s: %s: gene %s names cell row %d of %lld; the file is damaged", p->meta->path,
                    p->meta->indices, p->meta->genes.name[*column], p->indices[k],
                    (long long)p->meta->n_obs);
        SCS_TRY(visit(p, p->indices[k], *column, p->values[k]));
    }
    return SCS_OK;
}

static scs_status visit_all(pass *p, visit_fn visit)
{
    int64_t nnz = p->meta->nnz;
    int32_t column = 0;

    for (int64_t first = 0; first < nnz; first += BLOCK)
        SCS_TRY(visit_block(p, first, nnz - first < BLOCK ? nnz - first : BLOCK, &column, visit));
    return SCS_OK;
}

static scs_status read_indptr(pass *p)
{
    int32_t n = p->meta->n_var;
    bool good;

    SCS_TRY(scs_h5_read_int64(p->h5, p->meta->indptr, 0, (int64_t)n + 1, p->indptr));
    good = p->indptr[0] == 0 && p->indptr[n] == p->meta->nnz;
    for (int32_t j = 0; good && j < n; j++)
        good = p->indptr[j] <= p->indptr[j + 1];
    SCS_REQUIRE(good, SCS_EDATA, "%s: %s is damaged", p->meta->path, p->meta->indptr);
    return SCS_OK;
}

static scs_status allocate(pass *p)
{
    SCS_TRY(SCS_ALLOC(p->indptr, (int64_t)p->meta->n_var + 1));
    SCS_TRY(SCS_ALLOC(p->indices, BLOCK));
    SCS_TRY(SCS_ALLOC(p->values, BLOCK));
    SCS_TRY(SCS_ALLOC(p->seen, p->meta->n_obs));
    return SCS_ALLOC(p->count, p->row1 - p->row0 + 1);
}

static void release(pass *p)
{
    free(p->indptr);
    free(p->indices);
    free(p->values);
    free(p->seen);
    free(p->count);
}

/* From counts to places. */
static scs_status make_room(pass *p)
{
    int64_t n = p->row1 - p->row0;

    for (int64_t i = 0; i < n; i++)
        p->count[i + 1] += p->count[i];
    SCS_TRY(scs_csr_alloc(n, p->meta->n_var, p->count[n], p->x));
    for (int64_t i = 0; i <= n; i++)
        p->x->indptr[i] = p->count[i];
    return SCS_OK;
}

scs_status scs_h5ad_read_csc(const scs_h5 *h5, const scs_h5ad *meta, int64_t row0, int64_t row1,
                             scs_csr *x)
{
    pass p = {.h5 = h5, .meta = meta, .row0 = row0, .row1 = row1, .x = x};
    scs_status st = SCS_OK;

    SCS_GO(st, allocate(&p));
    SCS_GO(st, read_indptr(&p));
    SCS_GO(st, visit_all(&p, count));
    SCS_GO(st, make_room(&p));
    SCS_GO(st, visit_all(&p, fill));
done:
    release(&p);
    return st;
}
