/** Writing HDF5 (src/hdf5/h5write.h has what was measured and the rules): closing and failures,
 *  groups and datasets, types, attributes, files, and files under a temporary name.
 *
 *  Ids are closed in the reverse order of their making, on all ways out. H5Xclose of an invalid
 *  id only fails, so ids need not be tested before they are closed.
 */
#include "src/hdf5/h5write.h"

#include "src/base/checksum.h"
#include "src/base/file.h"
#include "src/base/names.h"
#include "src/base/text.h"
#include "src/hdf5/h5anndata.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Whether any file failed to close. HDF5 runs on the main thread alone; a thread-local needs no
 * lock either way. */
static _Thread_local bool unusable;

bool scs_h5_shut(hid_t file)
{
    bool closed = H5Fclose(file) >= 0;

    unusable |= !closed;
    return closed;
}

bool scs_h5_is_unusable(void)
{
    return unusable;
}

/* H5Ewalk2's visitor: HDF5 keeps the system's errno only in the text of its own error stack, as
 * "errno = 28". */
static herr_t find_errno(unsigned n, const H5E_error2_t *error, void *found)
{
    const char *at = error->desc ? strstr(error->desc, "errno = ") : NULL;

    (void)n;
    if (at)
        *(int *)found = atoi(at + strlen("errno = "));
    return 0;
}

/* ENOSPC, EDQUOT, EFBIG, EROFS: there is no room for the file, which the user can change. All
 * else is a failing disk or HDF5 itself. */
scs_status scs_h5_failed(hid_t file, const char *what, const char *path)
{
    char name[512] = "HDF5 file";
    int error = 0;
    bool full;

    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, find_errno, &error);
    (void)H5Fget_name(file, name, sizeof name);
    full = error == ENOSPC || error == EDQUOT || error == EFBIG || error == EROFS;
    return SCS_FAIL(full ? SCS_ECREATE : SCS_EIO, "%.*s: cannot %s %s: %s; %s",
                    scs_file_written_length(name), name, what, path,
                    error ? strerror(error) : "HDF5 refused",
                    full ? scs_file_creation_hint(error) : "check the disk");
}

/* Link creation list that makes intermediate groups; to be closed. */
static hid_t link_list(void)
{
    hid_t lcpl = H5Pcreate(H5P_LINK_CREATE);

    if (lcpl >= 0 && H5Pset_create_intermediate_group(lcpl, 1) < 0) {
        H5Pclose(lcpl);
        return H5I_INVALID_HID;
    }
    return lcpl;
}

/* Groups keep times too, unless told otherwise. */
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

/* Create a dataset; takes over (closes) dcpl. Invalid ids are let through to HDF5, which then
 * fails: one place for the message. */
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

/* Creation list of a dataset whose place is fixed at once and whose bytes are not filled.
 * Variable-length data needs its fill value: a reference to nothing. */
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

/* Rank and sizes come from the program: a wrong one is a bug, SCS_EINTERNAL. */
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

/* A chunked dataset is the one that HDF5 can make longer. */
static scs_status growing(hid_t file, const char *path, hid_t type, int64_t chunk, bool early)
{
    hsize_t none = 0, most = H5S_UNLIMITED, size = (hsize_t)chunk;
    hid_t space, dcpl = H5Pcreate(H5P_DATASET_CREATE);
    scs_status st;

    if (dcpl < 0 || H5Pset_chunk(dcpl, 1, &size) < 0 ||
        (early && (H5Pset_alloc_time(dcpl, H5D_ALLOC_TIME_EARLY) < 0 ||
                   H5Pset_fill_time(dcpl, H5D_FILL_TIME_NEVER) < 0))) {
        H5Pclose(dcpl);
        return SCS_FAIL(SCS_EINTERNAL, "%s: chunks of %lld elements", path, (long long)chunk);
    }
    space = H5Screate_simple(1, &none, &most);
    st = create(file, path, type, space, dcpl);
    H5Sclose(space);
    return st;
}

scs_status scs_h5_growing(hid_t file, const char *path, hid_t type, int64_t chunk)
{
    return growing(file, path, type, chunk, false);
}

scs_status scs_h5_growing_early(hid_t file, const char *path, hid_t type, int64_t chunk)
{
    return growing(file, path, type, chunk, true);
}

/* Write to an open dataset and close it; the close is where a full disk may show first. */
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

/* An empty dataset is not opened: HDF5 has nothing to write, and contiguous storage of no bytes
 * may not exist. */
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

/* The part of a dataset's space that rows [first, first + n) are, to be closed.
 * @param[out] memory a space of that shape; invalid where the dataset has no such rows */
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

/* The dataset is opened and closed each time: a close that fails belongs to the rows just
 * written. */
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

/* A hard link: readers see two data sets, the file holds one. */
scs_status scs_h5_share(hid_t file, const char *path, const char *as)
{
    hid_t lcpl = link_list();
    scs_status st = SCS_OK;

    if (lcpl < 0 || H5Lcreate_hard(file, path, file, as, lcpl, H5P_DEFAULT) < 0)
        st = scs_h5_failed(file, "create", as);
    H5Pclose(lcpl);
    return st;
}

/* Make a growing dataset n elements longer. @param[out] before its length until now */
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

/* The length is H5T_VARIABLE: anndata writes and reads texts in this form. */
hid_t scs_h5_text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);

    if (type < 0)
        return type;
    if (H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        return type;
    H5Tclose(type);
    return H5I_INVALID_HID;
}

/* h5py's form of numpy's bool. */
hid_t scs_h5_bool_type(void)
{
    hid_t type = H5Tenum_create(H5T_NATIVE_INT8);
    int8_t no = 0, yes = 1;

    if (type < 0)
        return type;
    if (H5Tenum_insert(type, "FALSE", &no) >= 0 && H5Tenum_insert(type, "TRUE", &yes) >= 0)
        return type;
    H5Tclose(type);
    return H5I_INVALID_HID;
}

/* @param n elements; < 0: a scalar */
static scs_status write_attr(hid_t file, const char *path, const char *attr, hid_t type, int n,
                             const void *data)
{
    hsize_t size = n < 0 ? 1 : (hsize_t)n;
    hid_t object = H5Oopen(file, path, H5P_DEFAULT), id;
    hid_t space = n < 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, NULL);
    scs_status st = SCS_OK;

    id = H5Acreate2(object, attr, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0 || (n != 0 && H5Awrite(id, type, data) < 0))
        st = scs_h5_failed(file, "write an attribute of", path);
    if (H5Aclose(id) < 0 && st == SCS_OK)
        st = scs_h5_failed(file, "close an attribute of", path);
    H5Sclose(space);
    if (H5Oclose(object) < 0 && st == SCS_OK)
        st = scs_h5_failed(file, "close", path);
    return st;
}

scs_status scs_h5_attr_write_text(hid_t file, const char *path, const char *attr, const char *text)
{
    hid_t type = scs_h5_text_type();
    scs_status st = write_attr(file, path, attr, type, -1, &text);

    H5Tclose(type);
    return st;
}

scs_status scs_h5_attr_write_names(hid_t file, const char *path, const char *attr,
                                   const scs_names *names)
{
    hid_t type = scs_h5_text_type();
    scs_status st = write_attr(file, path, attr, type, names->n, names->name);

    H5Tclose(type);
    return st;
}

scs_status scs_h5_attr_write_bool(hid_t file, const char *path, const char *attr, bool value)
{
    hid_t type = scs_h5_bool_type();
    int8_t byte = value;
    scs_status st = write_attr(file, path, attr, type, -1, &byte);

    H5Tclose(type);
    return st;
}

scs_status scs_h5_attr_write_int64(hid_t file, const char *path, const char *attr,
                                   const int64_t *values, int n, bool scalar)
{
    return write_attr(file, path, attr, H5T_NATIVE_INT64, scalar ? -1 : n, values);
}

/* H5F_CLOSE_STRONG: a failed writer may leave objects open, and they must not keep the file. The
 * bounds keep to what 1.10 reads. */
static hid_t file_access(void)
{
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);

    if (fapl < 0)
        return fapl;
    if (H5Pset_fclose_degree(fapl, H5F_CLOSE_STRONG) >= 0 &&
        H5Pset_libver_bounds(fapl, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110) >= 0)
        return fapl;
    H5Pclose(fapl);
    return H5I_INVALID_HID;
}

/* How the file begins: with room for a checksum, or with HDF5's own first block. */
static hid_t file_creation(bool checked)
{
    hid_t fcpl = H5Pcreate(H5P_FILE_CREATE);

    if (fcpl >= 0 && checked && H5Pset_userblock(fcpl, SCS_CHECKSUM_BLOCK) < 0) {
        H5Pclose(fcpl);
        return H5I_INVALID_HID;
    }
    return fcpl;
}

/* HDF5 loses errno, so the exclusive creation is ours (with its reason in the message), and HDF5
 * then takes the empty file over. */
static scs_status create_file(const char *path, bool checked, hid_t *file)
{
    hid_t fapl, fcpl;

    *file = H5I_INVALID_HID;
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    fapl = file_access();
    SCS_REQUIRE(fapl >= 0, SCS_EINTERNAL, "%.*s: HDF5 gave no file access list",
                scs_file_written_length(path), path);
    fcpl = file_creation(checked);
    scs_status st = scs_file_create(path);
    if (st == SCS_OK) {
        *file = fcpl < 0 ? H5I_INVALID_HID : H5Fcreate(path, H5F_ACC_TRUNC, fcpl, fapl);
        if (*file < 0) {
            st = scs_file_creation_failed(path, EIO);
            (void)unlink(path);
        }
    }
    H5Pclose(fcpl);
    H5Pclose(fapl);
    return st;
}

scs_status scs_h5_create(const char *path, hid_t *file)
{
    return create_file(path, false, file);
}

/* H5Fopen compares the superblock's end of file with the real one. */
static scs_status check_complete(const char *path)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);

    if (file < 0 || !scs_h5_shut(file))
        return SCS_FAIL(SCS_EIO, "%.*s: does not read back as it was written; check the disk",
                        scs_file_written_length(path), path);
    return SCS_OK;
}

/* The descriptor beneath an open file, or -1. */
static int descriptor_of(hid_t file)
{
    void *fd = NULL;

    return H5Fget_vfd_handle(file, H5P_DEFAULT, &fd) >= 0 && fd ? *(int *)fd : -1;
}

/* Close a file without another byte reaching the disk. HDF5 1.10 crashes at exit over a file
 * that it could not flush. What its cache still holds is worthless, so it goes into memory
 * instead of the full disk, and the close succeeds: the descriptor is replaced by one of a
 * memory file, and a limit on file sizes (which would stop that too) is lifted meanwhile. */
static void discard(hid_t file, int fd)
{
    int sink = memfd_create("discarded", MFD_CLOEXEC);
    struct rlimit limit, wide;
    bool limited = getrlimit(RLIMIT_FSIZE, &limit) == 0;

    wide = (struct rlimit){limit.rlim_max, limit.rlim_max};
    if (limited)
        (void)setrlimit(RLIMIT_FSIZE, &wide);
    if (fd >= 0 && sink >= 0)
        (void)dup2(sink, fd);
    (void)scs_h5_shut(file);
    if (sink >= 0)
        (void)close(sink);
    if (limited)
        (void)setrlimit(RLIMIT_FSIZE, &limit);
}

void scs_h5_discard(hid_t file)
{
    discard(file, descriptor_of(file));
}

/* Space on disk for all that a flush will write, so that it cannot fail halfway. */
static scs_status reserve_flush(hid_t file, int fd, const char *path)
{
    enum { SLACK = 1 << 16 }; /* metadata that the flush itself may add */
    hsize_t size = 0;
    int error = EIO;

    if (H5Fget_filesize(file, &size) >= 0)
        error = posix_fallocate(fd, 0, (off_t)size + SLACK);
    return error ? scs_file_creation_failed(path, error) : SCS_OK;
}

/* Cut off what the reserve was too much: H5Fopen takes a file that is longer than its superblock
 * says for damaged. Takes over (closes) fd. */
static scs_status cut_and_sync(int fd, const char *path, hsize_t size)
{
    int error = fd < 0 || ftruncate(fd, (off_t)size) != 0 || fsync(fd) != 0 ? errno : 0;

    if (fd >= 0 && close(fd) != 0 && !error)
        error = errno;
    SCS_REQUIRE(!error, SCS_EIO, "%.*s: cannot be saved: %s", scs_file_written_length(path), path,
                strerror(error));
    return SCS_OK;
}

/* After the flush the file is complete, and HDF5's own close gets nothing more to do with the
 * disk: if it failed there, HDF5 would crash at exit. A duplicate of the descriptor stays with
 * the real file to cut and sync it. */
scs_status scs_h5_finish(hid_t file, const char *path)
{
    int own = descriptor_of(file), fd = -1;
    scs_status st = reserve_flush(file, own, path);
    hsize_t size = 0;

    if (st == SCS_OK && (H5Fflush(file, H5F_SCOPE_GLOBAL) < 0 || H5Fget_filesize(file, &size) < 0))
        st = scs_h5_failed(file, "flush", "/");
    if (st == SCS_OK)
        fd = fcntl(own, F_DUPFD_CLOEXEC, 0);
    discard(file, own);
    SCS_TRY(st);
    SCS_TRY(cut_and_sync(fd, path, size));
    return check_complete(path);
}

/* Paths first: a failure leaves nothing behind but what abandon removes. */
static scs_status create_out(const char *path, bool checked, scs_h5_out *out)
{
    scs_status st;

    *out = (scs_h5_out){.file = H5I_INVALID_HID, .checked = checked};
    SCS_GO(st, scs_text_copy(path, &out->path));
    SCS_GO(st, scs_file_temp_name(path, &out->temp));
    SCS_GO(st, create_file(out->temp, checked, &out->file));
done:
    if (st != SCS_OK)
        scs_h5_out_abandon(out);
    return st;
}

scs_status scs_h5_out_create(const char *path, scs_h5_out *out)
{
    return create_out(path, false, out);
}

scs_status scs_h5_out_create_checked(const char *path, scs_h5_out *out)
{
    return create_out(path, true, out);
}

scs_status scs_h5_out_finish(scs_h5_out *out)
{
    hid_t file = out->file;

    out->file = H5I_INVALID_HID;
    return scs_h5_finish(file, out->temp);
}

/* The checksum is written when HDF5 is done with the file, and before the sync, so that both
 * reach the disk together. */
scs_status scs_h5_out_commit(scs_h5_out *out)
{
    scs_status st;

    SCS_GO(st, out->file >= 0 ? scs_h5_out_finish(out) : SCS_OK);
    SCS_GO(st, out->checked ? scs_checksum_file_write(out->temp) : SCS_OK);
    SCS_GO(st, scs_file_commit(out->temp, out->path));
    free(out->temp); /* renamed: nothing is left to remove */
    out->temp = NULL;
done:
    scs_h5_out_abandon(out);
    return st;
}

/* A zeroed struct holds no file: HDF5's ids are above 0. */
void scs_h5_out_abandon(scs_h5_out *out)
{
    if (out->file > 0)
        scs_h5_discard(out->file);
    if (out->temp)
        (void)unlink(out->temp);
    free(out->temp);
    free(out->path);
    *out = (scs_h5_out){.file = H5I_INVALID_HID};
}
