/* Attributes: short texts and small lists of integers. */
#include "src/h5safe_object.h"

#include "src/text.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20 };

/* An attribute; id is negative when the object has none of that name. */
typedef struct attribute {
    hid_t id, type;
    H5T_class_t kind;
    int64_t n; /* elements */
} attribute;

static void drop_attribute(attribute *a)
{
    scs_h5_drop(a->type);
    scs_h5_drop(a->id);
}

static void describe(attribute *a)
{
    hid_t space = H5Aget_space(a->id);

    a->type = H5Aget_type(a->id);
    a->kind = H5Tget_class(a->type);
    a->n = (int64_t)H5Sget_simple_extent_npoints(space);
    scs_h5_drop(space);
}

static scs_status open_attribute(const scs_h5 *h5, const char *path, const char *name, attribute *a)
{
    hid_t object;
    htri_t there;

    *a = (attribute){.id = H5I_INVALID_HID, .type = H5I_INVALID_HID};
    SCS_TRY(scs_h5_open_object(h5, path, &object));
    there = H5Aexists(object, name);
    if (there > 0)
        a->id = H5Aopen(object, name, H5P_DEFAULT);
    scs_h5_drop(object);
    SCS_REQUIRE(there == 0 || a->id >= 0, SCS_EDATA,
                "%s: %s: attribute %s is damaged; fetch the file again", h5->path, path, name);
    if (a->id >= 0)
        describe(a);
    return SCS_OK;
}

static scs_status read_fixed(const attribute *a, char **text)
{
    size_t size = H5Tget_size(a->type);

    SCS_REQUIRE(size > 0 && size <= TEXT_MAX, SCS_EDATA, "a text of %zu bytes", size);
    SCS_TRY(SCS_ALLOC(*text, (int64_t)size + 1));
    SCS_REQUIRE(H5Aread(a->id, a->type, *text) >= 0, SCS_EDATA, "cannot be read");
    return SCS_OK;
}

static scs_status read_variable(const attribute *a, char **text)
{
    char *read = NULL;
    scs_status st;

    SCS_REQUIRE(H5Aread(a->id, a->type, &read) >= 0, SCS_EDATA, "cannot be read");
    st = scs_text_copy(read ? read : "", text);
    H5free_memory(read);
    return st;
}

static scs_status read_one_text(const attribute *a, char **text)
{
    SCS_REQUIRE(a->kind == H5T_STRING && a->n == 1, SCS_EDATA, "must be one text");
    SCS_TRY(H5Tis_variable_str(a->type) > 0 ? read_variable(a, text) : read_fixed(a, text));
    SCS_REQUIRE(scs_text_is_utf8(*text, strlen(*text)), SCS_EDATA, "is not UTF-8 text");
    return SCS_OK;
}

scs_status scs_h5_attr_text(const scs_h5 *h5, const char *path, const char *attr, char **text,
                            bool *found)
{
    attribute a;
    scs_status st = SCS_OK;

    *text = NULL;
    *found = false;
    SCS_TRY(open_attribute(h5, path, attr, &a));
    *found = a.id >= 0;
    if (*found)
        st = read_one_text(&a, text);
    drop_attribute(&a);
    if (st == SCS_OK)
        return SCS_OK;
    free(*text);
    *text = NULL;
    return scs_context(st, "%s: %s: attribute %s: ", h5->path, path, attr);
}

scs_status scs_h5_attr_int64(const scs_h5 *h5, const char *path, const char *attr, int max,
                             int64_t *values, int *n)
{
    attribute a;
    herr_t done = -1;

    SCS_TRY(open_attribute(h5, path, attr, &a));
    *n = 0;
    if (a.id < 0)
        return SCS_OK;
    if ((a.kind == H5T_INTEGER || a.kind == H5T_ENUM) && a.n >= 0 && a.n <= max) {
        *n = (int)a.n;
        done = H5Aread(a.id, H5T_NATIVE_INT64, values);
    }
    drop_attribute(&a);
    SCS_REQUIRE(done >= 0, SCS_EDATA, "%s: %s: attribute %s must be at most %d integers", h5->path,
                path, attr, max);
    return SCS_OK;
}
