# A Slurm of one node in a temporary folder runs the batch scripts: trained in as many jobs as it takes, the model has the bytes of a
# run that was left alone. One job is preempted; SCS_SLURM=long: also signalled and requeued by hand, the same under srun, and a real
# time limit.
. "$SCS_SRCDIR/tests/lib.sh"
export PATH="$PATH:/usr/sbin:/sbin"
[ "$(id -u)" = 0 ] || skip_all "slurmd needs root"
for program in slurmctld slurmd munged sbatch scontrol; do command -v $program >/dev/null || skip_all "no $program (Debian: slurmctld, slurmd, slurm-client, munge)"; done

slurm=$work/slurm
mkdir -p "$slurm/state" "$slurm/spool" "$slurm/munge"
chmod 700 "$slurm/munge"
until_true() { # SECONDS CONDITION...; longer where all else may take longer
    patience=$(($1 * 4 * SCS_TIMEOUT / 300))
    shift
    while ! "$@"; do
        patience=$((patience - 1))
        [ "$patience" -gt 0 ] || return 1
        sleep 0.25
    done
}
gone() { ! kill -0 "$1" 2>/dev/null; }
stop_slurm() {
    scancel --full -s KILL -u root 2>/dev/null
    for name in slurmd slurmctld munge/munged; do
        pid=$(cat "$slurm/$name.pid" 2>/dev/null) || continue
        kill "$pid" 2>/dev/null
        until_true 10 gone "$pid" || kill -9 "$pid"
    done
    rm -rf "$work"
}
trap stop_slurm EXIT
trap 'exit 1' HUP INT TERM
port=$((20000 + $$ % 20000))
node=$(hostname -s)
# Without cgroups, accounting and systemd; more processors than there are; jobs of `high` preempt those of `low`.
cat >"$slurm/slurm.conf" <<S
ClusterName=test
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
AuthInfo=socket=$slurm/munge/socket
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/slurmd.pid
SlurmctldLogFile=$slurm/slurmctld.log
SlurmdLogFile=$slurm/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=30
ReturnToService=2
SchedulerParameters=batch_sched_delay=1,sched_min_interval=0
NodeName=$node NodeAddr=127.0.0.1 CPUs=4 RealMemory=1000
PartitionName=low Nodes=ALL Default=YES PriorityTier=1
PartitionName=high Nodes=ALL PriorityTier=9
S
export SLURM_CONF=$slurm/slurm.conf
dd if=/dev/urandom of="$slurm/munge/key" bs=1024 count=1 status=none
chmod 400 "$slurm/munge/key"
munged --key-file="$slurm/munge/key" --socket="$slurm/munge/socket" --pid-file="$slurm/munge/munged.pid" --log-file="$slurm/munge/log" \
    --seed-file="$slurm/munge/seed" --force 2>"$slurm/log" || skip "munged does not start ($(head -n 1 "$slurm/log"))"
slurmctld -i && slurmd || skip "Slurm's daemons do not start"
is_idle() { sinfo -h -p low -o %t | grep -q idle; }
until_true 60 is_idle || { tail -n 3 "$slurm/slurmctld.log" "$slurm/slurmd.log"; skip "the node does not come up"; }

# Training lasts until it is interrupted; wide layers rather than many steps, which wait for other jobs' time slices.
[ "${SCS_SLURM:-}" = long ] && epochs=600 || epochs=120
two_species 24 6 3 "$work/run.yaml"
cat >>"$work/run.yaml" <<Y
model: {hidden: 1024, latent: 4}
train: {batch: 32, epochs: ${SCS_SLURM_EPOCHS:-$epochs}, patience: 100000, shards: 4}
Y
mkdir "$work/whole" "$work/jobs"
(cd "$work/whole" && launch 1 train ../run.yaml -q >log 2>&1)
check_ok "uninterrupted training" $? "$work/whole/log"
cd "$work/jobs" || exit 1
export SCSCREEN="$scscreen"

state() { squeue -h -j "$job" -o %T 2>/dev/null; }
is() { [ "$(state)" = "$1" ]; }
says() { grep -qF -- "$1" log; }
steps() { grep -c '"event": "epoch"' results/events.jsonl 2>/dev/null; }
goes_on() { [ "$(steps)" -gt "${1:-0}" ] 2>/dev/null; }
at_most() { [ "$(squeue -h | wc -l)" -le "$1" ]; }
# In the queue again, it would wait two minutes; within a second, slurmd takes it for the job that was killed.
hurry() { until_true 60 is PENDING && sleep 3 && scontrol update JobId="$job" StartTime=now; }
submit() { # ARGS...: the training job
    job=$(sbatch --parsable --ntasks=2 --cpus-per-task=1 --mem-per-cpu=100 --output=log "$@" "$SCS_SRCDIR/scripts/slurm/train.sbatch" ../run.yaml)
}
# interrupted WHAT: it is in the queue again, with the state saved, not killed; then it goes on.
interrupted() {
    if until_true 60 is PENDING; then pass; else fail "$1: not in the queue again but $(state)"; tail -n 5 log; fi
    if [ -e results/training.1.h5 ] || [ -e results/training.2.h5 ]; then pass; else fail "$1: no state was saved: $(ls results)"; fi
    if ls results | grep -q tmp; then fail "$1: the save was cut short"; else pass; fi
    lines=$(grep -cs "going on from" log)
    hurry
    again() { [ "$(grep -cs "going on from" log)" -gt "${lines:-0}" ] 2>/dev/null; }
    if until_true 120 again; then pass; else fail "$1: does not go on: $(state)"; grep -v "^epoch" log | tail -n 25; fi
    goes_on_from=$(steps)
    until_true 60 goes_on "$goes_on_from"
}
# As --signal does it two minutes before the end: to the batch script alone.
signal() {
    scancel --batch --signal=USR1 "$job"
    interrupted "SIGUSR1"
    if says "stopped: by SIGUSR1"; then pass; else fail "no line about the signal"; fi
}
requeue() {
    scontrol requeue "$job"
    interrupted "scontrol requeue"
}
preempt() {
    urgent=$(sbatch --parsable --partition=high --ntasks=4 --output=/dev/null --wrap true)
    interrupted "preemption (by job $urgent)"
}
chain() { # INTERRUPTIONS...: one training in several jobs
    rm -rf results log
    submit
    until_true 60 goes_on 5 || fail "the job does not start: $(state) $(cat log)"
    for interruption in "$@"; do $interruption; done
    if until_true 900 at_most 0; then pass; else fail "the job does not end: $(state)"; fi
    if cmp -s results/model.h5 ../whole/results/model.h5; then pass; else fail "another model than that of the uninterrupted training"; ls results; tail -n 5 log; fi
    if [ "$(ls results | tr '\n' ' ')" = "events.jsonl model.h5 " ]; then pass; else fail "left over: $(ls results)"; fi
}
if [ "${SCS_SLURM:-}" = long ]; then
    chain signal requeue preempt
    if srun --mpi=list 2>&1 | grep -q pmix; then
        export SCSCREEN_LAUNCH="srun --mpi=pmix"
        chain signal requeue preempt
        unset SCSCREEN_LAUNCH
    else
        echo "SKIPPED: srun has no PMIx here; mpirun alone was tried"
    fi
    rm -rf results log
    submit --time=1 --signal=B:USR1@50
    until_true 60 goes_on || fail "the job does not start: $(state)"
    interrupted "the time limit"
    if says "stopped: by SIGUSR1"; then pass; else fail "no line about the time limit"; fi
    # Cancelled: saved, but nobody wants it in the queue again. So at a time limit without that signal.
    saved() { # WHAT
        if until_true 60 at_most 0; then pass; else fail "$1: still $(state)"; fi
        if [ -e results/training.1.h5 ] && ! ls results | grep -q tmp; then pass; else fail "$1: not saved: $(ls results)"; fi
    }
    scancel "$job"
    saved scancel
    rm -rf results log
    script=$work/without.sbatch
    grep -v '^#SBATCH --signal' "$SCS_SRCDIR/scripts/slurm/train.sbatch" >"$script"
    job=$(sbatch --parsable --ntasks=2 --cpus-per-task=1 --mem-per-cpu=100 --output=log --time=1 "$script" ../run.yaml)
    until_true 60 goes_on || fail "the job does not start: $(state)"
    until_true 180 at_most 0
    saved "the time limit alone"
else
    chain preempt
fi
# The other script: train and screen in one job.
rm -rf results log
sbatch --wait --ntasks=2 --cpus-per-task=1 --mem-per-cpu=100 --output=log "$SCS_SRCDIR/scripts/slurm/screen.sbatch" ../run.yaml --set train.epochs=3
check_ok "screen.sbatch" $? log
[ -s results/screen.h5ad ] && pass || fail "screen.sbatch: no result"
finish
