#include "src/checkpoint_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void scs_atlas_arrays(const scs_atlas *atlas, scs_atlas_array *array)
{
    const scs_atlas *a = atlas;
    int64_t n = a->n_group, latent = a->n_latent, gene = a->n_gene;
    const scs_atlas_array all[] = {{.path = "atlas/mean",
                                    .type = H5T_NATIVE_DOUBLE,
                                    .size = sizeof *a->mean,
                                    .data = a->mean,
                                    .rows = n,
                                    .cols = latent},
                                   {.path = "atlas/second",
                                    .type = H5T_NATIVE_DOUBLE,
                                    .size = sizeof *a->second,
                                    .data = a->second,
                                    .rows = n,
                                    .cols = latent * latent},
                                   {.path = "atlas/gene_mean",
                                    .type = H5T_NATIVE_FLOAT,
                                    .size = sizeof *a->gene_mean,
                                    .data = a->gene_mean,
                                    .rows = n,
                                    .cols = gene},
                                   {.path = "atlas/gene_variance",
                                    .type = H5T_NATIVE_FLOAT,
                                    .size = sizeof *a->gene_variance,
                                    .data = a->gene_variance,
                                    .rows = n,
                                    .cols = gene},
                                   {.path = "atlas/deg",
                                    .type = H5T_NATIVE_INT32,
                                    .size = sizeof *a->deg,
                                    .data = a->deg,
                                    .rows = n,
                                    .cols = SCS_N_DEG}};
    _Static_assert(sizeof all / sizeof *all == SCS_ATLAS_ARRAYS, "its count");

    for (int i = 0; i < SCS_ATLAS_ARRAYS; i++)
        array[i] = all[i];
}

/* @param cols 0 for a vector */
static scs_status check_shape(const scs_h5 *h5, const char *path, int64_t rows, int64_t cols)
{
    scs_h5_shape shape;

    SCS_REQUIRE(scs_h5_exists(h5, path), SCS_EDATA,
                "%s: %s is missing; this is not the model the configuration describes", h5->path,
                path);
    SCS_TRY(scs_h5_shape_of(h5, path, &shape));
    SCS_REQUIRE(shape.rank == (cols ? 2 : 1) && shape.dim[0] == rows &&
                    (!cols || shape.dim[1] == cols),
                SCS_EDATA, "%s: %s has shape [%lld, %lld], expected [%lld, %lld]", h5->path, path,
                (long long)shape.dim[0], (long long)(shape.rank == 2 ? shape.dim[1] : 0),
                (long long)rows, (long long)cols);
    return SCS_OK;
}

static scs_status refuse_value(const scs_h5 *h5, const char *path, int64_t at)
{
    return SCS_FAIL(SCS_EDATA, "%s: %s holds a NaN or an infinite value (element %lld)", h5->path,
                    path, (long long)at);
}

static scs_status check_floats(const scs_h5 *h5, const char *path, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return refuse_value(h5, path, i);
    return SCS_OK;
}

static scs_status read_floats(const scs_h5 *h5, const scs_atlas_array *a, float *out)
{
    SCS_TRY(scs_h5_read_rows(h5, a->path, 0, a->rows, out));
    return check_floats(h5, a->path, out, a->rows * a->cols);
}

static scs_status read_doubles(const scs_h5 *h5, const scs_atlas_array *a, double *out)
{
    SCS_TRY(scs_h5_read_rows_double(h5, a->path, 0, a->rows, out));
    for (int64_t i = 0; i < a->rows * a->cols; i++)
        if (!isfinite(out[i]))
            return refuse_value(h5, a->path, i);
    return SCS_OK;
}

/* Genes of the DEG lists: -1 or an index. The limit of an index is the reader's to check. */
static scs_status read_integers(const scs_h5 *h5, const scs_atlas_array *a, int32_t *out)
{
    int64_t *wide, n = a->rows * a->cols;
    scs_status st;

    SCS_TRY(SCS_ALLOC(wide, n));
    st = scs_h5_read_rows_int64(h5, a->path, 0, a->rows, wide);
    for (int64_t i = 0; i < n && st == SCS_OK; i++) {
        if (wide[i] < -1 || wide[i] > INT32_MAX)
            st = SCS_FAIL(SCS_EDATA, "%s: %s holds %lld, which is no gene", h5->path, a->path,
                          (long long)wide[i]);
        out[i] = (int32_t)wide[i];
    }
    free(wide);
    return st;
}

scs_status scs_atlas_array_read(const scs_h5 *h5, const scs_atlas_array *array, void *out)
{
    SCS_TRY(check_shape(h5, array->path, array->rows, array->cols));
    if (array->rows == 0)
        return SCS_OK;
    if (array->type == H5T_NATIVE_DOUBLE)
        return read_doubles(h5, array, out);
    if (array->type == H5T_NATIVE_FLOAT)
        return read_floats(h5, array, out);
    return read_integers(h5, array, out);
}

void scs_tensor_path(const char *name, char *path)
{
    snprintf(path, SCS_TENSOR_PATH_MAX, "state_dict/%s", name);
}

int64_t scs_tensor_size(const scs_tensor *tensor)
{
    return (int64_t)tensor->rows * (tensor->cols ? tensor->cols : 1);
}

scs_status scs_tensor_read(const scs_h5 *h5, const scs_tensor *tensor, float *values)
{
    char path[SCS_TENSOR_PATH_MAX];

    scs_tensor_path(tensor->name, path);
    SCS_TRY(check_shape(h5, path, tensor->rows, tensor->cols));
    if (tensor->cols)
        SCS_TRY(scs_h5_read_rows(h5, path, 0, tensor->rows, values));
    else
        SCS_TRY(scs_h5_read_float(h5, path, 0, tensor->rows, values));
    return check_floats(h5, path, values, scs_tensor_size(tensor));
}
