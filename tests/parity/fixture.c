#include "tests/parity/fixture.h"

#include "tests/unit/suite.h"

#include <stdarg.h>

static void need(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "FAILED: the parity fixture lacks %s\n", what);
    exit(1);
}

hid_t fixture_open(const char *name)
{
    char inside[256];
    const char *path;
    hid_t file;

    snprintf(inside, sizeof inside, "parity/%s", name);
    path = real_file(inside);
    file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    need(file >= 0, path);
    return file;
}

float *fixture_values(hid_t file, int64_t *n, const char *format, ...)
{
    char path[256];
    va_list args;
    hid_t dataset, space;
    hssize_t size;
    float *values;

    va_start(args, format);
    vsnprintf(path, sizeof path, format, args);
    va_end(args);
    dataset = H5Dopen2(file, path, H5P_DEFAULT);
    need(dataset >= 0, path);
    space = H5Dget_space(dataset);
    size = H5Sget_simple_extent_npoints(space);
    values = scs_allocate(size, sizeof *values);
    need(values && H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0,
         path);
    H5Sclose(space);
    H5Dclose(dataset);
    if (n)
        *n = size;
    return values;
}

double fixture_attribute(hid_t file, const char *group, const char *name)
{
    hid_t attribute = H5Aopen_by_name(file, group, name, H5P_DEFAULT, H5P_DEFAULT);
    double value = 0;

    need(attribute >= 0 && H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) >= 0, name);
    H5Aclose(attribute);
    return value;
}
