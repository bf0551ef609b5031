# model.kind: mean: screens without a network, with the same files, and is the baseline that validate reports.
. "$SCS_SRCDIR/tests/lib.sh"
two_species 200 30 3 "$work/mean.yaml"
cat >>"$work/mean.yaml" <<Y
hold_out:
  - {species: species_a, cell_type: type_1, condition: drug_1}
model: {kind: mean}
train: {shards: 4}
Y
for np in 1 3; do
    mkdir "$work/$np"
    (cd "$work/$np" && launch "$np" run ../mean.yaml >log 2>&1 && sha256sum results/screen.h5ad >sha)
    check_ok "run at np $np" $? "$work/$np/log"
done
if cmp -s "$work/1/sha" "$work/3/sha"; then pass; else fail "other bytes at np 3 than at np 1"; fi
(cd "$work/3" && launch 2 screen ../mean.yaml >log 2>&1 && sha256sum results/screen.h5ad >sha)
if cmp -s "$work/1/sha" "$work/3/sha"; then pass; else fail "screen gives other bytes than run"; fi
(cd "$work/1" && launch 2 validate ../mean.yaml >log 2>&1)
check_ok "validate" $? "$work/1/log"
"$SCS_PYTHON" "$SCS_SRCDIR/tests/formats/check_result.py" "$work/1/results/screen.h5ad" >"$work/log" 2>&1
check_ok "every column, layer and unstructured entry" $? "$work/log"
"$SCS_PYTHON" - "$work/1/results/screen.h5ad" "$work/1/results/validation.tsv" >"$work/log" 2>&1 <<'P'
import sys, anndata, numpy as np, pandas as pd
screen, rows = anndata.read_h5ad(sys.argv[1]), pd.read_csv(sys.argv[2], sep="\t")
assert set(rows.predictor) == {"no_change", "mean_paired", "mean_nearest", "mean_others", "additive", "ridge_pca", "mean", "replicate"}, set(rows.predictor)
row = screen[screen.obs.held_out.values]
held = rows[(rows.species == "species_a") & (rows.cell_type == "type_1") & (rows.perturbation == "drug_1") & (rows.predictor == "mean")].iloc[0]
for name in ("r2_all", "r2_deg", "r2_variance", "delta_pearson"):
    assert float("%.9g" % row.obs[name].iloc[0]) == held[name], name
# delta is the sources' change; what the correction adds to it is in the layer alone
assert row.uns["scscreen"]["correction"] > 0 and not np.allclose(row.layers["shift"], row.obsm["delta"], atol=1e-3)
assert (rows.source[rows.predictor.isin(["mean_paired", "mean_nearest", "mean"])] == "own").all() and (rows[rows.predictor.isin(["no_change", "replicate"])].source.isna()).all()
P
check_ok "held-out row equals validate's" $? "$work/log"
# no cell types to learn the correction from is said as such, and not that it was of no help
cat >"$work/one.yaml" <<Y
data:
  inputs: [data/species_a.h5ad]
  filter: [{column: cell_type, in: [type_1]}]
  normalize: log1p
model: {kind: mean}
train: {shards: 4}
Y
(cd "$work/1" && launch 2 run ../one.yaml --set output.dir=one >log2 2>&1)
check_ok "run of one cell type" $? "$work/1/log2"
(cd "$work/1" && launch 2 screen ../one.yaml --set output.dir=one --set screen.shift=converging >log3 2>&1)
check_ok "convergence of one cell type" $? "$work/1/log3"
if grep -q "^convergence 0: no group can be left out" "$work/1/log3"; then pass; else fail "a convergence that nothing tells"; fi
for log in "$work/3/log share" "$work/1/log2 none; it takes"; do
    if grep -q "a gene starts from: ${log#* }" "${log%% *}"; then pass; else fail "what the log says of the correction: $log"; fi
done
# numbers that were not made are not there: neither 0 nor anything else
(cd "$work/3" && launch 2 screen ../mean.yaml --rank-by delta_norm --set screen.variance=false --set screen.correction=false >log 2>&1 && grep -A3 '^The first' log)
check_ok "ranked" $? "$work/3/log"
"$SCS_PYTHON" - "$work/3/results" >"$work/log" 2>&1 <<'P'
import sys, anndata, numpy as np, pandas as pd
table, plain = pd.read_csv(sys.argv[1] + "/ranking.tsv", sep="\t"), anndata.read_h5ad(sys.argv[1] + "/screen.h5ad")
obs = plain.obs
# delta is the change before it is clipped at 0
assert np.allclose(np.maximum(0, plain.layers["control"] + plain.obsm["delta"]), plain.X, atol=1e-6)
keys = ["species", "cell_type", "perturbation"]
obs = obs.astype({k: str for k in keys}).set_index(keys).loc[list(table[keys].itertuples(index=False, name=None))]
made = ["delta_norm", "agreement", "r2_all", "r2_deg", "delta_pearson"]
for name in ["delta_norm", "energy_distance", "agreement", "p_value", "q_value", "r2_all", "r2_deg", "delta_pearson", "support", "delta_se"]:
    assert table[name].notna().any() == (name in made), name
    if name in made:
        assert np.allclose(table[name], obs[name], rtol=1e-6, equal_nan=True), name
P
check_ok "ranking.tsv holds what screen.h5ad holds" $? "$work/log"
# model.kind: pca goes the same way; other process grids agree, though not bit for bit.
for np in 1 3; do
    mkdir "$work/pca$np"
    (cd "$work/pca$np" && launch "$np" run ../mean.yaml --set model.kind=pca --set model.latent=6 >log 2>&1)
    check_ok "pca at np $np" $? "$work/pca$np/log"
done
(cd "$work/pca1" && launch 1 validate ../mean.yaml --set model.kind=pca --set model.latent=6 >log 2>&1)
check_ok "validate pca" $? "$work/pca1/log"
"$SCS_PYTHON" - "$work/pca1/results/screen.h5ad" "$work/pca3/results/screen.h5ad" "$work/pca1/results/validation.tsv" >"$work/log" 2>&1 <<'P'
import sys, anndata, numpy as np, pandas as pd
a, b = map(anndata.read_h5ad, sys.argv[1:3])
rows = pd.read_csv(sys.argv[3], sep="\t")
assert a.obsm["delta"].shape[1] == 6
for name, x, y in (("X", a.X, b.X), ("variance", a.layers["variance"], b.layers["variance"]), ("delta", a.obsm["delta"], b.obsm["delta"])):
    assert np.allclose(x, y, atol=1e-5), name
held = rows[(rows.species == "species_a") & (rows.cell_type == "type_1") & (rows.perturbation == "drug_1") & (rows.predictor == "pca")].iloc[0]
assert abs(held.r2_all - a.obs.r2_all[a.obs.held_out.values].iloc[0]) < 1e-6
assert held.energy_v_latent > 0
P
check_ok "pca on 1 and 3 ranks" $? "$work/log"
cat "$work/log"
# More than 2,048 groups: sums of many rows at once, in slices of 64. A row is what it is alone; shifts of the two products, of
# latent means (the genes' here) and of genes, agree; the same bytes on 1 and 2 ranks.
cat >"$work/many.yaml" <<Y
data: {inputs: [many/species_a.h5ad], normalize: log1p}
model: {kind: mean}
train: {shards: 2}
screen: {shift: mixed, cell_types: [type_2]}
Y
(cd "$work" && "$scscreen" simulate --dir many --genes 20 --cells 2 --cell_types 25 --perturbations 85 --species 1 >log 2>&1)
check_ok "simulate 2,150 groups" $? "$work/log"
for np in 1 2; do
    (cd "$work" && launch "$np" run many.yaml --set output.dir=many$np >log 2>&1)
    check_ok "2,150 groups at np $np" $? "$work/log"
done
if cmp -s "$work/many1/screen.h5ad" "$work/many2/screen.h5ad"; then pass; else fail "2,150 groups: np 2 gives other bytes than np 1"; fi
(cd "$work" && launch 1 run many.yaml --set output.dir=alone --set 'screen.perturbations=[drug_80]' --set screen.shift=limited >log 2>&1)
check_ok "one row of 2,150 groups" $? "$work/log"
if grep -q "limited is mixed here.*more than 2048 groups" "$work/log"; then pass; else fail "limits of 2,150 groups"; fi
"$SCS_PYTHON" - "$work/many1/screen.h5ad" "$work/alone/screen.h5ad" >"$work/log" 2>&1 <<'P'
import sys, anndata, numpy as np
all_, one = map(anndata.read_h5ad, sys.argv[1:3])
assert all_.n_obs == 85 and one.n_obs == 1
row = all_[(all_.obs.perturbation == "drug_80").values]
for name in ("shift", "variance", "shift_se"):
    assert np.abs(row.layers[name]).max() > 0 and np.allclose(row.layers[name], one.layers[name], rtol=1e-5, atol=1e-6), name
delta = all_.obsm["delta"]
assert delta.shape == all_.shape
risen = all_.layers["control"] + delta > 0    # means are not below 0
assert risen.mean() > .9 and np.allclose(all_.layers["shift"][risen], delta[risen], atol=1e-5)
error = np.sqrt((all_.layers["shift_se"] ** 2).mean())
assert 0 < error < 1 and all_.obs.delta_pearson.mean() > .5, (error, all_.obs.delta_pearson.mean())
P
check_ok "rows of 2,150 groups" $? "$work/log"
cat "$work/log"
expect "nothing to train" 64 "only model.kind: vae is trained" 2 train "$work/mean.yaml" --set output.dir="$work/out"
finish
