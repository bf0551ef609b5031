/* Columns of obs and var, in every layout that AnnData has had.
 *
 * A frame is a group of columns (anndata 0.7 on) or one compound dataset (before). A column in it
 * is one of
 *
 *   values        a dataset of text, integers, booleans (HDF5 enumerations) or floats
 *   nullable      a group of values and mask (pandas' Int64, boolean, string)
 *   categorical   a group of categories and codes; or codes beside __categories/NAME; or (before
 *                 0.7) a member of the compound obs with its categories in uns/NAME_categories
 *
 * and becomes one of three things: names of rows, labels (categories and a code for each cell),
 * or numbers, such as doses. Plain text, integers and booleans become labels as pandas would make a
 * categorical of them; floats are refused as labels. Text is printed as Python prints it, so that a
 * label reads as it does in a notebook.
 *
 * Runs in the sandbox; every dataset is opened through src/hdf5/h5read.c, which refuses links,
 * external storage and shapes that do not fit. All functions are Local.
 */
#include "src/base/text.h"
#include "src/data/h5ad.h"
#include "src/data/h5ad_internal.h"
#include "src/hdf5/h5read.h"
#include "src/hdf5/h5text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- a column's values ---- */

typedef enum column_kind { COLUMN_TEXT, COLUMN_INTEGER, COLUMN_BOOLEAN, COLUMN_FLOAT } column_kind;

/* One column's values as they stand in the file. Owned; zeroed is empty. */
typedef struct frame_column {
    int64_t n;
    int kind;        /* column_kind */
    scs_names text;  /* [n] if TEXT */
    int64_t *number; /* [n] if INTEGER or BOOLEAN */
    double *real;    /* [n] if FLOAT */
    int64_t *mask;   /* [n] not 0 = missing; NULL = none is missing */
} frame_column;

static void column_clear(frame_column *column)
{
    scs_names_clear(&column->text);
    free(column->number);
    free(column->real);
    free(column->mask);
    *column = (frame_column){0};
}

/* @param[out] kind column_kind; an enumeration is how h5py stores booleans */
static scs_status kind_of(H5T_class_t type, int *kind)
{
    *kind = type == H5T_STRING    ? COLUMN_TEXT
            : type == H5T_INTEGER ? COLUMN_INTEGER
            : type == H5T_ENUM    ? COLUMN_BOOLEAN
            : type == H5T_FLOAT   ? COLUMN_FLOAT
                                  : -1;
    SCS_REQUIRE(*kind >= 0, SCS_EDATA, "holds neither text nor numbers");
    return SCS_OK;
}

/* Nearest number that a float16 holds: 11 significant bits, steps of 2^-24 at least. */
static double to_half(double value)
{
    int exponent;
    double step;

    (void)frexp(value, &exponent);
    step = ldexp(1, exponent - 11 > -24 ? exponent - 11 : -24);
    return nearbyint(value / step) * step;
}

/* What a number in a type of so many bytes was meant to be: the fewest digits that read back as
 * the same number of that type, as numpy prints it. 0.1 as float32 is not 0.10000000149011612.
 * Whole numbers are exact and stay. */
static double meant(double value, size_t size)
{
    char text[40];

    if (size >= sizeof(double) || !isfinite(value) || value == rint(value))
        return value;
    for (int digits = 1; digits <= 9; digits++) {
        double shorter;

        snprintf(text, sizeof text, "%.*g", digits, value);
        shorter = strtod(text, NULL);
        if (size == 2 ? to_half(shorter) == value : (float)shorter == (float)value)
            return shorter;
    }
    return value;
}

static void shorten(frame_column *column, size_t size)
{
    for (int64_t i = 0; i < column->n; i++)
        column->real[i] = meant(column->real[i], size);
}

/* Values of a dataset whose kind and length are known. Integers of any width become int64. */
static scs_status read_values(const scs_h5 *h5, const char *path, size_t size, frame_column *column)
{
    switch (column->kind) {
    case COLUMN_TEXT:
        return scs_h5_read_strings(h5, path, &column->text);
    case COLUMN_FLOAT:
        SCS_TRY(SCS_ALLOC(column->real, column->n));
        SCS_TRY(scs_h5_read_double(h5, path, 0, column->n, column->real));
        shorten(column, size);
        return SCS_OK;
    default:
        SCS_TRY(SCS_ALLOC(column->number, column->n));
        return scs_h5_read_int64(h5, path, 0, column->n, column->number);
    }
}

/* The member whose value this is; -1: none. Booleans have two, and factors of R some dozens. */
static scs_lidx member_of(const int64_t *value, scs_lidx n, int64_t number)
{
    for (scs_lidx i = 0; i < n; i++)
        if (value[i] == number)
            return i;
    return -1;
}

static bool are_booleans(const scs_names *names)
{
    for (scs_lidx i = 0; i < names->n; i++)
        if (strcmp(names->name[i], "FALSE") != 0 && strcmp(names->name[i], "TRUE") != 0 &&
            strcmp(names->name[i], "NA") != 0)
            return false;
    return true;
}

/* An enumeration's numbers by their names. h5py's booleans are FALSE and TRUE, to which hdf5r adds
 * NA; others are factors of R, whose levels are the members, and labels. What is no member, or NA,
 * is missing. */
static scs_status name_numbers(const scs_h5 *h5, const char *path, frame_column *column)
{
    scs_names names = {0};
    int64_t *value = NULL;
    bool booleans;
    scs_status st;

    SCS_GO(st, scs_h5_enum_members(h5, path, &names, &value));
    booleans = are_booleans(&names);
    SCS_GO(st, SCS_ALLOC(column->mask, column->n));
    for (int64_t i = 0; i < column->n; i++) {
        scs_lidx k = member_of(value, names.n, column->number[i]);

        column->mask[i] = k < 0 || strcmp(names.name[k], "NA") == 0;
        if (booleans)
            column->number[i] = k >= 0 && strcmp(names.name[k], "TRUE") == 0;
        else
            SCS_GO(st, scs_names_add(&column->text, k < 0 ? "" : names.name[k]));
    }
    if (!booleans) {
        column->kind = COLUMN_TEXT;
        free(column->number);
        column->number = NULL;
    }
done:
    free(value);
    scs_names_clear(&names);
    return st;
}

/* A 1-d dataset; its rank is the reader's to check. */
static scs_status read_dataset(const scs_h5 *h5, const char *path, frame_column *column)
{
    scs_h5_shape shape;

    SCS_TRY(scs_h5_shape_of(h5, path, &shape));
    if (kind_of(shape.type, &column->kind) != SCS_OK)
        return scs_context(SCS_EDATA, "%s: %s ", h5->path, path);
    column->n = shape.dim[0];
    SCS_TRY(read_values(h5, path, shape.size, column));
    return column->kind == COLUMN_BOOLEAN ? name_numbers(h5, path, column) : SCS_OK;
}

/* Values where the mask is not 0 are missing, whatever stands there. */
static scs_status read_nullable(const scs_h5 *h5, const char *group, frame_column *column)
{
    char *values = NULL, *mask = NULL;
    scs_status st = SCS_OK;

    SCS_GO(st, scs_h5_path(&values, "%s/values", group));
    SCS_GO(st, scs_h5_path(&mask, "%s/mask", group));
    SCS_GO(st, read_dataset(h5, values, column));
    free(column->mask);
    SCS_GO(st, SCS_ALLOC(column->mask, column->n));
    SCS_GO(st, scs_h5_read_int64(h5, mask, 0, column->n, column->mask));
done:
    free(values);
    free(mask);
    return st;
}

/* A dataset or a nullable group.
 *  @param[out] column empty after an error */
static scs_status read_dataset_column(const scs_h5 *h5, const char *path, frame_column *column)
{
    scs_status st;

    *column = (frame_column){0};
    st = scs_h5_is_group(h5, path) ? read_nullable(h5, path, column)
                                   : read_dataset(h5, path, column);
    if (st != SCS_OK)
        column_clear(column);
    return st;
}

/* One member of a compound dataset, for all rows. */
static scs_status read_member_values(const scs_h5 *h5, const char *path, const char *member,
                                     frame_column *column)
{
    scs_h5_shape shape;
    H5T_class_t type;
    size_t size;

    SCS_TRY(scs_h5_shape_of(h5, path, &shape));
    SCS_TRY(scs_h5_member_type(h5, path, member, &type, &size));
    if (kind_of(type, &column->kind) != SCS_OK)
        return scs_context(SCS_EDATA, "%s: column %s of %s ", h5->path, member, path);
    column->n = shape.dim[0];
    if (column->kind == COLUMN_TEXT)
        return scs_h5_read_member_strings(h5, path, member, &column->text);
    if (column->kind == COLUMN_FLOAT) {
        SCS_TRY(SCS_ALLOC(column->real, column->n));
        SCS_TRY(scs_h5_read_member_double(h5, path, member, column->real));
        shorten(column, size);
        return SCS_OK;
    }
    SCS_TRY(SCS_ALLOC(column->number, column->n));
    return scs_h5_read_member_int64(h5, path, member, column->number);
}

/* The same, with nothing left behind after an error. */
static scs_status read_compound_column(const scs_h5 *h5, const char *path, const char *member,
                                       frame_column *column)
{
    scs_status st;

    *column = (frame_column){0};
    st = read_member_values(h5, path, member, column);
    if (st != SCS_OK)
        column_clear(column);
    return st;
}

/* A column's values as labels. */

enum { NUMBER_MAX = 40 };

/* ---- values as text ---- */

/* As Python prints a float: the fewest digits that read back as the same number, 17 at most (IEEE
 * double), in fixed notation below 1e16, with ".0" on whole ones. */
static void real_text(double value, char out[NUMBER_MAX])
{
    int digits = 1, exponent;

    while (snprintf(out, NUMBER_MAX, "%.*e", digits - 1, value) > 0 && digits < 17 &&
           strtod(out, NULL) != value)
        digits++;
    if (!isfinite(value) || !strchr(out, 'e'))
        return;
    exponent = atoi(strchr(out, 'e') + 1);
    if (exponent < -4 || exponent >= 16)
        return;
    snprintf(out, NUMBER_MAX, "%.*f", digits - 1 > exponent ? digits - 1 - exponent : 0, value);
    if (!strchr(out, '.'))
        strcat(out, ".0");
}

/* Value i as Python prints it ("3", "True", "0.5").
 *  @param room for numbers
 *  @return room, or the column's own text */
static const char *value_text(const frame_column *column, int64_t i, char room[NUMBER_MAX])
{
    switch (column->kind) {
    case COLUMN_TEXT:
        return column->text.name[i];
    case COLUMN_BOOLEAN:
        return column->number[i] ? "True" : "False";
    case COLUMN_INTEGER:
        snprintf(room, NUMBER_MAX, "%lld", (long long)column->number[i]);
        return room;
    default:
        real_text(column->real[i], room);
        return room;
    }
}

/* @param[out] names every value as text, in the order of the rows */
static scs_status column_names(const frame_column *column, scs_names *names)
{
    char room[NUMBER_MAX];

    for (int64_t i = 0; i < column->n; i++)
        SCS_TRY(scs_names_add(names, value_text(column, i, room)));
    return SCS_OK;
}

/* ---- labels from values ---- */

/* A number and the row it comes from, to sort rows by. */
typedef struct numbered {
    int64_t number, at;
} numbered;

/* Ties by row, so that the order is the same with any qsort. */
static int by_number(const void *a, const void *b)
{
    const numbered *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* @param[out] order [n] rows in ascending order of their numbers; caller's memory */
static scs_status order_numbers(const frame_column *column, scs_lidx *order)
{
    numbered *entry;

    SCS_TRY(SCS_ALLOC(entry, column->n));
    for (int64_t i = 0; i < column->n; i++)
        entry[i] = (numbered){column->number[i], i};
    qsort(entry, (size_t)column->n, sizeof *entry, by_number);
    for (int64_t i = 0; i < column->n; i++)
        order[i] = (scs_lidx)entry[i].at;
    free(entry);
    return SCS_OK;
}

/* Rows in ascending order of their values.
 *  @param[out] order [n] malloc'ed, caller frees; nothing after an error */
static scs_status order_values(const frame_column *column, scs_lidx **order)
{
    scs_index index;
    scs_status st;

    if (column->kind == COLUMN_TEXT) {
        SCS_TRY(scs_names_index_create(&column->text, &index));
        *order = index.order;
        return SCS_OK;
    }
    SCS_TRY(SCS_ALLOC(*order, column->n));
    st = order_numbers(column, *order);
    if (st != SCS_OK)
        free(*order);
    return st;
}

/* Categories from rows in order: equal values stand beside one another, so comparing with the
 * last category is enough.
 *  @param[out] codes [n], -1 where the value is missing */
static scs_status assign_codes(const frame_column *column, const scs_lidx *order,
                               scs_names *categories, int32_t *codes)
{
    char room[NUMBER_MAX];

    for (int64_t i = 0; i < column->n; i++) {
        scs_lidx at = order[i];
        const char *text = value_text(column, at, room);
        codes[at] = -1;
        /* What stands under a mask is no category. */
        if (column->mask && column->mask[at])
            continue;
        if (categories->n == 0 || strcmp(categories->name[categories->n - 1], text) != 0)
            SCS_TRY(scs_names_add(categories, text));
        codes[at] = categories->n - 1;
    }
    return SCS_OK;
}

/* The distinct values in order (text by bytes, integers by size, False before True) and each
 * element's code, as pandas makes a categorical.
 *  @param[out] codes [n], -1 = missing
 *  @return SCS_EDATA for floats, with a message that goes behind the column's name */
static scs_status column_factorize(const frame_column *column, scs_names *categories,
                                   int32_t *codes)
{
    scs_lidx *order;
    scs_status st;

    SCS_REQUIRE(column->kind != COLUMN_FLOAT, SCS_EDATA,
                "holds floating-point numbers, which are no labels; make it a categorical or text "
                "(.astype(str)) and write the file again");
    SCS_REQUIRE(column->n <= INT32_MAX, SCS_EDATA, "holds too many values");
    SCS_TRY(order_values(column, &order));
    st = assign_codes(column, order, categories, codes);
    free(order);
    return st;
}

/* obs and var: a group of columns (since anndata 0.7) or one compound dataset (before). */

/* ---- frames ---- */

/* The member that a compound frame keeps its index in: "index", else the first text, as old
 * anndata read them.
 *  @param[out] name malloc'ed */
static scs_status compound_index(const scs_h5 *h5, const char *frame, char **name)
{
    scs_names members = {0};
    H5T_class_t type;
    scs_status st = SCS_OK;

    *name = NULL;
    SCS_GO(st, scs_h5_member_names(h5, frame, &members));
    if (scs_names_find(&members, "index") >= 0)
        SCS_GO(st, scs_text_copy("index", name));
    for (scs_lidx i = 0; !*name && i < members.n; i++) {
        SCS_GO(st, scs_h5_member_type(h5, frame, members.name[i], &type, NULL));
        if (type == H5T_STRING)
            SCS_GO(st, scs_text_copy(members.name[i], name));
    }
    if (!*name)
        SCS_GO(st, SCS_FAIL(SCS_EDATA, "%s: %s has no index column", h5->path, frame));
done:
    scs_names_clear(&members);
    return st;
}

/* @param[out] name malloc'ed: what the attribute _index says, "_index" where there is none */
static scs_status index_column(const scs_h5 *h5, const char *frame, char **name)
{
    bool found;

    if (!scs_h5_is_group(h5, frame))
        return compound_index(h5, frame, name);
    SCS_TRY(scs_h5_attr_text(h5, frame, "_index", name, &found));
    return found ? SCS_OK : scs_text_copy("_index", name);
}

/* The named column of a frame of either kind, where it is not categorical. */
static scs_status read_frame_column(const scs_h5 *h5, const char *frame, const char *name,
                                    frame_column *column)
{
    char *path = NULL;
    scs_status st;

    if (!scs_h5_is_group(h5, frame))
        return read_compound_column(h5, frame, name, column);
    SCS_TRY(scs_h5_path(&path, "%s/%s", frame, name));
    st = read_dataset_column(h5, path, column);
    free(path);
    return st;
}

/* Categories may themselves be numbers or booleans; they become text here. */
static scs_status read_categories(const scs_h5 *h5, const char *path, scs_names *categories)
{
    frame_column column;
    scs_status st;

    SCS_TRY(read_dataset_column(h5, path, &column));
    st = column_names(&column, categories);
    column_clear(&column);
    return st;
}

/* What adata.var.index = adata.var["feature_name"] leaves where the column has categories: a group
 * with the distinct names and each row's code. */
static scs_status read_categorical_index(const scs_h5 *h5, const char *path, const char *categories,
                                         const char *codes, scs_names *names)
{
    scs_names distinct = {0};
    scs_h5_shape shape;
    int64_t *code = NULL;
    scs_status st;

    SCS_GO(st, read_categories(h5, categories, &distinct));
    SCS_GO(st, scs_h5_shape_of(h5, codes, &shape));
    SCS_GO(st, SCS_ALLOC(code, shape.dim[0]));
    SCS_GO(st, scs_h5_read_int64(h5, codes, 0, shape.dim[0], code));
    for (int64_t i = 0; i < shape.dim[0]; i++) {
        if (code[i] < 0 || code[i] >= distinct.n)
            SCS_GO(st, SCS_FAIL(SCS_EDATA,
                                "%s: %s has no name in row %lld (code %lld of %d categories)",
                                h5->path, path, (long long)i, (long long)code[i], distinct.n));
        SCS_GO(st, scs_names_add(names, distinct.name[code[i]]));
    }
done:
    free(code);
    scs_names_clear(&distinct);
    return st;
}

/* *found is false where the index is of another kind. */
static scs_status find_categorical_index(const scs_h5 *h5, const char *frame, const char *name,
                                         scs_names *names, bool *found)
{
    char *path = NULL, *categories = NULL, *codes = NULL;
    scs_status st;

    *found = false;
    SCS_GO(st, scs_h5_path(&path, "%s/%s", frame, name));
    SCS_GO(st, scs_h5_path(&categories, "%s/categories", path));
    SCS_GO(st, scs_h5_path(&codes, "%s/codes", path));
    if (scs_h5_is_group(h5, frame) && scs_h5_is_group(h5, path))
        SCS_GO(st, scs_h5_look(h5, categories, found));
    if (*found)
        SCS_GO(st, read_categorical_index(h5, path, categories, codes, names));
done:
    free(path);
    free(categories);
    free(codes);
    return st;
}

/* An index is data of the file like any other: integers (a RangeIndex) become text, as pandas
 * prints them. */
scs_status scs_h5ad_obs_names(const scs_h5 *h5, const char *frame, const char *name,
                              scs_names *names)
{
    frame_column column = {0};
    bool categorical;
    scs_status st;

    SCS_GO(st, find_categorical_index(h5, frame, name, names, &categorical));
    if (categorical)
        goto done;
    SCS_GO(st, read_frame_column(h5, frame, name, &column));
    for (int64_t i = 0; column.mask && i < column.n; i++)
        if (column.mask[i])
            SCS_GO(st, SCS_FAIL(SCS_EDATA, "%s: the index %s of %s has no name in row %lld",
                                h5->path, name, frame, (long long)i));
    if (column.kind == COLUMN_FLOAT)
        SCS_GO(st,
               SCS_FAIL(SCS_EDATA, "%s: the index of %s holds floating-point numbers, not names",
                        h5->path, frame));
    SCS_GO(st, column_names(&column, names));
done:
    column_clear(&column);
    return st;
}

scs_status scs_h5ad_obs_index(const scs_h5 *h5, const char *frame, scs_names *names)
{
    char *name = NULL;
    scs_status st;

    SCS_GO(st, index_column(h5, frame, &name));
    SCS_GO(st, scs_h5ad_obs_names(h5, frame, name, names));
done:
    free(name);
    return st;
}

/* A frame's columns by its attribute column-order, as anndata lists them: a column named "a/b" is
 * the member b of a group a. Its members where it has none. */
static scs_status list_columns(const scs_h5 *h5, const char *frame, scs_names *all)
{
    bool found = false;

    if (!scs_h5_is_group(h5, frame))
        return scs_h5_member_names(h5, frame, all);
    SCS_TRY(scs_h5_attr_texts(h5, frame, "column-order", all, &found));
    return found ? SCS_OK : scs_h5_members(h5, frame, all);
}

/* "__categories" is where anndata 0.7 kept categories, not a column. */
scs_status scs_h5ad_obs_columns(const scs_h5 *h5, const char *frame, scs_names *names)
{
    scs_names all = {0};
    char *index = NULL;
    scs_status st = SCS_OK;

    SCS_GO(st, index_column(h5, frame, &index));
    SCS_GO(st, list_columns(h5, frame, &all));
    for (scs_lidx i = 0; i < all.n; i++)
        if (strcmp(all.name[i], index) != 0 && strcmp(all.name[i], "__categories") != 0)
            SCS_GO(st, scs_names_add(names, all.name[i]));
done:
    scs_names_clear(&all);
    free(index);
    return st;
}

/* Its values may be missing, as an index's are not. */
static scs_status check_named(const scs_h5 *h5, const char *frame, const char *column,
                              const scs_names *names)
{
    for (scs_lidx i = 0; i < names->n; i++)
        SCS_REQUIRE(*names->name[i], SCS_EDATA,
                    "%s: %s/%s has no name in row %d; choose another data.gene_column", h5->path,
                    frame, column, i);
    return SCS_OK;
}

/* Before anndata 0.8 categories of a column stood beside it, in __categories. */
scs_status scs_h5ad_obs_gene_names(const scs_h5 *h5, const char *frame, const char *column,
                                   scs_names *names)
{
    scs_names columns = {0};
    char *categories = NULL, *codes = NULL, list[SCS_MESSAGE_MAX / 2];
    const char *near;
    bool beside = false;
    scs_status st;

    SCS_GO(st, scs_h5ad_obs_columns(h5, frame, &columns));
    near = scs_names_nearest(&columns, column);
    scs_names_list(&columns, 20, list, sizeof list);
    if (scs_names_find(&columns, column) < 0)
        SCS_GO(st,
               SCS_FAIL(SCS_EDATA, "%s: %s has no column %s (data.gene_column)%s%s%s; it has: %s",
                        h5->path, frame, column, near ? "; did you mean " : "", near ? near : "",
                        near ? "?" : "", columns.n ? list : "none"));
    SCS_GO(st, scs_h5_path(&categories, "%s/__categories/%s", frame, column));
    SCS_GO(st, scs_h5_path(&codes, "%s/%s", frame, column));
    if (scs_h5_is_group(h5, frame))
        SCS_GO(st, scs_h5_look(h5, categories, &beside));
    SCS_GO(st, beside ? read_categorical_index(h5, codes, categories, codes, names)
                      : scs_h5ad_obs_names(h5, frame, column, names));
    SCS_GO(st, check_named(h5, frame, column, names));
done:
    free(categories);
    free(codes);
    scs_names_clear(&columns);
    return st;
}

/* ---- one column of obs ---- */

/* A dataset may be of any length; obs has one value for each row of the matrix. */
static scs_status check_length(const scs_h5 *h5, const char *column, int64_t n, int64_t n_obs)
{
    SCS_REQUIRE(n == n_obs, SCS_EDATA, "%s: obs column %s has %lld values for %lld cells", h5->path,
                column, (long long)n, (long long)n_obs);
    return SCS_OK;
}

/* A name that obs lacks is most often a typing error: the refusal has the nearest name and the
 * list. */
static scs_status require_column(const scs_h5 *h5, const char *frame, const char *column,
                                 const scs_names *columns)
{
    char list[SCS_MESSAGE_MAX / 2];
    const char *near = scs_names_nearest(columns, column);

    if (scs_names_find(columns, column) >= 0)
        return SCS_OK;
    scs_names_list(columns, 20, list, sizeof list);
    SCS_REQUIRE(
        columns->n > 0, SCS_EDATA,
        "%s: holds no labels of cells, so no column %s: join a table of them (data.labels), "
        "or give the file a constant in data.inputs",
        h5->path, column);
    return SCS_FAIL(SCS_EDATA, "%s: %s has no column %s%s%s%s; it has: %s", h5->path, frame, column,
                    near ? " (did you mean " : "", near ? near : "", near ? "?)" : "", list);
}

/* An obs column as labels: categories and codes in AnnData's three layouts, or plain values. */

/* HDF5 paths of a categorical column; owned. codes is NULL where they are a member of the
 * compound obs, categories where the column is not categorical. */
typedef struct categorical {
    char *categories, *codes;
} categorical;

/* @param[out] path group + between + column + after where something stands there, else left as it
 *         is (NULL) */
static scs_status find_path(const scs_h5 *h5, const char *group, const char *between,
                            const char *column, const char *after, char **path)
{
    char *tried = NULL;
    bool found = false;
    scs_status st;

    SCS_TRY(scs_h5_path(&tried, "%s%s%s%s", group, between, column, after));
    st = scs_h5_look(h5, tried, &found);
    if (found && st == SCS_OK)
        *path = tried;
    else
        free(tried);
    return st;
}

/* Tries the three places in turn.
 *  @param[out] p zeroed before */
static scs_status find_categorical(const scs_h5 *h5, const char *frame, const char *column,
                                   categorical *p)
{
    /* A compound obs: members, with categories in uns. */
    if (!scs_h5_is_group(h5, frame))
        return find_path(h5, "uns", "/", column, "_categories", &p->categories);
    SCS_TRY(find_path(h5, frame, "/", column, "/categories", &p->categories));
    if (p->categories)
        return scs_h5_path(&p->codes, "%s/%s/codes", frame, column);
    SCS_TRY(find_path(h5, frame, "/__categories/", column, "", &p->categories));
    return p->categories ? scs_h5_path(&p->codes, "%s/%s", frame, column) : SCS_OK;
}

static void free_categorical(categorical *p)
{
    free(p->categories);
    free(p->codes);
}

/* @param[out] plain false where the column is categorical; nothing is read then */
static scs_status read_plain_column(const scs_h5 *h5, const char *frame, const char *name,
                                    bool *plain, frame_column *column)
{
    categorical p = {0};
    scs_status st = find_categorical(h5, frame, name, &p);

    *plain = !p.categories;
    free_categorical(&p);
    SCS_TRY(st);
    return *plain ? read_frame_column(h5, frame, name, column) : SCS_OK;
}

/* ---- as labels ---- */

/* Codes that do not fit into int32 become INT32_MAX, which is out of range whatever the number of
 * categories: check_codes refuses it. */
static void narrow_codes(const int64_t *wide, int64_t n, int32_t *codes)
{
    for (int64_t i = 0; i < n; i++)
        codes[i] = wide[i] < -1 || wide[i] > INT32_MAX ? INT32_MAX : (int32_t)wide[i];
}

/* Codes of the compound obs.
 *  @param[out] codes [n] */
static scs_status read_member_codes(const scs_h5 *h5, const char *frame, const char *column,
                                    int64_t n, int32_t *codes)
{
    scs_h5_shape shape;
    int64_t *wide = NULL;
    scs_status st = SCS_OK;

    SCS_TRY(scs_h5_shape_of(h5, frame, &shape));
    SCS_REQUIRE(shape.dim[0] == n, SCS_EDATA, "%s: %s has %lld rows, not %lld", h5->path, frame,
                (long long)shape.dim[0], (long long)n);
    SCS_TRY(SCS_ALLOC(wide, n));
    SCS_GO(st, scs_h5_read_member_int64(h5, frame, column, wide));
    narrow_codes(wide, n, codes);
done:
    free(wide);
    return st;
}

/* The code of a cell as the file has it, for a message: read again, as it may not fit into int32.
 */
static long long code_of(const scs_h5 *h5, const char *frame, const categorical *p,
                         const scs_labels *labels, int64_t n_obs, int64_t cell)
{
    long long code = labels->codes[cell];
    int64_t *wide;

    if (p->codes)
        return scs_h5_unclipped(h5, p->codes, cell, labels->codes[cell]);
    if (SCS_ALLOC(wide, n_obs) != SCS_OK)
        return code;
    if (scs_h5_read_member_int64(h5, frame, labels->column, wide) == SCS_OK)
        code = wide[cell];
    free(wide);
    return code;
}

/* Codes are used as indices by everything after the sandbox, and a category that stands twice
 * would make two groups of one. */
static scs_status check_codes(const scs_h5 *h5, const char *frame, const categorical *p,
                              int64_t n_obs, const scs_labels *labels)
{
    scs_index index;
    scs_lidx twice;

    SCS_TRY(scs_names_index_create(&labels->categories, &index));
    twice = scs_names_index_duplicate(&index);
    scs_names_index_clear(&index);
    SCS_REQUIRE(twice < 0, SCS_EDATA, "%s: obs column %s has the category %s twice", h5->path,
                labels->column, labels->categories.name[twice]);
    for (int64_t i = 0; i < n_obs; i++)
        SCS_REQUIRE(labels->codes[i] >= -1 && labels->codes[i] < labels->categories.n, SCS_EDATA,
                    "%s: obs column %s: cell row %lld has the code %lld, which none of the %d "
                    "categories has; re-save the file with anndata",
                    h5->path, labels->column, (long long)i, code_of(h5, frame, p, labels, n_obs, i),
                    labels->categories.n);
    return SCS_OK;
}

/* @param[out] labels codes has room for n_obs */
static scs_status read_categorical(const scs_h5 *h5, const char *frame, const categorical *p,
                                   int64_t n_obs, scs_labels *labels)
{
    scs_h5_shape shape;

    SCS_TRY(read_categories(h5, p->categories, &labels->categories));
    if (!p->codes)
        return read_member_codes(h5, frame, labels->column, n_obs, labels->codes);
    SCS_TRY(scs_h5_shape_of(h5, p->codes, &shape));
    SCS_TRY(check_length(h5, labels->column, shape.dim[0], n_obs));
    return scs_h5_read_int32(h5, p->codes, 0, n_obs, labels->codes);
}

/* The same from plain values. */
static scs_status read_values_as_labels(const scs_h5 *h5, const char *frame, int64_t n_obs,
                                        scs_labels *labels)
{
    frame_column column;
    scs_status st = SCS_OK;

    SCS_TRY(read_frame_column(h5, frame, labels->column, &column));
    SCS_GO(st, check_length(h5, labels->column, column.n, n_obs));
    st = column_factorize(&column, &labels->categories, labels->codes);
    if (st != SCS_OK)
        st = scs_context(st, "%s: obs column %s ", h5->path, labels->column);
done:
    column_clear(&column);
    return st;
}

void scs_h5ad_obs_labels_clear(scs_labels *labels)
{
    free(labels->column);
    free(labels->codes);
    scs_names_clear(&labels->categories);
}

/* Whatever the layout, codes are checked in the end: what leaves the sandbox is in range. */
scs_status scs_h5ad_obs_labels(const scs_h5 *h5, const char *frame, const char *column,
                               int64_t n_obs, const scs_names *columns, scs_labels *labels)
{
    categorical p = {0};
    scs_status st = SCS_OK;

    if (!column || !*column)
        return SCS_OK;
    SCS_TRY(require_column(h5, frame, column, columns));
    SCS_GO(st, scs_text_copy(column, &labels->column));
    SCS_GO(st, SCS_ALLOC(labels->codes, n_obs));
    SCS_GO(st, find_categorical(h5, frame, column, &p));
    SCS_GO(st, p.categories ? read_categorical(h5, frame, &p, n_obs, labels)
                            : read_values_as_labels(h5, frame, n_obs, labels));
    SCS_GO(st, check_codes(h5, frame, &p, n_obs, labels));
done:
    free_categorical(&p);
    return st;
}

/* An obs column as numbers: plain ones, or labels that read as numbers. */

/* ---- as numbers ---- */

/* What pandas writes for a missing number is one: NaN, and true. */
bool scs_h5ad_obs_parse_number(const char *label, double *value)
{
    char *end;

    *value = NAN;
    if (!*label || strcasecmp(label, "NA") == 0 || strcasecmp(label, "NaN") == 0)
        return true;
    *value = strtod(label, &end);
    return end != label && *end == '\0';
}

/* @param what "dose", for the message
 *  @param n cells
 *  @param[out] value [n] */
static scs_status labels_to_numbers(const scs_h5 *h5, const scs_labels *labels, const char *what,
                                    int64_t n, double *value)
{
    const char *more = strcmp(what, "dose") == 0 ? " of 0 or more" : "";
    char label[200];

    for (int64_t i = 0; i < n; i++) {
        const char *text = labels->codes[i] < 0 ? "" : labels->categories.name[labels->codes[i]];

        SCS_REQUIRE(scs_h5ad_obs_parse_number(text, &value[i]), SCS_EDATA,
                    "%s: obs column %s, cell row %lld: '%s' is no %s; expected a number%s",
                    h5->path, labels->column, (long long)i,
                    scs_text_escape(text, label, sizeof label), what, more);
    }
    return SCS_OK;
}

/* Numbers that are stored as text, integers or a categorical. */
static scs_status read_label_numbers(const scs_h5 *h5, const char *frame, const char *column,
                                     const char *what, int64_t n_obs, const scs_names *columns,
                                     double *value)
{
    scs_labels labels = {0};
    scs_status st;

    SCS_GO(st, scs_h5ad_obs_labels(h5, frame, column, n_obs, columns, &labels));
    SCS_GO(st, labels_to_numbers(h5, &labels, what, n_obs, value));
done:
    scs_h5ad_obs_labels_clear(&labels);
    return st;
}

/* Numbers that are stored as floats; a masked value is missing. */
static scs_status read_float_numbers(const scs_h5 *h5, const char *name, const frame_column *column,
                                     int64_t n_obs, double *value)
{
    SCS_TRY(check_length(h5, name, column->n, n_obs));
    for (int64_t i = 0; i < n_obs; i++)
        value[i] = column->mask && column->mask[i] ? NAN : column->real[i];
    return SCS_OK;
}

/* Floats are taken as they are; all else goes through labels, so that a categorical of numbers
 * and a column of text are one case. */
scs_status scs_h5ad_obs_numbers(const scs_h5 *h5, const char *frame, const char *column,
                                const char *what, int64_t n_obs, const scs_names *columns,
                                double **value)
{
    frame_column values = {0};
    bool plain = false;
    scs_status st = SCS_OK;

    SCS_GO(st, require_column(h5, frame, column, columns));
    SCS_GO(st, SCS_ALLOC(*value, n_obs));
    SCS_GO(st, read_plain_column(h5, frame, column, &plain, &values));
    st = plain && values.kind == COLUMN_FLOAT
             ? read_float_numbers(h5, column, &values, n_obs, *value)
             : read_label_numbers(h5, frame, column, what, n_obs, columns, *value);
done:
    column_clear(&values);
    return st;
}

/* ---- as it stands ---- */

static bool has_missing(const frame_column *values)
{
    for (int64_t i = 0; values->mask && i < values->n; i++)
        if (values->mask[i])
            return true;
    return false;
}

/* Numbers, of which some may be missing. @param[out] number [n] */
static scs_status take_numbers(const frame_column *values, double **number)
{
    SCS_TRY(SCS_ALLOC(*number, values->n));
    for (int64_t i = 0; i < values->n; i++)
        (*number)[i] = values->mask && values->mask[i] ? NAN
                       : values->kind == COLUMN_FLOAT  ? values->real[i]
                                                       : (double)values->number[i];
    return SCS_OK;
}

/* What was read goes to the column, but for what has to become something else. */
static scs_status take_values(frame_column *values, bool missing, scs_obs_column *column)
{
    switch (values->kind) {
    case COLUMN_TEXT:
        column->kind = SCS_OBS_TEXT;
        column->text = values->text;
        values->text = (scs_names){0};
        return SCS_OK;
    case COLUMN_FLOAT:
        column->kind = SCS_OBS_NUMBER;
        return take_numbers(values, &column->number);
    default:
        column->kind = missing                          ? SCS_OBS_NUMBER
                       : values->kind == COLUMN_BOOLEAN ? SCS_OBS_BOOLEAN
                                                        : SCS_OBS_INTEGER;
        if (missing)
            return take_numbers(values, &column->number);
        column->integer = values->number;
        values->number = NULL;
        return SCS_OK;
    }
}

/* Labels are read by the function that reads those of a run. */
static scs_status take_labels(const scs_h5 *h5, const char *frame, const char *name, int64_t n_obs,
                              const scs_names *columns, scs_obs_column *column)
{
    scs_labels labels = {0};
    scs_status st;

    SCS_GO(st, scs_h5ad_obs_labels(h5, frame, name, n_obs, columns, &labels));
    column->kind = SCS_OBS_LABELS;
    column->text = labels.categories;
    column->code = labels.codes;
    labels.categories = (scs_names){0};
    labels.codes = NULL;
done:
    scs_h5ad_obs_labels_clear(&labels);
    return st;
}

scs_status scs_h5ad_obs_column(const scs_h5 *h5, const char *frame, const char *name, int64_t n_obs,
                               const scs_names *columns, scs_obs_column *column)
{
    frame_column values = {0};
    bool plain = false, missing;
    scs_status st;

    SCS_TRY(scs_text_copy(name, &column->name));
    SCS_GO(st, read_plain_column(h5, frame, name, &plain, &values));
    missing = has_missing(&values);
    if (plain)
        SCS_GO(st, check_length(h5, name, values.n, n_obs));
    if (!plain || (missing && (values.kind == COLUMN_TEXT || values.kind == COLUMN_BOOLEAN)))
        SCS_GO(st, take_labels(h5, frame, name, n_obs, columns, column));
    else
        SCS_GO(st, take_values(&values, missing, column));
done:
    column_clear(&values);
    return st;
}
