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
if cmp -s net/cells.h5ad results/cells.h5ad; then fail "a network's cells are those of the means"; else pass; fi

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
