# Which cells take part: cells that data.filter leaves out, that hold_out takes by a column or sets aside, are as if they had never been.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
two_species 120 14 3 run.yaml
cat >>run.yaml <<Y
hold_out: {cell_type: [type_1, 'type_[2]'], condition: drug_1, species: '*_a'}
model: {hidden: 24, latent: 4}
train: {epochs: 2, batch: 16, shards: 4}
screen: {permutations: 20}
Y
# Bad cells among the good ones: values that no run would read, labels that no good cell has, in each layout of the matrix. `aside`:
# some cells of a group, which a column of `aside.h5ad` takes out, against the file without them.
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import sys, anndata, numpy as np, pandas as pd, scipy.sparse as sp, warnings
warnings.simplefilter("ignore")
rng = np.random.default_rng(3)

def spoilt(name, layout, seed):
    a = anndata.read_h5ad(f"data/{name}.h5ad")
    a.obs["quality"] = pd.Categorical(["good"] * (a.n_obs - 3) + ["fair"] * 3)
    a.obs["n_genes"] = np.asarray((a.X > 0).sum(1)).ravel()
    a.write_h5ad(f"data/clean_{name}.h5ad")
    bad = a[rng.integers(0, a.n_obs, 40)].copy()
    x = np.full(bad.shape, np.nan if seed else 1e9, dtype="f4")
    x[:, ::2] = -1 if seed else 0
    bad.obs_names = [f"bad_{i}" for i in range(40)]
    bad.obs["quality"] = ["bad"] * 39 + [None]
    bad.obs["cell_type"] = ["type_1"] * 20 + ["debris"] * 20
    bad.obs["condition"] = ["control"] * 10 + ["drug_9"] * 30
    all_ = np.vstack([a.X.toarray(), x])
    order = rng.permutation(len(all_))  # good cells keep their order among themselves
    order[order < a.n_obs] = np.arange(a.n_obs)
    obs = pd.concat([a.obs.astype({c: object for c in ("cell_type", "condition", "quality")}), bad.obs]).iloc[order]
    for c in ("cell_type", "condition", "quality"):
        obs[c] = pd.Categorical(obs[c])
    x = all_[order]
    anndata.AnnData({"csr": sp.csr_matrix, "csc": sp.csc_matrix, "dense": np.asarray}[layout](x), obs=obs, var=a.var).write_h5ad(
        f"data/{layout}_{seed}_{name}.h5ad")

for layout in ("csr", "csc", "dense"):
    for seed in (0, 1):
        for name in ("species_a", "species_b"):
            rng = np.random.default_rng(3)
            spoilt(name, layout, seed)
a = anndata.read_h5ad("data/species_a.h5ad")
test = (a.obs.cell_type == "type_3") & ((a.obs.condition == "control") | (a.obs.condition == "drug_2")) & (np.arange(a.n_obs) % 3 == 0)
whole = (a.obs.cell_type == "type_1") & (a.obs.condition == "drug_1")
a.obs["split"] = pd.Categorical(np.where(test | whole, "test", "train"))
a.write_h5ad("data/split.h5ad")
a.X = a.X.toarray()
a.X[test.to_numpy()] = 77
a.X = sp.csr_matrix(a.X)
a.write_h5ad("data/split_spoilt.h5ad")
a[(~test).to_numpy()].copy().write_h5ad("data/split_clean.h5ad")
P
check_ok "making the files" $? py.log
# arrays FILE: a checksum of every array of the file but what says where it came from
cat >arrays.py <<'P'
import hashlib, sys, h5py
def show(name, item):
    if isinstance(item, h5py.Dataset) and not name.startswith(("uns/scscreen", "uns/genes", "var/gene_")) and name not in ("inputs", "config"):
        print(name, hashlib.sha256(repr(item[()].tolist()).encode()).hexdigest())
for path in sys.argv[1:]:
    h5py.File(path, "r").visititems(show)
P
arrays() { "$SCS_PYTHON" arrays.py "$1/model.h5" "$1/screen.h5ad"; }
# same FOLDER AS: their models and screens hold the same numbers
same() {
    arrays "$1" >"$1.arrays" 2>&1
    arrays "$2" >"$2.arrays" 2>&1
    if [ -s "$1.arrays" ] && ! grep -q Error "$1.arrays" && cmp -s "$1.arrays" "$2.arrays"; then pass; else fail "$1: other numbers than $2"; diff "$1.arrays" "$2.arrays" | head -5; fi
}
inputs() { echo "data.inputs=[data/$1_species_a.h5ad, {path: data/$1_species_b.h5ad, orthologs: data/species_b.orthologs.tsv}]"; }
good='data.filter=[{column: quality, in: [good, fair]}, {column: n_genes, min: 1, max: 1e5}]'
launch 1 run run.yaml --set "$(inputs clean)" --set output.dir=clean >log 2>&1
check_ok "without bad cells" $? log
np=1
for layout in csr csc dense; do
    for seed in 0 1; do
        launch $np run run.yaml --set "$(inputs ${layout}_$seed)" --set "$good" --set output.dir=${layout}_$seed >log 2>&1
        check_ok "bad cells in $layout at np $np" $? log
        same ${layout}_$seed clean
        np=$((np % 3 + 1))
    done
done
if grep -q "  filter  *80 of .* cells are left out by data.filter (.*40 of" log; then pass; else fail "the run does not say what was left out"; show log; fi
"$SCS_PYTHON" -c 'import anndata; assert anndata.read_h5ad("csr_0/screen.h5ad").uns["scscreen"]["filter"].startswith("80 of")' >log 2>&1
check_ok "uns/scscreen/filter" $? log

# A model and a state belong to their filter.
expect "the model under another filter" 64 "data.filter" 2 screen run.yaml --set "$(inputs csr_0)" --set output.dir=csr_0 --set 'data.filter={column: quality, in: good}'
expect "the model without its filter" 64 "data.filter" 1 screen run.yaml --set "$(inputs csr_0)" --set output.dir=csr_0
mkdir stopped && touch stopped/STOP
launch 2 run run.yaml --set "$(inputs csc_1)" --set "$good" --set output.dir=stopped >log 2>&1
[ $? = 75 ] && pass || fail "it did not stop"
expect "the state under another filter" 64 "data.filter" 3 run run.yaml --set "$(inputs csc_1)" --set output.dir=stopped --set 'data.filter={column: quality, not_in: bad}'
launch 3 run run.yaml --set "$(inputs csc_1)" --set "$good" --set output.dir=stopped >log 2>&1
check_ok "going on with the same filter" $? log
same stopped clean
launch 1 validate run.yaml --set "$(inputs csr_1)" --set "$good" --set model.kind=mean --set output.dir=v1 >log 2>&1
check_ok "validate" $? log
launch 2 validate run.yaml --set "$(inputs clean)" --set model.kind=mean --set output.dir=v2 >log 2>&1
if cmp -s v1/validation.tsv v2/validation.tsv; then pass; else fail "validate tells other numbers"; fi

# validate: with a median target_sum, cells that a model holds out have no say in how the others are scaled. Sixteen times the counts are
# the same expression to the last bit, whatever the cells' own totals are.
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import anndata, numpy as np, scipy.sparse as sp
a = anndata.read_h5ad("data/species_a.h5ad")
held = ((a.obs.cell_type == "type_1") & (a.obs.condition == "drug_1")).to_numpy()
before = np.median(np.asarray(a.X.sum(1)))
a.X = sp.csr_matrix(sp.diags(np.where(held, 16.0, 1.0)) @ sp.csr_matrix(a.X)).astype("f4")
assert np.median(np.asarray(a.X.sum(1))) != before
a.write_h5ad("data/deep.h5ad")
P
check_ok "deep cells" $? py.log
for name in species_a deep; do
    launch 2 validate run.yaml --set "data.inputs=[data/$name.h5ad]" --set model.kind=mean --set data.target_sum=median --set hold_out= \
        --set 'validate.cell_types=[type_1]' --set 'validate.perturbations=[drug_1]' --set output.dir=m_$name >log 2>&1
    check_ok "validate by a median, $name" $? log
done
if cmp -s m_species_a/validation.tsv m_deep/validation.tsv; then pass; else fail "held-out cells have a say in a median"; diff m_species_a/validation.tsv m_deep/validation.tsv | head -4; fi

for name in csr_1 dense_1 clean; do
    filter='data.filter=[{column: n_genes, min: 0}]'
    [ $name = clean ] || filter=$good
    launch 2 predict run.yaml --set "$(inputs $name)" --set "$filter" --set model.kind=mean --combination species_a,type_1,drug_1 --set output.dir=p_$name >log 2>&1
    check_ok "predict, $name" $? log
    "$SCS_PYTHON" arrays.py p_$name/cells.h5ad >p_$name.arrays 2>&1
    if [ -s p_$name.arrays ] && ! grep -q Error p_$name.arrays; then pass; else fail "predict, $name"; fi
done
for name in csr_1 dense_1; do
    if cmp -s p_$name.arrays p_clean.arrays; then pass; else fail "predict: other cells from $name"; diff p_$name.arrays p_clean.arrays | head -5; fi
done

expect "a column that is not there" 65 "csr_0_species_a.h5ad: obs has no column qualty (did you mean quality?)" 2 check run.yaml --set "$(inputs csr_0)" --set 'data.filter={column: qualty, in: good}'
expect "a value that is not there" 64 '--set data.filter: there is no quality "god"; did you mean "good"?' 2 check run.yaml --set "$(inputs csr_0)" --set 'data.filter={column: quality, in: god}'
expect "text for a number" 65 "obs column quality, cell row 0: '" 1 check run.yaml --set "$(inputs csr_0)" --set 'data.filter={column: quality, min: 3}'
expect "nothing left" 65 "none of the " 1 check run.yaml --set "$(inputs csr_0)" --set 'data.filter={column: n_genes, min: 1e7}'

# By a column: whole groups are held out, cells of others are set aside, whatever their values.
item='hold_out={column: split, value: test}'
one='data.inputs=[data/'
for name in split split_spoilt; do
    launch 2 run run.yaml --set "$one$name.h5ad]" --set "$item" --set output.dir=$name >log 2>&1
    check_ok "$name" $? log
done
same split_spoilt split
if grep -q "9 are set aside: hold_out takes them by a column" log; then pass; else fail "cells set aside are not told"; show log; fi
"$SCS_PYTHON" - >log 2>&1 <<'P'
import anndata, numpy as np
a, x = anndata.read_h5ad("split/screen.h5ad"), anndata.read_h5ad("data/split.h5ad")
held = a.obs[a.obs.held_out]
assert list(zip(held.cell_type, held.perturbation)) == [("type_1", "drug_1")], held
assert np.isfinite(held.r2_all).all() and held.n_observed.iloc[0] == 14
row = a.obs[(a.obs.cell_type == "type_3") & (a.obs.perturbation == "drug_2")].iloc[0]
kept = x.obs[x.obs.split == "train"]
assert row.n_control == ((kept.cell_type == "type_3") & (kept.condition == "control")).sum() < 14, row
P
check_ok "rows of a split" $? log
expect "all control cells" 65 'add condition: "*"' 1 check run.yaml --set "${one}split.h5ad]" --set 'hold_out={column: cell_type, value: type_2}'
launch 1 check run.yaml --set "${one}split.h5ad]" --set 'hold_out={column: cell_type, value: type_2, condition: "drug_[12]"}' >log 2>&1
check_ok "perturbed cells by a column" $? log

# Cells without counts, and one file under two names, are told.
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import anndata, scipy.sparse as sp
a = anndata.read_h5ad("data/species_a.h5ad")
x = a.X.toarray()
x[[3, 50, 51]] = 0
a.X = sp.csr_matrix(x)
a.write_h5ad("data/empty_cells.h5ad")
P
ln data/empty_cells.h5ad data/linked.h5ad
cp data/empty_cells.h5ad data/copied.h5ad
for np in 1 3; do
    launch $np check run.yaml --set "${one}empty_cells.h5ad, data/linked.h5ad, data/copied.h5ad, data/empty_cells.h5ad]" >log 2>&1
    check_ok "cells without counts at np $np" $? log
    for words in "empty_cells.h5ad: 3 of .* cells have no value above 0 in any gene" "linked.h5ad holds the same bytes as data/empty_cells.h5ad" "copied.h5ad holds the same bytes as data/empty_cells.h5ad" "data/empty_cells.h5ad: data.inputs lists it more than once"; do
        if grep -q -- "$words" log; then pass; else fail "np $np: no '$words'"; show log; fi
    done
done
finish
