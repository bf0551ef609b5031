# Every C file is laid out as .clang-format says (clang-format 14: other versions differ in details).
. "$SCS_SRCDIR/tests/lib.sh"
clang-format --version 2>/dev/null | grep -q 'version 14\.' || skip_all "no clang-format 14 (scripts/install-deps --checks)"
cd "$SCS_SRCDIR" || exit 1
find include src mpi doc tests scripts -name '*.[ch]' >"$work/files"
while read -r f; do
    if clang-format --dry-run --Werror "$f" 2>"$work/log"; then pass; else
        fail "clang-format would change $f"
        head -n 3 "$work/log"
    fi
done <"$work/files"
# Files that move must not slip out of the list.
for folder in src mpi tests; do
    n=$(grep -c "^$folder/" "$work/files")
    echo "$folder: $n files"
    if [ "$n" -ge 50 ]; then pass; else fail "only $n files of $folder/ were checked"; fi
done
finish
