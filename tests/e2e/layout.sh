# Every C file is laid out as .clang-format says (clang-format 14: other versions differ in details).
. "$SCS_SRCDIR/tests/lib.sh"
if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
    cd "$SCS_SRCDIR" || exit 1
    for f in include/scscreen/*.h src/*.[ch] mpi/*.[ch] doc/*.c tests/*/*.[ch]; do
        if clang-format --dry-run --Werror "$f" 2>"$work/log"; then pass; else
            fail "clang-format would change $f"
            head -n 3 "$work/log"
        fi
    done
else
    echo "SKIPPED: clang-format 14 is missing; scripts/install-deps --checks"
    exit 77
fi
finish
