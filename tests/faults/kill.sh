# Killed anywhere, then run again, also on another number of ranks: the same bytes. SCS_KILLS SIGKILLs (10; make check-long: 200)
# of one rank, or of mpirun and all ranks, at random moments of training, saving and screening.
. "$SCS_SRCDIR/tests/lib.sh"
kills=${SCS_KILLS:-10}
small_atlas
sed -i 's/epochs: 3/epochs: 20, checkpoint_steps: 3, checkpoint_minutes: 0/' "$work/run.yaml"
whole=$work/whole
mkdir "$whole"
start=$(date +%s%N)
(cd "$whole" && launch 2 run ../run.yaml -q >log 2>&1)
check_ok "uninterrupted run" $? "$whole/log"
span=$((($(date +%s%N) - start) / 1000000)) # ms
before=0 training=0 saving=0 screening=0 rounds=0 blocked=0

# What there is of results is whole: each file is that of the uninterrupted run, or not there.
check_files() {
    for file in model.h5 screen.h5ad; do
        [ ! -e "results/$file" ] || cmp -s "results/$file" "$whole/results/$file" || fail "kill $done: another $file"
    done
}

# Where the kill hit, by what it left.
note_phase() {
    if [ -e results/model.h5 ]; then
        screening=$((screening + 1))
    elif ls results | grep -q 'training.*tmp'; then
        saving=$((saving + 1))
    elif [ -e results/training.1.h5 ]; then
        training=$((training + 1))
    else
        before=$((before + 1))
    fi
}

# Until the job is over; sets code. PMIx 4.2 can block mpirun in its own end when a rank dies while it connects: where no rank is
# left after 100 s, that is counted and mpirun ended. A rank that is left hangs.
wait_for_end() {
    for tenth in $(seq 1000); do
        kill -0 $guard || break
        sleep 0.1
    done 2>/dev/null
    if kill -0 $guard 2>/dev/null; then
        top=$(pgrep -P $guard)
        if ps -o stat= --ppid "${top:-0}" | grep -qv '^Z'; then fail "kill $done: hangs"; else blocked=$((blocked + 1)); fi
        [ -z "$top" ] || kill -9 $top
    fi
    wait $guard 2>/dev/null
    code=$?
}

# @param NP DELAY-MS ONE-OR-ALL WORDS...: run until killed; sets code, and ranks to the processes that were there to kill.
start_and_kill() {
    np=$1 delay=$2 who=$3
    shift 3
    OMP_NUM_THREADS=1 timeout "$SCS_TIMEOUT" mpirun -n "$np" "$scscreen" "$@" -q </dev/null >log 2>&1 &
    guard=$!
    sleep "$(awk "BEGIN { print $delay / 1000 }")"
    top=$(pgrep -P $guard)
    starter=$top
    [ "$(mpi_name)" != mpich ] || [ -z "$top" ] || starter=$(pgrep -P "$top") # its proxy
    ranks=$(pgrep -P "${starter:-0}" -f "scscreen $1")
    if [ "$who" = one ]; then
        victim=$(echo "$ranks" | sed -n "$((delay % np + 1))p")
    else
        victim="$top $ranks"
    fi
    [ -z "$ranks" ] || kill -9 $victim 2>/dev/null
    wait_for_end
}

# @param NP DELAY-MS ONE-OR-ALL: run until killed. A run that ends by itself has to be right, and the next begins anew.
run_and_kill() {
    start_and_kill "$@" run ../run.yaml
    if [ "$code" = 0 ]; then
        rounds=$((rounds + 1))
        [ -e results/model.h5 ] && [ -e results/screen.h5ad ] || fail "kill $done: exit 0 without results"
        check_files
        rm -rf results
        return
    fi
    if [ -n "$ranks" ]; then
        done=$((done + 1))
        mkdir -p results
        note_phase
        check_files
    fi
}

mkdir "$work/killed"
cd "$work/killed" || exit 1
done=0
awk -v n=$((20 * kills)) -v span="$span" -v seed="${SCS_SEED:-1}" 'BEGIN { srand(seed); for (i = 0; i < n; i++)
    print 1 + int(4 * rand()), int(300 + span * rand() ^ 2), (rand() < 0.5 ? "one" : "all") }' >"$work/plan"
while read -r np delay who; do
    [ "$done" -lt "$kills" ] || break
    run_and_kill "$np" "$delay" "$who"
done <"$work/plan"
# What a job leaves that is killed while it saves goes away with the state.
sh -c 'echo $$' >"$work/pid"
mkdir -p results
touch "results/training.1.h5.tmp.$(cat "$work/pid")"
launch 3 run ../run.yaml -q >log 2>&1
check_ok "after the last kill" $? log
check_files
if [ "$(ls results | tr '\n' ' ')" = "events.jsonl model.h5 screen.h5ad " ]; then pass; else fail "left over: $(ls results)"; fi
if [ "$done" = "$kills" ]; then pass; else fail "$done kills of $kills"; fi
sed 's/, "seconds".*//' results/events.jsonl >"$work/killed.events"
sed 's/, "seconds".*//' "$whole/results/events.jsonl" >"$work/whole.events"
if cmp -s "$work/killed.events" "$work/whole.events"; then pass; else fail "events.jsonl tells other epochs"; fi
# The same in screening alone, which goes on from its done blocks.
screen_kills=$((kills / 2)) killed=$done done=0 resumed=0 whole_screens=0
slow="screen ../run.yaml --set screen.bootstrap=300"
start=$(date +%s%N)
(cd "$whole" && launch 2 $slow -q >log 2>&1)
check_ok "uninterrupted screen" $? "$whole/log"
span=$((($(date +%s%N) - start) / 1000000))
awk -v n=$((20 * screen_kills)) -v span="$span" -v seed="${SCS_SEED:-1}" 'BEGIN { srand(seed + 1); for (i = 0; i < n; i++)
    print 1 + int(4 * rand()), int(200 + span * rand()), (rand() < 0.5 ? "one" : "all") }' >"$work/plan"
while read -r np delay who; do
    [ "$done" -lt "$screen_kills" ] || break
    start_and_kill "$np" "$delay" "$who" $slow
    if [ "$code" = 0 ]; then
        whole_screens=$((whole_screens + 1))
        cmp -s results/screen.h5ad "$whole/results/screen.h5ad" || fail "screen, kill $done: another screen.h5ad"
    elif [ -n "$ranks" ]; then
        done=$((done + 1))
    fi
done <"$work/plan"
launch 3 $slow >log 2>&1
check_ok "screen after the last kill" $? log
grep -q '^going on from ' log && resumed=1
cmp -s results/screen.h5ad "$whole/results/screen.h5ad" && pass || fail "screen after $done kills: another screen.h5ad"
if [ "$(ls results | tr '\n' ' ')" = "events.jsonl model.h5 screen.h5ad " ]; then pass; else fail "left over: $(ls results)"; fi
if [ "$done" = "$screen_kills" ]; then pass; else fail "$done kills of $screen_kills in screening"; fi
[ "$failed" = 0 ] && pass
echo "screening alone: $done kills, $whole_screens screens finished between them; the last one went on from done blocks: $resumed"
done=$killed
echo "$done kills: $before before the first state, $training in training, $saving while saving, $screening in screening; $rounds runs finished between them"
[ "$blocked" = 0 ] || echo "mpirun itself blocked in its end $blocked times, without a rank"
finish
