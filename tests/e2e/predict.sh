# predict: cells of a combination that was held out, as counts: the same bytes on any number of ranks, what anndata and scanpy
# take, one line for what cannot be predicted, and nothing half-written under the name.
. "$SCS_SRCDIR/tests/lib.sh"
cd "$work" || exit 1
two_species 300 40 4 cells.yaml
cat >>cells.yaml <<Y
hold_out:
  - {species: species_b, cell_type: type_1, condition: drug_1}
model: {kind: mean}
train: {shards: 4}
screen: {shift: nearest}
Y
wanted=species_b,type_1,drug_1
for np in 1 2 3 4; do
    launch "$np" predict cells.yaml --combination $wanted --cells 5000 --set output.dir=o$np >log 2>&1
    check_ok "predict at np $np" $? log
    sha256sum <o$np/cells.h5ad >sha$np
    if cmp -s sha1 sha$np; then pass; else fail "other bytes at np $np"; fi
done
if grep -q "more cells than controls" log; then pass; else fail "no warning of more cells than controls"; fi
# each combination's cells are the same whatever else is asked for; as many as controls by default
launch 2 predict cells.yaml --combination $wanted --combination all,type_2,drug_2 >log 2>&1
check_ok "three combinations" $? log
if "$scscreen" inspect results/cells.h5ad | grep -q "predicted cells x "; then pass; else fail "inspect of cells.h5ad"; fi
launch 2 predict cells.yaml --combination $wanted --values log1p --set output.dir=logged >log 2>&1
check_ok "log1p" $? log
"$SCS_PYTHON" "$SCS_SRCDIR/tests/e2e/check_predict.py" data results/cells.h5ad o1/cells.h5ad logged/cells.h5ad >log 2>&1
check_ok "what the cells are" $? log
# the rows of the screen section, in its words
printf 'species\tcell_type\tperturbation\nspecies_a\ttype_3\tdrug_1\nspecies_b\ttype_4\tdrug_2\n' >wanted.tsv
launch 3 predict cells.yaml --set screen.combinations=wanted.tsv --cells 10 --set output.dir=table >log 2>&1
check_ok "the rows of screen.combinations" $? log
"$SCS_PYTHON" - table/cells.h5ad >log 2>&1 <<'P'
import sys, anndata
o = anndata.read_h5ad(sys.argv[1]).obs
assert list(o.groupby(["species", "cell_type", "condition"], observed=True).size().items()) == [
    (("species_a", "type_3", "drug_1"), 10), (("species_b", "type_4", "drug_2"), 10)], o
P
check_ok "cells of the table's rows" $? log
# a network's means
cat >net.yaml <<Y
$(grep -v '^model' cells.yaml)
model: {hidden: 16, latent: 4}
Y
sed -i 's/^train:.*/train: {shards: 4, epochs: 2}/' net.yaml
launch 2 train net.yaml --set output.dir=net >log 2>&1
check_ok "train" $? log
for np in 1 3; do
    launch "$np" predict net.yaml --combination $wanted --set output.dir=net >log 2>&1
    check_ok "predict with a network, np $np" $? log
    sha256sum <net/cells.h5ad >net$np
done
if cmp -s net1 net3; then pass; else fail "a network's cells have other bytes at np 3"; fi
"$SCS_PYTHON" - "$SCS_SRCDIR/scripts" net/cells.h5ad net/model.h5 >log 2>&1 <<'P'
import sys, anndata, numpy as np, scanpy as sc
sys.path.insert(0, sys.argv[1])
import scscreen
a, model = anndata.read_h5ad(sys.argv[2]), scscreen.read_model(sys.argv[3])
a.X = a.X.astype(float)
sc.pp.normalize_total(a, target_sum=a.uns["scscreen"]["target_sum"])
sc.pp.log1p(a)
want = model.embed(a)
assert a.obsm["latent"].shape == want.shape == (a.n_obs, 4) and np.abs(a.obsm["latent"] - want).max() < 1e-4 * np.abs(want).max()
P
check_ok "obsm/latent is where the encoder puts the cells" $? log
if cmp -s net/cells.h5ad results/cells.h5ad; then fail "a network's cells are those of the means"; else pass; fi

# ---- a screen's tests are those of the cells that predict makes, on any number of ranks
for np in 1 3; do
    launch $np screen cells.yaml --set screen.de=true --set screen.permutations=0 --set output.dir=de$np >log 2>&1
    check_ok "screen.de, np $np" $? log
done
if cmp -s de1/screen.h5ad de3/screen.h5ad; then pass; else fail "screen.de: other bytes at np 3"; fi
launch 2 predict cells.yaml --set output.dir=all >log 2>&1
check_ok "cells of all rows" $? log
"$SCS_PYTHON" - >log 2>&1 <<'P'
import anndata, numpy as np, pandas as pd
from scipy.stats import false_discovery_control, mannwhitneyu
screen, cells = anndata.read_h5ad("de1/screen.h5ad"), anndata.read_h5ad("all/cells.h5ad")
real = {s: anndata.read_h5ad(f"data/{s}.h5ad") for s in ("species_a", "species_b")}
cpm = lambda x: x / (x.sum(1, keepdims=True) / 1e6)
n = 0
for name, row in screen.obs.iterrows():
    r = real[row.species]
    genes = screen.var_names if row.species == "species_a" else screen.var.gene_species_b.astype(str)
    control = cpm(r[(r.obs.cell_type == row.cell_type) & (r.obs.condition == "control"), list(genes)].X.toarray().astype(float))
    o = cells.obs
    made = cells[(o.species == row.species) & (o.cell_type == row.cell_type) & (o.condition == row.perturbation)]
    assert made.n_obs == row.n_control
    made = cpm(made.X.toarray().astype(float))
    p = mannwhitneyu(np.log1p(made), np.log1p(control), method="asymptotic").pvalue
    p[np.isnan(p)] = 1
    got = {k: screen[name].layers[k][0] for k in ("p_de", "q_de", "log2fc")}
    # near ties may be ties or not, as logarithms round
    assert np.abs(np.log(got["p_de"] / p)).max() < 1e-2 and np.median(np.abs(np.log(got["p_de"] / p))) < 1e-9
    assert np.abs(np.log(got["q_de"] / false_discovery_control(got["p_de"]))).max() < 1e-9
    assert np.abs(got["log2fc"] - np.log2((made.mean(0) + 1e-9) / (control.mean(0) + 1e-9))).max() < 1e-5
    n += (got["q_de"] < 0.05).sum()
assert n > 100 and len(screen) == 16
P
check_ok "tests of a screen" $? log
expect "tests without layers" 64 "screen.de writes layers" 2 screen cells.yaml --set screen.de=true --set output.rows=top --set output.dir=x
# the right mean: what is made of it has that mean, calibrated but for the counts' own grain
launch 2 predict cells.yaml --combination $wanted --mean observed --set output.dir=seen >log 2>&1
check_ok "the observed mean" $? log
"$SCS_PYTHON" - >log 2>&1 <<'P'
import anndata, numpy as np
b, screen = anndata.read_h5ad("data/species_b.h5ad"), anndata.read_h5ad("de1/screen.h5ad")
genes = list(screen.var.gene_species_b.astype(str))
cpm = lambda x: (x / (x.sum(1, keepdims=True) / 1e6)).mean(0)
want = cpm(b[(b.obs.cell_type == "type_1") & (b.obs.condition == "drug_1"), genes].X.toarray().astype(float))
seen, cells = anndata.read_h5ad("seen/cells.h5ad"), anndata.read_h5ad("all/cells.h5ad")
o = cells.obs
got = cpm(seen.X.toarray().astype(float))
plain = cpm(cells[(o.species == "species_b") & (o.cell_type == "type_1") & (o.condition == "drug_1")].X.toarray().astype(float))
error = lambda x: np.abs(x - want).sum() / want.sum()
print("error of the mean: observed %.3f, predicted %.3f" % (error(got), error(plain)))
assert error(got) < 0.1 < error(plain)
P
check_ok "cells have it" $? log

# ---- the user's own cells: genes by name in any order, other genes beside them, some missing; with or without labels
"$SCS_PYTHON" - data >log 2>&1 <<'P'
import sys, anndata, numpy as np
a = anndata.read_h5ad(f"{sys.argv[1]}/species_a.h5ad")
r = np.random.default_rng(1)
a.obs_names = [f"mine{i}" for i in range(a.n_obs)]
wide = a[:, r.permutation(a.n_vars)].copy()
own = a[(a.obs.cell_type == "type_2") & (a.obs.condition == "control")]
own[:, [g for g in a.var_names if g not in ("gene_0007", "gene_0050")]].copy().write_h5ad("narrow.h5ad")
wide.write_h5ad("wide.h5ad")
bare = own[:25].copy()
bare.obs = bare.obs[[]]
bare.write_h5ad("bare.h5ad")
b = anndata.read_h5ad(f"{sys.argv[1]}/species_b.h5ad")
b[b.obs.condition == "control"].copy().write_h5ad("b.h5ad")
own[:0].copy().write_h5ad("none.h5ad")
a[~((a.obs.cell_type == "type_2") & (a.obs.condition == "drug_1"))].copy().write_h5ad("gone.h5ad")
a[a.obs.condition != "control"].copy().write_h5ad("treated.h5ad")
strange = bare.copy()
strange.var_names = [f"x{i}" for i in range(strange.n_vars)]
strange.write_h5ad("strange.h5ad")
for name, x in ("negative", -bare.X), ("logs", bare.X.astype("f4").log1p()):
    n = bare.copy()
    n.X = x
    n.write_h5ad(f"{name}.h5ad")
P
check_ok "the user's files" $? log
# asked NP FOLDER CONFIG FILE
asked() { launch "$1" predict "$3" --combination species_a,type_2,drug_1 --layers log1p --set output.dir="$2" --from "$4" >log 2>&1; }
launch 2 predict cells.yaml --combination species_a,type_2,drug_1 --set output.dir=inputs >log 2>&1
check_ok "from the inputs" $? log
for np in 1 3; do
    asked $np wide$np cells.yaml wide.h5ad
    check_ok "from a file with more genes, np $np" $? log
done
if grep -q "160 of 480 cells are controls; the others are left out" log; then pass; else fail "says nothing of cells that are no controls"; fi
if cmp -s wide1/cells.h5ad wide3/cells.h5ad; then pass; else fail "from: other bytes at np 3"; fi
asked 2 narrow cells.yaml narrow.h5ad
check_ok "from a file that lacks genes" $? log
if grep -q "2 of the run's [23][0-9]* genes are not in narrow.h5ad, the first gene_0007: predicted cells have the other" log; then pass; else fail "missing genes: $(grep genes log)"; fi
asked 2 net net.yaml bare.h5ad
check_ok "from cells without labels, with a network" $? log
launch 2 predict cells.yaml --combination species_b,type_1,drug_1 --from b.h5ad --set output.dir=b >log 2>&1
check_ok "from cells of a species with a table" $? log
if grep -q "genes are not in .*b.h5ad" log; then fail "a species' own names: $(grep 'genes are' log)"; else pass; fi
"$SCS_PYTHON" - >log 2>&1 <<'P'
import anndata, hashlib, numpy as np, scanpy as sc
read = lambda d: anndata.read_h5ad(f"{d}/cells.h5ad")
inputs, wide, narrow, bare, b = map(read, ("inputs", "wide1", "narrow", "net", "b"))
# the inputs' own controls, found by name in another file: the same cells
assert list(wide.var_names) == list(inputs.var_names) and set(wide.obs.template) <= {f"mine{i}" for i in range(480)}
assert (wide.X != inputs.X).nnz == 0 and list(wide.obs.donor_type) == list(inputs.obs.donor_type)
log = wide.copy()
log.X = log.X.astype(float)
sc.pp.normalize_total(log, target_sum=log.uns["scscreen"]["target_sum"])
sc.pp.log1p(log)
assert abs(log.X - wide.layers["log1p"]).max() < 1e-5 and wide.layers["log1p"].nnz == wide.X.nnz
# all but two genes: these are not there, and the others respond alike
assert [g for g in inputs.var_names if g not in narrow.var_names] == ["gene_0007", "gene_0050"]
mean = lambda a: np.log1p(np.asarray(a[:, narrow.var_names].X.mean(0)).ravel())
assert np.corrcoef(mean(narrow), mean(inputs))[0, 1] > 0.99
assert bare.n_obs == 25 and sorted(bare.obs.template) == sorted(anndata.read_h5ad("bare.h5ad").obs_names) and set(bare.obs.cell_type) == {"type_2"}
assert bare.obsm["latent"].shape == (25, 4) and bare.uns["scscreen"]["from"].endswith("bare.h5ad")
assert bare.uns["scscreen"]["from_checksum"] == "sha256:" + hashlib.sha256(open("bare.h5ad", "rb").read()).hexdigest()
assert b.n_obs == 40 and b.X.nnz > 0
P
check_ok "cells of the user's own" $? log
asked 2 net net.yaml narrow.h5ad
if grep -q "no obsm/latent: the cells lack genes" log; then pass; else fail "a latent place of cells that lack genes: $(tail -n 3 log)"; fi
cp inputs/cells.h5ad before.h5ad
mine() { expect "from: $1" "$2" "$3" 3 predict cells.yaml --combination species_a,type_2,drug_1 --set output.dir=inputs --from "$4"; }
sed 's|data/species_a.h5ad|gone.h5ad|' cells.yaml >gone.yaml
expect "no observed mean" 65 "no cell of the inputs shows it" 2 predict gone.yaml --combination species_a,type_2,drug_1 --mean observed --set output.dir=inputs
mine "no cells" 65 "none.h5ad" none.h5ad
mine "no control" 65 'no cell has condition "control" (drug_1, drug_2)' treated.h5ad
mine "no gene" 65 "none of the run's" strange.h5ad
mine "negative values" 65 "negative.h5ad" negative.h5ad
mine "logarithms" 65 "set predict.from_matrix" logs.h5ad
mine "no file" 65 "nothing.h5ad" nothing.h5ad
expect "from: no cell of the type" 65 'no control cell has cell_type "type_3" (type_2)' 3 predict cells.yaml --combination species_a,type_3,drug_1 --set output.dir=inputs --from narrow.h5ad
expect "from: another matrix" 65 "layers/counts" 2 predict cells.yaml --combination $wanted --from wide.h5ad --set predict.from_matrix=layers/counts --set output.dir=inputs
expect "the layer that X is" 64 "predict.layers: counts is what X holds" 2 predict cells.yaml --combination $wanted --layers counts
expect "another layer" 64 '"logs": expected counts or log1p' 2 predict cells.yaml --combination $wanted --layers logs
if cmp -s inputs/cells.h5ad before.h5ad; then pass; else fail "a refused run changed the earlier cells"; fi

# ---- what is refused, alike on all ranks; the earlier result stays
cp results/cells.h5ad before.h5ad
bad() { expect "$1" "$2" "$3" 3 predict cells.yaml --combination "$4" ${5:+"$5" "$6"}; }
bad "unknown type" 64 'no cell type "typ_1"; did you mean "type_1"' all,typ_1,drug_1
bad "unknown species" 64 'no species "species_c"; did you mean' species_c,type_1,drug_1
bad "unknown perturbation" 64 'no perturbation "drug1"; did you mean "drug_1"' all,type_1,drug1
bad "the control" 64 'is the control' all,type_1,control
bad "too few parts" 64 'expected SPECIES,TYPE,PERTURBATION' type_1,drug_1
bad "a dose without doses" 64 'the data have no doses' all,type_1,drug_1,2
bad "no cells" 64 'predict.cells' $wanted --cells 0
bad "an unknown option" 64 'did you mean predict.cells' $wanted --cell 5
"$SCS_PYTHON" - data >log 2>&1 <<'P'
import sys, anndata, scanpy
for s in "ab":
    a = anndata.read_h5ad(f"{sys.argv[1]}/species_{s}.h5ad")
    a[~((a.obs.cell_type == "type_1") & (a.obs.condition == "control"))].copy().write(f"{sys.argv[1]}/bare_{s}.h5ad")
    scanpy.pp.normalize_total(a, target_sum=1e4)
    scanpy.pp.log1p(a)
    a.write(f"{sys.argv[1]}/logged_{s}.h5ad")
P
check_ok "other files" $? log
sed '/^hold_out/,/species_b, cell/d; s/species_\([ab]\)\.h5ad/bare_\1.h5ad/' cells.yaml >bare.yaml
expect "no templates" 65 "species_b,type_1,drug_1 cannot be predicted: the species has no control cells" 2 predict bare.yaml --combination $wanted
sed 's/species_\([ab]\)\.h5ad/logged_\1.h5ad/; s/normalize: log1p/normalize: auto/' cells.yaml >logged.yaml
expect "inputs without counts" 65 "holds no counts" 2 predict logged.yaml --combination $wanted
if cmp -s results/cells.h5ad before.h5ad; then pass; else fail "a refused run changed the earlier cells"; fi
if ls -A results | grep -q part; then fail "refused runs left files: $(ls -A results)"; else pass; fi
# half-written cells have no name, and do not hinder the next job
echo half >o1/cells.h5ad.part
launch 2 predict cells.yaml --combination $wanted --cells 5000 --set output.dir=o1 >log 2>&1
check_ok "predict over a half-written file" $? log
sha256sum <o1/cells.h5ad >again
if cmp -s again sha1 && [ ! -e o1/cells.h5ad.part ]; then pass; else fail "a half-written file was taken for one to go on with"; fi
finish
