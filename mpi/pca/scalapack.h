/** The BLACS and ScaLAPACK routines in use (there is no C header for them), and the process grid
 * that they work on.
 *
 *  A matrix is cut into square blocks; block (i, j) belongs to process (i mod n_row, j mod n_col)
 *  of the grid, which keeps its blocks together as one local column-major matrix.
 *  scs_pca_fit_mesh_* translate one axis' indices; they are the same for rows and columns.
 */
#ifndef SCS_SCALAPACK_H
#define SCS_SCALAPACK_H

#include "scscreen/comm.h"

/** BLACS and ScaLAPACK abort the program on wrong arguments and report the rest in `info`; every
 * call is Collective over the grid. */
int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
/** Ranks as n_row x n_col processes, "R": row after row. gridinfo tells what was made, and this
 * process' place; row -1: none. */
void Cblacs_gridinit(int *context, const char *order, int n_row, int n_col);
void Cblacs_gridinfo(int context, int *n_row, int *n_col, int *row, int *col);
void Cblacs_gridexit(int context);
/** The descriptor of an m x n matrix in mb x nb blocks; lld: rows of the local part, at least 1. */
void descinit_(int *desc, const int *m, const int *n, const int *mb, const int *nb, const int *rsrc,
               const int *csrc, const int *context, const int *lld, int *info);
/** Eigenvalues il to iu (from 1, ascending) of a symmetric matrix, of which a triangle is read and
 * destroyed, and their eigenvectors in z. lwork, liwork -1: only ask for workspace. From ScaLAPACK
 * 2.2.1 see pca_fit.c about its workspace. */
void pdsyevr_(const char *jobz, const char *range, const char *uplo, const int *n, double *a,
              const int *ia, const int *ja, const int *desca, const double *vl, const double *vu,
              const int *il, const int *iu, int *m, int *nz, double *w, double *z, const int *iz,
              const int *jz, const int *descz, double *work, const int *lwork, int *iwork,
              const int *liwork, int *info);

/** All ranks as a rectangle, as nearly square as their number allows. */
typedef struct scs_mesh {
    scs_comm *comm;      /**< borrowed */
    int handle, context; /**< of BLACS: the communicator, and the grid in it */
    int n_row, n_col;    /**< processes */
    int row, col;        /**< this process' place, from 0 */
    int block;           /**< rows and columns of a block */
} scs_mesh;

/** How many of n indices process `at` of n_process has, in blocks of `block`. Local, as the next
 * two. */
int64_t scs_pca_fit_mesh_count(int64_t n, int block, int at, int n_process);
/** Global index of the local index of process `at`. */
int64_t scs_pca_fit_mesh_global(int64_t local, int block, int at, int n_process);
/** Local index of a global one at process `at`, or -1 where another process has it. */
int64_t scs_pca_fit_mesh_local(int64_t global, int block, int at, int n_process);

#endif
