# libscscreen (src/) knows no MPI: not one undefined MPI symbol, nor a libc rand().
. "$SCS_SRCDIR/tests/lib.sh"
nm --undefined-only "$SCS_BUILDDIR/libscscreen.a" >"$work/symbols" || fail "nm could not read libscscreen.a"
if grep -E ' U P?MPI_' "$work/symbols"; then fail "src/ calls MPI"; else pass; fi
if grep -E ' U (rand|srand|random|drand48|exit|abort|__assert_fail)$' "$work/symbols"; then
    fail "src/ calls rand, exit, abort or assert"
else
    pass
fi
if grep -q ' U H5Fopen' "$work/symbols"; then pass; else fail "the symbol list is not that of libscscreen"; fi
# One safe entry: only h5read opens files that others wrote (h5write, store and cells_file reopen what the program itself has made).
if nm -A --undefined-only "$SCS_BUILDDIR/libscscreen.a" "$SCS_BUILDDIR/libscscreen-mpi.a" | grep ' U H5Fopen$' |
    grep -vE 'h5read|h5write|store|cells_file' ; then
    fail "HDF5 files are opened outside the safe entry"
else
    pass
fi
finish
