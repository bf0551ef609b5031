/** Inside h5safe: objects opened under its rules, for the files that read them. All functions are
 * Local. */
#ifndef SCS_H5SAFE_OBJECT_H
#define SCS_H5SAFE_OBJECT_H

#include "src/h5safe.h"

/** Any group or dataset that is reached over hard links. The caller drops it. */
SCS_MUST_USE scs_status scs_h5_open_object(const scs_h5 *h5, const char *path, hid_t *object);
/** A dataset that keeps all the rules. The caller drops it. */
SCS_MUST_USE scs_status scs_h5_open_dataset(const scs_h5 *h5, const char *path, hid_t *dataset,
                                            scs_h5_shape *shape);
/** Whether the chunks of rows [first, first + n) hold what HDF5 will read from them; n > 0. */
SCS_MUST_USE scs_status scs_h5_check_chunks(const scs_h5 *h5, const char *path, hid_t dataset,
                                            const scs_h5_shape *shape, int64_t first, int64_t n);
/** Give back an id of any kind; a negative one is ignored. */
void scs_h5_drop(hid_t id);
/** n x size within the memory budget of one dataset. */
SCS_MUST_USE scs_status scs_h5_budget(const scs_h5 *h5, const char *path, int64_t n, size_t size,
                                      int64_t *bytes);

/** How text is to lie in memory: [n] char * or [n] fixed strings of `size` bytes. */
typedef struct scs_h5_text {
    hid_t type; /**< memory type, borrowed: a string, or a compound with one */
    int64_t n;
    size_t size;
    bool variable_length, space_padded;
} scs_h5_text;

/** What a string type says about its text; `text->type` is set to it. */
scs_h5_text scs_h5_text_of(hid_t string_type, int64_t n);
/** All elements of the dataset as names; SCS_EDATA when one is not UTF-8. */
SCS_MUST_USE scs_status scs_h5_read_text(const scs_h5 *h5, const char *path, hid_t dataset,
                                         const scs_h5_text *text, scs_names *names);

#endif
