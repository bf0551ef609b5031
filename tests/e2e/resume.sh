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
    if [ "$code" = 75 ] && grep '^scscreen: stopped: ' log | grep -qF "$words"; then pass; else fail "$name: exit $code, expected 75 with \"$words\""; show log; fi
}
go_on() { # NP WORDS ARGS...
    np=$1 words=$2
    shift 2
    launch "$np" run ../run.yaml "$@" >log 2>&1
    check_ok "$name: going on at np $np" $? log
    if grep -qF "$words" log; then pass; else fail "$name: no \"$words\" at np $np"; show log; fi
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

# A signal to one rank only, or to mpirun, which passes SIGUSR1 on. A save in every step makes the run last.
signal() { # NAME SIGNAL TO EPOCHS
    begin "$1"
    : >"$work/told"
    SCSCREEN_CODE=$work/told OMP_NUM_THREADS=1 timeout "$SCS_TIMEOUT" mpirun -n 3 "$scscreen" run ../run.yaml --set train.epochs="$4" --set train.checkpoint_steps=1 >log 2>&1 &
    guard=$!
    while [ ! -e results/training.2.h5 ] && kill -0 $guard 2>/dev/null; do sleep 0.05; done
    to=$(pgrep -P $guard)
    [ "$3" = rank ] && [ "$(mpi_name)" = mpich ] && to=$(pgrep -P "$to") # its proxy
    [ "$3" = rank ] && to=$(pgrep -P "$to" | tail -n 1)
    kill "-$2" "$to"
    [ "$2" != TERM ] || kill -TERM "$to" # as Slurm does when it preempts a step
    wait $guard
    code=$(signalled $?)
    if [ "$code" = 75 ] && grep -qF "stopped: by" log; then pass; else fail "$name: exit $code"; show log; fi
}
signal usr1 USR1 mpirun 100
go_on 2 "going on from" --set train.epochs=100
signal term TERM rank 4000
signal int INT rank 4000

# What went on from a state that another run left would be wrong: refused, with the key's name.
begin changed
stop 2 "after step 1" --max-hours 1e-9
refuse() { # CODE WORDS ARGS...
    code=$1 words=$2
    shift 2
    expect "$name" "$code" "$words" 2 run ../run.yaml "$@"
}
refuse 64 "train.batch (32, now 64)" --set train.batch=64
refuse 64 "model.hidden (48, now 32), train.seed (1, now 2)" --set train.seed=2 --set model.hidden=32
refuse 64 "hold_out" --set "hold_out=[{cell_type: type_2, condition: drug_1}]"
refuse 64 "train.shards (4, now 8)" --set train.shards=8
expect "$name" 64 "fewer than the 5 ranks" 5 run ../run.yaml

# Another number of shards cannot go on; nor can other data.
"$scscreen" inspect results/training.1.h5 >log 2>&1
if grep -qF "1 steps; epoch 1" log && grep -qF "on up to 4 ranks" log; then pass; else fail "inspect of a state"; cat log; fi
# inspect says what is there, whether it is whole, and how to go on.
says() { # WORDS ARGS...
    words=$1
    shift
    "$scscreen" inspect "$@" >log 2>&1
    if [ $? = 0 ] && grep -qF "$words" log; then pass; else fail "inspect $* does not say \"$words\""; cat log; fi
}
says "the command that was interrupted goes on from training.1.h5" results
says "whole (checksum compared)" results/training.1.h5
says "whole (checksum compared)" ../whole/results/model.h5
says "scripts/report ../whole/results." ../whole/results
expect "inspect of an empty folder" 65 "holds no file of scscreen's" 1 inspect ../data
cp ../data/species_b.h5ad ../kept_b.h5ad
"$scscreen" simulate --dir "$work/other" --genes 300 --cells 20 --cell_types 3 --perturbations 2 --species 2 --seed 9 >"$work/log" 2>&1
cp ../other/species_b.h5ad ../data/species_b.h5ad
refuse 65 "saw other data than ../run.yaml describes now; put them back"
cp results/training.1.h5 mine.h5
"$SCS_PYTHON" - results/training.1.h5 <<'P'
import hashlib
import sys

import h5py

with h5py.File(sys.argv[1], "r+") as state: # as another version would have named itself
    state["program"][()] = b"9" + state["program"][()][1:]
data = open(sys.argv[1], "rb").read()
was = hashlib.sha256(open("mine.h5", "rb").read()[512:]).hexdigest().encode()
now = hashlib.sha256(data[512:]).hexdigest().encode()
assert was in data[:512]
open(sys.argv[1], "wb").write(data[:512].replace(was, now) + data[512:])
P
refuse 65 "named them by another checksum"
mv mine.h5 results/training.1.h5
mv ../kept_b.h5ad ../data/species_b.h5ad

# A damaged newest state: the older one is taken, with a warning. Both damaged: refused. --restart begins anew.
flip() { printf '\377' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
stop 2 "after step 2" --max-hours 1e-9
flip results/training.2.h5 20000
go_on 3 "warning: results/training.2.h5: damaged"
same
begin damaged
stop 2 "after step 1" --max-hours 1e-9
flip results/training.1.h5 3000
expect "inspect of a damaged state" 65 "damaged" 1 inspect results/training.1.h5
expect "inspect of its folder" 65 "1 of these files is damaged" 1 inspect results
truncate -s 5000 results/training.1.h5
refuse 65 "begin anew with --restart"
go_on 2 "training 0" --restart
same

# Killed after training: the same command does not train again.
begin screening
mkdir -p results/screen.h5ad
launch 2 run ../run.yaml >log 2>&1
[ $? = 73 ] && pass || fail "$name: a folder in the place of screen.h5ad is no failure"
rmdir results/screen.h5ad
go_on 4 "going on from"
if grep -q "^epoch" log; then fail "$name: trained again"; else pass; fi
same
finish
