/** Text of string datasets, of compound members and of attributes (src/hdf5/h5text.h says why
 *  apart from numbers). The first two end in read_text, which reads a whole dataset in the form
 *  in which the file has it and copies its elements.
 */
#include "src/hdf5/h5text.h"

#include "src/base/sandbox.h"
#include "src/base/text.h"
#include "src/hdf5/h5read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How text lies in memory: [n] char * or [n] fixed strings of `size` bytes. */
typedef struct layout {
    hid_t type;  /* in memory: a string, or a compound with one; borrowed */
    int64_t n;   /* elements */
    size_t size; /* bytes of one, in memory */
    bool variable_length, space_padded;
} layout;

/* Of a string type; the text is read in the form in which the file has it. */
static layout layout_of(hid_t string_type, int64_t n)
{
    return (layout){.type = string_type,
                    .n = n,
                    .size = H5Tget_size(string_type),
                    .variable_length = H5Tis_variable_str(string_type) > 0,
                    .space_padded = H5Tget_strpad(string_type) == H5T_STR_SPACEPAD};
}

/* One element: its start and length, without the padding of fixed strings. An absent
 * variable-length text (NULL) is the empty one. */
static const char *element(const layout *text, const void *memory, int64_t i, size_t *length)
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

enum { TEXT_COST = 64 }; /* bytes that a text stands for where processor time is allowed */

/* A text with a NUL in it (possible in fixed strings) ends there. */
static scs_status add_element(const scs_h5 *h5, const char *path, const layout *text,
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

/* Memory for the texts of a dataset, which are given back all at once: there may be millions, of
 * some bytes each. */
typedef struct arena {
    struct arena *before;
    size_t used, room;
    char byte[];
} arena;

static void clear_arena(arena **a)
{
    while (*a) {
        arena *before = (*a)->before;

        free(*a);
        *a = before;
    }
}

/* For HDF5. @param last [arena *] the block in use */
static void *take_from_arena(size_t size, void *last)
{
    enum { BLOCK = 1 << 18, ALIGN = sizeof(void *) };
    arena **a = last;
    size_t take = (size + ALIGN - 1) / ALIGN * ALIGN;
    void *taken;

    if (take < size)
        return NULL;
    if (!*a || (*a)->room - (*a)->used < take) {
        size_t room = take > BLOCK ? take : BLOCK;
        arena *block = scs_reallocate(NULL, (int64_t)(sizeof *block + room), 1);

        if (!block)
            return NULL;
        *block = (arena){.before = *a, .room = room};
        *a = block;
    }
    taken = (*a)->byte + (*a)->used;
    (*a)->used += take;
    return taken;
}

static void leave_in_arena(void *text, void *last)
{
    (void)text, (void)last;
}

/* A transfer whose texts lie in the arena. @return negative: none can be had */
static hid_t transfer_into(arena **a)
{
    hid_t transfer = H5Pcreate(H5P_DATASET_XFER);

    if (transfer >= 0 &&
        H5Pset_vlen_mem_manager(transfer, take_from_arena, (void *)a, leave_in_arena, NULL) < 0) {
        scs_h5_drop(transfer);
        return H5I_INVALID_HID;
    }
    return transfer;
}

/* The whole dataset at once, within the budget: `size` bytes an element in the form read, which
 * for variable-length text are pointers only (the sandbox limits the rest). */
static scs_status read_text(const scs_h5 *h5, const char *path, hid_t dataset, const layout *text,
                            scs_names *names)
{
    int64_t bytes;
    char *memory = NULL;
    arena *texts = NULL;
    hid_t transfer;
    scs_status st = SCS_OK;

    SCS_REQUIRE(text->n <= INT32_MAX, SCS_EDATA, "%s: %s has too many names (%lld)", h5->path, path,
                (long long)text->n);
    SCS_TRY(scs_h5_budget(h5, path, text->n, text->size, &bytes));
    scs_sandbox_allow(text->n * (TEXT_COST + (int64_t)text->size));
    transfer = transfer_into(&texts);
    SCS_REQUIRE(transfer >= 0, SCS_ENOMEM, "%s: out of memory for %s", h5->path, path);
    SCS_GO(st, SCS_ALLOC(memory, bytes));
    if (text->n > 0 && H5Dread(dataset, text->type, H5S_ALL, H5S_ALL, transfer, memory) < 0)
        SCS_GO(st, scs_h5_refuse(h5, path, "is damaged and cannot be read"));
    for (int64_t i = 0; i < text->n; i++)
        SCS_GO(st, add_element(h5, path, text, memory, i, names));
done:
    free(memory);
    clear_arena(&texts);
    scs_h5_drop(transfer);
    return st;
}

/* A dataset that is open already. */
static scs_status read_strings(const scs_h5 *h5, const char *path, hid_t dataset,
                               const scs_h5_shape *shape, scs_names *names)
{
    hid_t type;
    layout text;
    scs_status st;

    SCS_REQUIRE(shape->type == H5T_STRING && shape->rank <= 1, SCS_EDATA,
                "%s: %s must be a list of text", h5->path, path);
    type = H5Dget_type(dataset);
    SCS_REQUIRE(type >= 0, SCS_EDATA, "%s: %s has a damaged type", h5->path, path);
    text = layout_of(type, shape->dim[0]);
    st = read_text(h5, path, dataset, &text, names);
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

/* ---- members of compound datasets ---- */

/* A compound dataset with one of its members. */
typedef struct member {
    hid_t dataset, type;
    int64_t n;
    H5T_class_t kind;
} member;

/* Ids that were never opened are negative, and ignored. */
static void drop_member(member *m)
{
    scs_h5_drop(m->type);
    scs_h5_drop(m->dataset);
}

/* Tables have one dimension. @param[out] dataset to be dropped; not after a failure */
static scs_status open_compound(const scs_h5 *h5, const char *path, hid_t *dataset, int64_t *n)
{
    scs_h5_shape shape;

    SCS_TRY(scs_h5_open_dataset(h5, path, dataset, &shape));
    *n = shape.dim[0];
    if (shape.type == H5T_COMPOUND && shape.rank == 1)
        return SCS_OK;
    scs_h5_drop(*dataset);
    return SCS_FAIL(SCS_EDATA, "%s: %s must be a table (compound dataset)", h5->path, path);
}

/* @param[out] m to be dropped; not after a failure */
static scs_status open_member(const scs_h5 *h5, const char *path, const char *name, member *m)
{
    hid_t table;
    int i;

    *m = (member){.type = H5I_INVALID_HID};
    SCS_TRY(open_compound(h5, path, &m->dataset, &m->n));
    table = H5Dget_type(m->dataset);
    i = H5Tget_member_index(table, name);
    if (i >= 0)
        m->type = H5Tget_member_type(table, (unsigned)i);
    scs_h5_drop(table);
    m->kind = m->type >= 0 ? H5Tget_class(m->type) : H5T_NO_CLASS;
    if (m->kind != H5T_NO_CLASS)
        return SCS_OK;
    drop_member(m);
    return SCS_FAIL(SCS_EDATA, "%s: %s has no column %s", h5->path, path, name);
}

/* A memory type that picks this member alone: a compound of one, so that HDF5 converts no other
 * column. */
static hid_t picking(const char *name, hid_t type)
{
    hid_t pick = H5Tcreate(H5T_COMPOUND, H5Tget_size(type));

    if (pick >= 0 && H5Tinsert(pick, name, 0, type) < 0) {
        scs_h5_drop(pick);
        return H5I_INVALID_HID;
    }
    return pick;
}

/* Texts are read through a compound of one member; the layout of an element is that of the
 * member. */
static scs_status member_strings(const scs_h5 *h5, const char *path, const char *name,
                                 const member *m, scs_names *names)
{
    layout text;
    scs_status st;

    SCS_REQUIRE(m->kind == H5T_STRING, SCS_EDATA, "%s: column %s of %s must be text", h5->path,
                name, path);
    text = layout_of(m->type, m->n);
    text.type = picking(name, m->type);
    SCS_REQUIRE(text.type >= 0, SCS_EDATA, "%s: column %s of %s is damaged", h5->path, name, path);
    st = read_text(h5, path, m->dataset, &text, names);
    scs_h5_drop(text.type);
    return st;
}

scs_status scs_h5_read_member_strings(const scs_h5 *h5, const char *path, const char *name,
                                      scs_names *names)
{
    member m;
    scs_status st;

    SCS_TRY(open_member(h5, path, name, &m));
    st = member_strings(h5, path, name, &m, names);
    drop_member(&m);
    return st;
}

/* @param type in memory  @param[out] out [m->n] */
static scs_status member_numbers(const scs_h5 *h5, const char *path, const char *name,
                                 const member *m, hid_t type, void *out)
{
    hid_t pick;
    herr_t done;

    if (m->n == 0)
        return SCS_OK;
    pick = picking(name, type);
    done = H5Dread(m->dataset, pick, H5S_ALL, H5S_ALL, H5P_DEFAULT, out);
    scs_h5_drop(pick);
    SCS_REQUIRE(done >= 0, SCS_EDATA, "%s: column %s of %s is damaged", h5->path, name, path);
    return SCS_OK;
}

/* @param also the class that may stand beside integers  @param what it holds, in words */
static scs_status read_member_numbers(const scs_h5 *h5, const char *path, const char *name,
                                      H5T_class_t also, const char *what, hid_t type, void *out)
{
    member m;
    scs_status st;

    SCS_TRY(open_member(h5, path, name, &m));
    st = m.kind == H5T_INTEGER || m.kind == also
             ? member_numbers(h5, path, name, &m, type, out)
             : SCS_FAIL(SCS_EDATA, "%s: column %s of %s must hold %s", h5->path, name, path, what);
    drop_member(&m);
    return st;
}

scs_status scs_h5_read_member_int64(const scs_h5 *h5, const char *path, const char *name,
                                    int64_t *out)
{
    return read_member_numbers(h5, path, name, H5T_ENUM, "integers", H5T_NATIVE_INT64, out);
}

scs_status scs_h5_read_member_double(const scs_h5 *h5, const char *path, const char *name,
                                     double *out)
{
    return read_member_numbers(h5, path, name, H5T_FLOAT, "numbers", H5T_NATIVE_DOUBLE, out);
}

/* Nothing is read: which way to read a column depends on it. */
scs_status scs_h5_member_type(const scs_h5 *h5, const char *path, const char *name,
                              H5T_class_t *type, size_t *size)
{
    member m;

    SCS_TRY(open_member(h5, path, name, &m));
    *type = m.kind;
    if (size)
        *size = H5Tget_size(m.type);
    drop_member(&m);
    return SCS_OK;
}

/* HDF5 allocates each name. */
static scs_status add_member_names(hid_t table, scs_names *names)
{
    int n = H5Tget_nmembers(table);

    SCS_REQUIRE(n >= 0, SCS_EDATA, "a damaged table");
    for (int i = 0; i < n; i++) {
        char *name = H5Tget_member_name(table, (unsigned)i);
        scs_status st = name ? scs_names_add(names, name) : SCS_FAIL(SCS_EDATA, "a damaged table");
        H5free_memory(name);
        SCS_TRY(st);
    }
    return SCS_OK;
}

scs_status scs_h5_member_names(const scs_h5 *h5, const char *path, scs_names *names)
{
    hid_t dataset, table;
    int64_t n;
    scs_status st;

    SCS_TRY(open_compound(h5, path, &dataset, &n));
    table = H5Dget_type(dataset);
    st = add_member_names(table, names);
    scs_h5_drop(table);
    scs_h5_drop(dataset);
    return st == SCS_OK ? st : scs_context(st, "%s: %s: ", h5->path, path);
}

/* ---- attributes: short texts and small lists of integers ---- */

/* Bytes of a text attribute of fixed length: far more than any encoding name, less than harm. */
enum { TEXT_MAX = 1 << 20 };

/* An attribute; id is negative when the object has none of that name. */
typedef struct attribute {
    hid_t id, type;
    H5T_class_t kind;
    int64_t n; /* elements */
} attribute;

/* Ids that were never opened are negative, and ignored. */
static void drop_attribute(attribute *a)
{
    scs_h5_drop(a->type);
    scs_h5_drop(a->id);
}

/* Fill in its type and number of elements. */
static void describe(attribute *a)
{
    hid_t space = H5Aget_space(a->id);

    a->type = H5Aget_type(a->id);
    a->kind = H5Tget_class(a->type);
    a->n = (int64_t)H5Sget_simple_extent_npoints(space);
    scs_h5_drop(space);
}

/* That it does not exist is no failure. @param[out] a to be dropped */
static scs_status open_attribute(const scs_h5 *h5, const char *path, const char *name, attribute *a)
{
    hid_t object;
    htri_t there;
    scs_status st = SCS_OK;

    *a = (attribute){.id = H5I_INVALID_HID, .type = H5I_INVALID_HID};
    SCS_TRY(scs_h5_open_object(h5, path, &object));
    there = H5Aexists(object, name);
    if (there > 0)
        a->id = H5Aopen(object, name, H5P_DEFAULT);
    if (there != 0 && a->id < 0)
        st =
            scs_context(scs_h5_refuse(h5, path, "has a damaged attribute"), "attribute %s: ", name);
    scs_h5_drop(object);
    SCS_TRY(st);
    if (a->id >= 0)
        describe(a);
    return SCS_OK;
}

/* A zeroed byte more than HDF5 writes ends the text. */
static scs_status read_fixed(const attribute *a, char **text)
{
    size_t size = H5Tget_size(a->type);

    SCS_REQUIRE(size > 0 && size <= TEXT_MAX, SCS_EDATA, "a text of %zu bytes", size);
    SCS_TRY(SCS_ALLOC(*text, (int64_t)size + 1));
    SCS_REQUIRE(H5Aread(a->id, a->type, *text) >= 0, SCS_EDATA, "cannot be read");
    return SCS_OK;
}

/* HDF5 allocates the text; ours is a copy. */
static scs_status read_variable(const attribute *a, char **text)
{
    char *read = NULL;
    scs_status st;

    SCS_REQUIRE(H5Aread(a->id, a->type, &read) >= 0, SCS_EDATA, "cannot be read");
    st = scs_text_copy(read ? read : "", text);
    H5free_memory(read);
    return st;
}

/* The message is completed by the caller: "must be one text" after "FILE: PATH: attribute NAME:
 * ". */
static scs_status read_one_text(const attribute *a, char **text)
{
    SCS_REQUIRE(a->kind == H5T_STRING && a->n == 1, SCS_EDATA, "must be one text");
    SCS_TRY(H5Tis_variable_str(a->type) > 0 ? read_variable(a, text) : read_fixed(a, text));
    SCS_REQUIRE(scs_text_is_utf8(*text, strlen(*text)), SCS_EDATA, "is not UTF-8 text");
    return SCS_OK;
}

/* Messages of the readers begin after the place, which is put before them here, once for all. */
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

/* R has no other numbers than doubles. @return false where one is no whole number */
static bool read_whole_numbers(const attribute *a, int64_t *values)
{
    double number[8];

    if (a->n > (int64_t)(sizeof number / sizeof *number) ||
        H5Aread(a->id, H5T_NATIVE_DOUBLE, number) < 0)
        return false;
    for (int64_t i = 0; i < a->n; i++) {
        if (!(fabs(number[i]) <= 9007199254740992.) || number[i] != floor(number[i]))
            return false;
        values[i] = (int64_t)number[i];
    }
    return true;
}

/* Texts of either kind, one after another. @param memory [n], from HDF5 */
static scs_status add_texts(const attribute *a, char **memory, scs_names *names)
{
    for (int64_t i = 0; i < a->n; i++) {
        const char *text = memory[i] ? memory[i] : "";

        SCS_REQUIRE(scs_text_is_utf8(text, strlen(text)), SCS_EDATA, "is not UTF-8 text");
        SCS_TRY(scs_names_add(names, text));
    }
    return SCS_OK;
}

/* HDF5 allocates the texts; the sandbox's limit on memory holds for them as well. */
static scs_status read_variable_texts(const attribute *a, scs_names *names)
{
    hid_t space = H5Aget_space(a->id);
    char **memory = NULL;
    scs_status st;

    SCS_GO(st, SCS_ALLOC(memory, a->n));
    SCS_GO(st,
           H5Aread(a->id, a->type, memory) >= 0 ? SCS_OK : SCS_FAIL(SCS_EDATA, "cannot be read"));
    st = add_texts(a, memory, names);
    (void)H5Dvlen_reclaim(a->type, space, H5P_DEFAULT, memory);
done:
    free(memory);
    scs_h5_drop(space);
    return st;
}

/* All texts at once, no more bytes than TEXT_MAX. */
static scs_status read_fixed_texts(const attribute *a, scs_names *names)
{
    size_t size = H5Tget_size(a->type);
    char *memory = NULL, *one = NULL;
    int64_t bytes;
    scs_status st;

    SCS_REQUIRE(!__builtin_mul_overflow(a->n, size, &bytes) && bytes <= TEXT_MAX, SCS_EDATA,
                "too much text");
    SCS_GO(st, SCS_ALLOC(memory, bytes));
    SCS_GO(st,
           H5Aread(a->id, a->type, memory) >= 0 ? SCS_OK : SCS_FAIL(SCS_EDATA, "cannot be read"));
    for (int64_t i = 0; i < a->n; i++) {
        SCS_GO(st, scs_text_copy_n(memory + (size_t)i * size,
                                   strnlen(memory + (size_t)i * size, size), &one));
        st = scs_text_is_utf8(one, strlen(one)) ? scs_names_add(names, one)
                                                : SCS_FAIL(SCS_EDATA, "is not UTF-8 text");
        free(one);
        if (st != SCS_OK)
            break;
    }
done:
    free(memory);
    return st;
}

/* An attribute of another kind is not found: who asks takes what there is, and says what is missing
 * in its own words. */
scs_status scs_h5_attr_texts(const scs_h5 *h5, const char *path, const char *attr, scs_names *names,
                             bool *found)
{
    attribute a;
    scs_status st = SCS_OK;

    SCS_TRY(open_attribute(h5, path, attr, &a));
    *found = a.id >= 0 && a.kind == H5T_STRING && a.n >= 0 && a.n <= TEXT_MAX;
    if (*found && a.n > 0)
        st = H5Tis_variable_str(a.type) > 0 ? read_variable_texts(&a, names)
                                            : read_fixed_texts(&a, names);
    drop_attribute(&a);
    return st == SCS_OK ? st : scs_context(st, "%s: %s: attribute %s: ", h5->path, path, attr);
}

/* More than `max` is an error, not a cut: a shape of three numbers is no shape of ours. */
scs_status scs_h5_attr_int64(const scs_h5 *h5, const char *path, const char *attr, int max,
                             int64_t *values, int *n)
{
    attribute a;
    bool done = false;

    SCS_TRY(open_attribute(h5, path, attr, &a));
    *n = 0;
    if (a.id < 0)
        return SCS_OK;
    if (a.n >= 0 && a.n <= max) {
        *n = (int)a.n;
        done = a.kind == H5T_FLOAT ? read_whole_numbers(&a, values)
                                   : (a.kind == H5T_INTEGER || a.kind == H5T_ENUM) &&
                                         H5Aread(a.id, H5T_NATIVE_INT64, values) >= 0;
    }
    drop_attribute(&a);
    SCS_REQUIRE(done, SCS_EDATA, "%s: %s: attribute %s must be at most %d integers", h5->path, path,
                attr, max);
    return SCS_OK;
}
