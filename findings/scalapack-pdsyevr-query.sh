#!/bin/sh
# ScaLAPACK's pdsyevr answers a workspace query with too small a number, and info 0, from 46,269 rows on one process on.
#
# Seen: Debian 12, ScaLAPACK 2.2.1 (libscalapack-openmpi2.2 2.2.1-2+b1), Open MPI 4.1.4.
# Expected before looking: sizes that do not fit an int are refused (info below 0), or the optimal size, which is returned as a
# double, is right.
# Found: with LWORK = -1 (vectors, 50 largest of n eigenvalues, blocks of 64, a 1 x 1 grid) the answer for n = 46,268 is
# 2,147,436,752 and for n = 46,269 it is 4,958,977, both with info 0. The answer contains nps x nps with nps = ceil(n / side of the
# grid) in a 32-bit integer, which wraps. A program that believes it allocates 40 MB where 17 GB are needed.
#
# Why it matters: eigenvectors of a gene x gene covariance are the exact way to principal components of many cells, and 46,269 genes is
# what a human annotation with lncRNAs has. On P processes the limit is 46,268 x floor(sqrt(P)). Whoever calls pdsyevr (or a wrapper that
# trusts its query) has to compute the size in 64 bits beside it and compare, or to refuse by n and the grid.
#
# Needs mpicc and mpirun of Open MPI, apt-get and dpkg-deb; unpacks ScaLAPACK into a temporary folder. Allocates no matrix.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q libscalapack-openmpi2.2=2.2.1-2+b1 >apt.log 2>&1 || { cat apt.log; exit 1; }
dpkg-deb -x libscalapack-openmpi2.2_*.deb unpacked
library=$(find unpacked -name 'libscalapack-openmpi.so.2.2*' -type f | head -n 1)
cat >query.c <<'C'
#include <mpi.h>
#include <stdio.h>

int Csys2blacs_handle(MPI_Comm comm);
void Cblacs_gridinit(int *context, const char *order, int rows, int columns);
void descinit_(int *desc, int *m, int *n, int *mb, int *nb, int *row, int *column, int *context, int *lld, int *info);
void pdsyevr_(const char *job, const char *range, const char *uplo, int *n, double *a, int *ia, int *ja, int *desc_a, double *vl, double *vu,
              int *il, int *iu, int *m, int *nz, double *w, double *z, int *iz, int *jz, int *desc_z, double *work, int *lwork, int *iwork,
              int *liwork, int *info);

int main(int argc, char **argv)
{
    int size[] = {46268, 46269};

    MPI_Init(&argc, &argv);
    for (int i = 0; i < 2; i++) {
        int n = size[i], block = 64, zero = 0, one = 1, ask = -1, lowest = n - 49, found, vectors, info, iwork[9], desc[9];
        int context = Csys2blacs_handle(MPI_COMM_WORLD);
        double nothing = 0, small[9], work[9];

        Cblacs_gridinit(&context, "R", 1, 1);
        descinit_(desc, &n, &n, &block, &block, &zero, &zero, &context, &n, &info);
        pdsyevr_("V", "I", "L", &n, small, &one, &one, desc, &nothing, &nothing, &lowest, &n, &found, &vectors, small, small, &one, &one,
                 desc, work, &ask, iwork, &ask, &info);
        printf("n %d: LWORK %.0f, info %d\n", n, work[0], info);
    }
    MPI_Finalize();
    return 0;
}
C
mpicc -o query query.c "$library" -Wl,-rpath,"$folder/$(dirname "$library")"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
mpirun -n 1 ./query | tee found.txt
cat >expected.txt <<'T'
n 46268: LWORK 2147436752, info 0
n 46269: LWORK 4958977, info 0
T
cmp -s found.txt expected.txt || { echo "CHANGED: expected"; cat expected.txt; exit 1; }
echo "as found"
