/** An open result file, for the files that make up result_file.h. */
#ifndef SCS_RESULT_FILE_PARTS_H
#define SCS_RESULT_FILE_PARTS_H

#include "mpi/result_file.h"

#include <hdf5.h>

/** A field of an open file, and how its rows lie in memory. */
typedef struct scs_open_field {
    scs_result_field field;
    hid_t set, type;
    int64_t cols; /**< at least 1 */
    int64_t row_bytes;
} scs_open_field;

struct scs_result_file {
    const char *path; /**< borrowed */
    const scs_result_head *head;
    hid_t file, transfer;
    bool together;
    int32_t n;
    scs_open_field field[SCS_RESULT_FIELDS];
    void *buffer; /**< [buffer_bytes] rows of a field, read or put together to be written */
    int64_t buffer_bytes;
};

#endif
