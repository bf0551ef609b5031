/** BLAS in the network's number type, and whether the BLAS at hand works on this processor.
 *
 *  The network's numbers are float32 unless the library is built with SCS_DOUBLE; call SCS_GEMM
 *  and SCS_SYRK, never the s or d routine, where they are multiplied. Matrices are row-major, as
 *  CBLAS takes them.
 */
#ifndef SCS_BLAS_H
#define SCS_BLAS_H

#include <cblas.h>
#include <stdbool.h>

#ifdef SCS_DOUBLE
#define SCS_GEMM cblas_dgemm
#define SCS_SYRK cblas_dsyrk
#else
#define SCS_GEMM cblas_sgemm
#define SCS_SYRK cblas_ssyrk
#endif

/** Whether small products by BLAS are right: in a forked child, in both precisions, all four ways
 * to transpose, compared with plain loops.
 *
 *  OpenBLAS takes its kernels from OPENBLAS_CORETYPE without asking the processor: instructions
 * that it does not have end the child with a signal, not the job. Also false where no child can be
 * made. Local; before MPI_Init. */
bool scs_blas_works(void);

#endif
