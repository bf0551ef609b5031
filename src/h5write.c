#include "src/h5write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* HDF5 keeps the system's errno only in the text of its own error stack. */
static herr_t find_errno(unsigned n, const H5E_error2_t *error, void *found)
{
    const char *at = error->desc ? strstr(error->desc, "errno = ") : NULL;

    (void)n;
    if (at)
        *(int *)found = atoi(at + strlen("errno = "));
    return 0;
}

scs_status scs_h5_failed(hid_t file, const char *what, const char *path)
{
    char name[512] = "HDF5 file";
    int error = 0;
    bool full;

    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, find_errno, &error);
    (void)H5Fget_name(file, name, sizeof name);
    full = error == ENOSPC || error == EDQUOT || error == EFBIG || error == EROFS;
    return SCS_FAIL(full ? SCS_ECREATE : SCS_EIO, "%s: cannot %s %s: %s; %s", name, what, path,
                    error ? strerror(error) : "HDF5 refused",
                    full ? scs_creation_hint(error) : "check the disk");
}

/* Link creation list that makes intermediate groups. */
static hid_t link_list(void)
{
    hid_t lcpl = H5Pcreate(H5P_LINK_CREATE);

    if (lcpl >= 0 && H5Pset_create_intermediate_group(lcpl, 1) < 0) {
        H5Pclose(lcpl);
        return H5I_INVALID_HID;
    }
    return lcpl;
}

scs_status scs_h5_group(hid_t file, const char *path)
{
    hid_t lcpl = link_list(), gcpl = H5Pcreate(H5P_GROUP_CREATE);
    hid_t group = H5I_INVALID_HID;
    scs_status st = SCS_OK;

    if (lcpl >= 0 && gcpl >= 0 && H5Pset_obj_track_times(gcpl, false) >= 0)
        group = H5Gcreate2(file, path, lcpl, gcpl, H5P_DEFAULT);
    if (group < 0 || H5Gclose(group) < 0)
        st = scs_h5_failed(file, "create", path);
    H5Pclose(gcpl);
    H5Pclose(lcpl);
    return st;
}

/* Creates a dataset; takes over (closes) dcpl. */
static scs_status create(hid_t file, const char *path, hid_t type, hid_t space, hid_t dcpl)
{
    hid_t lcpl = link_list(), set = H5I_INVALID_HID;
    scs_status st = SCS_OK;

    if (lcpl >= 0 && space >= 0 && dcpl >= 0 && H5Pset_obj_track_times(dcpl, false) >= 0)
        set = H5Dcreate2(file, path, type, space, lcpl, dcpl, H5P_DEFAULT);
    if (set < 0 || H5Dclose(set) < 0)
        st = scs_h5_failed(file, "create", path);
    H5Pclose(dcpl);
    H5Pclose(lcpl);
    return st;
}

/* Variable-length data needs its fill value: a reference to nothing. */
static hid_t contiguous(hid_t type)
{
    hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE);

    if (dcpl < 0)
        return dcpl;
    if (H5Pset_layout(dcpl, H5D_CONTIGUOUS) >= 0 &&
        H5Pset_alloc_time(dcpl, H5D_ALLOC_TIME_EARLY) >= 0 &&
        (H5Tdetect_class(type, H5T_VLEN) > 0 || H5Tis_variable_str(type) > 0 ||
         H5Pset_fill_time(dcpl, H5D_FILL_TIME_NEVER) >= 0))
        return dcpl;
    H5Pclose(dcpl);
    return H5I_INVALID_HID;
}

scs_status scs_h5_reserve(hid_t file, const char *path, hid_t type, int rank, const int64_t *dims)
{
    hsize_t size[2] = {0, 0};
    scs_status st;
    hid_t space;

    SCS_REQUIRE(rank >= 0 && rank <= 2, SCS_EINTERNAL, "%s: a dataset of rank %d", path, rank);
    for (int i = 0; i < rank; i++) {
        SCS_REQUIRE(dims[i] >= 0, SCS_EINTERNAL, "%s: a negative size", path);
        size[i] = (hsize_t)dims[i];
    }
    space = rank ? H5Screate_simple(rank, size, NULL) : H5Screate(H5S_SCALAR);
    st = create(file, path, type, space, contiguous(type));
    H5Sclose(space);
    return st;
}

scs_status scs_h5_growing(hid_t file, const char *path, hid_t type, int64_t chunk)
{
    hsize_t none = 0, most = H5S_UNLIMITED, size = (hsize_t)chunk;
    hid_t space, dcpl = H5Pcreate(H5P_DATASET_CREATE);
    scs_status st;

    if (dcpl < 0 || H5Pset_chunk(dcpl, 1, &size) < 0) {
        H5Pclose(dcpl);
        return SCS_FAIL(SCS_EINTERNAL, "%s: chunks of %lld elements", path, (long long)chunk);
    }
    space = H5Screate_simple(1, &none, &most);
    st = create(file, path, type, space, dcpl);
    H5Sclose(space);
    return st;
}

/* Writes to an open dataset and closes it. */
static scs_status write_and_close(hid_t file, const char *path, hid_t set, hid_t type, hid_t memory,
                                  hid_t space, const void *data)
{
    scs_status st = SCS_OK;

    if (H5Dwrite(set, type, memory, space, H5P_DEFAULT, data) < 0)
        st = scs_h5_failed(file, "write", path);
    if (H5Dclose(set) < 0 && st == SCS_OK)
        st = scs_h5_failed(file, "close", path);
    return st;
}

scs_status scs_h5_write(hid_t file, const char *path, hid_t type, int rank, const int64_t *dims,
                        const void *data)
{
    hid_t set;

    SCS_TRY(scs_h5_reserve(file, path, type, rank, dims));
    for (int i = 0; i < rank; i++)
        if (dims[i] == 0)
            return SCS_OK;
    set = H5Dopen2(file, path, H5P_DEFAULT);
    if (set < 0)
        return scs_h5_failed(file, "open", path);
    return write_and_close(file, path, set, type, H5S_ALL, H5S_ALL, data);
}

/* The part of a dataset's space that rows [first, first + n) are. @param[out] memory a space of
 * that shape */
static hid_t select_rows(hid_t set, int64_t first, int64_t n, hid_t *memory)
{
    hsize_t start[2] = {(hsize_t)first, 0}, count[2] = {0, 0};
    hid_t space = H5Dget_space(set);
    int rank = H5Sget_simple_extent_ndims(space);

    *memory = H5I_INVALID_HID;
    if (rank < 1 || rank > 2 || H5Sget_simple_extent_dims(space, count, NULL) < 0)
        return space;
    count[0] = (hsize_t)n;
    if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0)
        *memory = H5Screate_simple(rank, count, NULL);
    return space;
}

scs_status scs_h5_write_part(hid_t file, const char *path, hid_t type, int64_t first, int64_t n,
                             const void *data)
{
    hid_t set, space, memory;
    scs_status st;

    if (n == 0)
        return SCS_OK;
    set = H5Dopen2(file, path, H5P_DEFAULT);
    if (set < 0)
        return scs_h5_failed(file, "open", path);
    space = select_rows(set, first, n, &memory);
    st = write_and_close(file, path, set, type, memory, space, data);
    H5Sclose(memory);
    H5Sclose(space);
    return st;
}

/* Makes a growing dataset n elements longer. @param[out] before its length until now */
static scs_status lengthen(hid_t file, const char *path, int64_t n, int64_t *before)
{
    hid_t set = H5Dopen2(file, path, H5P_DEFAULT), space;
    hsize_t size = 0;
    scs_status st = SCS_OK;

    if (set < 0)
        return scs_h5_failed(file, "open", path);
    space = H5Dget_space(set);
    if (H5Sget_simple_extent_dims(space, &size, NULL) < 0)
        st = scs_h5_failed(file, "measure", path);
    H5Sclose(space);
    *before = (int64_t)size;
    size += (hsize_t)n;
    if (st == SCS_OK && H5Dset_extent(set, &size) < 0)
        st = scs_h5_failed(file, "grow", path);
    if (H5Dclose(set) < 0 && st == SCS_OK)
        st = scs_h5_failed(file, "close", path);
    return st;
}

scs_status scs_h5_append(hid_t file, const char *path, hid_t type, int64_t n, const void *data)
{
    int64_t before = 0;

    SCS_TRY(lengthen(file, path, n, &before));
    return scs_h5_write_part(file, path, type, before, n, data);
}
