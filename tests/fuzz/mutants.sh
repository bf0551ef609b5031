# Structure-aware mutants of .h5ad, model and result files through the program: read, or refused in one line that names the file.
# SCS_MUTANTS mutants (2,000; make check-long: 100,000) on SCS_WORKERS processes (all processors).
. "$SCS_SRCDIR/tests/lib.sh"
${CC:-cc} -O1 -D_GNU_SOURCE -shared -fPIC -o "$work/fork_server.so" "$SCS_SRCDIR/tests/fuzz/fork_server.c" -ldl || fail "the fork server does not compile"
HDF5_USE_FILE_LOCKING=FALSE "$SCS_PYTHON" -B "$SCS_SRCDIR/tests/fuzz/run_mutants.py" "$scscreen" "$work/fork_server.so" \
    "${SCS_MUTANTS_DIR:-$work/mutants}" "${SCS_MUTANTS:-2000}"
