/** The few LAPACK routines in use, as OpenBLAS exports them (there is no C header for them). */
#ifndef SCS_LAPACK_H
#define SCS_LAPACK_H

/** Solve A X = B for a symmetric positive definite A (Cholesky), column-major. */
void dposv_(const char *uplo, const int *n, const int *nrhs, double *a, const int *lda, double *b,
            const int *ldb, int *info);

/** Eigenvalues (ascending) and eigenvectors of a symmetric A, which they replace, column-major. */
void dsyev_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
            double *work, const int *lwork, int *info);

#endif
