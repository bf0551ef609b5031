# The n-th write, open, close, fsync, rename, fallocate or allocation fails, in every verb: never a hang, never a crash, never exit 0
# with a wrong file, and the older good file stays. SCS_FAULTS values of n for each kind (4 for run, 1 for the other verbs), spread
# over all calls; "all": n = 1, 2, ... to the last call (of allocations, which are thousands: the first 50 and 150 more).
. "$SCS_SRCDIR/tests/lib.sh"
. "$SCS_SRCDIR/tests/faults/verbs.sh"
shim=$work/shim.so
${CC:-cc} -O1 -D_GNU_SOURCE -shared -fPIC -o "$shim" "$SCS_SRCDIR/tests/faults/shim.c" -ldl || fail "the shim does not compile"
make_good

# faulty FAULT RANK NP VERB: leaves the exit code in `code`.
faulty() {
    rm -rf out
    set_out out
    # shellcheck disable=SC2046
    try_on "$3" env SCS_FAULT="$1" SCS_FAULT_RANK="$2" SCS_FAULT_DIR="$work/out" SCS_FAULT_COUNT="$work/count" LD_PRELOAD="$shim" \
        "$scscreen" $(words "$4" "$work/out") -q
}

# Numbers of calls: counted VERB NP RANK leaves a line "KIND N" for each kind in the file counts.
counted() {
    faulty any:0 "$3" "$2" "$1"
    [ "$code" = 0 ] || fail "$1 without a fault on $2 ranks: exit $code"
    mv count counts
}

# Which calls of $1 to fail: $2 of them, or all.
numbers() {
    awk -v calls="$1" -v many="$2" -v kind="$3" 'BEGIN {
        first = many == "all" ? (kind == "malloc" ? 50 : calls) : 0
        for (i = 1; i <= first && i <= calls; i++) print i
        if (many == "all") many = kind == "malloc" && calls > 50 ? 150 : 0
        for (i = 1; i <= many && calls > 0; i++) print first + int((2 * i - 1) * (calls - first) / (2 * many)) + (calls > first)
    }' | uniq
}

# sweep KIND RANK NP VERB HOW-MANY [+]: after `counted`.
sweep() {
    before=$failed
    for at in $(numbers "$(awk -v k="$1" '$1 == k { print $2 }' counts)" "$5" "$1"); do
        faulty "$1:$at$6" "$2" "$3" "$4"
        judge "$4 on $3 ranks, $1 $at$6 fails on rank $2" "$4" out
    done
    [ "$failed" != "$before" ] || pass
}

each=${SCS_FAULTS:-4} few=${SCS_FAULTS:-1}
for verb in $verbs; do
    counted $verb 1 0
    [ $verb = run ] && many=$each || many=$few
    for kind in write open close fsync rename fallocate malloc; do sweep $kind 0 1 $verb "$many"; done
    for kind in write fallocate; do
        [ $verb = train ] || sweep $kind 0 1 $verb "$many" +
    done
    echo "$verb: $(tr '\n' ' ' <counts); $runs runs so far"
done
few=1
[ "$each" = 4 ] || few=4
# Where MPI_File_open fails on one rank Open MPI hangs, and the watchdog ends the job.
echo 'output: {deadline: 20}' >>run.yaml
for rank in 0 1; do
    counted run 2 $rank
    for kind in write malloc fsync; do sweep $kind $rank 2 run $few; done
done
[ "$few" = 1 ] || for verb in screen validate pca; do
    [ $verb != pca ] || make_whole pca 2
    for rank in 0 1; do
        counted $verb 2 $rank
        for kind in write open malloc fsync; do sweep $kind $rank 2 $verb $few; done
    done
done
# A write that never returns: the watchdog ends the job with one line, on all ranks.
stalled() { # NP RANK NUMBER
    faulty "write:$3s" "$2" "$1" run
    if [ "$code" = 74 ] && [ "$(grep -c 'error: .*output.deadline' log)" = 1 ]; then pass; else
        fail "write $3 stalls on rank $2 of $1: exit $code"
        tail -n 3 log
    fi
}
faulty write:0 0 1 run
calls=$(cat count)
sed -i 's/epochs: 2,/epochs: 2, checkpoint_minutes: 0,/' run.yaml
sed -i 's/deadline: 20/deadline: 1/' run.yaml
for at in 5 $((calls * 2 / 3)) $((calls - 3)); do stalled 1 0 $at; done
stalled 2 1 1 # later ones depend on who gets which rows
echo "$runs runs, $refused of them ended with an error line"
finish
