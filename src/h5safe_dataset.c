/* The rules that every dataset must keep before a byte of it is read. */
#include "src/h5safe_object.h"

#include "src/filters.h"

#include <stdint.h>

static const int64_t BOMB_BYTES = 64 << 20; /* what is smaller is harmless whatever it declares */
enum { BOMB_RATIO = 1000 };                 /* deflate reaches 1030 on zeros */

scs_status scs_h5_budget(const scs_h5 *h5, const char *path, int64_t n, size_t size, int64_t *bytes)
{
    bool over = __builtin_mul_overflow(n, size, bytes);

    SCS_REQUIRE(!over && n >= 0 && *bytes <= h5->memory, SCS_EDATA,
                "%s: %s declares %lld elements of %zu bytes, more than data.memory (%lld MiB); "
                "raise it if the file is right",
                h5->path, path, (long long)n, size, (long long)(h5->memory >> 20));
    return SCS_OK;
}

static scs_status check_filters(const scs_h5 *h5, const char *path, hid_t creation)
{
    int n = H5Pget_nfilters(creation);

    SCS_REQUIRE(n >= 0, SCS_EDATA, "%s: %s has damaged filters", h5->path, path);
    for (int i = 0; i < n; i++) {
        char name[64] = "";
        unsigned flags, config;
        size_t n_value = 0;
        H5Z_filter_t id = H5Pget_filter2(creation, (unsigned)i, &flags, &n_value, NULL, sizeof name,
                                         name, &config);
        SCS_REQUIRE(scs_filter_is_known(id), SCS_EDATA,
                    "%s: %s is compressed with filter %d (%.63s), which is not read; rewrite the "
                    "file: anndata.read_h5ad(...).write_h5ad(..., compression=\"gzip\")",
                    h5->path, path, id, *name ? name : "unnamed");
    }
    return SCS_OK;
}

static scs_status check_layout(const scs_h5 *h5, const char *path, hid_t creation)
{
    H5D_layout_t layout = H5Pget_layout(creation);

    SCS_REQUIRE(layout != H5D_VIRTUAL, SCS_EDATA,
                "%s: %s is a virtual dataset over other files, which are not followed; re-save "
                "the file with anndata",
                h5->path, path);
    SCS_REQUIRE(layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED,
                SCS_EDATA, "%s: %s has an unknown storage layout", h5->path, path);
    SCS_REQUIRE(H5Pget_external_count(creation) == 0, SCS_EDATA,
                "%s: %s keeps its data in external files, which are not followed; re-save the "
                "file with anndata",
                h5->path, path);
    return SCS_OK;
}

/* Bytes of one chunk, and its rows. 0 where the dataset is not chunked. */
static scs_status chunk_size(const scs_h5 *h5, const char *path, hid_t creation,
                             scs_h5_shape *shape, int64_t *bytes)
{
    hsize_t dim[H5S_MAX_RANK];
    int64_t n = 1;
    int rank;

    *bytes = 0;
    if (H5Pget_layout(creation) != H5D_CHUNKED)
        return SCS_OK;
    rank = H5Pget_chunk(creation, H5S_MAX_RANK, dim);
    SCS_REQUIRE(rank == shape->rank && rank > 0 && dim[0] <= INT64_MAX, SCS_EDATA,
                "%s: %s has damaged chunks", h5->path, path);
    shape->chunk0 = (int64_t)dim[0];
    for (int i = 0; i < rank; i++)
        SCS_REQUIRE(!__builtin_mul_overflow(n, dim[i], &n), SCS_EDATA, "%s: %s has absurd chunks",
                    h5->path, path);
    return scs_h5_budget(h5, path, n, shape->size, bytes);
}

static scs_status check_bomb(const scs_h5 *h5, const char *path, hid_t dataset, int64_t bytes)
{
    uint64_t stored = H5Dget_storage_size(dataset);

    SCS_REQUIRE(bytes <= BOMB_BYTES || (uint64_t)bytes / BOMB_RATIO <= stored, SCS_EDATA,
                "%s: %s declares %lld MiB but stores %llu bytes: this is no real data", h5->path,
                path, (long long)(bytes >> 20), (unsigned long long)stored);
    return SCS_OK;
}

static scs_status get_dims(const scs_h5 *h5, const char *path, hid_t dataset, scs_h5_shape *shape)
{
    hsize_t dim[H5S_MAX_RANK] = {0};
    hid_t space = H5Dget_space(dataset);
    H5S_class_t kind = H5Sget_simple_extent_type(space);

    shape->rank = H5Sget_simple_extent_ndims(space);
    if (shape->rank >= 0 && H5Sget_simple_extent_dims(space, dim, NULL) < 0)
        shape->rank = -1;
    scs_h5_drop(space);
    SCS_REQUIRE(kind != H5S_NULL, SCS_EDATA, "%s: %s is empty (null)", h5->path, path);
    SCS_REQUIRE(shape->rank >= 0 && shape->rank <= 2, SCS_EDATA,
                "%s: %s must have 1 or 2 dimensions, not %d", h5->path, path, shape->rank);
    for (int i = 0; i < 2; i++) {
        shape->dim[i] = i < shape->rank ? (int64_t)dim[i] : 1;
        SCS_REQUIRE(shape->dim[i] >= 0, SCS_EDATA, "%s: %s has an absurd size", h5->path, path);
    }
    return SCS_OK;
}

static scs_status get_type(const scs_h5 *h5, const char *path, hid_t dataset, scs_h5_shape *shape)
{
    hid_t type = H5Dget_type(dataset);
    bool number;

    shape->type = H5Tget_class(type);
    shape->size = H5Tget_size(type);
    shape->is_signed = shape->type == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    shape->variable_length = shape->type == H5T_STRING && H5Tis_variable_str(type) > 0;
    scs_h5_drop(type);
    number = shape->type == H5T_INTEGER || shape->type == H5T_FLOAT || shape->type == H5T_ENUM;
    SCS_REQUIRE(shape->type != H5T_NO_CLASS && shape->size > 0 && (!number || shape->size <= 16),
                SCS_EDATA, "%s: %s has a damaged type", h5->path, path);
    return SCS_OK;
}

/* Storage is judged before the space is asked for: a virtual dataset opens its sources then. */
static scs_status check_dataset(const scs_h5 *h5, const char *path, hid_t dataset, hid_t creation,
                                scs_h5_shape *shape)
{
    int64_t n, bytes, chunk;

    SCS_REQUIRE(creation >= 0, SCS_EDATA, "%s: %s is damaged", h5->path, path);
    SCS_TRY(check_layout(h5, path, creation));
    SCS_TRY(check_filters(h5, path, creation));
    SCS_TRY(get_dims(h5, path, dataset, shape));
    SCS_TRY(get_type(h5, path, dataset, shape));
    SCS_REQUIRE(!__builtin_mul_overflow(shape->dim[0], shape->dim[1], &n), SCS_EDATA,
                "%s: %s has an absurd size", h5->path, path);
    SCS_TRY(scs_h5_budget(h5, path, n, shape->size, &bytes));
    SCS_TRY(chunk_size(h5, path, creation, shape, &chunk));
    scs_filters_expect(chunk);
    return check_bomb(h5, path, dataset, bytes > chunk ? bytes : chunk);
}

scs_status scs_h5_open_dataset(const scs_h5 *h5, const char *path, hid_t *dataset,
                               scs_h5_shape *shape)
{
    hid_t creation = H5I_INVALID_HID;
    scs_status st = SCS_OK;

    *shape = (scs_h5_shape){0};
    SCS_GO(st, scs_h5_open_object(h5, path, dataset));
    if (H5Iget_type(*dataset) != H5I_DATASET)
        SCS_GO(st, SCS_FAIL(SCS_EDATA, "%s: %s is no dataset", h5->path, path));
    creation = H5Dget_create_plist(*dataset);
    SCS_GO(st, check_dataset(h5, path, *dataset, creation, shape));
done:
    scs_h5_drop(creation);
    if (st != SCS_OK) {
        scs_h5_drop(*dataset);
        *dataset = H5I_INVALID_HID;
    }
    return st;
}

scs_status scs_h5_shape_of(const scs_h5 *h5, const char *path, scs_h5_shape *shape)
{
    hid_t dataset;

    SCS_TRY(scs_h5_open_dataset(h5, path, &dataset, shape));
    scs_h5_drop(dataset);
    return SCS_OK;
}
