/* An obs column as labels: categories and codes in AnnData's three layouts, or plain values. */
#include "src/h5ad_parts.h"

#include "src/column.h"
#include "src/h5path.h"
#include "src/text.h"

#include <stdlib.h>
#include <string.h>

/* Where a categorical column keeps its parts; codes is NULL when they are a member of the compound
 * obs. */
typedef struct parts {
    char *categories, *codes;
} parts;

static void free_parts(parts *p)
{
    free(p->categories);
    free(p->codes);
}

scs_status scs_obs_require(const scs_h5 *h5, const char *column, const scs_names *columns)
{
    char list[SCS_MESSAGE_MAX / 2];
    const char *near = scs_names_nearest(columns, column);

    if (scs_names_find(columns, column) >= 0)
        return SCS_OK;
    scs_names_list(columns, 20, list, sizeof list);
    return SCS_FAIL(SCS_EDATA, "%s: obs has no column %s%s%s%s; it has: %s", h5->path, column,
                    near ? " (did you mean " : "", near ? near : "", near ? "?)" : "",
                    columns->n ? list : "none");
}

/* Sets the path when something stands there, leaves it NULL otherwise. */
static scs_status find(const scs_h5 *h5, const char *before, const char *column, const char *after,
                       char **path)
{
    char *tried = NULL;
    bool found = false;
    scs_status st;

    SCS_TRY(scs_h5_path(&tried, "%s%s%s", before, column, after));
    st = scs_h5_look(h5, tried, &found);
    if (found && st == SCS_OK)
        *path = tried;
    else
        free(tried);
    return st;
}

/* Sets the paths when the column is categorical, leaves them NULL when its values stand there
 * themselves. */
static scs_status find_parts(const scs_h5 *h5, const char *column, parts *p)
{
    if (!scs_h5_is_group(h5, "obs"))
        return find(h5, "uns/", column, "_categories", &p->categories);
    SCS_TRY(find(h5, "obs/", column, "/categories", &p->categories));
    if (p->categories)
        return scs_h5_path(&p->codes, "obs/%s/codes", column);
    SCS_TRY(find(h5, "obs/__categories/", column, "", &p->categories));
    return p->categories ? scs_h5_path(&p->codes, "obs/%s", column) : SCS_OK;
}

static scs_status read_categories(const scs_h5 *h5, const char *path, scs_names *categories)
{
    scs_column column;
    scs_status st;

    SCS_TRY(scs_column_read(h5, path, &column));
    st = scs_column_names(&column, categories);
    scs_column_clear(&column);
    return st;
}

/* Integers that do not fit become a code that is out of range, whatever the number of categories.
 */
static void narrow(const int64_t *wide, int64_t n, int32_t *codes)
{
    for (int64_t i = 0; i < n; i++)
        codes[i] = wide[i] < -1 || wide[i] > INT32_MAX ? INT32_MAX : (int32_t)wide[i];
}

static scs_status read_member_codes(const scs_h5 *h5, const char *column, int64_t n, int32_t *codes)
{
    scs_h5_shape shape;
    int64_t *wide = NULL;
    scs_status st = SCS_OK;

    SCS_TRY(scs_h5_shape_of(h5, "obs", &shape));
    SCS_REQUIRE(shape.dim[0] == n, SCS_EDATA, "%s: obs has %lld rows, not %lld", h5->path,
                (long long)shape.dim[0], (long long)n);
    SCS_TRY(SCS_ALLOC(wide, n));
    SCS_GO(st, scs_h5_read_member_int64(h5, "obs", column, wide));
    narrow(wide, n, codes);
done:
    free(wide);
    return st;
}

scs_status scs_obs_check_length(const scs_h5 *h5, const char *column, int64_t n, int64_t n_obs)
{
    SCS_REQUIRE(n == n_obs, SCS_EDATA, "%s: obs column %s has %lld values for %lld cells", h5->path,
                column, (long long)n, (long long)n_obs);
    return SCS_OK;
}

static scs_status check_codes(const scs_h5 *h5, int64_t n_obs, const scs_labels *labels)
{
    scs_index index;
    scs_lidx twice;

    SCS_TRY(scs_index_create(&labels->categories, &index));
    twice = scs_index_duplicate(&index);
    scs_index_clear(&index);
    SCS_REQUIRE(twice < 0, SCS_EDATA, "%s: obs column %s has the category %s twice", h5->path,
                labels->column, labels->categories.name[twice]);
    for (int64_t i = 0; i < n_obs; i++)
        SCS_REQUIRE(labels->codes[i] >= -1 && labels->codes[i] < labels->categories.n, SCS_EDATA,
                    "%s: obs column %s: cell row %lld has a code that none of the %d categories "
                    "has; re-save the file with anndata",
                    h5->path, labels->column, (long long)i, labels->categories.n);
    return SCS_OK;
}

static scs_status read_categorical(const scs_h5 *h5, const parts *p, int64_t n_obs,
                                   scs_labels *labels)
{
    scs_h5_shape shape;

    SCS_TRY(read_categories(h5, p->categories, &labels->categories));
    if (!p->codes)
        return read_member_codes(h5, labels->column, n_obs, labels->codes);
    SCS_TRY(scs_h5_shape_of(h5, p->codes, &shape));
    SCS_TRY(scs_obs_check_length(h5, labels->column, shape.dim[0], n_obs));
    return scs_h5_read_int32(h5, p->codes, 0, n_obs, labels->codes);
}

static scs_status read_column(const scs_h5 *h5, const char *name, scs_column *column)
{
    char *path = NULL;
    scs_status st;

    if (!scs_h5_is_group(h5, "obs"))
        return scs_column_read_member(h5, "obs", name, column);
    SCS_TRY(scs_h5_path(&path, "obs/%s", name));
    st = scs_column_read(h5, path, column);
    free(path);
    return st;
}

static scs_status read_plain(const scs_h5 *h5, int64_t n_obs, scs_labels *labels)
{
    scs_column column;
    scs_status st = SCS_OK;

    SCS_TRY(read_column(h5, labels->column, &column));
    SCS_GO(st, scs_obs_check_length(h5, labels->column, column.n, n_obs));
    st = scs_column_factorize(&column, &labels->categories, labels->codes);
    if (st != SCS_OK)
        st = scs_context(st, "%s: obs column %s ", h5->path, labels->column);
done:
    scs_column_clear(&column);
    return st;
}

scs_status scs_obs_column(const scs_h5 *h5, const char *name, bool *plain, scs_column *column)
{
    parts p = {0};
    scs_status st = find_parts(h5, name, &p);

    *plain = !p.categories;
    free_parts(&p);
    SCS_TRY(st);
    return *plain ? read_column(h5, name, column) : SCS_OK;
}

scs_status scs_obs_labels(const scs_h5 *h5, const char *column, int64_t n_obs,
                          const scs_names *columns, scs_labels *labels)
{
    parts p = {0};
    scs_status st = SCS_OK;

    if (!column || !*column)
        return SCS_OK;
    SCS_TRY(scs_obs_require(h5, column, columns));
    SCS_GO(st, scs_text_copy(column, &labels->column));
    SCS_GO(st, SCS_ALLOC(labels->codes, n_obs));
    SCS_GO(st, find_parts(h5, column, &p));
    SCS_GO(st,
           p.categories ? read_categorical(h5, &p, n_obs, labels) : read_plain(h5, n_obs, labels));
    SCS_GO(st, check_codes(h5, n_obs, labels));
done:
    free_parts(&p);
    return st;
}
