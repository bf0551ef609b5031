# make fuzz: builds every fuzz target with clang's libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, and runs each for
# SCS_FUZZ_SECONDS (60), from seeds made by a script and from what earlier runs found (kept in fuzz/corpus of the build folder).
# Needs clang and its runtime (Debian: clang, libclang-rt-dev). Called by the Makefile, which sets the flags and SCS_SOURCES.
set -u
cd "$SCS_BUILDDIR" || exit 1
compile="${CLANG:-clang} -std=gnu11 -g -O1 -w -fno-omit-frame-pointer $SCS_CPPFLAGS"
sanitizers=address,undefined
mkdir -p fuzz/obj/src fuzz/found
objects=
for source in $SCS_SOURCES; do
    case $source in *.c) objects="$objects fuzz/obj/${source%.c}.o" ;; esac
done
echo "building with $compile"
for source in $SCS_SOURCES; do
    case $source in *.c) echo "$source" ;; esac
done | xargs -P "$(nproc)" -I{} sh -c 'o=fuzz/obj/$1; '"$compile"' -fsanitize=fuzzer-no-link,'$sanitizers' -fno-sanitize-recover=undefined \
    -c "$SCS_SRCDIR/$1" -o "${o%.c}.o"' sh {} || exit 1
status=0
"$SCS_PYTHON" -B "$SCS_SRCDIR/tests/fuzz/make_corpus.py" fuzz/seeds "$SCS_SRCDIR/configs" || exit 1
for source in "$SCS_SRCDIR"/tests/fuzz/fuzz_*.c; do
    target=$(basename "$source" .c)
    name=${target#fuzz_}
    [ $# = 0 ] || [ "$1" = "$name" ] || continue
    $compile -fsanitize=fuzzer,$sanitizers -fno-sanitize-recover=undefined "$source" "$SCS_SRCDIR/tests/fuzz/file.c" $objects $SCS_LIBS \
        -o "fuzz/$target" || exit 1
    mkdir -p "fuzz/corpus/$name"
    echo "== $target, ${SCS_FUZZ_SECONDS:-60} s"
    if ASAN_OPTIONS=allocator_may_return_null=1 OPENBLAS_NUM_THREADS=1 "fuzz/$target" -max_total_time="${SCS_FUZZ_SECONDS:-60}" \
        -timeout=20 -rss_limit_mb=4096 -max_len=16384 -artifact_prefix="fuzz/found/$name." -print_final_stats=1 \
        "fuzz/corpus/$name" "fuzz/seeds/$name" >"fuzz/$name.log" 2>&1; then
        awk '/stat::number_of_executed_units/ { n = $2 } END { print n " inputs, 0 failures" }' "fuzz/$name.log"
    else
        status=1
        echo "FAILED: $target; see fuzz/$name.log and fuzz/found"
        grep -m3 -E 'ERROR|does not hold|runtime error|SUMMARY' "fuzz/$name.log"
    fi
done
exit $status
