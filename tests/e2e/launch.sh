# scscreen -n RANKS starts mpirun itself; whoever ends a job in whatever way, its training is not lost.
. "$SCS_SRCDIR/tests/lib.sh"
# What a user's shell has: no settings of the tests.
unset OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM OMPI_MCA_rmaps_base_oversubscribe OMPI_MCA_mpi_yield_when_idle
export OMP_NUM_THREADS=1
small_atlas
cd "$work" || exit 1

says() { # WORDS WHAT
    if grep -qF -- "$1" log; then pass; else fail "$2 does not say \"$1\""; show log; fi
}
timeout "$SCS_TIMEOUT" "$scscreen" -n 3 --oversubscribe run run.yaml --set output.dir='a b' >log 2>&1
check_ok "scscreen -n 3" $? log
says "on 3 ranks" "scscreen -n 3"
says "to stop: Ctrl-C, or touch a b/STOP; the same command then goes on from there" "scscreen -n 3"
says "--set 'output.dir=a b'" "the printed command"
# The printed command does the same.
grep '^scscreen: mpirun' log | sed 's/^scscreen: //' >command
cp 'a b/model.h5' kept.h5
timeout "$SCS_TIMEOUT" sh ./command >log 2>&1
check_ok "the printed command" $? log
cmp 'a b/model.h5' kept.h5 && pass || fail "the printed command makes another model"

refuse() { # WHAT CODE WORDS ARGS...
    what=$1 code=$2 words=$3
    shift 3
    timeout "$SCS_TIMEOUT" "$scscreen" --quiet "$@" >log 2>&1
    got=$?
    if [ $got = "$code" ] && grep -q "^scscreen: error: .*$words" log && [ "$(wc -l <log)" = 1 ]; then pass; else fail "$what: exit $got"; show log; fi
}
# One line, without what mpirun has to say, and the program's exit code.
refuse "a mistake" 65 "no cell has the cell type 'x'" -n 3 --oversubscribe run run.yaml --set 'hold_out=[{cell_type: x, condition: y}]'
refuse "a mistake in a key" 64 "did you mean train.epochs" -n 3 --oversubscribe run run.yaml --set train.epoch=3
refuse "no number" 64 "the number of ranks" -n x run run.yaml
refuse "no ranks" 64 "the number of ranks" run run.yaml -n 0
refuse "too many ranks" 64 "or --oversubscribe" -n 100000 run run.yaml
. "$SCS_SRCDIR/scripts/mpirun.sh"
# MPICH's mpirun may end with 0 once it has passed a signal on (the signals below): the first rank tells its code itself.
: >told
SCSCREEN_CODE=$PWD/told launch 1 run run.yaml --set 'hold_out=[{cell_type: x, condition: y}]' >log 2>&1
[ "$(od -An -tu1 told | tr -d ' ')" = 65 ] && pass || { fail "the first rank tells '$(od -An -tu1 told)', not 65"; show log; }
# Ranks of one node do not look for networks, unless the user wants to.
if [ "$(mpi_name)" = openmpi ]; then
    looks() { # WANTED WHAT WORDS...
        wanted=$1 what=$2
        shift 2
        "$@" check run.yaml --set check.trial=false >log 2>&1
        check_ok "check, $what" $? log
        [ "$(grep -c 'found loaded component cm' log)" "$wanted" 0 ] && pass || fail "$what: $(grep -c 'found loaded component cm' log) looks for networks"
    }
    export OMPI_MCA_pml_base_verbose=10
    looks -eq "two ranks of mpirun" mpirun --oversubscribe -n 2 "$scscreen"
    looks -eq "no launcher" "$scscreen"
    looks -gt "the user's choice" mpirun --oversubscribe --mca pml ob1,cm -n 2 "$scscreen"
    unset OMPI_MCA_pml_base_verbose
fi
# Nor for graphics cards and screens; an hwloc without plugins does so by itself, and says nothing.
plugins_in() { # WANTED WHAT [NAME=VALUE]
    env HWLOC_PLUGINS_VERBOSE=1 ${3:+"$3"} "$scscreen" check run.yaml --set check.trial=false >log 2>&1
    check_ok "check, $2" $? log
    found=$(sed -n 's/.*Starting plugin dlforeach in //p' log | sort -u)
    [ "${found:-$1}" = "$1" ] && pass || fail "$2: hwloc looks for plugins in '$found', not '$1'"
}
plugins_in /dev/null "plugins of hwloc"
plugins_in "$PWD" "the user's choice of plugins" "HWLOC_PLUGINS_PATH=$PWD"
# One process of MPICH's mpirun is like one that Slurm started, which may start others.
[ "$(mpi_name)" = openmpi ] && np=1 || np=2
launch $np --quiet -n 2 run run.yaml >log 2>&1
[ $? = 64 ] && pass || fail "-n under mpirun is not refused"
says "under another launcher" "-n under mpirun"

# begin: a job that trains until somebody ends it; nothing is saved before that.
forever="--set train.epochs=1000000 --set train.patience=1000000 --set train.checkpoint_minutes=0"
begin() { # COMMAND...
    rm -rf results
    # shellcheck disable=SC2086
    setsid "$@" run run.yaml $forever >log 2>&1 &
    job=$!
    while [ ! -s results/events.jsonl ] && kill -0 $job 2>/dev/null; do sleep 0.05; done
}
ended() { # WHAT CODE WORDS
    wait $job
    code=$?
    if [ $code = "$2" ]; then pass; else fail "$1: exit $code, expected $2"; show log; fi
    says "$3" "$1"
    "$scscreen" inspect results >log 2>&1
    check_ok "$1: inspect" $? log
    says "the command that was interrupted goes on from training.1.h5" "$1"
}
for signal in INT TERM HUP; do
    begin "$scscreen" -n 2 --oversubscribe
    kill -$signal -$job # the whole group, as a terminal does
    ended "$signal of scscreen -n 2" 75 "stopped: by SIGUSR1"
done
begin "$scscreen" -n 2 --oversubscribe
kill -KILL $job
wait $job
while pgrep -g "$job" >/dev/null || ! [ -e results/training.1.h5 ]; do sleep 0.05; done
"$scscreen" inspect results >log 2>&1
says "goes on from training.1.h5" "scscreen -n 2, killed"

# mpirun itself: its SIGCONT is the notice.
export OMPI_MCA_odls_base_sigkill_timeout=60
for signal in INT TERM; do
    begin mpirun -n 2 "$scscreen"
    mpirun=$(pgrep -o -f "mpirun.* -n 2 $scscreen run run.yaml" -g $job)
    kill -$signal "$mpirun"
    # The ranks save and are gone (zombies, until mpirun looks), while mpirun waits for the minute to end.
    while ps --ppid "$mpirun" -o stat= | grep -qv Z && kill -0 $job 2>/dev/null; do sleep 0.05; done
    kill -KILL -$job
    wait $job 2>/dev/null
    "$scscreen" inspect results >log 2>&1
    says "goes on from training.1.h5" "$signal of mpirun"
done
# Suspended and woken, by whomever, is not ended.
unset OMPI_MCA_odls_base_sigkill_timeout
begin mpirun -n 1 "$scscreen"
rank=$(pgrep -o -f "^$scscreen run run.yaml")
# MPICH's ranks have no parent in their session, and so the kernel has no TSTP for them.
[ "$(mpi_name)" = mpich ] && suspend=STOP || suspend=TSTP
kill -$suspend "$rank"
while [ -e "/proc/$rank" ] && ! grep -q "^State:.*T" "/proc/$rank/status"; do sleep 0.05; done
kill -CONT "$rank"
before=$(wc -l <results/events.jsonl)
while [ "$(wc -l <results/events.jsonl)" -lt $((before + 3)) ] && kill -0 $job; do sleep 0.05; done
touch results/STOP
ended "suspended, woken, told to stop" 75 "stopped: by the file STOP"

# auto: the first state is on disk when the second epoch begins.
forever="--set train.epochs=1000000 --set train.patience=1000000"
begin mpirun -n 2 "$scscreen"
while [ ! -e results/training.1.h5 ] && kill -0 $job 2>/dev/null; do sleep 0.05; done
kill -KILL $(pgrep -g $job) $(pgrep -f "$scscreen run run.yaml --set train.epochs=1000000") 2>/dev/null
wait $job
"$scscreen" inspect results >log 2>&1
says "goes on from training.1.h5" "a killed job"
finish
