#include "src/h5write.h"
#include "src/seal.h"
#include "src/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* H5F_CLOSE_STRONG: a failed writer may leave objects open, and they must not keep the file. */
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

/* How the file begins: with room for a seal, or with HDF5's own first block. */
static hid_t file_creation(bool sealed)
{
    hid_t fcpl = H5Pcreate(H5P_FILE_CREATE);

    if (fcpl >= 0 && sealed && H5Pset_userblock(fcpl, SCS_SEAL_BYTES) < 0) {
        H5Pclose(fcpl);
        return H5I_INVALID_HID;
    }
    return fcpl;
}

static scs_status create(const char *path, bool sealed, hid_t *file)
{
    hid_t fapl, fcpl;

    *file = H5I_INVALID_HID;
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    fapl = file_access();
    SCS_REQUIRE(fapl >= 0, SCS_EINTERNAL, "%s: HDF5 gave no file access list", path);
    fcpl = file_creation(sealed);
    /* HDF5 loses errno: the exclusive creation is ours, HDF5 then takes the empty file over. */
    scs_status st = scs_file_create(path);
    if (st == SCS_OK) {
        *file = fcpl < 0 ? H5I_INVALID_HID : H5Fcreate(path, H5F_ACC_TRUNC, fcpl, fapl);
        if (*file < 0) {
            st = scs_creation_failed(path, EIO);
            (void)unlink(path);
        }
    }
    H5Pclose(fcpl);
    H5Pclose(fapl);
    return st;
}

scs_status scs_h5_create(const char *path, hid_t *file)
{
    return create(path, false, file);
}

/* H5Fopen compares the superblock's end of file with the real one. */
static scs_status check_complete(const char *path)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);

    if (file < 0 || !scs_h5_shut(file))
        return SCS_FAIL(SCS_EIO, "%s: does not read back as it was written; check the disk", path);
    return SCS_OK;
}

/* The descriptor beneath an open file, or -1. */
static int descriptor_of(hid_t file)
{
    void *fd = NULL;

    return H5Fget_vfd_handle(file, H5P_DEFAULT, &fd) >= 0 && fd ? *(int *)fd : -1;
}

/* HDF5 1.10 crashes at exit over a file that it could not flush. What its cache still holds is
 * worthless, so it goes into memory instead of the full disk, and the close succeeds. */
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
    return error ? scs_creation_failed(path, error) : SCS_OK;
}

/* Cut off what the reserve was too much. Takes over (closes) fd. */
static scs_status cut_and_sync(int fd, const char *path, hsize_t size)
{
    int error = fd < 0 || ftruncate(fd, (off_t)size) != 0 || fsync(fd) != 0 ? errno : 0;

    if (fd >= 0 && close(fd) != 0 && !error)
        error = errno;
    SCS_REQUIRE(!error, SCS_EIO, "%s: cannot be saved: %s", path, strerror(error));
    return SCS_OK;
}

/* After the flush the file is complete, and HDF5's own close gets nothing more to do with the disk:
 * if it failed there, HDF5 would crash at exit. */
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

static scs_status create_out(const char *path, bool sealed, scs_h5out *out)
{
    scs_status st;

    *out = (scs_h5out){.file = H5I_INVALID_HID, .sealed = sealed};
    SCS_GO(st, scs_text_copy(path, &out->path));
    SCS_GO(st, scs_temp_name(path, &out->temp));
    SCS_GO(st, create(out->temp, sealed, &out->file));
done:
    if (st != SCS_OK)
        scs_h5out_abandon(out);
    return st;
}

scs_status scs_h5out_create(const char *path, scs_h5out *out)
{
    return create_out(path, false, out);
}

scs_status scs_h5out_create_sealed(const char *path, scs_h5out *out)
{
    return create_out(path, true, out);
}

scs_status scs_h5out_finish(scs_h5out *out)
{
    hid_t file = out->file;

    out->file = H5I_INVALID_HID;
    return scs_h5_finish(file, out->temp);
}

scs_status scs_h5out_commit(scs_h5out *out)
{
    scs_status st;

    SCS_GO(st, out->file >= 0 ? scs_h5out_finish(out) : SCS_OK);
    SCS_GO(st, out->sealed ? scs_seal_write(out->temp) : SCS_OK);
    SCS_GO(st, scs_file_commit(out->temp, out->path));
    free(out->temp); /* renamed: nothing is left to remove */
    out->temp = NULL;
done:
    scs_h5out_abandon(out);
    return st;
}

void scs_h5out_abandon(scs_h5out *out)
{
    if (out->file > 0) /* a zeroed struct holds no file */
        scs_h5_discard(out->file);
    if (out->temp)
        (void)unlink(out->temp);
    free(out->temp);
    free(out->path);
    *out = (scs_h5out){.file = H5I_INVALID_HID};
}
