/** Writing HDF5 and AnnData's own encodings; every call and every close is checked. All functions are Local. */
#ifndef SCS_H5WRITE_H
#define SCS_H5WRITE_H

#include "scscreen/names.h"

#include <hdf5.h>
#include <stdbool.h>

/** A file being written under a temporary name in the same directory. */
typedef struct scs_h5out {
    hid_t file;
    char *temp, *path;
} scs_h5out;

/** Create PATH.tmp.PID with O_EXCL (stale ones of ours are removed). SCS_ECREATE names folder and reason. */
SCS_MUST_USE scs_status scs_h5out_create(const char *path, scs_h5out *out);
/** Close, fsync, rename to path, fsync the folder. On failure the temporary file is removed, an older file stays. */
SCS_MUST_USE scs_status scs_h5out_commit(scs_h5out *out);
/** Drop it: close and remove. Safe after commit. */
void scs_h5out_abandon(scs_h5out *out);
/** Rename with fsync of file and folder. */
SCS_MUST_USE scs_status scs_file_commit(const char *temp, const char *path);
/** Make a folder and its parents. SCS_ECREATE. */
SCS_MUST_USE scs_status scs_make_folder(const char *path);

/** Intermediate groups are made; "a/b/c". Type is the memory and file type. dims [rank]. */
SCS_MUST_USE scs_status scs_h5_write(hid_t file, const char *path, hid_t type, int rank, const int64_t *dims,
                                     const void *data);
/** An empty dataset, contiguous, early allocation, never filled; data may be written later. */
SCS_MUST_USE scs_status scs_h5_reserve(hid_t file, const char *path, hid_t type, int rank,
                                       const int64_t *dims);
/** Variable-length UTF-8 strings as AnnData wants them (1-d), with encoding attributes. */
SCS_MUST_USE scs_status scs_h5_write_strings(hid_t file, const char *path, const scs_names *names);
/** Attributes and groups. */
SCS_MUST_USE scs_status scs_h5_group(hid_t file, const char *path);
SCS_MUST_USE scs_status scs_h5_attr_write_text(hid_t file, const char *path, const char *attr, const char *text);
SCS_MUST_USE scs_status scs_h5_attr_write_int64(hid_t file, const char *path, const char *attr,
                                                const int64_t *values, int n, bool scalar);
/** encoding-type and encoding-version. */
SCS_MUST_USE scs_status scs_h5_encoding(hid_t file, const char *path, const char *type, const char *version);
/** obs or var: group with _index and column-order. */
SCS_MUST_USE scs_status scs_h5_dataframe(hid_t file, const char *path, const scs_names *index,
                                         const scs_names *columns);
/** A categorical column. @param codes [n] */
SCS_MUST_USE scs_status scs_h5_categorical(hid_t file, const char *path, const scs_names *categories,
                                           const int32_t *codes, int64_t n);
/** A string or number scalar as AnnData keeps them in uns. */
SCS_MUST_USE scs_status scs_h5_scalar_text(hid_t file, const char *path, const char *text);
SCS_MUST_USE scs_status scs_h5_scalar_double(hid_t file, const char *path, double value);
/** The empty groups and root attributes of an AnnData file. */
SCS_MUST_USE scs_status scs_h5_anndata(hid_t file);

#endif
