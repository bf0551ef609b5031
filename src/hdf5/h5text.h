/** Text out of HDF5 files: string datasets, members of compound datasets, attributes.
 *
 *  AnnData keeps names as variable-length strings, which HDF5 1.10 reads from a heap that it
 *  does not check: of all damage this is where readers crash. So whatever here meets
 *  variable-length text runs in the sandbox (src/base/sandbox.h), and the parent gets the names.
 *  Fixed-length strings, as h5py and older tools write them, come padded with NULs or blanks;
 *  the padding goes.
 *
 *  Compound datasets are the tables (obs, var) of files by anndata up to 0.6, one member a
 *  column.
 *
 *  Objects are opened under the rules of src/hdf5/h5read.h. All text is checked to be UTF-8.
 *  SCS_EDATA with file, path and element; SCS_ENOMEM. All functions are Local.
 */
#ifndef SCS_H5TEXT_H
#define SCS_H5TEXT_H

#include "src/hdf5/h5read.h"

/* ---- datasets ---- */

/** Add the texts of a whole dataset, 1-d or scalar (one name), fixed or variable length; at most
 * INT32_MAX. */
SCS_MUST_USE scs_status scs_h5_read_strings(const scs_h5 *h5, const char *path, scs_names *names);

/* ---- one member of a 1-d compound dataset; SCS_EDATA where it has no such member ---- */

/** Add a member's texts. */
SCS_MUST_USE scs_status scs_h5_read_member_strings(const scs_h5 *h5, const char *path,
                                                   const char *member, scs_names *names);
/** A member's integers or booleans. @param[out] out [rows of the dataset] */
SCS_MUST_USE scs_status scs_h5_read_member_int64(const scs_h5 *h5, const char *path,
                                                 const char *member, int64_t *out);
/** A member's numbers. @param[out] out [rows of the dataset] */
SCS_MUST_USE scs_status scs_h5_read_member_double(const scs_h5 *h5, const char *path,
                                                  const char *member, double *out);
/** A member's type. @param[out] size bytes of a value; NULL: not wanted */
SCS_MUST_USE scs_status scs_h5_member_type(const scs_h5 *h5, const char *path, const char *member,
                                           H5T_class_t *type, size_t *size);
/** Add the names of all members, in the dataset's order. */
SCS_MUST_USE scs_status scs_h5_member_names(const scs_h5 *h5, const char *path, scs_names *names);

/* ---- attributes of a group or dataset ---- */

/** An attribute of one text, at most 1 MiB.
 *  @param[out] text malloc'ed; NULL where there is no such attribute  @param[out] found whether
 * there is
 */
SCS_MUST_USE scs_status scs_h5_attr_text(const scs_h5 *h5, const char *path, const char *attr,
                                         char **text, bool *found);
/** An attribute that is a list of texts, at most a million. @param names appended
 *  @param[out] found false: there is none of that name, or it holds no text */
SCS_MUST_USE scs_status scs_h5_attr_texts(const scs_h5 *h5, const char *path, const char *attr,
                                          scs_names *names, bool *found);
/** An attribute of integers, such as `shape`.
 *  @param[out] values [max]  @param[out] n how many there are; 0 where there is no such attribute
 */
SCS_MUST_USE scs_status scs_h5_attr_int64(const scs_h5 *h5, const char *path, const char *attr,
                                          int max, int64_t *values, int *n);

#endif
