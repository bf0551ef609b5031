# screen.perturbation_features: perturbations that no cell shows are predicted from like ones, a table that tells nothing is said to,
# bad tables end in one line each; the same bytes on 1 and 3 ranks.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import anndata, numpy as np, pandas as pd, scipy.sparse as sp
rng = np.random.default_rng(1)
n_gene, n_type, n_drug, n_shown, n_cell = 120, 3, 14, 11, 24
types = rng.gamma(2, 0.5, n_gene) * np.exp(rng.normal(0, 0.3, (n_type, n_gene)))
features = rng.normal(size=(n_drug, 3))
effect = features @ rng.normal(0, 0.35, (3, n_gene)) + rng.normal(0, 0.1, (n_drug, n_gene))
name = [f"drug_{d:02d}" for d in range(n_drug)]
cells, kind, condition = [], [], []
def add(t, label, log_change):
    cells.append(rng.poisson(types[t] * np.exp(log_change) * rng.gamma(20, 1 / 20, (n_cell, 1))))
    kind.extend([f"type_{t}"] * n_cell)
    condition.extend([label] * n_cell)
for t in range(n_type):
    add(t, "control", 0 * effect[0])
    for d in range(n_shown):
        add(t, name[d], effect[d])
    if t < 2:
        add(t, "drug_00+drug_01", effect[0] + effect[1])    # no row of its own: the sum of the two
obs = pd.DataFrame({"cell_type": kind, "condition": condition}, index=[str(i) for i in range(len(kind))])
anndata.AnnData(sp.csr_matrix(np.vstack(cells).astype(np.float32)), obs, pd.DataFrame(index=[f"gene_{g}" for g in range(n_gene)])).write_h5ad("a.h5ad")
pd.DataFrame(features, name, ["x", "y", "z"]).to_csv("features.tsv", sep="\t", index_label="perturbation")
pd.DataFrame(rng.normal(size=(n_drug + 1, 3)), [*name, "drug_00+drug_01"], ["x", "y", "z"]).to_csv("nothing.tsv", sep="\t", index_label="perturbation")
np.save("effect.npy", effect)
for k in (1, 10, 12):    # of six: the last two seem to gain 6 and 9 %
    pd.DataFrame(np.random.default_rng(k).normal(size=(6, 3)), name[:6], ["x", "y", "z"]).to_csv(f"few{k}.tsv", sep="\t", index_label="perturbation")
P
check_ok "the atlas" $? py.log
cat >run.yaml <<Y
data: {inputs: [a.h5ad], normalize: log1p, target_sum: median}
hold_out:                                       # all cells of one
  - {cell_type: type_0, condition: drug_10}
  - {cell_type: type_1, condition: drug_10}
  - {cell_type: type_2, condition: drug_10}
model: {kind: mean, hidden: 16, latent: 4}
train: {epochs: 2, shards: 4}
screen: {perturbation_features: features.tsv, permutations: 19}
Y
for np in 1 3; do
    launch $np run run.yaml --set output.dir=np$np >log.$np 2>&1
    check_ok "run on $np" $? log.$np
done
if cmp -s np1/screen.h5ad np3/screen.h5ad; then pass; else fail "np 3 gives other bytes than np 1"; fi
# check tells of as many rows as there are, and of those that no cell shows
rows=$(sed -n 's/^screening \([0-9]*\) combinations$/\1/p' log.1)
launch 2 check run.yaml >log 2>&1
check_ok "check" $? log
if [ -n "$rows" ] && grep -qx "$rows rows to predict" log; then pass; else fail "check tells of other rows than the $rows of a run"; show log; fi
if grep -q "^12 of $rows rows are of perturbations that no cell outside hold_out shows" log && ! grep -q "have no prediction" log; then pass; else fail "check does not tell of what no cell shows"; show log; fi
# Cells of a perturbation that no cell shows: counts of those that it is like, until the mean is the screen's.
for np in 1 3; do
    launch $np predict run.yaml --combination all,type_1,drug_10 --combination all,type_1,drug_13 --cells 200 --set output.dir=cells$np >log 2>&1
    check_ok "cells of a perturbation that no cell shows, np $np" $? log
done
cmp -s cells1/cells.h5ad cells3/cells.h5ad && pass || fail "cells: np 3 gives other bytes than np 1"
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import anndata, numpy as np
cells, screen, atlas = (anndata.read_h5ad(f) for f in ("cells1/cells.h5ad", "np1/screen.h5ad", "a.h5ad"))
control = atlas[((atlas.obs.cell_type == "type_1") & (atlas.obs.condition == "control")).values]
effect = np.load("effect.npy")
def level(a):    # mean of the logarithms, as the screen's
    x = a.X.toarray()
    return np.log1p(x / x.sum(1, keepdims=True) * cells.uns["scscreen"]["target_sum"]).mean(0)
for d in (10, 13):
    mine = cells[(cells.obs.condition == f"drug_{d}").values]
    assert mine.n_obs == 200 and mine.obs.donor_type.notna().all() and (mine.X.sum(1).ravel() == mine.obs.library_size.values).all()
    change = level(mine) - level(control)
    shift = screen[((screen.obs.cell_type == "type_1") & (screen.obs.perturbation == f"drug_{d}")).values].layers["shift"].ravel()
    r, size, truth = np.corrcoef(change, shift)[0, 1], change @ shift / (shift @ shift), np.corrcoef(change, effect[d])[0, 1]
    assert r > 0.95 and 0.7 < size < 1.1 and truth > 0.7, (d, r, size, truth)
P
check_ok "they have the screen's change, and the true one's direction" $? py.log
launch 2 run run.yaml --set model.kind=vae --set output.dir=vae >log 2>&1
check_ok "run with a network" $? log
for dir in np1 vae; do
    "$SCS_PYTHON" "$SCS_SRCDIR/tests/formats/check_result.py" $dir/screen.h5ad >py.log 2>&1
    check_ok "$dir: columns and layers" $? py.log
done
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import anndata, numpy as np
effect = np.load("effect.npy")
screen, vae = anndata.read_h5ad("np1/screen.h5ad"), anndata.read_h5ad("vae/screen.h5ad")
obs = screen.obs
assert (obs.status == "ok").all()
drugs = obs.perturbation.astype(str)
seen = [f"drug_{d:02d}" for d in range(10)]
others = np.mean([np.asarray(screen[(drugs == d).values].layers["shift"]).mean(0) for d in seen], axis=0)
r = lambda x, y: np.corrcoef(x, y)[0, 1]
ours, plain, unsure = [], [], []
for d in range(10, 14):     # held out in all types; then seen nowhere
    rows = screen[(drugs == f"drug_{d:02d}").values]
    assert rows.n_obs == 3 and rows.obs.source.str.fullmatch(r"like: drug_\d\d(\+drug_\d\d)+").all(), rows.obs.source
    assert (rows.obs.n_observed == (24 if d == 10 else 0)).all()
    for i in range(3):
        shift = np.asarray(rows.layers["shift"][i], float)
        ours.append(r(shift, effect[d]))
        plain.append(r(others, effect[d]))
        assert np.isfinite(rows.layers["shift_se"][i]).all()
    unsure.append(rows.layers["shift_se"].mean())
assert np.mean(unsure) > np.mean([screen[(drugs == d).values].layers["shift_se"].mean() for d in seen]), unsure    # less is known
print("like perturbations: r with the effect", np.round(ours, 2), "mean of the others", np.round(plain, 2))
assert np.mean(ours) > 0.7 and np.mean(ours) > np.mean(plain) + 0.3
pair = screen[(drugs == "drug_00+drug_01").values & (obs.cell_type == "type_2").values]
assert list(pair.obs.source) == ["own"] and r(np.asarray(pair.layers["shift"][0], float), effect[0] + effect[1]) > 0.8
like = vae.obs.source.str.startswith("like")
assert like.sum() == 12 and vae.obs.p_value[like].isna().all() and vae.obs.p_value[~like].notna().all()
P
check_ok "perturbations that no cell shows" $? py.log
cat py.log
grep -q '3 perturbations of screen.perturbation_features are shown by no cell' log.1 && grep -q 'each perturbation from like ones: squared error 0\.[0-6]' log.1
check_ok "what the table tells is printed" $? log.1
launch 2 run run.yaml --set screen.perturbation_features=nothing.tsv --set output.dir=nothing >log 2>&1
grep -q 'screen.perturbation_features tells nothing about the responses and is not used' log
check_ok "a table that tells nothing" $? log
launch 1 run run.yaml --set 'hold_out=[]' --set 'data.filter=[{column: condition, in: [control, drug_00]}]' --set output.dir=one >log 2>&1 &&
    grep -q 'features tells nothing about the responses and is not used: no perturbation is seen beside others' log
check_ok "a table for one perturbation" $? log
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import anndata
new = anndata.read_h5ad("nothing/screen.h5ad").obs
new = new[new.perturbation.isin(["drug_10", "drug_11", "drug_12", "drug_13"])]
assert len(new) == 12 and (new.status == "no_source").all() and (new.source == "").all(), new
P
check_ok "it is not used" $? py.log
six='data.filter=[{column: condition, in: [control, drug_00, drug_01, drug_02, drug_03, drug_04, drug_05]}]'
for table in few1 few10 few12 features; do
    launch 2 run run.yaml --set hold_out=[] --set "$six" --set screen.permutations=0 --set screen.perturbation_features=$table.tsv --set output.dir=$table >$table.log 2>&1
    check_ok "six perturbations, $table" $? $table.log
done
if [ "$(cat few*.log | grep -c 'rows in another order do as well')" = 2 ] && [ "$(cat few*.log | grep -c 'tells nothing')" = 3 ]; then pass; else fail "six perturbations: a random table is used"; grep -h 'screen.perturbation_features' few*.log; fi
if grep -q 'each perturbation from like ones: squared error 0\.' features.log; then pass; else fail "six perturbations: the right table is not used"; show features.log; fi
bad() { # WHAT WORDS TEXT, on 1 and 2 ranks
    printf '%b' "$3" >bad.tsv
    for np in 1 2; do expect "$1" 65 "$2" $np run run.yaml --set screen.perturbation_features=bad.tsv --set output.dir=bad; done
}
rows=$(for d in 00 01 02 03 04 05 06 07 08 09 10; do printf 'drug_%s\\t1.%s\\n' $d $d; done)
bad "a perturbation without a row" "bad.tsv: no row for 'drug_00+drug_01', which cells show" 'p\tx\ndrug_00\t1\n'
bad "no line of names" "bad.tsv: the first line is the row of 'drug_00'; put a line of names before it" "$rows"
bad "a row twice" "bad.tsv: 'drug_03' stands there twice" "p\tx\n${rows}drug_03\t1\n"
bad "NaN" "bad.tsv:13: column 2 has 'nan', which is no number" "p\tx\n${rows}drug_11\tnan\n"
bad "text" "bad.tsv:13: column 2 has 'high', which is no number" "p\tx\n${rows}drug_11\thigh\n"
bad "too few" "bad.tsv:13: 0 numbers, but the first line names 1" "p\tx\n${rows}drug_11\n"
bad "nothing in common" "bad.tsv: none of its 1 perturbations is in the data (the first is 'Drug_00')" 'p\tx\nDrug_00\t1\n'
bad "no row" "bad.tsv: no perturbation" 'p\tx\n'
expect "another rule" 64 "screen.perturbation_features is for screen.shift: auto, mixed or limited" 1 run run.yaml --set screen.shift=paired
finish
