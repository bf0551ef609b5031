# Latent coordinates of all cells, in their order and under their names, alike on any number of ranks.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$scscreen" simulate --dir data --genes 100 --cells 20 --cell_types 3 --perturbations 2 --species 1 >log 2>&1
check_ok simulate $? log
"$SCS_PYTHON" - >log 2>&1 <<'P'
import anndata, numpy as np
a = anndata.read_h5ad("data/species_a.h5ad")
a.obs_names = [f"cell{i}" for i in range(a.n_obs)]
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
if "$scscreen" inspect results/latent.h5ad | grep -q "posterior means of 180 cells, 5 latent units"; then pass; else fail "inspect of latent.h5ad"; fi
expect "no latent space" 64 "has no latent space" 2 embed my.yaml --set model.kind=mean
expect "no model" 65 "model.h5" 2 embed my.yaml --set output.dir=nothing
expect "other cells without being asked" 65 "made from another file than" 2 embed my.yaml --set data.inputs="[twins.h5ad, two.h5ad]"
finish
