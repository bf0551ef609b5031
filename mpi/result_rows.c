#include "mpi/result_file_parts.h"
#include "src/h5write.h"
#include "src/result_type.h"
#include "src/sum64.h"

#include <stdlib.h>
#include <string.h>

/* Rows of the fields of one number a row that are read at a time. */
enum { NUMBERS_AT_ONCE = 1 << 16 };

/* Rows [first, first + n) of a field between the file and memory. */
static scs_status transfer_rows(scs_result_file *f, const scs_open_field *o, int64_t first,
                                int64_t n, void *read, const void *write)
{
    hsize_t start[2] = {(hsize_t)first, 0}, count[2] = {(hsize_t)n, (hsize_t)o->cols};
    hid_t memory = H5Screate_simple(o->field.cols > 0 ? 2 : 1, count, NULL);
    hid_t space = H5Dget_space(o->set);
    herr_t went = -1;

    if (memory >= 0 && space >= 0 &&
        H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0)
        went = read ? H5Dread(o->set, o->type, memory, space, H5P_DEFAULT, read)
                    : H5Dwrite(o->set, o->type, memory, space, f->transfer, write);
    if (memory >= 0)
        (void)H5Sclose(memory);
    if (space >= 0)
        (void)H5Sclose(space);
    return went < 0 ? scs_h5_failed(f->file, read ? "read back" : "write", o->field.path) : SCS_OK;
}

static scs_status reserve_buffer(scs_result_file *f, int64_t bytes)
{
    if (bytes <= f->buffer_bytes)
        return SCS_OK;
    free(f->buffer);
    f->buffer_bytes = 0;
    f->buffer = scs_allocate(bytes, 1);
    SCS_REQUIRE(f->buffer, SCS_ENOMEM, "out of memory: rows of %s need %lld bytes", f->path,
                (long long)bytes);
    f->buffer_bytes = bytes;
    return SCS_OK;
}

scs_status scs_result_file_put(scs_result_file *f, const scs_result_rows *rows, uint64_t *sum)
{
    scs_sum64 all = scs_sum64_begin();

    SCS_TRY(reserve_buffer(f, rows->n * (int64_t)sizeof(double)));
    for (int32_t i = 0; i < f->n; i++) {
        const scs_open_field *o = &f->field[i];
        const void *data = scs_result_data(rows, &o->field, f->buffer);

        if (o->field.late)
            continue;
        SCS_REQUIRE(data, SCS_EINTERNAL, "a result without values of %s", o->field.path);
        scs_sum64_add(&all, data, rows->n * o->row_bytes);
        SCS_TRY(transfer_rows(f, o, rows->first, rows->n, NULL, data));
    }
    *sum = scs_sum64_end(&all);
    return SCS_OK;
}

scs_status scs_result_file_put_column(scs_result_file *f, const char *path, const double *values)
{
    for (int32_t i = 0; i < f->n; i++)
        if (strcmp(f->field[i].field.path, path) == 0)
            return transfer_rows(f, &f->field[i], 0, f->head->plan->n, NULL, values);
    return SCS_FAIL(SCS_EINTERNAL, "%s: no field %s", f->path, path);
}

scs_status scs_result_file_sum(scs_result_file *f, int64_t first, int64_t n, uint64_t *sum)
{
    scs_sum64 all = scs_sum64_begin();

    for (int32_t i = 0; i < f->n; i++) {
        const scs_open_field *o = &f->field[i];

        if (o->field.late)
            continue;
        SCS_TRY(reserve_buffer(f, n * o->row_bytes));
        SCS_TRY(transfer_rows(f, o, first, n, f->buffer, NULL));
        scs_sum64_add(&all, f->buffer, n * o->row_bytes);
    }
    *sum = scs_sum64_end(&all);
    return SCS_OK;
}

scs_status scs_result_file_numbers(scs_result_file *f, scs_result_rows *all)
{
    for (int32_t i = 0; i < f->n; i++) {
        const scs_open_field *o = &f->field[i];
        int64_t step = NUMBERS_AT_ONCE;

        if (o->field.cols > 0)
            continue;
        SCS_TRY(reserve_buffer(f, step * o->row_bytes));
        for (int64_t first = 0; first < f->head->plan->n; first += step) {
            int64_t left = f->head->plan->n - first, n = left < step ? left : step;

            SCS_TRY(transfer_rows(f, o, first, n, f->buffer, NULL));
            (void)scs_result_place(&o->field, f->buffer, first, n, all);
        }
    }
    return SCS_OK;
}
