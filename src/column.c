#include "src/column.h"

#include "src/h5path.h"

#include <stdlib.h>

void scs_column_clear(scs_column *column)
{
    scs_names_clear(&column->text);
    free(column->number);
    free(column->real);
    free(column->mask);
    *column = (scs_column){0};
}

/* HDF5's enumerations are h5py's booleans. */
static scs_status kind_of(H5T_class_t type, int *kind)
{
    *kind = type == H5T_STRING    ? SCS_COLUMN_TEXT
            : type == H5T_INTEGER ? SCS_COLUMN_INTEGER
            : type == H5T_ENUM    ? SCS_COLUMN_BOOLEAN
            : type == H5T_FLOAT   ? SCS_COLUMN_FLOAT
                                  : -1;
    SCS_REQUIRE(*kind >= 0, SCS_EDATA, "holds neither text nor numbers");
    return SCS_OK;
}

static scs_status read_values(const scs_h5 *h5, const char *path, scs_column *column)
{
    switch (column->kind) {
    case SCS_COLUMN_TEXT:
        return scs_h5_read_strings(h5, path, &column->text);
    case SCS_COLUMN_FLOAT:
        SCS_TRY(SCS_ALLOC(column->real, column->n));
        return scs_h5_read_double(h5, path, 0, column->n, column->real);
    default:
        SCS_TRY(SCS_ALLOC(column->number, column->n));
        return scs_h5_read_int64(h5, path, 0, column->n, column->number);
    }
}

static scs_status read_dataset(const scs_h5 *h5, const char *path, scs_column *column)
{
    scs_h5_shape shape;

    SCS_TRY(scs_h5_shape_of(h5, path, &shape));
    if (kind_of(shape.type, &column->kind) != SCS_OK)
        return scs_context(SCS_EDATA, "%s: %s ", h5->path, path);
    column->n = shape.dim[0];
    return read_values(h5, path, column);
}

static scs_status read_nullable(const scs_h5 *h5, const char *group, scs_column *column)
{
    char *values = NULL, *mask = NULL;
    scs_status st = SCS_OK;

    SCS_GO(st, scs_h5_path(&values, "%s/values", group));
    SCS_GO(st, scs_h5_path(&mask, "%s/mask", group));
    SCS_GO(st, read_dataset(h5, values, column));
    SCS_GO(st, SCS_ALLOC(column->mask, column->n));
    SCS_GO(st, scs_h5_read_int64(h5, mask, 0, column->n, column->mask));
done:
    free(values);
    free(mask);
    return st;
}

scs_status scs_column_read(const scs_h5 *h5, const char *path, scs_column *column)
{
    scs_status st;

    *column = (scs_column){0};
    st = scs_h5_is_group(h5, path) ? read_nullable(h5, path, column)
                                   : read_dataset(h5, path, column);
    if (st != SCS_OK)
        scs_column_clear(column);
    return st;
}

static scs_status read_member(const scs_h5 *h5, const char *path, const char *member,
                              scs_column *column)
{
    scs_h5_shape shape;
    H5T_class_t type;

    SCS_TRY(scs_h5_shape_of(h5, path, &shape));
    SCS_TRY(scs_h5_member_type(h5, path, member, &type));
    if (kind_of(type, &column->kind) != SCS_OK)
        return scs_context(SCS_EDATA, "%s: column %s of %s ", h5->path, member, path);
    column->n = shape.dim[0];
    if (column->kind == SCS_COLUMN_TEXT)
        return scs_h5_read_member_strings(h5, path, member, &column->text);
    if (column->kind == SCS_COLUMN_FLOAT) {
        SCS_TRY(SCS_ALLOC(column->real, column->n));
        return scs_h5_read_member_double(h5, path, member, column->real);
    }
    SCS_TRY(SCS_ALLOC(column->number, column->n));
    return scs_h5_read_member_int64(h5, path, member, column->number);
}

scs_status scs_column_read_member(const scs_h5 *h5, const char *path, const char *member,
                                  scs_column *column)
{
    scs_status st;

    *column = (scs_column){0};
    st = read_member(h5, path, member, column);
    if (st != SCS_OK)
        scs_column_clear(column);
    return st;
}
