#!/bin/sh
# Debian's pkg-config module for "ScaLAPACK built with MPICH" asks for Open MPI.
#
# Seen: Debian 12, libscalapack-mpich-dev 2.2.1-2+b1, libmpich-dev 4.0.2-3+b1, libopenmpi-dev 4.1.4-3+b1.
# Expected before looking: `pkg-config --libs scalapack-mpich` names the library, and MPICH behind it.
# Found: the module requires a module called `mpi`. libmpich-dev provides none of that name (its own is `mpich`), libopenmpi-dev
# registers one as an alternative. So with MPICH alone the module cannot be used at all ("Package 'mpi', required by 'scalapack',
# not found"), and with both MPIs installed it answers with Open MPI's libmpi: a program that takes the answer links both MPIs.
#
# Why it matters: two MPIs in one process fail late and oddly (MPI_COMM_WORLD is a pointer in one and a number in the other). Whoever
# configures an MPI program with ScaLAPACK on Debian has to name the library (-lscalapack-mpich) instead of asking pkg-config,
# and look at `ldd PROGRAM | grep mpi` afterwards: one libmpi, not two.
#
# Needs apt-get, dpkg-deb and pkg-config; unpacks packages into a temporary folder, installs nothing.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q libscalapack-mpich-dev=2.2.1-2+b1 libmpich-dev=4.0.2-3+b1 libopenmpi-dev=4.1.4-3+b1 libblas-dev=3.11.0-2 \
    liblapack-dev=3.11.0-2     >apt.log 2>&1 || { cat apt.log; exit 1; }
for package in scalapack-mpich mpich openmpi blas lapack; do
    dpkg-deb -x lib$package-dev_*.deb "$package"
done
lib=usr/lib/$(dpkg-architecture -q DEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch)
pc=$folder/pc
mkdir "$pc"
cp scalapack-mpich/"$lib"/pkgconfig/*.pc mpich/"$lib"/pkgconfig/*.pc "$pc"
# As the packages' alternatives name them.
cp blas/"$lib"/pkgconfig/blas-netlib.pc "$pc/blas.pc"
cp lapack/"$lib"/pkgconfig/lapack-netlib.pc "$pc/lapack.pc"

# With MPICH alone.
if PKG_CONFIG_LIBDIR=$pc pkg-config --libs scalapack-mpich >alone.out 2>&1; then
    echo "CHANGED: with MPICH alone the module now answers: $(cat alone.out)"
    exit 1
fi
grep -q "'mpi'" alone.out || { echo "CHANGED: another reason:"; cat alone.out; exit 1; }
echo "MPICH alone: $(grep -m 1 "'mpi'" alone.out)"

# With Open MPI beside it: the module `mpi` is the one that libopenmpi-dev's postinst registers.
dpkg-deb -e libopenmpi-dev_*.deb control
grep -q '/pkgconfig/mpi.pc .*/pkgconfig/ompi.pc' control/postinst || { echo "CHANGED: Open MPI registers no mpi.pc"; exit 1; }
cp openmpi/"$lib"/pkgconfig/*.pc "$pc"
cp "$pc/ompi.pc" "$pc/mpi.pc"
both=$(PKG_CONFIG_LIBDIR=$pc pkg-config --libs scalapack-mpich)
echo "both: $both"
case $both in
*openmpi*-lmpi*) ;;
*)
    echo "CHANGED: Open MPI's library is not in the answer"
    exit 1
    ;;
esac
echo "as found"
