# Every verb makes the same collective calls on all ranks of a communicator: name, count, datatype, operation and root, recorded by a
# preloaded layer. And whatever algorithms the MPI takes for its collectives, the results have one sha256.
# SCS_RANKS: numbers of ranks (2 3; make check-long: 1 2 3 4 8); SCS_REPEATS: runs at each, every one with other algorithms (2; 20).
. "$SCS_SRCDIR/tests/lib.sh"
layer=$work/collectives.so
${CC:-mpicc} -O1 -D_GNU_SOURCE -shared -fPIC -o "$layer" "$SCS_SRCDIR/tests/mpi/collectives.c" || fail "the layer does not compile"
two_species 120 12 3 "$work/run.yaml"
cat >>"$work/run.yaml" <<Y
hold_out:
  - {cell_type: type_1, condition: drug_1}
model: {hidden: 24, latent: 6}
train: {epochs: 2, shards: 8}
screen: {permutations: 50, bootstrap: 2}
Y
cd "$work" || exit 1
calls=0 comms=0

# compare FOLDER WHAT: one text for each communicator, from as many ranks as it has.
compare() {
    before=$failed
    for first in "$1"/*; do
        name=${first%@*}
        [ "$name" != "$last" ] || continue
        last=$name
        comms=$((comms + 1))
        size=$(sed -n '1s/ ranks//p' "$first")
        set -- "$1" "$2" "$name"@*
        [ $(($# - 2)) = "$size" ] || fail "$2: ${name##*/} has $size ranks, $(($# - 2)) of them took part"
        for other in "$name"@*; do
            calls=$((calls + $(wc -l <"$other")))
            cmp -s "$first" "$other" || { fail "$2: ${first##*/} and ${other##*/} differ"; diff "$first" "$other" | head -n 5; }
        done
    done
    [ "$(grep -l '^finalize$' "$1"/world@* | wc -l)" = "$np" ] || fail "$2: not every rank came to its end"
    [ "$failed" != "$before" ] || pass
}
record() { # VERB ARGS...
    rm -rf calls
    mkdir calls
    OMP_NUM_THREADS=1 timeout "$SCS_TIMEOUT" mpirun -n "$np" env LD_PRELOAD="${SCS_PRELOAD:+$SCS_PRELOAD:}$layer" SCS_COLLECTIVES="$work/calls" "$scscreen" "$@" -q >log 2>&1
    check_ok "$* at np $np" $? log
    last=
    compare calls "$1 at np $np"
}
for np in ${SCS_RANKS:-2 3}; do
    record check run.yaml
    record train run.yaml
    record train run.yaml --set train.data=stream --set train.window=64 --restart
    record screen run.yaml --set screen.decode=blend --set screen.blend=auto
    record run run.yaml --set data.target_sum=median
    record predict run.yaml --set data.target_sum=median
    record embed run.yaml --set data.target_sum=median
    record decode run.yaml
    record interpolate run.yaml --set data.target_sum=median --from species_a,type_1,control --to species_a,type_1,drug_1 --steps 5
    record integrate run.yaml --set data.target_sum=median --batch condition
    record screen run.yaml --set model.kind=pca --set output.dir=other
    record pca run.yaml
    record validate run.yaml --set 'validate.cell_types=[type_1]' --set train.shards=4 --set validate.group_size=2 --restart
done
echo "$calls calls in $comms communicators compared"
# The layer would tell: ranks with different lines are a difference.
mkdir wrong
printf '2 ranks\nbcast 1 MPI_INT root 0\nfinalize\n' >wrong/world@0
printf '2 ranks\nbcast 1 MPI_INT root 1\nfinalize\n' >wrong/world@1
if (np=2 last= failed=0; compare wrong wrong >/dev/null; [ "$failed" = 1 ]); then pass; else fail "a difference in root is not seen"; fi

# nth N WORD...: the N-th word, counted round from 0.
nth() {
    n=$1
    shift
    shift $((n % $#))
    echo "$1"
}
# algorithms: of the r-th run, as variables of the MPI.
algorithms() {
    if [ "$(mpi_name)" = mpich ]; then
        echo MPIR_CVAR_DEVICE_COLLECTIVES=none
        echo "MPIR_CVAR_ALLREDUCE_INTRA_ALGORITHM=$(nth "$r" recursive_doubling reduce_scatter_allgather smp)"
        echo "MPIR_CVAR_BCAST_INTRA_ALGORITHM=$(nth "$r" binomial scatter_ring_allgather smp)"
        echo "MPIR_CVAR_ALLGATHERV_INTRA_ALGORITHM=$(nth "$r" ring brucks)"
        echo "MPIR_CVAR_ALLTOALL_INTRA_ALGORITHM=$(nth "$r" pairwise scattered brucks)"
        echo "MPIR_CVAR_ALLTOALLV_INTRA_ALGORITHM=$(nth "$r" scattered nb)"
        echo "MPIR_CVAR_ALLGATHER_INTRA_ALGORITHM=$(nth "$r" ring brucks)"
        echo "MPIR_CVAR_REDUCE_INTRA_ALGORITHM=$(nth "$r" binomial reduce_scatter_gather smp)"
        return
    fi
    echo OMPI_MCA_coll_tuned_use_dynamic_rules=1
    echo "OMPI_MCA_coll_tuned_allreduce_algorithm=$((r % 6 + 1))"
    echo "OMPI_MCA_coll_tuned_bcast_algorithm=$((r % 9 + 1))"
    echo "OMPI_MCA_coll_tuned_allgatherv_algorithm=$((r % 4 + 1))"
    echo "OMPI_MCA_coll_tuned_alltoall_algorithm=$((r % 4 + 1))"
    echo "OMPI_MCA_coll_tuned_alltoallv_algorithm=$((r % 2 + 1))"
    echo "OMPI_MCA_coll_tuned_allgather_algorithm=$((r % 5 + 1))"
    echo "OMPI_MCA_coll_tuned_reduce_algorithm=$((r % 7 + 1))"
    echo "OMPI_MCA_coll_tuned_barrier_algorithm=$((r % 4 + 1))"
}
# One sha256 on any number of ranks with any algorithms.
runs=0 before=$failed
launch 1 run run.yaml -q --set output.dir=one >log 2>&1
check_ok "run at np 1" $? log
for np in ${SCS_RANKS:-2 3}; do
    for r in $(seq "${SCS_REPEATS:-2}"); do
        rm -rf many
        # shellcheck disable=SC2046
        OMP_NUM_THREADS=1 timeout "$SCS_TIMEOUT" env $(algorithms) mpirun -n "$np" "$scscreen" run run.yaml -q --set output.dir=many >log 2>&1
        check_ok "run $r at np $np" $? log
        runs=$((runs + 1))
        for file in model.h5 screen.h5ad; do
            if cmp -s "one/$file" "many/$file"; then pass; else fail "run $r at np $np: another $file"; fi
        done
    done
done
[ "$failed" != "$before" ] ||
    echo "$runs runs, each with other algorithms for the collectives: one sha256, $(sha256sum one/model.h5 one/screen.h5ad | cut -c1-16 | tr '\n' ' ')"
finish
