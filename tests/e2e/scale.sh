# Many combinations: the same bytes on any number of ranks and however often stopped; lists without dense rows say what dense
# rows say; memory does not grow with the rows.
. "$SCS_SRCDIR/tests/lib.sh"
# AddressSanitizer keeps what was freed, up to so much: in its build that grows with the work.
[ -z "${ASAN_OPTIONS:-}" ] || export ASAN_OPTIONS="$ASAN_OPTIONS:quarantine_size_mb=4"
cd "$work" || exit 1
"$scscreen" simulate --dir data --genes 800 --cells 8 --cell_types 8 --perturbations 40 --species 1 >log 2>&1
check_ok simulate $? log
cat >run.yaml <<Y
data:
  inputs: [data/species_a.h5ad]
  normalize: log1p
hold_out:
  - {cell_type: type_2, condition: drug_7}
model: {hidden: 32, latent: 8}
train: {epochs: 1, shards: 4}
screen: {variance: false, permutations: 20, bootstrap: 30, order: 2}
output: {rows: top, top_genes: 25}
Y
launch 2 train run.yaml -q >log 2>&1
check_ok train $? log

# screen WHAT NP WORDS...: a screen; its file becomes WHAT.h5ad, what it said WHAT.log
screen() {
    name=$1 ranks=$2
    shift 2
    launch "$ranks" screen run.yaml "$@" >"$name.log" 2>&1
    check_ok "$name" $? "$name.log"
    mv results/screen.h5ad "$name.h5ad"
}
screen one 1
screen two 2
screen three 3
screen ranked 2 --rank-by energy_distance
for other in two three; do
    if cmp -s one.h5ad $other.h5ad; then pass; else fail "$other ranks write another file than one"; fi
done
if [ "$(wc -l <results/ranking.tsv)" = 6561 ]; then pass; else fail "ranking.tsv has $(wc -l <results/ranking.tsv) lines"; fi
for name in one two three; do
    if grep -q '^screened 6560 combinations in .* idle share of the ranks in %: .*; waiting for writes .* %; peak memory of all ranks ' $name.log; then pass; else fail "$name: no line on idle ranks"; fi
done

# limited NP HOURS WORDS...: a screen with a time limit; `code` and `blocks`, how many are done when it stops, 0 if it does not.
limited() {
    ranks=$1 limit=$2
    shift 2
    launch "$ranks" screen run.yaml -q --max-hours "$limit" "$@" >stop.log 2>&1
    code=$? blocks=0
    [ "$code" = 75 ] || return
    stops=$((stops + 1))
    blocks=$(sed -n 's/^scscreen: stopped: by train.max_hours with \([0-9]*\) of .* done; the same command goes on from results$/\1/p' stop.log)
    [ -n "$blocks" ] || fail "stop $stops: $(grep '^scscreen' stop.log)"
}
# Blocks take long enough (bootstrap) for limits to fall amid them. However fast the machine is, a limit is searched for that ends amid the blocks. From there it is stopped again and again, on
# changing numbers of ranks, with a little more time each: exit 75 and one line, until it is done.
stops=0 tries=0 blocks=0 hours=0.0003 low=0 high=
while [ "${blocks:-0}" = 0 ] && [ "$tries" -lt 30 ]; do
    limited 2 $hours --restart
    tries=$((tries + 1))
    if [ "$code" = 75 ]; then low=$hours; else high=$hours; fi
    [ "${blocks:-0}" != 0 ] || hours=$(awk "BEGIN { print ${high:+1} + 0 ? ($low + ${high:-0}) / 2 : 2 * $low }")
done
if [ "${blocks:-0}" -gt 0 ]; then pass; else fail "in $tries tries none stopped amid the blocks: exit $code"; fi
hours=$(awk "BEGIN { print $hours * 0.6 }")
while [ "$code" = 75 ] && [ "$stops" -lt 80 ]; do
    limited $((stops % 3 + 1)) $hours
    hours=$(awk "BEGIN { print $hours * 1.25 }")
done
if [ "$code" = 0 ] && cmp -s one.h5ad results/screen.h5ad; then pass; else fail "after $stops stops: exit $code or other bytes"; fi
if [ "$(ls results | grep -c 'part\|done')" = 0 ]; then pass; else fail "left over: $(ls results)"; fi
touch results/STOP
launch 2 screen run.yaml -q >stop.log 2>&1
code=$?
if [ "$code" = 75 ] && grep -q 'stopped: by the file STOP' stop.log && [ ! -e results/STOP ]; then pass; else fail "STOP: exit $code"; fi
launch 1 screen run.yaml -q --set screen.shift=paired >other.log 2>&1
code=$?
if [ "$code" = 64 ] && grep -q 'another configuration: screen.shift (auto, now paired)' other.log; then pass; else
    fail "a stopped screen of another configuration: exit $code"
    cat other.log
fi
launch 1 screen run.yaml -q --restart --set screen.shift=paired >other.log 2>&1
check_ok "another screen with --restart" $? other.log

# Memory does not grow with the rows: two thirds of them, in blocks as large, take the same.
few=$(launch 1 screen run.yaml --restart --set 'screen.perturbations=[drug_1*, drug_2*, drug_3*]' 2>&1 | sed -n 's/^screened .*ranks \([0-9]*\) MiB$/\1/p')
many=$(sed -n 's/^screened .*ranks \([0-9]*\) MiB$/\1/p' one.log)
if [ -n "$few" ] && [ -n "$many" ] && [ $((20 * many)) -lt $((21 * few)) ]; then pass; else fail "peak memory: $few MiB for 4488 rows, $many MiB for 6560"; fi
screen dense 2 --set output.rows=dense
"$SCS_PYTHON" - one.h5ad dense.h5ad >py.log 2>&1 <<'P'
import sys
import anndata
import numpy as np
top, dense = (anndata.read_h5ad(path) for path in sys.argv[1:])
assert top.X is None and not top.layers and top.shape == dense.shape and len(top) == 6560, (top, dense)
assert set(top.obsm) == set(dense.obsm) and list(top.obs) == list(dense.obs)
for key in top.obsm:
    assert np.array_equal(top.obsm[key], dense.obsm[key], equal_nan=True), key
for key in top.obs:
    a, b = top.obs[key], dense.obs[key]
    assert np.array_equal(a, b, equal_nan=True) if a.dtype.kind == "f" else (a.astype(str) == b.astype(str)).all(), key
shift = dense.layers["shift"]
assert np.array_equal(dense.X - dense.layers["control"], shift)
for name, sign in (("up", 1), ("down", -1)):
    genes, values = dense.obsm["top_" + name], dense.obsm[f"top_{name}_shift"]
    for row in range(0, len(shift), 97):
        order = np.lexsort((np.arange(dense.n_vars), -sign * shift[row]))[:25]
        order = order[sign * shift[row][order] > 0]
        assert np.array_equal(genes[row][:len(order)], order) and (genes[row][len(order):] == -1).all(), row
        assert np.array_equal(values[row][:len(order)], shift[row][order]), row
P
check_ok "lists without dense rows" $? py.log
"$scscreen" inspect one.h5ad >log 2>&1 && grep -q 'a screen of 6560 combinations x [0-9]* genes (output.rows: top, no X)' log
check_ok inspect $? log
echo "stopped $stops times; $few MiB for 4488 rows, $many MiB for 6560"
finish
