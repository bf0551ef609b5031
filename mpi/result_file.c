#include "mpi/result_file_parts.h"

#include "src/h5write.h"
#include "src/result_type.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The superblock (version 0) says in these bytes whether somebody has the file open. */
enum { FLAGS_BEGIN = 20, FLAGS_END = 24 };

static scs_status open_field_of(scs_result_file *f, const scs_result_field *field)
{
    scs_open_field *o = &f->field[f->n++];

    *o = (scs_open_field){.field = *field,
                          .set = H5Dopen2(f->file, field->path, H5P_DEFAULT),
                          .type = scs_result_type(field->type),
                          .cols = field->cols > 0 ? field->cols : 1};
    o->row_bytes = o->cols * (int64_t)scs_value_size(field->type);
    return o->set < 0 ? scs_h5_failed(f->file, "open", field->path) : SCS_OK;
}

static scs_status open_fields(scs_result_file *f)
{
    scs_result_field field[SCS_RESULT_FIELDS];
    int32_t n = scs_result_fields(f->head, field);

    for (int32_t i = 0; i < n; i++)
        SCS_TRY(open_field_of(f, &field[i]));
    return SCS_OK;
}

/* @param access a file access list; closed here */
static scs_status open_file(scs_result_file *f, hid_t access, unsigned mode)
{
    if (access >= 0 && H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0)
        f->file = H5Fopen(f->path, mode, access);
    if (access >= 0)
        (void)H5Pclose(access);
    SCS_REQUIRE(f->file >= 0, SCS_EIO, "%s: cannot be opened through HDF5", f->path);
    return open_fields(f);
}

static scs_status create(const char *path, const scs_result_head *head, bool together,
                         scs_result_file **file)
{
    SCS_TRY(SCS_ALLOC(*file, 1));
    **file = (scs_result_file){.path = path,
                               .head = head,
                               .file = H5I_INVALID_HID,
                               .transfer = H5P_DEFAULT,
                               .together = together};
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return SCS_OK;
}

/* Open MPI 4.1 hangs where MPI_File_open fails on some ranks only: a rank that cannot open the file
 * has to say so before. */
static scs_status try_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    SCS_REQUIRE(fd >= 0, SCS_EIO, "%s: cannot be opened: %s", path, strerror(errno));
    (void)close(fd);
    return SCS_OK;
}

static scs_status make_lists(scs_result_file *f, hid_t *access)
{
    *access = H5Pcreate(H5P_FILE_ACCESS);
    f->transfer = H5Pcreate(H5P_DATASET_XFER);
    SCS_REQUIRE(*access >= 0 && f->transfer >= 0, SCS_EINTERNAL, "%s: HDF5 makes no lists",
                f->path);
    return SCS_OK;
}

/* Independent transfers: ranks write when they have something. HDF5 duplicates the communicator
 * here, so all ranks have to come. */
static scs_status set_access(scs_comm *comm, scs_result_file *f, hid_t access)
{
    herr_t shared = H5Pset_fapl_mpio(access, scs_comm_mpi(comm), MPI_INFO_NULL);

    SCS_REQUIRE(shared >= 0 && H5Pset_dxpl_mpio(f->transfer, H5FD_MPIO_INDEPENDENT) >= 0,
                SCS_EINTERNAL, "%s: HDF5 gives no access through MPI-IO", f->path);
    return SCS_OK;
}

static void drop(scs_result_file **file, hid_t access)
{
    if (access >= 0)
        (void)H5Pclose(access);
    if (*file && (*file)->transfer != H5P_DEFAULT && (*file)->transfer >= 0)
        (void)H5Pclose((*file)->transfer);
    free(*file);
    *file = NULL;
}

scs_status scs_result_file_open(scs_comm *comm, const char *path, const scs_result_head *head,
                                scs_result_file **file)
{
    hid_t access = H5I_INVALID_HID;
    scs_status st = create(path, head, true, file), closed;

    if (st == SCS_OK)
        st = try_open(path);
    if (st == SCS_OK)
        st = make_lists(*file, &access);
    st = scs_agree(comm, st);
    if (st == SCS_OK)
        st = scs_agree(comm, set_access(comm, *file, access));
    if (st != SCS_OK) {
        drop(file, access);
        return st;
    }
    st = scs_agree(comm, open_file(*file, access, H5F_ACC_RDWR));
    if (st != SCS_OK) {
        closed = scs_result_file_close(comm, file);
        (void)closed; /* the first failure is the one to tell */
    }
    return st;
}

scs_status scs_result_file_open_alone(const char *path, const scs_result_head *head,
                                      scs_result_file **file)
{
    SCS_TRY(create(path, head, false, file));
    return open_file(*file, H5Pcreate(H5P_FILE_ACCESS), H5F_ACC_RDONLY);
}

static scs_status close_fields(scs_result_file *f)
{
    scs_status st = SCS_OK;

    for (int32_t i = 0; i < f->n; i++) {
        if (f->field[i].type >= 0)
            (void)H5Tclose(f->field[i].type);
        if (f->field[i].set >= 0 && H5Dclose(f->field[i].set) < 0 && st == SCS_OK)
            st = scs_h5_failed(f->file, "close", f->field[i].field.path);
    }
    return st;
}

static scs_status close_file(scs_result_file *f)
{
    scs_status st = close_fields(f);

    if (f->together && f->file >= 0 && st == SCS_OK && H5Fflush(f->file, H5F_SCOPE_GLOBAL) < 0)
        st = scs_h5_failed(f->file, "flush", "/");
    if (f->file >= 0 && !scs_h5_shut(f->file) && st == SCS_OK)
        st = SCS_FAIL(SCS_EIO, "%s: cannot be closed, so it may be incomplete", f->path);
    if (f->transfer > 0)
        (void)H5Pclose(f->transfer);
    return st;
}

scs_status scs_result_file_close(scs_comm *comm, scs_result_file **file)
{
    scs_result_file *f = *file;
    bool together = f && f->together;
    scs_status st = SCS_OK;

    if (f) {
        st = close_file(f);
        free(f->buffer);
    }
    free(f);
    *file = NULL;
    return together ? scs_agree(comm, st) : st;
}

scs_status scs_result_file_ranges(scs_result_file *f, int64_t (*range)[2], int32_t *n)
{
    *n = f->n + 1;
    range[f->n][0] = FLAGS_BEGIN;
    range[f->n][1] = FLAGS_END;
    for (int32_t i = 0; i < f->n; i++) {
        range[i][0] = (int64_t)H5Dget_offset(f->field[i].set);
        range[i][1] = range[i][0] + f->head->plan->n * f->field[i].row_bytes;
        SCS_REQUIRE(range[i][0] > 0, SCS_EIO, "%s: %s has no place", f->path,
                    f->field[i].field.path);
    }
    return SCS_OK;
}
