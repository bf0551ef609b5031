/* Numeric blocks of datasets. */
#include "src/h5safe_object.h"

/* A block of a dataset: rows [first, first + n), all columns. */
typedef struct block {
    int64_t first, n;
    int rank; /**< what the caller takes the dataset for */
} block;

/* A scalar reads as a list of one. */
static bool is_scalar(const scs_h5_shape *shape, const block *b)
{
    return shape->rank == 0 && b->rank == 1;
}

static scs_status check_block(const scs_h5 *h5, const char *path, const scs_h5_shape *shape,
                              const block *b, bool float_too)
{
    bool integer = shape->type == H5T_INTEGER || shape->type == H5T_ENUM;

    SCS_REQUIRE(integer || (float_too && shape->type == H5T_FLOAT), SCS_EDATA,
                "%s: %s must hold %s", h5->path, path, float_too ? "numbers" : "integers");
    SCS_REQUIRE(shape->rank == b->rank || is_scalar(shape, b), SCS_EDATA,
                "%s: %s must have %d dimension(s), not %d", h5->path, path, b->rank, shape->rank);
    SCS_REQUIRE(b->first >= 0 && b->n >= 0 && b->first <= shape->dim[0] &&
                    b->n <= shape->dim[0] - b->first,
                SCS_EDATA, "%s: %s ends early: it has %lld rows, %lld + %lld are needed", h5->path,
                path, (long long)shape->dim[0], (long long)b->first, (long long)b->n);
    return SCS_OK;
}

static herr_t transfer(hid_t dataset, const scs_h5_shape *shape, const block *b, hid_t type,
                       void *out)
{
    hsize_t start[2] = {(hsize_t)b->first, 0};
    hsize_t count[2] = {(hsize_t)b->n, (hsize_t)shape->dim[1]};
    hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(b->rank, count, NULL);
    herr_t done = -1;

    if (is_scalar(shape, b))
        done = H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out);
    else if (space >= 0 && memory >= 0 &&
             H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0)
        done = H5Dread(dataset, type, memory, space, H5P_DEFAULT, out);
    scs_h5_drop(memory);
    scs_h5_drop(space);
    return done;
}

static scs_status read_checked(const scs_h5 *h5, const char *path, hid_t dataset,
                               const scs_h5_shape *shape, const block *b, hid_t type, void *out)
{
    if (b->n == 0 || shape->dim[1] == 0)
        return SCS_OK;
    SCS_TRY(scs_h5_check_chunks(h5, path, dataset, shape, b->first, b->n));
    SCS_REQUIRE(transfer(dataset, shape, b, type, out) >= 0, SCS_EDATA,
                "%s: %s is damaged and cannot be read; fetch it again", h5->path, path);
    return SCS_OK;
}

static scs_status read_block(const scs_h5 *h5, const char *path, block b, hid_t type,
                             bool float_too, void *out)
{
    scs_h5_shape shape;
    hid_t dataset;
    scs_status st = SCS_OK;

    SCS_TRY(scs_h5_open_dataset(h5, path, &dataset, &shape));
    SCS_GO(st, check_block(h5, path, &shape, &b, float_too));
    SCS_GO(st, read_checked(h5, path, dataset, &shape, &b, type, out));
done:
    scs_h5_drop(dataset);
    return st;
}

scs_status scs_h5_read_int64(const scs_h5 *h5, const char *path, int64_t first, int64_t n,
                             int64_t *out)
{
    return read_block(h5, path, (block){first, n, 1}, H5T_NATIVE_INT64, false, out);
}

scs_status scs_h5_read_int32(const scs_h5 *h5, const char *path, int64_t first, int64_t n,
                             int32_t *out)
{
    return read_block(h5, path, (block){first, n, 1}, H5T_NATIVE_INT32, false, out);
}

scs_status scs_h5_read_float(const scs_h5 *h5, const char *path, int64_t first, int64_t n,
                             float *out)
{
    return read_block(h5, path, (block){first, n, 1}, H5T_NATIVE_FLOAT, true, out);
}

scs_status scs_h5_read_double(const scs_h5 *h5, const char *path, int64_t first, int64_t n,
                              double *out)
{
    return read_block(h5, path, (block){first, n, 1}, H5T_NATIVE_DOUBLE, true, out);
}

scs_status scs_h5_read_rows(const scs_h5 *h5, const char *path, int64_t row0, int64_t n, float *out)
{
    return read_block(h5, path, (block){row0, n, 2}, H5T_NATIVE_FLOAT, true, out);
}

scs_status scs_h5_read_rows_double(const scs_h5 *h5, const char *path, int64_t row0, int64_t n,
                                   double *out)
{
    return read_block(h5, path, (block){row0, n, 2}, H5T_NATIVE_DOUBLE, true, out);
}

scs_status scs_h5_read_rows_int64(const scs_h5 *h5, const char *path, int64_t row0, int64_t n,
                                  int64_t *out)
{
    return read_block(h5, path, (block){row0, n, 2}, H5T_NATIVE_INT64, false, out);
}
