/** Blocks of cells read from disk, in a thread of their own: the next while others are worked on.
 *
 *  HDF5 is used by one thread at a time: while blocks are being read no other thread of the process
 *  may call it, so whoever wants to (to save a file) waits for them first.
 *
 *  All rows of a block are checked as any that are read (h5ad_matrix.h); those that are wanted are
 *  given the dataset's genes, normalised and packed. A file that is no longer the one that it was
 *  when the reader was made is refused. All functions are Local.
 */
#ifndef SCS_BLOCK_READER_H
#define SCS_BLOCK_READER_H

#include "src/data/packed.h"
#include "src/data/scale.h"
#include "src/data/windows.h"

/** Files and the thread. */
typedef struct scs_block_reader scs_block_reader;

/** What is to be read. */
typedef struct scs_block_request {
    const int64_t *block; /**< [n] ascending; borrowed until they have been taken */
    int64_t n;
    unsigned roles; /**< 1 << scs_role of cells that are wanted */
    double target;  /**< counts that each cell is scaled to before log1p; 0: values are as they
                         should be */
    bool judges;    /**< add the values to what scs_block_reader_scale tells */
} scs_block_request;

/** Cells that were wanted, in ascending order. */
typedef struct scs_block_rows {
    scs_packed x;    /**< [n, n_gene] */
    int64_t *cell;   /**< [n] global numbers */
    double *total;   /**< [n] sum over all genes of the file, before they are normalised */
    int64_t n_value; /**< of all cells of the blocks, wanted or not */
} scs_block_rows;
/** Free the arrays; zeroed is let through. */
void scs_block_reader_rows_clear(scs_block_rows *rows);

/** Why rows of an input's matrix cannot be read in blocks at about the cost of their own bytes, and
 *  what to do: where any row needs all of the file, of a matrix stored by genes or a compressed
 *  text. NULL: they can be. */
const char *scs_block_reader_hindrance(const scs_h5ad *meta);

/** @param dataset, metas, windows borrowed as long as it is used; of windows the blocks alone
 *  @param[out] reader NULL after an error  @return SCS_EDATA where a file cannot be looked up,
 *  SCS_ENOMEM */
SCS_MUST_USE scs_status scs_block_reader_create(const scs_dataset *dataset,
                                                const scs_h5ad *const *metas,
                                                const scs_windows *windows,
                                                scs_block_reader **reader);
/** Waits for what is being read. Sets *reader to NULL; it may be NULL. */
void scs_block_reader_destroy(scs_block_reader **reader);
/** Begin to read; what was read before and not taken is dropped. */
void scs_block_reader_start(scs_block_reader *reader, const scs_block_request *request);
/** Wait until all of it is read. @param[out] rows caller clears; empty after an error
 *  @return as scs_h5ad_matrix_rows; SCS_EDATA for a file that has changed */
SCS_MUST_USE scs_status scs_block_reader_take(scs_block_reader *reader, scs_block_rows *rows);
/** Wait until nothing is being read; it stays to be taken. */
void scs_block_reader_wait(scs_block_reader *reader);
/** [n_input] of all requests that judged so far, which must have been taken. Borrowed, may be
 *  changed. */
scs_scale *scs_block_reader_scale(scs_block_reader *reader);

#endif
