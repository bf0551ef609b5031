# The fuzz targets without a fuzzer: seeds made by a script, and SCS_REPLAYS (20,000) mutants of them for each target, always the same.
. "$SCS_SRCDIR/tests/lib.sh"
"$SCS_PYTHON" -B "$SCS_SRCDIR/tests/fuzz/make_corpus.py" "$work/corpus" "$SCS_SRCDIR/configs" || fail "no corpus"
for target in "$SCS_BUILDDIR"/tests/fuzz/fuzz_*[a-z0-9]; do
    [ -x "$target" ] && [ -f "$target" ] || continue
    name=${target##*fuzz_}
    timeout 36000 "$target" "$work/corpus/$name" "${SCS_REPLAYS:-20000}"
    code=$?
    if [ $code = 0 ]; then pass; else fail "$name: exit $code"; fi
done
finish
