# The n-th write, open, close, fsync, rename, fallocate or allocation fails, in every verb: never a hang, never a crash, never exit 0
# with a wrong file, and the older good file stays. SCS_FAULTS values of n for each kind (4), spread over all calls; "all": n = 1, 2, ...
. "$SCS_SRCDIR/tests/lib.sh"
shim=$work/shim.so
${CC:-cc} -O1 -D_GNU_SOURCE -shared -fPIC -o "$shim" "$SCS_SRCDIR/tests/faults/shim.c" -ldl || fail "the shim does not compile"
small_atlas
sed -i 's/epochs: 3/epochs: 2, checkpoint_steps: 7/; s/hidden: 48/hidden: 16/' "$work/run.yaml"
cd "$work" || exit 1
launch 1 run run.yaml -q --set train.seed=2 --set output.dir=older >log 2>&1
check_ok "an older run" $? log
launch 1 run run.yaml -q --set output.dir=whole >log 2>&1
check_ok "a run without faults" $? log
runs=0 refused=0

# A folder with good files of an earlier run; screen needs this run's model.
prepare() {
    rm -rf out data_out
    cp -r older out
    [ "$1" != screen ] || cp whole/model.h5 out/model.h5
}

# faulty FAULT RANK NP VERB: leaves the exit code in `code`. One rank needs no mpirun, which would only cost time.
faulty() {
    prepare "$4"
    fault=$1 rank=$2 np=$3
    if [ "$4" = simulate ]; then
        set -- simulate --dir "$work/out" --genes 100 --cells 5 --cell_types 2 --perturbations 2 --species 1
    else
        set -- "$4" run.yaml --set "output.dir=$work/out"
    fi
    set -- env SCS_FAULT="$fault" SCS_FAULT_RANK="$rank" SCS_FAULT_DIR="$work/out" SCS_FAULT_COUNT="$work/count" LD_PRELOAD="$shim" "$scscreen" "$@" -q
    [ "$np" = 1 ] || set -- mpirun -n "$np" "$@"
    OMP_NUM_THREADS=1 timeout 60 "$@" >log 2>&1
    code=$?
    runs=$((runs + 1))
}

same_as_one_of() { # FILE...: the file in out is one of the others
    for other in "$@"; do
        cmp -s "out/${1##*/}" "$other" && return 0
    done
    return 1
}

# judge WHAT VERB: what the run left is right, or it says that it failed.
judge() {
    case $code in
    0) ;;
    65 | 70 | 73 | 74)
        refused=$((refused + 1))
        [ "$(grep -c '^scscreen: error: ' log)" = 1 ] || fail "$1: exit $code without one error line"
        ;;
    124) fail "$1: hangs" ;;
    139) fail "$1: crashes" ;;
    *)
        fail "$1: exit $code"
        tail -n 3 log
        ;;
    esac
    [ "$2" != simulate ] || return
    for file in model.h5 screen.h5ad; do
        if [ "$code" = 0 ] && [ "$2" = run ] || { [ "$code" = 0 ] && [ "$2" = train ] && [ "$file" = model.h5 ]; }; then
            cmp -s "out/$file" "whole/$file" || fail "$1: exit 0 with another $file"
        else
            same_as_one_of "older/$file" "whole/$file" "screened/$file" || fail "$1: exit $code, and $file is neither the old nor the new one"
        fi
    done
    if ls out | grep -q 'tmp'; then fail "$1: left $(ls out | grep tmp)"; fi
}

# sweep KIND RANK NP VERB HOW-MANY [+]
sweep() {
    faulty "$1:0" "$2" "$3" "$4"
    calls=$(cat count 2>/dev/null)
    [ "$code" = 0 ] || fail "$4 without a fault: exit $code"
    before=$failed
    [ "$5" = all ] && many=${calls:-0} || many=$5
    for i in $(seq 1 "$many"); do
        at=$(((i * 2 - 1) * ${calls:-0} / (2 * many) + 1))
        [ "$5" != all ] || at=$i
        faulty "$1:$at$6" "$2" "$3" "$4"
        judge "$4 on $3 ranks, $1 $at$6 of ${calls:-no} fails on rank $2" "$4"
    done
    [ "$failed" != "$before" ] || pass
}

launch 1 screen run.yaml -q --set output.dir=whole >log 2>&1
mkdir screened && mv whole/screen.h5ad screened/
cp whole/model.h5 screened/
launch 1 run run.yaml -q --set output.dir=whole >log 2>&1
check_ok "run again" $? log
each=${SCS_FAULTS:-4}
[ "$each" = all ] && few=all || few=1
for kind in write open close fsync rename fallocate malloc; do
    sweep $kind 0 1 run "$each"
    [ "$few" = 1 ] || for verb in train screen simulate; do sweep $kind 0 1 $verb all; done
done
for kind in write fallocate; do
    sweep $kind 0 1 run "$each" +
    sweep $kind 0 1 simulate "$few" +
    sweep $kind 0 1 screen "$few" +
done
for kind in write malloc fsync; do
    sweep $kind 0 2 run "$few"
    sweep $kind 1 2 run "$few"
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
echo 'output: {deadline: 1}' >>run.yaml
for at in 5 $((calls * 2 / 3)) $((calls - 3)); do stalled 1 0 $at; done
faulty write:0 1 2 run
stalled 2 1 "$(cat count)"
echo "$runs runs, $refused of them ended with an error line"
finish
