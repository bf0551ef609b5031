# Whatever fallible call fails on whichever rank: all ranks return the same code and message, none hangs, and a run that says it
# went well has left the right bytes. SCS_SEEDS seeds (200; make check-long: 10000), shared by the verbs; from 1000 on each of them
# runs on 2, 3 and 4 ranks, below on one of these.
. "$SCS_SRCDIR/tests/lib.sh"
seeds=${SCS_SEEDS:-200}
agreement=$SCS_BUILDDIR/tests/faults/agreement
two_species 24 4 3 "$work/run.yaml"
cat >>"$work/run.yaml" <<Y
hold_out:
  - {cell_type: type_1, condition: drug_1}
model: {hidden: 8, layers: 1, latent: 4}
train: {batch: 32, epochs: 1, shards: 4, checkpoint_steps: 1}
screen: {permutations: 5, bootstrap: 2, rank_by: delta_norm}
output: {dir: out, top_genes: 3}
Y
cd "$work" || exit 1
nm "$scscreen" >symbols && nm "$agreement" >knob || fail "nm could not read the programs"
if grep -q ' scs_fault' knob; then pass; else fail "no knob in the test build"; fi
if grep -q ' scs_fault' symbols; then fail "the program itself has the knob"; else pass; fi

cat /dev/null >places
all=0 wrong=0 done=0 alike=0 faults=0 hangs=0
# Expected files first, from the program without faults, on another number of ranks.
expect_files() { # NAME FILES VERB ARGS...
    name=$1 files=$2
    shift 2
    mkdir -p "$name.expected" out
    launch 1 "$@" --restart >log 2>&1 # whatever the job before has left
    check_ok "$name without faults" $? log
    for file in $files; do cp "out/$file" "$name.expected/"; done
}
# One MPI job; a hang is told by the job itself, and the seeds after it go on in another.
inject() { # NAME FORGET NP FIRST COUNT VERB ARGS...
    name=$1 forget=$2 np=$3 first=$4 count=$5
    shift 5
    while [ "$count" -gt 0 ]; do
        OMP_NUM_THREADS=1 SCS_VERBOSE=1 timeout 9000 mpirun -n "$np" "$agreement" "$first" "$count" 1000 "$name.expected" out "$forget" -- "$@" -q >log 2>&1
        code=$?
        all=$((all + count))
        grep -E '^(WRONG|HANG)' log
        sed -n 's/^seed .*; rank [0-9]*, //p' log >>places
        [ -z "$(grep -E '^(WRONG|HANG)' log)" ] || grep -E '^seed ' log
        line=$(grep '^[0-9]* seeds: ' log)
        if [ -n "$line" ]; then
            done=$((done + $(echo "$line" | sed 's/.* \([0-9]*\) went well.*/\1/')))
            alike=$((alike + $(echo "$line" | sed 's/.* \([0-9]*\) failed alike.*/\1/')))
            faults=$((faults + $(echo "$line" | sed 's/.* \([0-9]*\) faults.*/\1/')))
            wrong=$((wrong + $(echo "$line" | sed 's/.* \([0-9]*\) wrong.*/\1/')))
            break
        fi
        at=$(sed -n 's/^HANG: seed \([0-9]*\),.*/\1/p' log | head -n 1)
        if [ -z "$at" ]; then
            fail "$name at np $np: exit $code"
            tail -n 30 log
            break
        fi
        hangs=$((hangs + 1))
        count=$((first + count - at - 1)) first=$((at + 1))
        all=$((all - count))
    done
}
# Each job with a share of the seeds, on 2, 3 and 4 ranks.
jobs=0
each_job() { # ACTION
    jobs=0
    job "$1" check "" - check run.yaml
    job "$1" train model.h5 - train run.yaml --set train.epochs=2 --set train.batch_norm=shard --set train.output_layer=factored
    job "$1" run "model.h5 screen.h5ad" - run run.yaml --set screen.decode=blend --set screen.blend=auto --set screen.shift=auto
    job "$1" screen "screen.h5ad" - screen run.yaml
    job "$1" mean screen.h5ad - screen run.yaml --set model.kind=mean
    job "$1" components "" - screen run.yaml --set model.kind=pca
    job "$1" pca "" - pca run.yaml
    # three models; on 4 ranks two by a group each, the last by both
    job "$1" validate validation.tsv out/validation validate run.yaml --set validate.pca=false --set 'validate.species=[species_a]' \
        --set 'validate.perturbations=[drug_1]' --group-size 2
}
job() { # ACTION NAME FILES FORGET VERB ARGS...
    action=$1 name=$2 files=$3 forget=$4
    shift 4
    jobs=$((jobs + 1))
    if [ "$action" = count ]; then
        return
    fi
    expect_files "$name" "$files" "$@"
    ranks="2 3 4"
    [ "$seeds" -ge 1000 ] || ranks=$((jobs % 3 + 2))
    share=$((n_job * $(echo $ranks | wc -w)))
    for np in $ranks; do
        inject "$name" "$forget" "$np" $((1000000 * jobs + 10000 * np)) $(((seeds + share - 1) / share)) "$@"
    done
}
each_job count
n_job=$jobs
each_job inject
if [ "$all" -ge "$seeds" ]; then pass; else fail "$all seeds of $seeds"; fi
if [ "$alike" -gt $((all / 10)) ] && [ "$done" -gt $((all / 10)) ]; then pass; else fail "of $all seeds $done went well, $alike failed: the knob does not bite"; fi
if [ "$wrong" = 0 ]; then pass; else fail "$wrong disagreements or wrong files"; fi
if [ "$hangs" = 0 ]; then pass; else fail "$hangs hangs"; fi
echo "$all seeds: $done went well, $alike failed alike on all ranks, $faults faults at $(sort -u places | wc -l) places, $wrong wrong, $hangs hangs"
finish
