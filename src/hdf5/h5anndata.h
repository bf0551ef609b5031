/** AnnData's encodings, written so that anndata.read_h5ad takes them without a warning.
 *
 *  On-disk format 0.1.0, https://anndata.readthedocs.io/en/stable/fileformat-prose.html: every
 *  group and dataset carries the attributes encoding-type and encoding-version, and anndata
 *  dispatches on them. What is written here:
 *
 *      /          anndata 0.1.0        with the groups layers, obsm, obsp, uns, varm, varp
 *      a table    dataframe 0.2.0      _index, column-order; a column is one of the next three
 *      numbers    array 0.2.0
 *      texts      string-array 0.2.0   variable length, UTF-8
 *      labels     categorical 0.2.0    categories (string-array), codes (int32, -1: missing)
 *      uns        dict 0.1.0, string 0.2.0, numeric-scalar 0.2.0
 *
 *  Each comes in two ways: written at once, or with room reserved and filled in parts. Under
 *  MPI-IO, HDF5 1.10 cannot write variable-length text: rank 0 writes the texts by itself first,
 *  and all ranks fill reserved numbers afterwards.
 *
 *  Files and failures are those of src/hdf5/h5write.h: SCS_ECREATE where the disk is full, else
 *  SCS_EIO, with file and path. Groups on the way to a path are made. All functions are Local.
 */
#ifndef SCS_H5ANNDATA_H
#define SCS_H5ANNDATA_H

#include "src/base/names.h"

#include <hdf5.h>

/* ---- the file, and the attributes of everything in it ---- */

/** Attributes encoding-type and encoding-version of an object that is there. */
SCS_MUST_USE scs_status scs_h5_encoding(hid_t file, const char *path, const char *type,
                                        const char *version);
/** A dict: a group, as AnnData keeps them in uns. */
SCS_MUST_USE scs_status scs_h5_dict(hid_t file, const char *path);
/** What every AnnData file has at its root: the encoding and the six empty groups. X, obs and var
 * are the caller's. */
SCS_MUST_USE scs_status scs_h5_anndata(hid_t file);

/* ---- arrays ---- */

/** scs_h5_write with the encoding of a plain array. @param dims [rank] */
SCS_MUST_USE scs_status scs_h5_array(hid_t file, const char *path, hid_t type, int rank,
                                     const int64_t *dims, const void *data);
/** scs_h5_reserve with it. */
SCS_MUST_USE scs_status scs_h5_reserve_array(hid_t file, const char *path, hid_t type, int rank,
                                             const int64_t *dims);

/* ---- texts and tables ---- */

/** A string-array with room for n texts, empty ones. */
SCS_MUST_USE scs_status scs_h5_reserve_strings(hid_t file, const char *path, int64_t n);
/** Texts [first, first + names->n) of a string-array that has room for them. */
SCS_MUST_USE scs_status scs_h5_write_strings_part(hid_t file, const char *path, int64_t first,
                                                  const scs_names *names);
/** A string-array of all names. */
SCS_MUST_USE scs_status scs_h5_write_strings(hid_t file, const char *path, const scs_names *names);

/** obs or var: a group with room for n names in PATH/_index, and the names of its columns, which
 * the caller writes as PATH/COLUMN. */
SCS_MUST_USE scs_status scs_h5_reserve_dataframe(hid_t file, const char *path, int64_t n,
                                                 const scs_names *columns);
/** The same with its index written. */
SCS_MUST_USE scs_status scs_h5_dataframe(hid_t file, const char *path, const scs_names *index,
                                         const scs_names *columns);

/** A categorical column with room for n int32 codes in PATH/codes. */
SCS_MUST_USE scs_status scs_h5_reserve_categorical(hid_t file, const char *path,
                                                   const scs_names *categories, int64_t n);
/** The same with its codes written. @param codes [n] in [-1, categories->n), -1 = missing */
SCS_MUST_USE scs_status scs_h5_categorical(hid_t file, const char *path,
                                           const scs_names *categories, const int32_t *codes,
                                           int64_t n);

/* ---- scalars of uns ---- */

/** A text. */
SCS_MUST_USE scs_status scs_h5_scalar_text(hid_t file, const char *path, const char *text);
/** A number; integers are kept exactly up to 2^53. */
SCS_MUST_USE scs_status scs_h5_scalar_double(hid_t file, const char *path, double value);

#endif
