/** The BLACS and ScaLAPACK routines in use (there is no C header for them), and the process grid
 * they work on. */
#ifndef SCS_SCALAPACK_H
#define SCS_SCALAPACK_H

#include "scscreen/comm.h"

int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int *context, const char *order, int n_row, int n_col);
void Cblacs_gridinfo(int context, int *n_row, int *n_col, int *row, int *col);
void Cblacs_gridexit(int context);
void descinit_(int *desc, const int *m, const int *n, const int *mb, const int *nb, const int *rsrc,
               const int *csrc, const int *context, const int *lld, int *info);
void pdsyevr_(const char *jobz, const char *range, const char *uplo, const int *n, double *a,
              const int *ia, const int *ja, const int *desca, const double *vl, const double *vu,
              const int *il, const int *iu, int *m, int *nz, double *w, double *z, const int *iz,
              const int *jz, const int *descz, double *work, const int *lwork, int *iwork,
              const int *liwork, int *info);

/** All ranks as a rectangle, as nearly square as their number allows. */
typedef struct scs_mesh {
    scs_comm *comm;      /**< borrowed */
    int handle, context; /**< of BLACS */
    int n_row, n_col;    /**< processes */
    int row, col;        /**< this one's place */
    int block;           /**< rows and columns of a block */
} scs_mesh;

/** Rows of processes of the mesh of n_rank ranks: the largest divisor not above its root. */
int scs_mesh_rows(int n_rank);
/** Collective. */
SCS_MUST_USE scs_status scs_mesh_open(scs_comm *comm, int block, scs_mesh *mesh);
void scs_mesh_close(scs_mesh *mesh); /**< Collective. */

/** How many of n block-cyclic indices process `at` of n_process has. */
int64_t scs_pca_fit_mesh_count(int64_t n, int block, int at, int n_process);
/** Global index of a process' local one. */
int64_t scs_pca_fit_mesh_global(int64_t local, int block, int at, int n_process);
/** Local index of a global one, or -1 where another process has it. */
int64_t scs_pca_fit_mesh_local(int64_t global, int block, int at, int n_process);

#endif
