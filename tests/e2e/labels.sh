# Labels: two that name one perturbation are refused in every verb, those that look alike are named with their cells, and
# numbers in float16 and float32 are the ones that were written.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import anndata, numpy as np, pandas as pd, scipy.sparse as sp
rng = np.random.default_rng(3)
def atlas(name, conditions, types=("T1", "T2"), **obs):
    rows = [(t, c) for t in types for c in conditions for _ in range(6)]
    x = sp.csr_matrix(rng.poisson(2, (len(rows), 40)).astype("f4"))
    frame = pd.DataFrame(rows, columns=["cell_type", "condition"], index=[f"c{i}" for i in range(len(rows))])
    for key, value in obs.items():
        frame[key] = value(frame)
    anndata.AnnData(x, obs=frame, var=pd.DataFrame(index=[f"g{i}" for i in range(40)])).write_h5ad(name + ".h5ad")
atlas("beside_control", ["ctrl", "A+ctrl", "ctrl+A", "B"])
atlas("alone_and_beside", ["ctrl", "A", "A+ctrl", "B"])
atlas("swapped", ["ctrl", "A", "B", "A+B", "B+A"])
atlas("swapped_alone", ["ctrl", "C", "A+B", "B+A"])
atlas("three", ["ctrl", "A+B+C", "B+A+C"])
atlas("three_control", ["ctrl", "A", "A+B+ctrl", "B+A"])
atlas("control_twice", ["ctrl", "A", "ctrl+ctrl"])
atlas("no_twins", ["ctrl", "A+ctrl", "B+ctrl", "A+B", "B+C"])
atlas("joined_alike", ["ctrl", "A + b", "B+A", "C", "C+Ctrl", "D+E", "D+F", "DMSO"])
forms = {"5Ω": "5\u2126", "가": "\u1100\u1161", "fix": "\ufb01x", "straße": "STRASSE", "H2O2": "H₂O₂", "IFNα": "ifna", "К5": "к5",
         "B": "В", "ok": "o\u00adk", "a\u2003b": "ab", "T’": "T'"}
atlas("forms", ["ctrl", *forms, *forms.values()], types=("T1",))
atlas("no_label", ["ctrl", "A", "B"])
a = anndata.read_h5ad("no_label.h5ad")
a.obs["condition"] = pd.Categorical(a.obs.condition.astype(object).where(a.obs.condition != "ctrl"))
a.write_h5ad("no_label.h5ad")
atlas("alike", ["ctrl", "Ctrl", "drug", "drug ", "é", "e\u0301", "5µM", "5μM"], types=("T cell", "T-cell", "nan"))
atlas("dashes", ["ctrl", "drug A", "drug_A", "1-2", "12", "CD4", "CD4-"])
atlas("columns", ["ctrl", "A", "B"], barcode=lambda f: np.where(f.condition == "ctrl", "ctrl", f.index), species=lambda f: "human")
for name, order in (("numbered", 1), ("numbered_too", -1)):
    a = anndata.read_h5ad("columns.h5ad")[:, ::order].copy()
    a.var = pd.DataFrame({"symbol": a.var_names}, index=[str(i) for i in range(a.n_vars)])
    a.write_h5ad(name + ".h5ad")
anndata.read_h5ad("columns.h5ad")[::-1].copy().write_h5ad("copy.h5ad", compression="gzip")
whole, other = anndata.read_h5ad("columns.h5ad"), anndata.read_h5ad("no_twins.h5ad")
whole[whole.obs.condition == "A", rng.permutation(whole.n_vars)].copy().write_h5ad("part.h5ad")
double = anndata.concat([whole[:5], whole[:5], other[-13:]])
double.obs_names_make_unique()
double.write_h5ad("doubled.h5ad")
for size in ("f2", "f4", "f8"):
    dose = {"ctrl": 0, "d1": 0.1, "d2": 0.3, "d3": 10, "d4": 0.15625}
    atlas("dose_" + size, list(dose), dose=lambda f: np.array([dose[c] for c in f.condition], size))
    if size == "f2":
        continue  # pandas has no categories of float16
    a = anndata.read_h5ad(f"dose_{size}.h5ad")
    a.obs["dose"] = a.obs.dose.astype("category")
    a.write_h5ad(f"category_{size}.h5ad")
    a.obs["cell_type"] = pd.Categorical(np.where(np.arange(a.n_obs) % 2, 10, 0.7).astype(size))
    a.write_h5ad(f"label_{size}.h5ad")
P
check_ok "making the files" $? py.log
cat >l.yaml <<Y
data: {control: ctrl, trust_values: true, normalize: log1p}
model: {kind: mean}
screen: {permutations: 0}
train: {shards: 4}
output: {dir: out}
Y
for verb in check screen validate pca; do
    expect "$verb of twins" 64 '"A+ctrl" and "ctrl+A" name the same perturbation' 2 $verb l.yaml --set 'data.inputs=[beside_control.h5ad]' --set model.latent=3
done
expect "a held-out twin" 64 'name the same perturbation' 1 run l.yaml --set 'data.inputs=[beside_control.h5ad]' --set 'hold_out=[{cell_type: T1, condition: A+ctrl}]'
said() { "$scscreen" check l.yaml "$@" >log 2>&1; code=$?; }
has() { if grep -qF -- "$2" log; then pass; else fail "$1: no '$2'"; show log; fi; }
for name in alone_and_beside swapped swapped_alone three three_control control_twice; do
    said --set "data.inputs=[$name.h5ad]"
    [ $code = 64 ] && pass || fail "$name: exit $code"
    has $name "give them one label"
done
said --set 'data.inputs=[swapped.h5ad]' --set screen.pair_separator=/
check_ok "another separator" $code log
said --set 'data.inputs=[no_twins.h5ad]'
check_ok "no twins" $code log
if grep -q "note: column" log; then fail "labels that are not alike are noted"; show log; else pass; fi

said --set 'data.inputs=[alike.h5ad]'
check_ok "labels that look alike" $code log
has control "column condition: 'Ctrl' (18 cells) and 'ctrl' (18 cells) differ only in case, spaces, dashes, the form of letters or the order of what '+' joins"
has space "'drug' (18 cells) and 'drug ' (18 cells)"
has accent "and 'é' (18 cells)"
has micro "'5µM' (18 cells) and '5μM' (18 cells)"
has missing "column cell_type: 'nan' (48 cells) is taken for a label"
has dash "'T cell' (48 cells) and 'T-cell' (48 cells)"
said --set 'data.inputs=[dashes.h5ad]'
has underscore "'drug A' (12 cells) and 'drug_A' (12 cells)"
if grep -q "note: .*\(1-2\|CD4\)" log; then fail "'1-2' and '12', or 'CD4-' and 'CD4', are not alike"; show log; else pass; fi

said --set 'data.inputs=[joined_alike.h5ad]'
check_ok "joined labels that look alike" $code log
has "order and spaces" "'A + b' (12 cells) and 'B+A' (12 cells)"
has "another writing of the control" "'C' (12 cells) and 'C+Ctrl' (12 cells)"
has "a second control" "column condition: 'DMSO' (12 cells) is taken for a perturbation, beside the control 'ctrl'"
if [ "$(grep -c "note: column" log)" = 3 ]; then pass; else fail "other notes than three"; show log; fi
said --set 'data.inputs=[forms.h5ad]'
if [ "$(grep -c "note: column condition: .* differ only in case" log)" = 11 ]; then pass; else fail "not all of 11 forms are told"; show log; fi
said --set 'data.inputs=[{path: no_twins.h5ad, species: human}, {path: no_twins.h5ad, species: Human}]'
has species "column species (data.inputs): 'Human' (60 cells) and 'human' (60 cells) differ only in case, spaces, dashes or the form of letters"
said --set 'data.inputs=[no_label.h5ad]'
has "controls without a label" "has the condition 'ctrl'; column condition has A, B; 12 cells have no value there"

for name in dose_f2 dose_f4 dose_f8 category_f4 category_f8; do
    "$scscreen" run l.yaml --set "data.inputs=[$name.h5ad]" --set data.dose=dose --set output.dir=$name >log 2>&1
    check_ok $name $? log
done
"$SCS_PYTHON" - >py.log 2>&1 <<'P'
import anndata
for name in ("dose_f2", "dose_f4", "dose_f8", "category_f4", "category_f8"):
    obs = anndata.read_h5ad(f"{name}/screen.h5ad").obs
    # numpy prints 0.15625 as float16 as 0.1562
    want = {0.1, 0.3, 10.0, 0.1562 if name == "dose_f2" else 0.15625}
    assert set(obs.dose.astype(float)) == want, (name, set(obs.dose))
    assert (obs.n_observed > 0).all()
P
check_ok "doses are those that were written" $? py.log
cat py.log
for size in f4 f8; do
    said --set "data.inputs=[label_$size.h5ad]"
    has "labels as $size" "cell types  2: 0.7, 10.0"
done

# Columns, genes and files that are taken for others.
for columns in "condition condition=cell_type" "species species=cell_type" "species species=condition" "dose dose=cell_type"; do
    expect "one column twice" 64 "data.${columns%% *} are both the column '${columns#*=}'; each needs its own" 1 check l.yaml --set "data.${columns#* }" --set 'data.inputs=[columns.h5ad]'
done
said --set 'data.inputs=[columns.h5ad]' --set data.condition=barcode
has "a column of barcodes" "column barcode: 24 of its 25 labels have a single cell; is it the right column?"
said --set 'data.inputs=[{path: columns.h5ad, species: mouse}]' --set data.species=species
has "species of the config" "columns.h5ad: its column species is not read, as data.inputs says 'mouse' of all its cells"
said --set 'data.inputs=[columns.h5ad, copy.h5ad]'
has "a copy" "copy.h5ad: 36 of its 36 cells have the values of a cell of columns.h5ad in all genes: they count twice"
said --set 'data.inputs=[columns.h5ad, copy.h5ad]' --set train.data=stream --set model.kind=vae
has "a copy that is streamed" "copy.h5ad has exactly as many cells, genes and values as columns.h5ad; if it is a copy, its cells count twice"
for np in 1 3; do
    launch $np check l.yaml --set screen.pair_separator=/ --set 'data.inputs=[no_twins.h5ad, columns.h5ad, part.h5ad, doubled.h5ad]' >log 2>&1
    has "a part, its genes in another order" "part.h5ad: 12 of its 12 cells have the values of a cell of columns.h5ad in all genes"
    has "a file joined with itself" "doubled.h5ad: 5 of its 23 cells have the values of another cell of it in all genes"
    has "cells in common" "doubled.h5ad: 23 of its 23 cells have the values of a cell of no_twins.h5ad and other inputs in all genes"
    if [ "$(grep -c "count twice" log)" = 3 ]; then pass; else fail "other cells are no copies"; show log; fi
done
said --set 'data.inputs=[columns.h5ad, no_twins.h5ad]'
if grep -q "exactly as many\|count twice" log; then fail "other cells are no copy"; show log; else pass; fi
said --set 'data.inputs=[numbered.h5ad]'
check_ok "genes that are numbered" $code log
has "genes that are numbered" "numbered.h5ad: its genes are numbered 0 to 39, not named; data.gene_column names"
expect "genes of two files that are numbered" 65 "numbered.h5ad: its genes are numbered 0 to 39, not named, so that none can be told" 1 check l.yaml --set 'data.inputs=[numbered.h5ad, numbered_too.h5ad]'
said --set 'data.inputs=[numbered.h5ad, numbered_too.h5ad]' --set data.gene_column=symbol
check_ok "their names in a column" $code log
if grep -q "genes are numbered" log; then fail "named genes are not numbered"; show log; else pass; fi
cat >counts.yaml <<Y
data: {inputs: [columns.h5ad], control: ctrl, trust_values: true, normalize: log1p}
model: {hidden: 8, latent: 2}
train: {epochs: 1, shards: 1}
screen: {permutations: 0}
output: {dir: own}
Y
"$scscreen" run counts.yaml -q >log 2>&1 && "$scscreen" predict counts.yaml --combination all,T1,A -q >>log 2>&1
check_ok "files of our own" $? log
said --set 'data.inputs=[columns.h5ad, own/cells.h5ad]'
has "predicted cells" "own/cells.h5ad: was written by scscreen: its cells are no measured ones"
expect "a screen for an input" 65 "own/screen.h5ad is a result of scscreen, no input: own/screen.h5ad: obs has no column condition" 1 check l.yaml --set 'data.inputs=[own/screen.h5ad]'
finish
