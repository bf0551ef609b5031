/* obs and var: a group of columns (since anndata 0.7) or one compound dataset (before). */
#include "src/h5ad_parts.h"

#include "src/column.h"
#include "src/h5path.h"
#include "src/text.h"

#include <stdlib.h>
#include <string.h>

/* The column that a compound frame keeps its index in: "index", else the first text. */
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
        SCS_GO(st, scs_h5_member_type(h5, frame, members.name[i], &type));
        if (type == H5T_STRING)
            SCS_GO(st, scs_text_copy(members.name[i], name));
    }
    if (!*name)
        SCS_GO(st, SCS_FAIL(SCS_EDATA, "%s: %s has no index column", h5->path, frame));
done:
    scs_names_clear(&members);
    return st;
}

static scs_status index_column(const scs_h5 *h5, const char *frame, char **name)
{
    bool found;

    if (!scs_h5_is_group(h5, frame))
        return compound_index(h5, frame, name);
    SCS_TRY(scs_h5_attr_text(h5, frame, "_index", name, &found));
    return found ? SCS_OK : scs_text_copy("_index", name);
}

static scs_status read_index_column(const scs_h5 *h5, const char *frame, const char *name,
                                    scs_column *column)
{
    char *path = NULL;
    scs_status st;

    if (!scs_h5_is_group(h5, frame))
        return scs_column_read_member(h5, frame, name, column);
    SCS_TRY(scs_h5_path(&path, "%s/%s", frame, name));
    st = scs_column_read(h5, path, column);
    free(path);
    return st;
}

scs_status scs_frame_index(const scs_h5 *h5, const char *frame, scs_names *names)
{
    char *name = NULL;
    scs_column column = {0};
    scs_status st = SCS_OK;

    SCS_GO(st, index_column(h5, frame, &name));
    SCS_GO(st, read_index_column(h5, frame, name, &column));
    if (column.kind == SCS_COLUMN_FLOAT)
        SCS_GO(st,
               SCS_FAIL(SCS_EDATA, "%s: the index of %s holds floating-point numbers, not names",
                        h5->path, frame));
    SCS_GO(st, scs_column_names(&column, names));
done:
    scs_column_clear(&column);
    free(name);
    return st;
}

scs_status scs_frame_columns(const scs_h5 *h5, const char *frame, scs_names *names)
{
    scs_names all = {0};
    char *index = NULL;
    scs_status st = SCS_OK;

    SCS_GO(st, index_column(h5, frame, &index));
    SCS_GO(st, scs_h5_is_group(h5, frame) ? scs_h5_members(h5, frame, &all)
                                          : scs_h5_member_names(h5, frame, &all));
    for (scs_lidx i = 0; i < all.n; i++)
        if (strcmp(all.name[i], index) != 0 && strcmp(all.name[i], "__categories") != 0)
            SCS_GO(st, scs_names_add(names, all.name[i]));
done:
    scs_names_clear(&all);
    free(index);
    return st;
}
