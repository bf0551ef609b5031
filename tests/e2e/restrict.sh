# screen.restrict and screen.min_cells: what does not speak has no say in any prediction; validate.min_cells: what is too small is not
# held out. Each with values changed where they must not matter.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$scscreen" simulate --dir data --genes 120 --cells 14 --cell_types 4 --perturbations 3 --species 1 >log 2>&1
check_ok simulate $? log
cat >run.yaml <<Y
data: {inputs: [data/small.h5ad], normalize: log1p}
model: {kind: mean}
screen: {permutations: 20}
train: {shards: 4}
Y
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import anndata, numpy as np, scipy.sparse as sp
a = anndata.read_h5ad("data/species_a.h5ad")
place = a.obs.groupby(["cell_type", "condition"], observed=True).cumcount().to_numpy()
few = ((a.obs.cell_type == "type_2") & (a.obs.condition == "drug_1") | (a.obs.cell_type == "type_4") & (a.obs.condition == "control")).to_numpy()
a = a[~few | (place < 3)].copy()
a.write_h5ad("data/small.h5ad")
def spoil(name, which):
    b, x = a.copy(), a.X.toarray()
    x[which.to_numpy()] = np.roll(x[which.to_numpy()], 7, axis=1) * 3
    b.X = sp.csr_matrix(x)
    b.write_h5ad(f"data/{name}.h5ad")
spoil("type", (a.obs.cell_type == "type_3") & (a.obs.condition != "control"))
spoil("few", (a.obs.cell_type == "type_2") & (a.obs.condition == "drug_1"))
P
check_ok "making the files" $? py.log
# predict FOLDER FILE NP ARGS...
predict() {
    folder=$1 file=$2 np=$3
    shift 3
    launch "$np" run run.yaml --set "data.inputs=[data/$file.h5ad]" --set output.dir="$folder" "$@" >log 2>&1
    check_ok "$folder" $? log
}
for rule in auto nearest mixed balanced regression; do
    predict r1_$rule small 1 --set 'screen.restrict=[type_1, type_2, "*_4"]' --set screen.shift=$rule
    predict r2_$rule type 2 --set 'screen.restrict=[type_1, type_2, "*_4"]' --set screen.shift=$rule
    predict m1_$rule small 1 --set screen.min_cells=4 --set screen.shift=$rule
    predict m2_$rule few 3 --set screen.min_cells=4 --set screen.shift=$rule
done
predict plain1 small 1
predict plain2 type 1
predict plain3 few 1
predict named small 1 --set screen.min_cells=4 --set 'screen.cell_types=[type_3, type_4]'
"$SCS_PYTHON" - >log 2>&1 <<'P'
import anndata, numpy as np
def read(name): return anndata.read_h5ad(f"{name}/screen.h5ad")
def same(a, b):
    a, b = read(a), read(b)
    assert list(a.obs_names) == list(b.obs_names)
    return all(np.array_equal(np.asarray(x), np.asarray(y), equal_nan=True) for x, y in [(a.X, b.X)] + [(a.layers[k], b.layers[k]) for k in a.layers if k != "shift_se"])
for rule in "auto nearest mixed balanced regression".split():
    assert same(f"r1_{rule}", f"r2_{rule}"), ("restrict", rule)
    assert same(f"m1_{rule}", f"m2_{rule}"), ("min_cells", rule)
assert not same("plain1", "plain2") and not same("plain1", "plain3")
r, m, n = read("r1_nearest").obs, read("m1_nearest").obs, read("named").obs
assert len(r) == 12 and (r.status == "ok").all() and np.isfinite(r.r2_all).all(), r
assert set(m.cell_type) == {"type_1", "type_2", "type_3"} and (m.status == "ok").all(), m
assert not (m.n_control < 4).any()
lost = n[n.cell_type == "type_4"]
assert (lost.status == "no_control").all() and lost.reason.str.contains("fewer control cells of this cell type than screen.min_cells").all(), lost
P
check_ok "what must not matter does not" $? log
launch 2 check run.yaml --set screen.min_cells=4 --set 'screen.cell_types=[type_3, type_4]' >log 2>&1
check_ok check $? log
if grep -q "^3 of 6 rows have no prediction, because the species has fewer control cells" log; then pass; else fail "check does not tell of small controls"; show log; fi
expect "an unknown type" 64 'screen.restrict: there is no cell type "type_9"; did you mean' 2 check run.yaml --set 'screen.restrict=[type_9]'
expect "a glob that matches none" 64 'screen.restrict: no cell type is like "x*"' 1 run run.yaml --set 'screen.restrict=[x*]' --set output.dir=bad
expect "nobody speaks" 64 'screen.min_cells' 1 check run.yaml --set screen.min_cells=15
launch 2 validate run.yaml --set validate.min_cells=4 --set output.dir=v >log 2>&1
check_ok validate $? log
if grep -q "4 combinations are not held out: they or their controls have fewer than validate.min_cells (4) cells" log; then pass; else fail "validate does not tell of small combinations"; show log; fi
"$SCS_PYTHON" -c 'import pandas; v = pandas.read_csv("v/validation.tsv", sep="\t"); v = v.drop_duplicates(["cell_type", "perturbation"]); assert len(v) == 8 and v.n_observed.min() >= 4 and v.n_control.min() >= 4, v' >log 2>&1
check_ok "what is held out" $? log
finish
