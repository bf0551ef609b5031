/** AnnData's encodings (src/hdf5/h5anndata.h has the list): the data by src/hdf5/h5write.c, then
 *  the attributes that tell anndata what it is.
 *
 *  The versions are those that anndata writes since 0.8; the specification is its page "On-disk
 *  format" (element "encoding-type" and "encoding-version"). A reader that does not know a version
 *  refuses the element, so they are changed here only together with tests/e2e/result_file.sh, which
 *  opens the files with anndata itself.
 */
#include "src/hdf5/h5anndata.h"

#include "src/base/names.h"
#include "src/hdf5/h5write.h"

#include <hdf5.h>
#include <stdlib.h>

scs_status scs_h5_encoding(hid_t file, const char *path, const char *type, const char *version)
{
    SCS_TRY(scs_h5_attr_write_text(file, path, "encoding-type", type));
    return scs_h5_attr_write_text(file, path, "encoding-version", version);
}

/* An empty mapping: what stands in it is written beside it, and needs no list of keys. */
scs_status scs_h5_dict(hid_t file, const char *path)
{
    SCS_TRY(scs_h5_group(file, path));
    return scs_h5_encoding(file, path, "dict", "0.1.0");
}

/* anndata takes a file without these as one that lacks them; with them it is complete from its
 * first byte on, and rows may be added under layers and obsm. */
scs_status scs_h5_anndata(hid_t file)
{
    static const char *const groups[] = {"layers", "obsm", "obsp", "uns", "varm", "varp"};

    SCS_TRY(scs_h5_encoding(file, "/", "anndata", "0.1.0"));
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        SCS_TRY(scs_h5_dict(file, groups[i]));
    return SCS_OK;
}

scs_status scs_h5_array(hid_t file, const char *path, hid_t type, int rank, const int64_t *dims,
                        const void *data)
{
    SCS_TRY(scs_h5_write(file, path, type, rank, dims, data));
    return scs_h5_encoding(file, path, "array", "0.2.0");
}

/* For rows that are written later, by whoever has them: the bytes are not set. */
scs_status scs_h5_reserve_array(hid_t file, const char *path, hid_t type, int rank,
                                const int64_t *dims)
{
    SCS_TRY(scs_h5_reserve(file, path, type, rank, dims));
    return scs_h5_encoding(file, path, "array", "0.2.0");
}

/* A string-array with room for n texts. Its references are filled with "nothing", which reads as
 * empty text. */
scs_status scs_h5_reserve_strings(hid_t file, const char *path, int64_t n)
{
    hid_t type = scs_h5_text_type();
    scs_status st = scs_h5_reserve(file, path, type, 1, &n);

    H5Tclose(type);
    SCS_TRY(st);
    return scs_h5_encoding(file, path, "string-array", "0.2.0");
}

/* The references are contiguous, the texts themselves go to HDF5's global heap. */
scs_status scs_h5_write_strings_part(hid_t file, const char *path, int64_t first,
                                     const scs_names *names)
{
    hid_t type = scs_h5_text_type();
    scs_status st = scs_h5_write_part(file, path, type, first, names->n, names->name);

    H5Tclose(type);
    return st;
}

scs_status scs_h5_write_strings(hid_t file, const char *path, const scs_names *names)
{
    SCS_TRY(scs_h5_reserve_strings(file, path, names->n));
    return scs_h5_write_strings_part(file, path, 0, names);
}

/* `_index` names the column that is the index: anndata itself calls it _index. */
scs_status scs_h5_reserve_dataframe(hid_t file, const char *path, int64_t n,
                                    const scs_names *columns)
{
    char *index;
    scs_status st;

    SCS_TRY(scs_h5_group(file, path));
    SCS_TRY(scs_h5_encoding(file, path, "dataframe", "0.2.0"));
    SCS_TRY(scs_h5_attr_write_text(file, path, "_index", "_index"));
    SCS_TRY(scs_h5_attr_write_names(file, path, "column-order", columns));
    SCS_TRY(scs_file_path_print(&index, "%s/_index", path));
    st = scs_h5_reserve_strings(file, index, n);
    free(index);
    return st;
}

scs_status scs_h5_dataframe(hid_t file, const char *path, const scs_names *index,
                            const scs_names *columns)
{
    char *names;
    scs_status st;

    SCS_TRY(scs_h5_reserve_dataframe(file, path, index->n, columns));
    SCS_TRY(scs_file_path_print(&names, "%s/_index", path));
    st = scs_h5_write_strings_part(file, names, 0, index);
    free(names);
    return st;
}

/* Codes are int32 whatever the number of categories; anndata takes any signed integer. */
scs_status scs_h5_reserve_categorical(hid_t file, const char *path, const scs_names *categories,
                                      int64_t n)
{
    char *member;
    scs_status st;

    SCS_TRY(scs_h5_group(file, path));
    SCS_TRY(scs_h5_encoding(file, path, "categorical", "0.2.0"));
    SCS_TRY(scs_h5_attr_write_bool(file, path, "ordered", false));
    SCS_TRY(scs_file_path_print(&member, "%s/categories", path));
    st = scs_h5_write_strings(file, member, categories);
    free(member);
    SCS_TRY(st);
    SCS_TRY(scs_file_path_print(&member, "%s/codes", path));
    st = scs_h5_reserve_array(file, member, H5T_NATIVE_INT32, 1, &n);
    free(member);
    return st;
}

/* @param codes [n], -1: missing */
scs_status scs_h5_categorical(hid_t file, const char *path, const scs_names *categories,
                              const int32_t *codes, int64_t n)
{
    char *member;
    scs_status st;

    SCS_TRY(scs_h5_reserve_categorical(file, path, categories, n));
    SCS_TRY(scs_file_path_print(&member, "%s/codes", path));
    st = scs_h5_write_part(file, member, H5T_NATIVE_INT32, 0, n, codes);
    free(member);
    return st;
}

scs_status scs_h5_scalar_text(hid_t file, const char *path, const char *text)
{
    hid_t type = scs_h5_text_type();
    scs_status st = scs_h5_write(file, path, type, 0, NULL, &text);

    H5Tclose(type);
    SCS_TRY(st);
    return scs_h5_encoding(file, path, "string", "0.2.0");
}

scs_status scs_h5_scalar_double(hid_t file, const char *path, double value)
{
    SCS_TRY(scs_h5_write(file, path, H5T_NATIVE_DOUBLE, 0, NULL, &value));
    return scs_h5_encoding(file, path, "numeric-scalar", "0.2.0");
}
