#include "mpi/result_rows.h"

#include "mpi/watchdog.h"

#include "src/h5write.h"
#include "src/result_type.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

enum {
    WRITE_BYTES = 1 << 30, /* of one collective write on one rank: MPI-IO counts are ints */
    READ_BYTES = 16 << 20  /* read back at once */
};

/* A field of an open file, and how its rows lie in memory. */
typedef struct open_field {
    hid_t file, set, type;
    const char *path;
    int64_t cols; /* at least 1 */
    int64_t row_bytes;
    int rank; /* dimensions in the file */
} open_field;

static scs_status open_field_of(hid_t file, const scs_result_field *field, open_field *f)
{
    *f = (open_field){.file = file,
                      .set = H5Dopen2(file, field->path, H5P_DEFAULT),
                      .type = scs_result_type(field->type),
                      .path = field->path,
                      .cols = field->cols > 0 ? field->cols : 1,
                      .rank = field->cols > 0 ? 2 : 1};
    f->row_bytes = f->cols * (int64_t)scs_value_size(field->type);
    return f->set < 0 ? scs_h5_failed(file, "open", field->path) : SCS_OK;
}

static scs_status close_field(open_field *f, scs_status st)
{
    if (f->type >= 0)
        (void)H5Tclose(f->type);
    if (f->set >= 0 && H5Dclose(f->set) < 0 && st == SCS_OK)
        st = scs_h5_failed(f->file, "close", f->path);
    return st;
}

/* Rows [first, first + n) in the file, and the same number in memory; n = 0 selects nothing. */
static herr_t select_rows(const open_field *f, int64_t first, int64_t n, hid_t *memory, hid_t *file)
{
    hsize_t start[2] = {(hsize_t)first, 0}, count[2] = {(hsize_t)n, (hsize_t)f->cols};

    *memory = H5Screate_simple(f->rank, count, NULL);
    *file = H5Dget_space(f->set);
    if (*memory < 0 || *file < 0)
        return -1;
    if (n == 0)
        return H5Sselect_none(*memory) < 0 ? -1 : H5Sselect_none(*file);
    return H5Sselect_hyperslab(*file, H5S_SELECT_SET, start, NULL, count, NULL);
}

static void close_spaces(hid_t memory, hid_t file)
{
    if (memory >= 0)
        (void)H5Sclose(memory);
    if (file >= 0)
        (void)H5Sclose(file);
}

/* Ranks agree before the write: one that cannot take part would leave the others waiting in it. */
static scs_status write_rows(scs_comm *comm, const open_field *f, hid_t transfer, int64_t first,
                             int64_t n, const void *data)
{
    hid_t memory, file;
    scs_status st = SCS_OK;

    if (select_rows(f, first, n, &memory, &file) < 0)
        st = scs_h5_failed(f->file, "select rows of", f->path);
    SCS_GO(st, scs_agree(comm, st));
    scs_watchdog_step(comm, f->path);
    if (H5Dwrite(f->set, f->type, memory, file, transfer, data) < 0)
        st = scs_h5_failed(f->file, "write", f->path);
    SCS_GO(st, scs_agree(comm, st));
done:
    close_spaces(memory, file);
    return st;
}

static scs_status read_rows(const open_field *f, int64_t first, int64_t n, void *data)
{
    hid_t memory, file;
    scs_status st = SCS_OK;

    if (select_rows(f, first, n, &memory, &file) < 0 ||
        H5Dread(f->set, f->type, memory, file, H5P_DEFAULT, data) < 0)
        st = scs_h5_failed(f->file, "read back", f->path);
    close_spaces(memory, file);
    return st;
}

/* Rows of one call; at least one. */
static int64_t rows_within(const open_field *f, int64_t bytes)
{
    return bytes / f->row_bytes > 0 ? bytes / f->row_bytes : 1;
}

static int64_t rows_left(const scs_result_rows *rows, int64_t done, int64_t step)
{
    int64_t left = rows->n - done;

    return left < 0 ? 0 : left < step ? left : step;
}

/* All ranks make the same number of calls: as many as the rank with most rows needs. */
static scs_status write_field(scs_comm *comm, hid_t file, hid_t transfer,
                              const scs_result_field *field, const scs_result_rows *rows,
                              int64_t most_rows, double *scratch)
{
    const char *data = scs_result_data(rows, field, scratch);
    open_field f;
    scs_status st;
    int64_t step;

    SCS_GO(st, scs_agree(comm, open_field_of(file, field, &f)));
    step = rows_within(&f, WRITE_BYTES);
    for (int64_t row = 0; row < most_rows; row += step) {
        int64_t n = rows_left(rows, row, step);
        const char *from = n > 0 ? data + row * f.row_bytes : NULL;

        SCS_GO(st, write_rows(comm, &f, transfer, rows->first + (n > 0 ? row : 0), n, from));
    }
done:
    return scs_agree(comm, close_field(&f, st));
}

static scs_status write_fields(scs_comm *comm, hid_t file, hid_t transfer,
                               const scs_result_head *head, const scs_result_rows *rows,
                               double *scratch)
{
    scs_result_field field[SCS_RESULT_FIELDS];
    int32_t n = scs_result_fields(head, field);
    int64_t most;

    SCS_MPI(MPI_Allreduce(&rows->n, &most, 1, MPI_INT64_T, MPI_MAX, scs_comm_mpi(comm)));
    for (int32_t i = 0; i < n; i++)
        SCS_TRY(write_field(comm, file, transfer, &field[i], rows, most, scratch));
    return SCS_OK;
}

/* @param[out] transfer collective transfers */
static scs_status open_together(scs_comm *comm, const char *temp, hid_t *file, hid_t *transfer)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    scs_status st = SCS_OK;

    *transfer = H5Pcreate(H5P_DATASET_XFER);
    if (access < 0 || *transfer < 0 || H5Pset_dxpl_mpio(*transfer, H5FD_MPIO_COLLECTIVE) < 0 ||
        H5Pset_fapl_mpio(access, scs_comm_mpi(comm), MPI_INFO_NULL) < 0 ||
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0)
        st = SCS_FAIL(SCS_EINTERNAL, "%s: HDF5 gives no access through MPI-IO", temp);
    st = scs_agree(comm, st);
    if (st == SCS_OK) {
        *file = H5Fopen(temp, H5F_ACC_RDWR, access);
        st = scs_agree(comm, *file >= 0
                                 ? SCS_OK
                                 : SCS_FAIL(SCS_EIO, "%s: cannot be opened through MPI-IO", temp));
    }
    if (access >= 0)
        (void)H5Pclose(access);
    return st;
}

scs_status scs_result_rows_write(scs_comm *comm, const char *temp, const scs_result_head *head,
                                 const scs_result_rows *rows)
{
    hid_t file = H5I_INVALID_HID, transfer = H5I_INVALID_HID;
    double *scratch = NULL;
    scs_status st;

    SCS_TRY(scs_agree(comm, SCS_ALLOC(scratch, rows->n)));
    SCS_GO(st, open_together(comm, temp, &file, &transfer));
    SCS_GO(st, write_fields(comm, file, transfer, head, rows, scratch));
    scs_watchdog_step(comm, "flushing");
    if (H5Fflush(file, H5F_SCOPE_GLOBAL) < 0)
        st = scs_h5_failed(file, "flush", "/");
    SCS_GO(st, scs_agree(comm, st));
done:
    free(scratch);
    if (transfer >= 0)
        (void)H5Pclose(transfer);
    if (file >= 0 && !scs_h5_shut(file) && st == SCS_OK)
        st = SCS_FAIL(SCS_EIO, "%s: cannot be closed, so it may be incomplete", temp);
    return scs_agree(comm, st);
}

static scs_status compare_field(const open_field *f, const scs_result_rows *rows,
                                const char *expected, char *back, int64_t step)
{
    for (int64_t row = 0; row < rows->n; row += step) {
        int64_t n = rows_left(rows, row, step);

        SCS_TRY(read_rows(f, rows->first + row, n, back));
        SCS_REQUIRE(
            memcmp(back, expected + row * f->row_bytes, (size_t)(n * f->row_bytes)) == 0, SCS_EIO,
            "%s does not read back as it was written (rows %lld to %lld); check the disk", f->path,
            (long long)(rows->first + row), (long long)(rows->first + row + n - 1));
    }
    return SCS_OK;
}

static scs_status read_back(hid_t file, const scs_result_field *field, const scs_result_rows *rows,
                            double *scratch)
{
    char *back = NULL;
    open_field f;
    scs_status st;
    int64_t step;

    SCS_GO(st, open_field_of(file, field, &f));
    step = rows_within(&f, READ_BYTES);
    SCS_GO(st, SCS_ALLOC(back, step * f.row_bytes));
    SCS_GO(st, compare_field(&f, rows, scs_result_data(rows, field, scratch), back, step));
done:
    free(back);
    return close_field(&f, st);
}

scs_status scs_result_rows_compare(const char *temp, const scs_result_head *head,
                                   const scs_result_rows *rows)
{
    scs_result_field field[SCS_RESULT_FIELDS];
    int32_t n = scs_result_fields(head, field);
    double *scratch = NULL;
    scs_status st;
    hid_t file = H5Fopen(temp, H5F_ACC_RDONLY, H5P_DEFAULT);

    SCS_REQUIRE(file >= 0, SCS_EIO, "%s: cannot be opened to compare what was written", temp);
    SCS_GO(st, SCS_ALLOC(scratch, rows->n));
    for (int32_t i = 0; i < n; i++)
        SCS_GO(st, read_back(file, &field[i], rows, scratch));
done:
    free(scratch);
    if (!scs_h5_shut(file) && st == SCS_OK)
        st = SCS_FAIL(SCS_EIO, "%s: cannot be closed after comparing", temp);
    return st;
}
