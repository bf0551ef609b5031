# Interrupted and told to go on, on any number of ranks, a run ends in the bytes of one that was left alone.
. "$SCS_SRCDIR/tests/lib.sh"
small_atlas
mkdir "$work/whole"
cd "$work/whole" && launch 1 run ../run.yaml >log 2>&1
check_ok "uninterrupted run" $? log
[ ! -e results/training.1.h5 ] && [ ! -e results/training.2.h5 ] && pass || fail "a finished run leaves a training state"
sums() { (cd "$1/results" && sha256sum model.h5 screen.h5ad); }
epochs() { grep -o '"epoch": [0-9]*, "step": [0-9]*, "cells": [0-9]*, "loss": [^,]*' "$1/results/events.jsonl"; }
sums "$work/whole" >"$work/whole.sha"
epochs "$work/whole" >"$work/whole.epochs"

# begin NAME: a folder of its own. stop NP WORDS ARGS...: exit 75 and one line with the words.
begin() { mkdir "$work/$1" && cd "$work/$1" || exit 1; name=$1; }
stop() {
    np=$1 words=$2
    shift 2
    launch "$np" run ../run.yaml "$@" >log 2>&1
    code=$?
    if [ "$code" = 75 ] && grep '^scscreen: stopped: ' log | grep -qF "$words"; then pass; else fail "$name: exit $code, expected 75 with \"$words\""; tail -n 5 log; fi
}
go_on() { # NP WORDS ARGS...
    np=$1 words=$2
    shift 2
    launch "$np" run ../run.yaml "$@" >log 2>&1
    check_ok "$name: going on at np $np" $? log
    if grep -qF "$words" log; then pass; else fail "$name: no \"$words\" at np $np"; tail -n 5 log; fi
}
same() {
    sums "$work/$name" >"$work/$name.sha" 2>&1
    if cmp -s "$work/whole.sha" "$work/$name.sha"; then pass; else fail "$name: other bytes than the uninterrupted run"; cat "$work/whole.sha" "$work/$name.sha"; fi
    epochs "$work/$name" >"$work/$name.epochs"
    if cmp -s "$work/whole.epochs" "$work/$name.epochs"; then pass; else fail "$name: events.jsonl tells other epochs"; cat "$work/whole.epochs" "$work/$name.epochs"; fi
    [ ! -e results/training.1.h5 ] && [ ! -e results/training.2.h5 ] && pass || fail "$name: the state is still there"
}

# Every step is one job's whole work: stopped 3 times, on other numbers of ranks each time.
begin hours
stop 2 "by train.max_hours after step 1 (epoch 1 of 3)" --max-hours 1e-9
stop 1 "after step 2" --max-hours 1e-9
stop 4 "after step 3" --max-hours 1e-9
go_on 3 "3 steps are done, 3 of them in epoch 1"
same

begin slurm
export SLURM_JOB_END_TIME=1
stop 2 "by the end of the Slurm job after step 1"
unset SLURM_JOB_END_TIME
go_on 1 "going on from results/training.1.h5"
same

# The file that asks for the end is gone afterwards, or the same command would stop again.
begin stop_file
mkdir results && touch results/STOP
stop 1 "by the file STOP after step 1"
if [ ! -e results/STOP ]; then pass; else fail "the STOP file is still there"; fi
go_on 2 "1 steps are done"
same

finish
