/** The number type of the network: float, or double where the finite-difference tests compile it
 * so. */
#ifndef SCSCREEN_REAL_H
#define SCSCREEN_REAL_H

#ifdef SCS_DOUBLE
typedef double scs_real;
#define SCS_GEMM cblas_dgemm
#define SCS_SYRK cblas_dsyrk
#else
typedef float scs_real;
#define SCS_GEMM cblas_sgemm
#define SCS_SYRK cblas_ssyrk
#endif

#endif
