/* Members of compound datasets: obs and var of files by anndata up to 0.6. */
#include "src/h5safe_object.h"

/* A compound dataset with one of its members. */
typedef struct member {
    hid_t dataset, type;
    int64_t n;
    H5T_class_t kind;
} member;

static void drop_member(member *m)
{
    scs_h5_drop(m->type);
    scs_h5_drop(m->dataset);
}

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

/* A memory type that picks this member alone. */
static hid_t picking(const char *name, hid_t type)
{
    hid_t pick = H5Tcreate(H5T_COMPOUND, H5Tget_size(type));

    if (pick >= 0 && H5Tinsert(pick, name, 0, type) < 0) {
        scs_h5_drop(pick);
        return H5I_INVALID_HID;
    }
    return pick;
}

static scs_status member_strings(const scs_h5 *h5, const char *path, const char *name,
                                 const member *m, scs_names *names)
{
    scs_h5_text text;
    scs_status st;

    SCS_REQUIRE(m->kind == H5T_STRING, SCS_EDATA, "%s: column %s of %s must be text", h5->path,
                name, path);
    text = scs_h5_text_of(m->type, m->n);
    text.type = picking(name, m->type);
    SCS_REQUIRE(text.type >= 0, SCS_EDATA, "%s: column %s of %s is damaged", h5->path, name, path);
    st = scs_h5_read_text(h5, path, m->dataset, &text, names);
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

/* @param type in memory */
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

/* @param also the type that may stand beside integers  @param what it holds, in words */
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

scs_status scs_h5_member_type(const scs_h5 *h5, const char *path, const char *name,
                              H5T_class_t *type)
{
    member m;

    SCS_TRY(open_member(h5, path, name, &m));
    *type = m.kind;
    drop_member(&m);
    return SCS_OK;
}

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
