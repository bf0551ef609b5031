/** Values that come by columns, kept in few bytes until they go by rows.
 *
 *  Rows are taken in blocks of at most 256. What a column has of a block is a run of bytes:
 *
 *      varint   (columns since the block's last one) * 2 + wide
 *      uint8_t  n - 1        its values
 *      uint8_t  row[n]       within the block
 *      uint8_t  value[n]     where all are counts up to 255; else wide: float value[n]
 *
 *  so that counts take little more than 2 bytes each, other values 5, and at most 4 and 7 where a
 *  column has one of a block only. A block's bytes can be sent as they are; rows come out of those
 *  of several senders, each of which has had higher columns than the one before. Blocks belong to
 *  groups: the memory of a group goes back to the system when it has been taken. All functions are
 *  Local.
 */
#ifndef SCS_TRANSPOSE_H
#define SCS_TRANSPOSE_H

#include "src/data/csr.h"

#include <stdbool.h>

/** The most rows of a block. */
enum { SCS_TRANSPOSE_ROWS = 256 };

typedef struct scs_transpose scs_transpose;

/** No value yet.
 *  @param bound [n_block + 1] the first row of each block, and the end of the last; borrowed
 *  @param group [n_block] of each block, from 0 to n_group - 1; borrowed
 *  @param expected bytes of all blocks, about
 *  @param[out] transpose NULL after an error  @return SCS_ENOMEM */
SCS_MUST_USE scs_status scs_transpose_create(int32_t n_block, const int64_t *bound,
                                             const int32_t *group, int32_t n_group,
                                             int64_t expected, scs_transpose **transpose);
/** NULL is let through. */
void scs_transpose_destroy(scs_transpose **transpose);
/** Groups [first, last), which have had no values, take them from now on; others' are passed over.
 * Columns begin again. */
void scs_transpose_restart(scs_transpose *transpose, int32_t first, int32_t last);
/** Values of one column, whose number does not fall from call to call. Those that are not above 0
 *  are left out, and those of rows in no block.
 *  @param row, value [n] each row once; readable up to SCS_TRANSPOSE_SLACK further elements
 *  @param plain whether rows ascend and all values are above 0  @return SCS_ENOMEM */
SCS_MUST_USE scs_status scs_transpose_add(scs_transpose *transpose, int32_t column,
                                          const int32_t *row, const float *value, int64_t n,
                                          bool plain);
/** Elements that are read behind the last one, and not used. */
enum { SCS_TRANSPOSE_SLACK = 32 };

/** How many bytes a block has. */
int64_t scs_transpose_bytes(const scs_transpose *transpose, int32_t block);
/** A block's bytes. @param[out] to room for all of them */
void scs_transpose_copy(const scs_transpose *transpose, int32_t block, uint8_t *to);
/** The memory of a group's blocks goes back; they are not to be asked for again. */
void scs_transpose_forget(scs_transpose *transpose, int32_t group);

/** Where the rows of a block begin in a matrix.
 *  @param byte, size [n_sender] each sender's bytes of the block
 *  @param[in,out] indptr [n_row + 1] the first given, the others counted on from it */
void scs_transpose_count(const uint8_t *const *byte, const int64_t *size, int32_t n_sender,
                         int64_t n_row, int64_t *indptr);
/** The block's values into a matrix, columns ascending in each row.
 *  @param indptr [n_row] as counted */
void scs_transpose_place(const uint8_t *const *byte, const int64_t *size, int32_t n_sender,
                         int64_t n_row, const int64_t *indptr, int32_t *indices, float *values);

/** Rows of a block whose values are all counts up to 255, of at most 65,536 columns, in 3 bytes a
 *  value: they grow in lists as columns come, so that nothing is counted first, and all of a block
 *  stays in the second cache. Arrays are owned; zeroed: none. */
typedef struct scs_transpose_lists {
    uint16_t *column;                  /**< [lists, SCS_TRANSPOSE_LIST] */
    uint8_t *count;                    /**< [lists, SCS_TRANSPOSE_LIST] */
    int32_t *next;                     /**< [lists] the list behind each */
    int64_t room;                      /**< lists */
    int32_t first[SCS_TRANSPOSE_ROWS]; /**< each row's first list */
    int32_t end[SCS_TRANSPOSE_ROWS];   /**< where each row's next value would stand */
} scs_transpose_lists;

/** Values of a list. */
enum { SCS_TRANSPOSE_LIST = 64 };

/** The block's values into lists.
 *  @param lists to be used again, or zeroed  @param[out] all whether all values are counts up to
 *  255; else lists hold some of them  @return SCS_ENOMEM */
SCS_MUST_USE scs_status scs_transpose_list(const uint8_t *const *byte, const int64_t *size,
                                           int32_t n_sender, int64_t n_row,
                                           scs_transpose_lists *lists, bool *all);
/** How many values a row has. */
int64_t scs_transpose_length(const scs_transpose_lists *lists, int64_t row);
/** A row's values, columns ascending.
 *  @param[out] indices, values its length of them, and SCS_TRANSPOSE_LIST further ones that are not
 *  kept */
void scs_transpose_row(const scs_transpose_lists *lists, int64_t row, int32_t *indices,
                       float *values);
/** Frees what it holds. */
void scs_transpose_lists_clear(scs_transpose_lists *lists);

#endif
