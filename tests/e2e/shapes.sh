# Odd shapes: fewer cells than ranks, no cell, one gene, one type, no controls, a perturbation in one species, empty shards, 70,000
# genes, 2^31 stored values. On any number of ranks the same bytes, or the same one-line refusal. SCS_SHAPES=all: np 1-9 and 31.
. "$SCS_SRCDIR/tests/lib.sh"
"$SCS_PYTHON" -B "$SCS_SRCDIR/tests/e2e/make_shapes.py" "$work" >"$work/log" 2>&1
check_ok "making the files" $? "$work/log"
cd "$work" || exit 1
cat >run.yaml <<Y
model: {hidden: 6, latent: 3}
train: {epochs: 2, batch: 32, shards: 32, checkpoint_minutes: 0}
screen: {permutations: 20}
Y
ranks="2 7" odd_ranks=1
[ "${SCS_SHAPES:-}" != all ] || ranks="2 3 4 5 6 7 8 9 31" odd_ranks=3

# run_shape NAME NP [WORDS...]: into NAME.NP; the exit code and the error line in NAME.NP.said.
run_shape() {
    name=$1 np=$2
    shift 2
    rm -rf "$name.$np"
    launch "$np" run run.yaml -q --set "data.inputs=[$name.h5ad]" --set "output.dir=$name.$np" "$@" >log 2>&1
    code=$?
    { echo "exit $code"; grep '^scscreen: error: ' log; } >"$name.$np.said"
    case $code in
    0) ;;
    64 | 65) [ "$(grep -c '^scscreen: error: ' log)" = 1 ] || fail "$name, np $np: exit $code without one error line" ;;
    *) fail "$name, np $np: $(cat "$name.$np.said")" ;;
    esac
}

# same_on NP NAME [WORDS...]: as on one rank.
same_on() {
    many=$1 shape=$2
    shift 2
    [ -e "$shape.1.said" ] || run_shape "$shape" 1 "$@"
    run_shape "$shape" "$many" "$@"
    if ! cmp -s "$name.$np.said" "$name.1.said"; then
        fail "$name: np $np says $(cat "$name.$np.said"), np 1 $(cat "$name.1.said")"
    elif [ "$code" = 0 ] && ! cmp -s "$name.$np/screen.h5ad" "$name.1/screen.h5ad"; then
        fail "$name: another screen.h5ad on np $np than on np 1"
    else
        pass
    fi
    rm -rf "$name.$np"
}

# is_right NAME ROWS: what np 1 wrote.
is_right() {
    "$SCS_PYTHON" -B "$SCS_SRCDIR/tests/e2e/check_shapes.py" "$1.h5ad" "$1.1/screen.h5ad" "$2" >log 2>&1
    check_ok "$1 is right" $? log
}

# is_refused NAME CODE WORDS: what np 1 said.
is_refused() {
    if grep -qx "exit $2" "$1.1.said" && grep -qF -- "$3" "$1.1.said"; then pass; else fail "$1: not \"$3\": $(cat "$1.1.said")"; fi
}

for ranked in $ranks; do
    for n in 0 1 $((ranked - 1)) $ranked $((ranked + 1)); do same_on "$ranked" "cells_$n"; done
done
is_refused cells_0 65 "cells_0.h5ad"
is_refused cells_1 65 "control"
is_right cells_8 2
for ranked in $(echo "$ranks" | tr ' ' '\n' | tail -n $odd_ranks); do
    for odd in one_gene one_type no_control_type many_genes; do same_on "$ranked" $odd; done
    same_on "$ranked" one_species --set data.species=species
done
is_right one_gene 2
is_right one_type 1
is_right no_control_type 2
is_right one_species 8
is_right many_genes 2

# More than 2^31 stored values: the last rows, by their own formula.
"$SCS_BUILDDIR/tests/formats/dump_h5ad" huge.h5ad X 1 72997 >log 2>&1
check_ok "huge.h5ad" $? log
for row in 72997 72998 72999; do
    want=$(awk -v r=$row 'BEGIN { printf "row\t%d\t30000\t%.0f", r, (1 + r % 7) * 30000 * 30001 / 2 }')
    if grep -qxF "$want" log; then pass; else fail "huge.h5ad: no \"$want\" in $(grep "^row.$row" log)"; fi
done
if [ "${SCS_SHAPES:-}" = all ]; then
    launch 1 check huge.h5ad >log 2>&1
    check_ok "check huge.h5ad" $? log
    if grep -qF "2190000000 values (100.0 %)" log; then pass; else fail "huge.h5ad: $(cat log)"; fi
fi
finish
