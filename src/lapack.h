/** The few LAPACK routines in use, as OpenBLAS exports them (there is no C header for them). */
#ifndef SCS_LAPACK_H
#define SCS_LAPACK_H

/** Solve A X = B for a symmetric positive definite A (Cholesky), column-major. */
void dposv_(const char *uplo, const int *n, const int *nrhs, double *a, const int *lda, double *b,
            const int *ldb, int *info);

#endif
