# The public door: the headers are the eleven of one noun each, each compiles alone, in the tree and as installed, with nothing of src/
# or of HDF5, and only comm.h brings MPI; a program outside the tree is built against what `make install` leaves, by pkg-config.
. "$SCS_SRCDIR/tests/lib.sh"
nouns="checkpoint comm config dataset latent model result screen shard status train"
unset MAKEFLAGS MFLAGS MAKELEVEL
if make -C "$SCS_BUILDDIR" install DESTDIR="$work/root" >"$work/log" 2>&1; then pass; else
    fail "make install"
    show "$work/log"
fi
pc=$(find "$work/root" -name scscreen.pc)
prefix=$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --variable=prefix scscreen)
flags() { PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --define-variable=prefix="$work/root$prefix" "$1" scscreen; }
for folder in "$SCS_SRCDIR/include" "$work/root$prefix/include"; do
    found=$(cd "$folder/scscreen" && echo *.h)
    if [ "$found" = "$(printf '%s.h ' $nouns | sed 's/ $//')" ]; then pass; else fail "$folder/scscreen holds $found"; fi
    for noun in $nouns; do
        echo "#include <scscreen/$noun.h>" >"$work/alone.c"
        # shellcheck disable=SC2086
        if ${CC:-mpicc} -std=c11 -Wall -Wextra -Wstrict-prototypes -Werror -I"$folder" -H -fsyntax-only "$work/alone.c" 2>"$work/seen"; then pass; else
            fail "$noun.h does not compile alone"
            show "$work/seen"
        fi
        if [ "$noun" != comm ] && grep '/mpi\.h' "$work/seen"; then fail "$noun.h brings MPI"; else pass; fi
        if grep -E '/(hdf5|cblas|yaml|omp)\.h' "$work/seen"; then fail "$noun.h brings another library"; else pass; fi
    done
done
cat >"$work/outside.c" <<'C'
#include <scscreen/comm.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    scs_config *config = NULL;
    scs_comm *comm = NULL;
    scs_status status;

    MPI_Init(&argc, &argv);
    status = scs_comm_create(MPI_COMM_WORLD, &comm);
    if (status == SCS_OK)
        status = scs_comm_agree(comm, scs_config_load(argv[1], NULL, 0, &config, NULL));
    printf("%d of %d: %s %s\n", scs_comm_rank(comm), scs_comm_size(comm), scs_status_name(status), scs_message());
    scs_config_destroy(&config);
    scs_comm_destroy(&comm);
    MPI_Finalize();
    return scs_exit_code(status);
}
C
built=$(sed -n 's/^CFLAGS = //p' "$SCS_BUILDDIR/Makefile") # sanitizers and coverage want theirs when linking
# shellcheck disable=SC2046,SC2086
if ${CC:-mpicc} $built -std=c11 -Wall -Wextra -Werror $(flags --cflags) "$work/outside.c" -o "$work/outside" $(flags --libs) >"$work/log" 2>&1; then pass; else
    fail "a program outside the tree does not build"
    show "$work/log"
fi
"$work/outside" "$SCS_SRCDIR/configs/demo.yaml" >"$work/log" 2>&1
check_ok "a program outside the tree" $? "$work/log"
"$work/outside" "$work/absent.yaml" >"$work/log" 2>&1
code=$?
if [ $code = 64 ] && grep -q absent.yaml "$work/log"; then pass; else
    fail "a config that is not there: exit $code"
    show "$work/log"
fi
finish
