# What lies in one output.dir belongs together: one job at a time writes there, and a screen says which model it is of.
. "$SCS_SRCDIR/tests/lib.sh"
small_atlas
cd "$work" || exit 1

# A job that trains until it is told to stop: its state is there, so it is at work.
: >told
SCSCREEN_CODE=$work/told OMP_NUM_THREADS=1 timeout "$SCS_TIMEOUT" mpirun -n 2 "$scscreen" run run.yaml --set train.epochs=100000 --set train.patience=100000 \
    --set train.checkpoint_steps=1 >first.log 2>&1 &
guard=$!
while [ ! -e results/training.2.h5 ] && kill -0 $guard 2>/dev/null; do sleep 0.05; done
for verb in train run validate pca check; do
    expect "a second job, $verb" 73 "results: another job is at work there; wait for it or choose another output.dir" 1 $verb run.yaml
done
expect "a second job" 73 "another job is at work there" 3 run run.yaml --restart
"$scscreen" inspect results >log 2>&1
check_ok "inspect beside a job" $? log
kill -USR1 "$(pgrep -P $guard)"
wait $guard
code=$(signalled $?)
if [ "$code" = 75 ] && grep -q "stopped: by" first.log; then pass; else fail "the first job: exit $code"; show first.log; fi
lines=$(grep -c '^{' results/events.jsonl)
told=$(grep -o '"epoch": [0-9]*' results/events.jsonl | sort -u | wc -l)
if [ "$lines" = "$told" ]; then pass; else fail "events.jsonl of the first job has $lines lines of $told epochs"; fi

# A job that is at work holds the lock; the second has the folder open once it asks for it. Then the first leaves FILE and ends, as
# if it had just finished: what it has made must not be replaced by a job that was started beside it.
held_by_another() { # FILE
    flock results sh -c '
        touch held
        i=0
        until for pid in $(pgrep -x scscreen); do ls -l /proc/$pid/fd 2>/dev/null; done | grep -q "> $PWD/results\$" || [ $i = 2000 ]; do
            i=$((i + 1))
            sleep 0.02
        done
        echo another >results/new && mv results/new "results/$1"' sh "$1" &
    holder=$!
    while [ ! -e held ]; do sleep 0.01; done
    rm held
}
beside() { # FILE NP VERB ARGS...
    file=$1
    shift
    held_by_another "$file"
    expect "$2 beside a job that finishes $file" 73 "results: another job was at work there and has just finished: $file is its own" "$@"
    wait $holder
    if [ "$(cat "results/$file")" = another ]; then pass; else fail "$2 beside a job that finishes: another $file"; fi
    rm "results/$file"
}
mkdir aside && mv results/training.* aside # without a state: the first is done
for file in model.h5 screen.h5ad; do beside $file 3 run run.yaml; done
beside screen.h5ad 2 screen run.yaml --set model.kind=mean
beside validation.tsv 2 validate run.yaml
beside pca.h5ad 1 pca run.yaml
beside cells.h5ad 2 predict run.yaml --set model.kind=mean
beside latent.h5ad 1 embed run.yaml --set model.kind=pca
mv aside/* results

# A job that was killed has finished nothing, and may hold the lock for a moment: the next goes on from its state.
held_by_another events.jsonl
launch 2 run run.yaml --set train.epochs=100000 --set train.patience=100000 --set train.checkpoint_steps=1 --max-hours 0.000001 >log 2>&1
code=$?
wait $holder
if [ $code = 75 ] && grep -q "going on from results/training" log; then pass; else fail "beside a job that was killed: exit $code"; show log; fi

# The lock does not outlive a job.
launch 1 run run.yaml --restart --set screen.rank_by=delta_norm >log 2>&1
check_ok "a job after the first" $? log

says() { # WORDS WHAT
    if grep -qF -- "$1" log; then pass; else fail "$2 does not say \"$1\""; cat log; fi
}
inspect() {
    "$scscreen" inspect results >log 2>&1
    check_ok "inspect: $1" $? log
}
report() {
    "$SCS_PYTHON" -B "$SCS_SRCDIR/scripts/report" results >log 2>&1
    check_ok "report: $1" $? log
}
inspect "a run"
says "Finished" "inspect of a run"
report "a run"
if grep -q warning log; then fail "report of a run warns"; cat log; else pass; fi
grep -q "figure-scatter-" results/report.html && pass || fail "the report of a run has no scatter plots"
"$scscreen" inspect results/screen.h5ad >log 2>&1
says "model_checksum   $(head -n 2 results/model.h5 | tail -n 1)" "inspect of a screen"

# The model is trained anew: the screen is the other one's.
launch 2 train run.yaml --set train.seed=2 >log 2>&1
check_ok "train" $? log
inspect "another model"
says "a screen of another model than this model.h5" "inspect"
says "do not belong together" "inspect"
if grep -q Finished log; then fail "inspect takes another model's screen for finished"; else pass; fi
report "another model"
says "report: warning: results: model.h5 is not the model of this screen" "report"
if grep -q "figure-scatter-\|figure-training" results/report.html; then fail "the report shows another model's figures"; else pass; fi
launch 2 screen run.yaml --set train.seed=2 >log 2>&1
check_ok "screen" $? log
says "removed results/ranking.tsv: it ranked the screen before this one" "screen"
[ ! -e results/ranking.tsv ] && pass || fail "the ranking of the screen before is still there"
inspect "screened again"
says "Finished" "inspect"

# A screen without a network, beside a model.
launch 2 screen run.yaml --set model.kind=mean >log 2>&1
check_ok "screen without a network" $? log
inspect "no network"
says "a screen that is not of this model.h5: it names no model" "inspect"

# A model from elsewhere: the screen's is the one that this job wrote; in another folder, the one that was loaded.
launch 1 run run.yaml --set model.load=results/model.h5 --set train.seed=2 --set output.dir=loaded >log 2>&1
check_ok "run with a model from elsewhere" $? log
"$scscreen" inspect loaded >log 2>&1
says "Finished" "inspect of a run with a model from elsewhere"
printf 'no HDF5' >results/screen.h5ad
expect "inspect of a folder with a damaged screen" 65 "1 of these files is damaged" 1 inspect results

# An input that is written to while it is read: its labels could be of one file and its values of another. Somebody touches it all the time.
for np in 1 3; do
    while :; do touch data/species_a.h5ad; done &
    writer=$!
    expect "an input that is written to" 65 "species_a.h5ad: changed while it was being read; run again when nothing writes to it" $np run run.yaml --set output.dir=written
    kill $writer
    wait $writer 2>/dev/null
done
if [ -z "$(ls written/*.h5* 2>/dev/null)" ]; then pass; else fail "something was made of an input that was written to"; fi
finish
