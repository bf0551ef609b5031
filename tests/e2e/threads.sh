# What users leave to the program: threads and binding under mpirun, and a BLAS core type that does not fit the processor.
. "$SCS_SRCDIR/tests/lib.sh"
small_atlas
unset OMP_NUM_THREADS OMPI_MCA_hwloc_base_binding_policy
cd "$work" || exit 1

# train NAME COMMAND...: train by this command, its words in NAME.log
train() {
    name=$1
    shift
    timeout "$SCS_TIMEOUT" "$@" "$scscreen" train run.yaml --restart --set train.epochs=1 --set output.dir="$name" >"$name.log" 2>&1
    check_ok "$name" $? "$name.log"
}

# threads NAME RANKS THREADS
threads() {
    word=threads
    [ "$3" = 1 ] && word=thread
    if grep -q "on $2 x $3 $word," "$1.log"; then pass; else fail "$1: not $2 x $3 $word"; grep training "$1.log"; fi
}

n=$(nproc)
train alone env
threads alone "1 rank" "$n"
train one_rank mpirun -n 1
threads one_rank "1 rank" "$n"
train asked mpirun -n 1 --bind-to core
threads asked "1 rank" 1
if [ "$n" -gt 1 ] && [ "$n" -le 4 ]; then
    train all_ranks mpirun -n "$n"
    threads all_ranks "$n ranks" 1
fi
train told env OMP_NUM_THREADS=3
threads told "1 rank" 3
for other in one_rank asked told; do
    if cmp -s alone/model.h5 $other/model.h5; then pass; else fail "model of $other differs"; fi
done

# Core types: old, new, AMD's, none at all. Every one either works or is left out with a warning.
for core in Nehalem Haswell SkylakeX Bulldozer Zen Nonsense; do
    train "core_$core" env OPENBLAS_CORETYPE=$core
done
if grep -q '^vendor_id.*GenuineIntel' /proc/cpuinfo; then
    if grep -q "OPENBLAS_CORETYPE=Bulldozer does not work" core_Bulldozer.log; then pass; else fail "no warning about AMD's instructions"; fi
fi
if grep -q "does not work" core_Nehalem.log; then fail "a good core type was refused"; else pass; fi
finish
