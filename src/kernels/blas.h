/** BLAS in the network's number type. */
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

/* Whether the BLAS that was chosen by the environment works on this processor. */

/** Small products in a forked child, compared with plain loops: an OPENBLAS_CORETYPE that the
 * processor cannot execute ends there. Local; call before MPI_Init. */
bool scs_blas_works(void);

#endif
