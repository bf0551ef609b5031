/** BLAS in the network's number type. */
#ifndef SCS_BLAS_H
#define SCS_BLAS_H

#include <cblas.h>

#ifdef SCS_DOUBLE
#define SCS_GEMM cblas_dgemm
#define SCS_SYRK cblas_dsyrk
#else
#define SCS_GEMM cblas_sgemm
#define SCS_SYRK cblas_ssyrk
#endif

#endif
