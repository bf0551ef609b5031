#!/bin/sh
# What scripts/conda/recipe.yaml runs: in $SRC_DIR, with libmd/ and random123/ beside the sources; installs into $PREFIX.
set -eu
cd "$SRC_DIR"

# libmd is linked in: nothing of it stays in the package.
(cd libmd && ./configure --prefix="$SRC_DIR/linked" --disable-shared --with-pic && make && make install)

autoreconf -i
mkdir -p made && cd made
../configure --prefix="$PREFIX" CC=mpicc CPPFLAGS="${CPPFLAGS:-} -I$SRC_DIR/random123/include" \
    MD_CFLAGS="-I$SRC_DIR/linked/include" MD_LIBS="$SRC_DIR/linked/lib/libmd.a"
make -j"${CPU_COUNT:-2}"
make install
