/* Text of string datasets and of compound members. */
#include "src/h5safe_object.h"

#include "src/text.h"

#include <stdlib.h>
#include <string.h>

scs_h5_text scs_h5_text_of(hid_t string_type, int64_t n)
{
    return (scs_h5_text){.type = string_type,
                         .n = n,
                         .size = H5Tget_size(string_type),
                         .variable_length = H5Tis_variable_str(string_type) > 0,
                         .space_padded = H5Tget_strpad(string_type) == H5T_STR_SPACEPAD};
}

/* One element: its start and length, without the padding of fixed strings. */
static const char *element(const scs_h5_text *text, const void *memory, int64_t i, size_t *length)
{
    const char *start;

    if (text->variable_length) {
        start = ((char *const *)memory)[i];
        *length = start ? strlen(start) : 0;
        return start ? start : "";
    }
    start = (const char *)memory + (size_t)i * text->size;
    *length = strnlen(start, text->size);
    while (text->space_padded && *length > 0 && start[*length - 1] == ' ')
        --*length;
    return start;
}

static scs_status add_element(const scs_h5 *h5, const char *path, const scs_h5_text *text,
                              const void *memory, int64_t i, scs_names *names)
{
    size_t length;
    const char *start = element(text, memory, i, &length);
    char *copy = NULL;
    scs_status st;

    SCS_REQUIRE(scs_text_is_utf8(start, length), SCS_EDATA,
                "%s: %s: element %lld is not UTF-8 text; re-save the file with anndata", h5->path,
                path, (long long)i);
    SCS_TRY(scs_text_copy_n(start, length, &copy));
    st = scs_names_add(names, copy);
    free(copy);
    return st;
}

static void free_text(const scs_h5_text *text, hid_t space, void *memory)
{
    if (memory && text->variable_length && text->n > 0)
        (void)H5Dvlen_reclaim(text->type, space, H5P_DEFAULT, memory);
    free(memory);
}

scs_status scs_h5_read_text(const scs_h5 *h5, const char *path, hid_t dataset,
                            const scs_h5_text *text, scs_names *names)
{
    int64_t bytes;
    char *memory = NULL;
    hid_t space; /* what frees the texts: had before there are any */
    scs_status st = SCS_OK;

    SCS_REQUIRE(text->n <= INT32_MAX, SCS_EDATA, "%s: %s has too many names (%lld)", h5->path, path,
                (long long)text->n);
    SCS_TRY(scs_h5_budget(h5, path, text->n, text->size, &bytes));
    space = H5Dget_space(dataset);
    SCS_REQUIRE(space >= 0, SCS_EDATA, "%s: %s has a damaged shape", h5->path, path);
    SCS_GO(st, SCS_ALLOC(memory, bytes));
    if (text->n > 0 && H5Dread(dataset, text->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, memory) < 0)
        SCS_GO(st, SCS_FAIL(SCS_EDATA, "%s: %s is damaged and cannot be read; fetch it again",
                            h5->path, path));
    for (int64_t i = 0; i < text->n; i++)
        SCS_GO(st, add_element(h5, path, text, memory, i, names));
done:
    free_text(text, space, memory);
    scs_h5_drop(space);
    return st;
}

static scs_status read_strings(const scs_h5 *h5, const char *path, hid_t dataset,
                               const scs_h5_shape *shape, scs_names *names)
{
    hid_t type;
    scs_h5_text text;
    scs_status st;

    SCS_REQUIRE(shape->type == H5T_STRING && shape->rank <= 1, SCS_EDATA,
                "%s: %s must be a list of text", h5->path, path);
    type = H5Dget_type(dataset);
    SCS_REQUIRE(type >= 0, SCS_EDATA, "%s: %s has a damaged type", h5->path, path);
    text = scs_h5_text_of(type, shape->dim[0]);
    st = scs_h5_read_text(h5, path, dataset, &text, names);
    scs_h5_drop(type);
    return st;
}

scs_status scs_h5_read_strings(const scs_h5 *h5, const char *path, scs_names *names)
{
    scs_h5_shape shape;
    hid_t dataset;
    scs_status st;

    SCS_TRY(scs_h5_open_dataset(h5, path, &dataset, &shape));
    st = read_strings(h5, path, dataset, &shape, names);
    scs_h5_drop(dataset);
    return st;
}
