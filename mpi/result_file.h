/** screen.h5ad in the making: blocks of rows are written by whoever has them, in any order. */
#ifndef SCS_RESULT_FILE_H
#define SCS_RESULT_FILE_H

#include "scscreen/comm.h"

typedef struct scs_result_file scs_result_file;

/** Open a skeleton (scs_result_skeleton) on all ranks through MPI-IO. Collective. */
SCS_MUST_USE scs_status scs_result_file_open(scs_comm *comm, const char *path,
                                             const scs_result_head *head, scs_result_file **file);
/** Open it on one rank, to read. Local. */
SCS_MUST_USE scs_status scs_result_file_open_alone(const char *path, const scs_result_head *head,
                                                   scs_result_file **file);
/** Flush and close; a file opened alone is only closed (and comm may be NULL). Collective where the
 * file was opened together. Call it also after a failure, and look at the status. */
SCS_MUST_USE scs_status scs_result_file_close(scs_comm *comm, scs_result_file **file);

/** Write rows [rows->first, rows->first + rows->n) of all fields but the late ones. Local.
 *  @param[out] sum of the bytes, as scs_result_file_sum gives it */
SCS_MUST_USE scs_status scs_result_file_put(scs_result_file *file, const scs_result_rows *rows,
                                            uint64_t *sum);
/** Write all rows of a field of one number a row. Local. */
SCS_MUST_USE scs_status scs_result_file_put_column(scs_result_file *file, const char *path,
                                                   const double *values);
/** Read rows back. Local. @param[out] sum of their bytes */
SCS_MUST_USE scs_status scs_result_file_sum(scs_result_file *file, int64_t first, int64_t n,
                                            uint64_t *sum);
/** Read the fields of one number a row back, for all rows. Local.
 *  @param[out] all delta_norm, score and trust [plan->n] are filled */
SCS_MUST_USE scs_status scs_result_file_numbers(scs_result_file *file, scs_result_rows *all);

/** Bytes [begin, end) of the file that hold each field's rows, in the fields' order, then those
 * that change when the file is opened. Local.
 *  @param[out] range [SCS_RESULT_FIELDS + 1]  @param[out] n how many */
SCS_MUST_USE scs_status scs_result_file_ranges(scs_result_file *file, int64_t (*range)[2],
                                               int32_t *n);

#endif
