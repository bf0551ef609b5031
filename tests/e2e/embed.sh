# Latent coordinates of all cells, in their order and under their names, and what becomes of them: decoded, moved from one
# group to another, without their batches. Alike on any number of ranks, and as scripts/scscreen.py computes them.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$scscreen" simulate --dir data --genes 100 --cells 20 --cell_types 3 --perturbations 2 --species 1 >log 2>&1
check_ok simulate $? log
"$SCS_PYTHON" - >log 2>&1 <<'P'
import anndata, numpy as np, pandas as pd
a = anndata.read_h5ad("data/species_a.h5ad")
a.obs_names = [f"cell{i}" for i in range(a.n_obs)]
i = np.arange(a.n_obs)
a.obs["donor"] = pd.Categorical(np.where((i % 3 > 0) | (a.obs.cell_type == "type_2"), "big", "small"))
a.obs["weight"], a.obs["count"], a.obs["good"], a.obs["text"], a.obs["lab"] = i / 7, i, i % 2 == 0, [f"t{k}" for k in i], "only"
a.obs["maybe"] = pd.array([None if k % 5 == 0 else k for k in i], dtype="Int64")
a.obs["gap"] = pd.Categorical(["x" if k % 5 else None for k in i])
a[::2].copy().write_h5ad("one.h5ad")
b = a[1::2].copy()
b.write_h5ad("two.h5ad")
b.obs_names = list(a.obs_names[: b.n_obs])  # half of them are in one.h5ad
b.write_h5ad("twins.h5ad")
P
check_ok "two files" $? log
cat >my.yaml <<Y
data: {inputs: [one.h5ad, two.h5ad], control: control}
hold_out: [{cell_type: type_1, condition: drug_1}]
model: {hidden: 16, latent: 5}
train: {epochs: 2, batch: 32, shards: 4}
Y
launch 2 train my.yaml >log 2>&1
check_ok train $? log
for np in 1 3 4; do
    launch $np embed my.yaml --set model.load="$work/results/model.h5" --set output.dir=$np >log 2>&1
    check_ok "embed at np $np" $? log
    [ $np = 1 ] || { cmp -s 1/latent.h5ad $np/latent.h5ad && pass || fail "other bytes at np $np"; }
done
launch 2 embed my.yaml >log 2>&1
check_ok "embed with the folder's own model" $? log
launch 2 embed my.yaml --other-data --set data.inputs="[one.h5ad, twins.h5ad]" --set model.load="$work/results/model.h5" --set output.dir=twins >log 2>&1
check_ok "embed other cells" $? log
launch 2 embed my.yaml --other-data --set data.inputs="[twins.h5ad]" --set model.load="$work/results/model.h5" --set output.dir=alone >log 2>&1
check_ok "embed one file" $? log
"$SCS_PYTHON" - "$SCS_SRCDIR/scripts" >log 2>&1 <<'P'
import sys, anndata, numpy as np, scanpy as sc, warnings
sys.path.insert(0, sys.argv[1])
import scscreen
warnings.simplefilter("error")
one, two, twins = (anndata.read_h5ad(f + ".h5ad") for f in ("one", "two", "twins"))
got, own, other, alone = (anndata.read_h5ad(f + "/latent.h5ad") for f in ("1", "results", "twins", "alone"))
assert list(got.obs_names) == list(one.obs_names) + list(two.obs_names)
assert list(alone.obs_names) == list(twins.obs_names)
assert list(other.obs_names) == [n + "-0" for n in one.obs_names] + [n + "-1" for n in twins.obs_names]
assert np.array_equal(own.obsm["X_scgen"], got.obsm["X_scgen"]) and np.array_equal(other.obsm["X_scgen"], got.obsm["X_scgen"])
assert np.allclose(alone.obsm["X_scgen"], got.obsm["X_scgen"][one.n_obs :], atol=1e-5)
for column in ("cell_type", "condition"):
    assert list(got.obs[column].astype(str)) == list(one.obs[column].astype(str)) + list(two.obs[column].astype(str))
model = scscreen.read_model("results/model.h5")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    cells = anndata.concat([one, two])
    sc.pp.normalize_total(cells, target_sum=1e4)
    sc.pp.log1p(cells)
want = model.embed(cells)
assert got.obsm["X_scgen"].shape == (cells.n_obs, 5) and np.abs(got.obsm["X_scgen"] - want).max() < 1e-4 * np.abs(want).max()
assert got.obsm["X_scgen"].std(0).min() > 0 and got.X is None and list(got.var_names) == model.genes
P
check_ok "the cells' posterior means, names and labels" $? log

# Decoded, interpolated, integrated: the same bytes on 1 and 3 ranks.
for np in 1 3; do
    launch $np decode my.yaml --from results/latent.h5ad --set model.load="$work/results/model.h5" --set output.dir=$np >log 2>&1
    check_ok "decode at np $np" $? log
    launch $np interpolate my.yaml --from all,type_1,control --to all,type_1,drug_1 --steps 300 --set model.load="$work/results/model.h5" --set output.dir=$np >log 2>&1
    check_ok "interpolate at np $np" $? log
    launch $np integrate my.yaml --batch donor --set model.load="$work/results/model.h5" --set output.dir=$np >$np.table 2>log
    check_ok "integrate at np $np" $? log
    for file in decoded.h5ad interpolation.h5ad integrated.h5ad; do
        [ $np = 1 ] || { cmp -s 1/$file $np/$file && pass || fail "$file: other bytes at np $np"; }
    done
    [ $np = 1 ] || { cmp -s 1.table $np.table && pass || fail "silhouettes: other numbers at np $np"; }
done
launch 2 decode my.yaml >log 2>&1
check_ok "decode what embed has written" $? log
cmp -s results/decoded.h5ad 1/decoded.h5ad && pass || fail "decode by default: other bytes"
launch 2 integrate my.yaml --other-data --batch donor --set data.filter="[{column: count, max: 120}]" --set data.min_genes=5 --set output.dir=some --set model.load="$work/results/model.h5" >log 2>&1
check_ok "integrate some cells" $? log
"$SCS_PYTHON" - "$SCS_SRCDIR/scripts" >log 2>&1 <<'P'
import re, sys, anndata, numpy as np, pandas as pd, scanpy as sc, warnings
from sklearn.metrics import silhouette_samples, silhouette_score
sys.path.insert(0, sys.argv[1])
import scscreen
one, two = (anndata.read_h5ad(f + ".h5ad") for f in ("one", "two"))
warnings.simplefilter("ignore")
raw = anndata.concat([one, two])
cells = raw.copy()
sc.pp.normalize_total(cells, target_sum=1e4)
sc.pp.log1p(cells)
warnings.simplefilter("error")
model = scscreen.read_model("results/model.h5")
latent, decoded, line, whole, some = (anndata.read_h5ad(f) for f in ("1/latent.h5ad", "1/decoded.h5ad", "1/interpolation.h5ad", "1/integrated.h5ad", "some/integrated.h5ad"))
z = latent.obsm["X_scgen"]

def same(a, b, limit=1e-5):
    assert a.shape == b.shape and np.abs(a - b).max() <= limit * np.abs(b).max(), np.abs(a - b).max()

same(decoded.X, model.decode(z))
assert np.array_equal(decoded.obsm["latent"], z) and decoded.obs.equals(latent.obs) and list(decoded.var_names) == model.genes
of = lambda condition: z[((raw.obs.cell_type == "type_1") & (raw.obs.condition == condition)).values].mean(0)
points = scscreen.interpolate(of("control"), of("drug_1"), 300)
same(line.obsm["latent"], points)
same(line.X, model.decode(points))
assert np.allclose(line.obs.share, np.linspace(0, 1, 300)) and line.uns["scscreen"]["to_cells"] == 20
want = scscreen.integrate(model, cells, "donor", "cell_type")
same(whole.X, want.X)
for name in ("latent", "corrected_latent"):
    same(whole.obsm[name], want.obsm[name])
assert list(whole.obs_names) == list(raw.obs_names) and list(whole.obs) == list(one.obs)
for column in one.obs:
    a, b = whole.obs[column], raw.obs[column]
    assert a.isna().equals(b.isna()) and (a.astype(str) == b.astype(float if column == "maybe" else str).astype(str))[~b.isna()].all(), column
assert [str(whole.obs[c].dtype) for c in ("donor", "weight", "count", "good", "gap")] == ["category", "float64", "int64", "bool", "category"]
untouched = (raw.obs.cell_type == "type_2").values
assert np.array_equal(whole.obsm["latent"][untouched], z[untouched]) and not np.array_equal(whole.obsm["latent"], z)
kind, batch = (raw.obs[c].astype(str).values for c in ("cell_type", "donor"))
numbers = [[float(x) for x in re.findall(r"-?\d\.\d{4}", row)] for row in open("1.table").read().splitlines()[1:3]]
for k, at in enumerate((z, whole.obsm["latent"])):
    within = np.concatenate([silhouette_samples(at[kind == t], batch[kind == t]) for t in np.unique(kind) if len(set(batch[kind == t])) > 1])
    assert np.allclose([numbers[0][k], numbers[1][k]], [silhouette_score(at, kind), within.mean()], atol=6e-5), numbers
assert abs(numbers[1][1]) < abs(numbers[1][0])
kept = (raw.obs["count"] <= 120).values
assert list(some.obs_names) == list(raw.obs_names[kept]) and list(some.obs.text) == list(raw.obs.text[kept]) and list(some.obs.weight) == list(raw.obs.weight[kept])
same(some.X, scscreen.integrate(model, cells[kept].copy(), "donor", "cell_type").X)

# What decode refuses.
latent.obsm["narrow"] = z[:, :4].copy()
latent.obsm["bad"] = np.where(np.arange(len(z))[:, None] == 7, np.nan, z)
latent.write_h5ad("odd.h5ad")
latent.uns["scscreen"]["model_checksum"] = "sha256:0"
latent.write_h5ad("other.h5ad")
del latent.uns["scscreen"]
latent[:, 3:].copy().write_h5ad("genes.h5ad")
one[:, 1:].copy().write_h5ad("fewer.h5ad")
anndata.AnnData(obs=latent.obs, obsm={"mine": z}).write_h5ad("mine.h5ad")
table = pd.DataFrame(z, latent.obs_names, list("abcde"))
anndata.AnnData(obs=latent.obs, obsm={"latent": table}).write_h5ad("table.h5ad")
P
check_ok "as the module and scikit-learn compute them, obs as it was" $? log
launch 1 decode my.yaml --from mine.h5ad --matrix obsm/mine --set model.load="$work/results/model.h5" --set output.dir=mine >log 2>&1
check_ok "decode a file of one's own" $? log
"$SCS_PYTHON" -c 'import anndata, numpy; a, b = (anndata.read_h5ad(f + "/decoded.h5ad") for f in ("mine", "1")); assert numpy.array_equal(a.X, b.X)' >log 2>&1
check_ok "the same expression" $? log
expect "columns for another model" 65 "narrow has 4 columns, and the model" 1 decode my.yaml --from odd.h5ad --matrix obsm/narrow
expect "NaN" 65 "bad: cell row 7 has a value that is not finite" 2 decode my.yaml --from odd.h5ad --matrix obsm/bad
expect "coordinates by another model" 65 "the coordinates are by another model" 2 decode my.yaml --from other.h5ad
expect "other genes" 65 "its var lacks 3 of the" 1 decode my.yaml --from genes.h5ad
expect "no such matrix" 65 "has no latent coordinates obsm/none; obsm has:" 1 decode my.yaml --from odd.h5ad --matrix obsm/none
expect "no array" 65 "obsm/latent is a sparse matrix or a data frame" 1 decode my.yaml --from table.h5ad
expect "no coordinates" 65 "has no latent coordinates" 1 decode my.yaml --from mine.h5ad
expect "a missing file" 65 "none.h5ad" 1 decode my.yaml --from none.h5ad
expect "decode before embed" 65 "run scscreen embed" 1 decode my.yaml --set output.dir=empty --set model.load="$work/results/model.h5"
for verb in decode interpolate integrate; do
    expect "$verb without a network" 64 "model.kind: pca has no network, and $verb needs one" 1 $verb my.yaml --set model.kind=pca --set decode.from=odd.h5ad
done
expect "no batch named" 64 "integrate.batch is not set" 1 integrate my.yaml
expect "no such batch column" 65 "no column lot" 1 integrate my.yaml --batch lot
expect "one batch" 65 'all cells are of one batch, lab "only"' 2 integrate my.yaml --batch lab
expect "cells without a batch" 65 "36 cells have no label in obs column gap" 1 integrate my.yaml --batch gap
expect "batches that share no type" 65 "no cell type is in two batches of cell_type" 2 integrate my.yaml --batch cell_type
expect "a model of other genes" 65 "1 of the model's" 1 integrate my.yaml --batch donor --other-data --set data.inputs="[fewer.h5ad]"
expect "no steps" 64 "interpolate.steps" 1 interpolate my.yaml --from all,type_1,control --to all,type_1,drug_1 --steps 0
expect "no ends" 64 "interpolate needs two groups of cells" 1 interpolate my.yaml --to all,type_1,drug_1
expect "no such group" 64 'did you mean "drug_1"' 1 interpolate my.yaml --from all,type_1,control --to all,type_1,drug_
expect "a dose without doses" 64 "the data have no doses" 1 interpolate my.yaml --from all,type_1,control,3 --to all,type_1,drug_1
expect "the same ends" 64 "are the same cells" 1 interpolate my.yaml --from all,type_1,control --to all,type_1,control
[ -z "$(ls -A empty)" ] && pass || fail "a refused job left $(ls -A empty)"
"$scscreen" inspect 1/integrated.h5ad >log 2>&1
grep -q "cells without batches, 180 x" log && pass || fail "inspect of integrated.h5ad"
if "$scscreen" inspect results/latent.h5ad | grep -q "posterior means of 180 cells, 5 latent units"; then pass; else fail "inspect of latent.h5ad"; fi
expect "no latent space" 64 "has no latent space" 2 embed my.yaml --set model.kind=mean
expect "no model" 65 "model.h5" 2 embed my.yaml --set output.dir=nothing
expect "other cells without being asked" 65 "made from another file than" 2 embed my.yaml --set data.inputs="[twins.h5ad, two.h5ad]"
finish
