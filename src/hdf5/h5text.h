/** h5text */
#ifndef SCS_H5TEXT_H
#define SCS_H5TEXT_H

#include "src/hdf5/h5read.h"

/** A whole string dataset, 1-d or scalar (one name), fixed or variable length. Variable length only
 * within the sandbox. */
SCS_MUST_USE scs_status scs_h5_read_strings(const scs_h5 *h5, const char *path, scs_names *names);

/** One member of a 1-d compound dataset: strings, integers or numbers (legacy obs and var). */
SCS_MUST_USE scs_status scs_h5_read_member_strings(const scs_h5 *h5, const char *path,
                                                   const char *member, scs_names *names);

SCS_MUST_USE scs_status scs_h5_read_member_int64(const scs_h5 *h5, const char *path,
                                                 const char *member, int64_t *out);

SCS_MUST_USE scs_status scs_h5_read_member_double(const scs_h5 *h5, const char *path,
                                                  const char *member, double *out);

/** Type of a compound dataset's member; SCS_EDATA when there is no such member. */
SCS_MUST_USE scs_status scs_h5_member_type(const scs_h5 *h5, const char *path, const char *member,
                                           H5T_class_t *type);

/** Names of a compound dataset's members. */
SCS_MUST_USE scs_status scs_h5_member_names(const scs_h5 *h5, const char *path, scs_names *names);

/** Attributes. *found says whether it is there; a text attribute is malloc'ed. */
SCS_MUST_USE scs_status scs_h5_attr_text(const scs_h5 *h5, const char *path, const char *attr,
                                         char **text, bool *found);

SCS_MUST_USE scs_status scs_h5_attr_int64(const scs_h5 *h5, const char *path, const char *attr,
                                          int max, int64_t *values, int *n);

#endif
