/** AnnData's encodings (https://anndata.readthedocs.io/en/stable/fileformat-prose.html, on-disk
 * format 0.1.0), written so that anndata.read_h5ad takes them without a warning. All functions are
 * Local. */
#ifndef SCS_H5ANNDATA_H
#define SCS_H5ANNDATA_H

#include "src/base/names.h"

#include <hdf5.h>

/** The empty groups and root attributes of an AnnData file. */
SCS_MUST_USE scs_status scs_h5_anndata(hid_t file);
/** encoding-type and encoding-version. */
SCS_MUST_USE scs_status scs_h5_encoding(hid_t file, const char *path, const char *type,
                                        const char *version);

/** Variable-length UTF-8 strings as AnnData wants them (1-d), with encoding attributes. */
SCS_MUST_USE scs_status scs_h5_write_strings(hid_t file, const char *path, const scs_names *names);
/** The same in parts: room for n strings, then strings [first, first + names->n). */
SCS_MUST_USE scs_status scs_h5_write_strings_part(hid_t file, const char *path, int64_t first,
                                                  const scs_names *names);

/** obs or var: group with _index and column-order. */
SCS_MUST_USE scs_status scs_h5_dataframe(hid_t file, const char *path, const scs_names *index,
                                         const scs_names *columns);
/** The same with room for n names in PATH/_index, to be written in parts. */
SCS_MUST_USE scs_status scs_h5_reserve_dataframe(hid_t file, const char *path, int64_t n,
                                                 const scs_names *columns);
/** A categorical column. @param codes [n], -1 = missing */
SCS_MUST_USE scs_status scs_h5_categorical(hid_t file, const char *path,
                                           const scs_names *categories, const int32_t *codes,
                                           int64_t n);
/** The same with room for n int32 codes in PATH/codes, to be written in parts. */
SCS_MUST_USE scs_status scs_h5_reserve_categorical(hid_t file, const char *path,
                                                   const scs_names *categories, int64_t n);

/** scs_h5_write and scs_h5_reserve with the encoding of a plain array. */
SCS_MUST_USE scs_status scs_h5_array(hid_t file, const char *path, hid_t type, int rank,
                                     const int64_t *dims, const void *data);
SCS_MUST_USE scs_status scs_h5_reserve_array(hid_t file, const char *path, hid_t type, int rank,
                                             const int64_t *dims);

/** A dict (group), and a string or number scalar, as AnnData keeps them in uns. */
SCS_MUST_USE scs_status scs_h5_dict(hid_t file, const char *path);
SCS_MUST_USE scs_status scs_h5_scalar_text(hid_t file, const char *path, const char *text);
SCS_MUST_USE scs_status scs_h5_scalar_double(hid_t file, const char *path, double value);

#endif
