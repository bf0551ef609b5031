/** 10x Genomics' folders of texts: matrix.mtx, barcodes.tsv, and features.tsv or genes.tsv, each
 *  plain or with .gz behind its name. A path names the folder, or the matrix file, before whose
 * name a sample's may stand (GSM1_matrix.mtx.gz): then the other files begin with it, too.
 *
 *  The matrix is features x cells, an entry a line: `feature cell count`, from 1 on. Whatever its
 *  size, it is read a piece at a time and never held. In files of Cell Ranger entries stand cell by
 *  cell; where each cell's begin is found once, when the file is described, so that any rank may
 *  begin anywhere (in a compressed file it inflates what stands before). Where they stand in
 * another order, each call goes through the whole file twice: to count, and to fill.
 *
 *  All functions are Local.
 */
#ifndef SCS_TENX_MTX_H
#define SCS_TENX_MTX_H

#include "src/data/csr.h"
#include "src/data/h5ad.h"

#include <stdbool.h>

/** Whether a path is one of these: a folder with such a matrix, or the file by its name. */
bool scs_tenx_mtx_is(const char *path);
/** How many files it has. */
enum { SCS_TENX_MTX_FILES = 3 };
/** The files, the matrix first. SCS_EDATA where one is missing.
 *  @param files SCS_TENX_MTX_FILES are appended */
SCS_MUST_USE scs_status scs_tenx_mtx_files(const char *path, scs_names *files);
/** Fill what the matrix and its genes need. Goes through all of the matrix; in the sandbox.
 *  @return SCS_EDATA with file and line of what is no such matrix, or does not fit the other files
 */
SCS_MUST_USE scs_status scs_tenx_mtx_locate(const scs_h5ad_request *want, scs_h5ad *meta);
/** The barcodes of all cells. SCS_EDATA. @param names appended */
SCS_MUST_USE scs_status scs_tenx_mtx_cells(const char *path, scs_names *names);

/** The matrix while it is read. */
typedef struct scs_tenx_mtx scs_tenx_mtx;
/** SCS_EDATA, SCS_ENOMEM. @param meta borrowed  @param[out] mtx NULL after an error */
SCS_MUST_USE scs_status scs_tenx_mtx_open(const scs_h5ad *meta, scs_tenx_mtx **mtx);
/** Entries of rows [row0, row1) in the file's order within a row, of all its features; what they
 *  hold is not judged.
 *  @param[out] x caller clears; n_col is not set  @return SCS_EDATA where the file has changed */
SCS_MUST_USE scs_status scs_tenx_mtx_rows(scs_tenx_mtx *mtx, int64_t row0, int64_t row1,
                                          scs_csr *x);
/** NULL is let through. */
void scs_tenx_mtx_close(scs_tenx_mtx **mtx);

#endif
