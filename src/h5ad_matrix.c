/* Where a matrix stands in the file, its layout and shape. */
#include "src/h5ad_parts.h"

#include "src/h5path.h"
#include "src/text.h"

#include <stdlib.h>
#include <string.h>

enum { INDPTR_BLOCK = 1 << 14 };

/* What there is to choose from, for the message. */
static scs_status list_matrices(const scs_h5 *h5, scs_names *found)
{
    scs_names layers = {0};
    char *path = NULL;
    scs_status st = SCS_OK;

    if (scs_h5_exists(h5, "X"))
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

/* HDF5 paths of the matrix and of its genes. */
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
    return found ? SCS_OK : no_matrix(h5, matrix);
}

static scs_status set_shape(const scs_h5 *h5, const char *base, int64_t rows, int64_t columns,
                            scs_h5ad *meta)
{
    SCS_REQUIRE(rows >= 0 && rows < INT32_MAX && columns >= 0 && columns < INT32_MAX, SCS_EDATA,
                "%s: %s has an absurd shape, %lld x %lld", h5->path, base, (long long)rows,
                (long long)columns);
    meta->n_obs = rows;
    meta->n_var = (int32_t)columns;
    return SCS_OK;
}

static scs_status locate_dense(const scs_h5 *h5, const char *base, scs_h5ad *meta)
{
    scs_h5_shape shape;

    meta->layout = SCS_LAYOUT_DENSE;
    SCS_TRY(scs_text_copy(base, &meta->data));
    SCS_TRY(scs_h5_shape_of(h5, base, &shape));
    SCS_REQUIRE(shape.rank == 2 && (shape.type == H5T_FLOAT || shape.type == H5T_INTEGER ||
                                    shape.type == H5T_ENUM),
                SCS_EDATA, "%s: %s must be a table of numbers, cells x genes", h5->path, base);
    meta->nnz = shape.dim[0] * shape.dim[1];
    meta->chunk = (shape.chunk0 < shape.dim[0] ? shape.chunk0 : shape.dim[0]) * shape.dim[1];
    return set_shape(h5, base, shape.dim[0], shape.dim[1], meta);
}

/* "csr_matrix" (encoding-type) or "csr" (h5sparse_format); *kind is malloc'ed, NULL if it says
 * neither. */
static scs_status sparse_kind(const scs_h5 *h5, const char *base, char **kind)
{
    bool found;

    SCS_TRY(scs_h5_attr_text(h5, base, "encoding-type", kind, &found));
    return found ? SCS_OK : scs_h5_attr_text(h5, base, "h5sparse_format", kind, &found);
}

static scs_status read_layout(const scs_h5 *h5, const char *base, scs_h5ad *meta)
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

/* A 1-d dataset of this length; integers only, or any number. */
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

/* Rule 4: starts at 0, never falls, ends at nnz. */
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

static scs_status locate_sparse(const scs_h5 *h5, const char *base, scs_h5ad *meta)
{
    scs_h5_shape values;
    int64_t n;

    SCS_TRY(read_layout(h5, base, meta));
    SCS_TRY(read_sparse_shape(h5, base, meta));
    SCS_TRY(scs_h5_path(&meta->data, "%s/data", base));
    SCS_TRY(scs_h5_path(&meta->indices, "%s/indices", base));
    SCS_TRY(scs_h5_path(&meta->indptr, "%s/indptr", base));
    SCS_TRY(scs_h5_shape_of(h5, meta->data, &values));
    meta->nnz = values.dim[0];
    meta->chunk = values.chunk0;
    n = (meta->layout == SCS_LAYOUT_CSR ? meta->n_obs : meta->n_var) + 1;
    SCS_TRY(check_list(h5, meta->data, meta->nnz, false));
    SCS_TRY(check_list(h5, meta->indices, meta->nnz, true));
    SCS_TRY(check_list(h5, meta->indptr, n, true));
    return check_indptr(h5, meta, n);
}

scs_status scs_h5ad_locate(const scs_h5 *h5, scs_h5ad *meta, const char **var)
{
    const char *base;

    SCS_TRY(name_matrix(h5, meta->matrix, &base, var));
    return scs_h5_is_group(h5, base) ? locate_sparse(h5, base, meta) : locate_dense(h5, base, meta);
}
