# Sourced by the shell tests. Counts checks; `finish` prints the last line and exits (77: nothing could be checked here).
. "$SCS_SRCDIR/scripts/mpirun.sh"
scscreen=$SCS_BUILDDIR/scscreen
passed=0
failed=0
skipped=0
work=$(mktemp -d "${TMPDIR:-/tmp}/scscreen-test.XXXXXX")
trap 'rm -rf "$work"' EXIT

# A hang is a failure; slow builds (sanitizers, valgrind) and busy machines take longer.
SCS_TIMEOUT=${SCS_TIMEOUT:-300}
export SCS_TIMEOUT

pass() { passed=$((passed + 1)); }
fail() {
    failed=$((failed + 1))
    echo "FAILED: $*"
}
# skip WHAT: WHY: a check that this machine does not allow. tests/count-results goes by these lines.
skip() {
    skipped=$((skipped + 1))
    echo "SKIPPED: $*"
}
# skip_all WHY: of the whole test.
skip_all() {
    skip "$@"
    finish
}
# need_data FILE...: of the real data (../shared, or configure --with-test-data), without which there is nothing to test.
need_data() {
    for file in "$@"; do [ -f "$SCS_SHARED/$file" ] || skip_all "no real data: $SCS_SHARED/$file"; done
}
finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ] || exit 1
    [ "$passed" = 0 ] || exit 0
    [ "$skipped" = 0 ] && exit 1
    exit 77
}

# show LOG: of a run that did wrong. A sanitizer's report, which comes before what mpirun says, is long.
show() { tail -n 200 "$1"; }

# mpi_name: openmpi, mpich or unknown, as configure found it.
mpi_name() { sed -n 's/^#define SCS_MPI_NAME "\(.*\)"/\1/p' "$SCS_BUILDDIR/config.h"; }

# signalled CODE: that of a job which was ended by a signal. MPICH's mpirun may end with 0 once it has passed one on, so that there it
# is the first rank's own word, for which SCSCREEN_CODE=$work/told asks.
signalled() {
    if [ "$(mpi_name)" = mpich ]; then od -An -tu1 "$work/told" | tr -d ' '; else echo "$1"; fi
}

# launch NP ARGS...: the program on NP ranks, without progress lines unless it fails. A hang is a failure (code 124).
launch() {
    np=$1
    shift
    OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} timeout "$SCS_TIMEOUT" mpirun -n "$np" "$scscreen" "$@"
}

# check_ok WHAT CODE-OF-LAST-COMMAND LOG
check_ok() {
    if [ "$2" = 0 ]; then
        pass
    else
        fail "$1: exit $2"
        show "$3"
    fi
}

# two_species GENES CELLS TYPES CONFIG: a simulated atlas of two species in $work/data, and a config that begins by reading it.
two_species() {
    "$scscreen" simulate --dir "$work/data" --genes "$1" --cells "$2" --cell_types "$3" --perturbations 2 --species 2 >"$work/log" 2>&1
    check_ok simulate $? "$work/log"
    cat >"$4" <<Y
data:
  inputs:
    - {path: data/species_a.h5ad}
    - {path: data/species_b.h5ad, orthologs: data/species_b.orthologs.tsv}
  species: species
  normalize: log1p
Y
}

# small_atlas: such an atlas with the config $work/run.yaml, a run of some seconds.
small_atlas() {
    two_species 300 20 3 "$work/run.yaml"
    cat >>"$work/run.yaml" <<Y
hold_out:
  - {cell_type: type_1, condition: drug_1}
model: {hidden: 48, latent: 8}
train: {epochs: 3, shards: 4}
Y
}

# expect WHAT CODE WORDS NP ARGS...: the program stops with this exit code and one error line that holds the words.
expect() {
    what=$1 code=$2 words=$3 np=$4
    shift 4
    log=$work/expect.log
    launch "$np" "$@" >"$log" 2>&1
    got=$?
    lines=$(grep -c '^scscreen: error: ' "$log")
    if [ "$got" != "$code" ]; then
        fail "$what at np $np: exit $got, expected $code"
        show "$log"
    elif [ "$lines" != 1 ]; then
        fail "$what at np $np: $lines error lines, expected 1"
        show "$log"
    elif ! grep '^scscreen: error: ' "$log" | grep -qF -- "$words"; then
        fail "$what at np $np: the error line does not say \"$words\""
        show "$log"
    else
        pass
    fi
}
