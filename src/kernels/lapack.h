/** The few LAPACK routines in use, as OpenBLAS exports them (it installs no C header for them).
 *
 *  Fortran's conventions: matrices are column-major with a leading dimension, everything is
 *  passed by address, and *info is 0, -i for argument i being wrong, or > 0 for a failure of the
 *  numbers. The lengths of the character arguments, which Fortran passes behind, are left out:
 *  each is one character. Local.
 */
#ifndef SCS_LAPACK_H
#define SCS_LAPACK_H

/** Solve A X = B for a symmetric positive definite A (Cholesky). *info > 0: A is not.
 *  @param uplo       "U" or "L": the triangle of A that is read
 *  @param[in,out] a  [n, n] A; its factor  @param[in,out] b [n, nrhs] B; X */
void dposv_(const char *uplo, const int *n, const int *nrhs, double *a, const int *lda, double *b,
            const int *ldb, int *info);

/** Eigenvalues and, with jobz "V", eigenvectors of a symmetric A. *info > 0: no convergence.
 *  @param[in,out] a  [n, n] A; a column for each eigenvector, orthonormal
 *  @param[out] w     [n] eigenvalues, ascending
 *  @param[out] work  [lwork], lwork >= 3n - 1; lwork -1: work[0] is what would be best */
void dsyev_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
            double *work, const int *lwork, int *info);

/** The il-th to iu-th eigenvalues (from 1, ascending; range "I") and eigenvectors of a symmetric A.
 *  *info > 0: an internal failure.
 *  @param[in,out] a  [n, n] destroyed  @param vl, vu not looked at  @param abstol 0
 *  @param[out] m     how many were found  @param[out] w [n]
 *  @param[out] z     [iu - il + 1, ldz] a row (LAPACK's column) for each
 *  @param[out] isuppz [2 (iu - il + 1)]
 *  @param[out] work  [lwork], iwork [liwork]; -1, -1: work[0] and iwork[0] are what is wanted */
void dsyevr_(const char *jobz, const char *range, const char *uplo, const int *n, double *a,
             const int *lda, const double *vl, const double *vu, const int *il, const int *iu,
             const double *abstol, int *m, double *w, double *z, const int *ldz, int *isuppz,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);

#endif
