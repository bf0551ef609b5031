#include "src/h5write.h"

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

/* n < 0: a scalar. */
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
