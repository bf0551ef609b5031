#!/bin/sh
# One test program at several numbers of ranks (SCS_NP overrides them), one line each; its output
# only where it fails.
# usage: tests/mpi/run_np.sh PROGRAM [ARGS...]
. "$(dirname "$0")/../../scripts/mpirun.sh"
log=$(mktemp "${TMPDIR:-/tmp}/run_np.XXXXXX")
trap 'rm -f "$log"' EXIT
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
status=0
for np in ${SCS_NP:-1 2 3 4 7}; do
    if timeout "${SCS_TIMEOUT:-300}" mpirun -n "$np" "$@" >"$log" 2>&1; then
        echo "np $np: passed: $(basename "$1"), $(awk '$1 == "asserts" { print $4 }' "$log") checks"
    else
        echo "np $np: FAILED (exit $?): $(basename "$1")"
        cat "$log"
        status=1
    fi
done
exit $status
